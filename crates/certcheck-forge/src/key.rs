//! Elliptic-curve keys derived from names, and the trait for keys of any kind.

use std::sync::Arc;

use p256::ecdsa::signature::Signer as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::der;

/// A private key. Implement it for other kinds of keys.
pub trait Signer: Send + Sync {
    /// The encoded SubjectPublicKeyInfo.
    fn spki(&self) -> Vec<u8>;

    /// The content of subjectPublicKey.
    fn public_key(&self) -> Vec<u8>;

    /// The private key as PKCS #8 (RFC 5208).
    fn pkcs8(&self) -> Vec<u8>;

    /// The encoded AlgorithmIdentifier of its signatures.
    fn algorithm(&self) -> Vec<u8>;

    /// Signs a message, without randomness.
    fn sign(&self, message: &[u8]) -> Vec<u8>;
}

/// A key pair. It is cheap to clone.
#[derive(Clone)]
pub struct Key {
    signer: Arc<dyn Signer>,
    spki: Vec<u8>,
}

impl Key {
    /// A key of any kind.
    #[must_use]
    pub fn new(signer: impl Signer + 'static) -> Self {
        Self { spki: signer.spki(), signer: Arc::new(signer) }
    }

    /// A key for ECDSA on P-256 with SHA-256. The private key is the hash of the seed.
    #[must_use]
    pub fn p256(seed: &str) -> Self {
        Self::new(P256(p256::ecdsa::SigningKey::from_slice(&sha256(seed.as_bytes())).unwrap()))
    }

    /// A key for ECDSA on P-384 with SHA-384. The private key is the hash of the seed.
    #[must_use]
    pub fn p384(seed: &str) -> Self {
        let scalar = [vec![0; 16], sha256(seed.as_bytes())].concat();
        Self::new(P384(p384::ecdsa::SigningKey::from_slice(&scalar).unwrap()))
    }

    /// The same key with another SubjectPublicKeyInfo.
    #[must_use]
    pub fn with_spki(mut self, spki: Vec<u8>) -> Self {
        self.spki = spki;
        self
    }

    /// The encoded SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The content of subjectPublicKey.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        self.signer.public_key()
    }

    /// The private key as PKCS #8 (RFC 5208), for TLS libraries and tools.
    #[must_use]
    pub fn pkcs8(&self) -> Vec<u8> {
        self.signer.pkcs8()
    }

    /// The key identifier: SHA-1 of the public key (RFC 5280 4.2.1.2 (1)).
    #[must_use]
    pub fn id(&self) -> Vec<u8> {
        Sha1::digest(self.public_key()).to_vec()
    }

    /// The encoded AlgorithmIdentifier of a signature by this key.
    #[must_use]
    pub fn algorithm(&self) -> Vec<u8> {
        self.signer.algorithm()
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signer.sign(message)
    }
}

struct P256(p256::ecdsa::SigningKey);

impl Signer for P256 {
    fn spki(&self) -> Vec<u8> {
        der::seq(&[ec_algorithm(CURVE_P256), der::bits(&self.public_key())])
    }

    fn public_key(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    fn pkcs8(&self) -> Vec<u8> {
        ec_pkcs8(CURVE_P256, &self.0.to_bytes(), &self.public_key())
    }

    fn algorithm(&self) -> Vec<u8> {
        der::seq(&[der::oid("1.2.840.10045.4.3.2")])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

struct P384(p384::ecdsa::SigningKey);

impl Signer for P384 {
    fn spki(&self) -> Vec<u8> {
        der::seq(&[ec_algorithm(CURVE_P384), der::bits(&self.public_key())])
    }

    fn public_key(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    fn pkcs8(&self) -> Vec<u8> {
        ec_pkcs8(CURVE_P384, &self.0.to_bytes(), &self.public_key())
    }

    fn algorithm(&self) -> Vec<u8> {
        der::seq(&[der::oid("1.2.840.10045.4.3.3")])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p384::ecdsa::DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

const CURVE_P256: &str = "1.2.840.10045.3.1.7";
const CURVE_P384: &str = "1.3.132.0.34";

fn ec_algorithm(curve: &str) -> Vec<u8> {
    der::seq(&[der::oid("1.2.840.10045.2.1"), der::oid(curve)])
}

/// An ECPrivateKey (RFC 5915) in PKCS #8.
fn ec_pkcs8(curve: &str, scalar: &[u8], public_key: &[u8]) -> Vec<u8> {
    let public = der::ctx_c(1, &der::bits(public_key));
    let private = der::seq(&[der::int(1), der::bytes(scalar), public]);
    der::seq(&[der::int(0), ec_algorithm(curve), der::bytes(&private)])
}

fn sha256(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}
