//! Keys by name, and signatures without randomness.

use std::sync::Arc;

use ring::digest;
use ring::signature::KeyPair as _;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;

use crate::der;

const RSA_2048: [&[u8]; 4] = [
    include_bytes!("../keys/rsa2048-0.der"),
    include_bytes!("../keys/rsa2048-1.der"),
    include_bytes!("../keys/rsa2048-2.der"),
    include_bytes!("../keys/rsa2048-3.der"),
];
const RSA_1024: [&[u8]; 2] =
    [include_bytes!("../keys/rsa1024-0.der"), include_bytes!("../keys/rsa1024-1.der")];
const RSA_4096: [&[u8]; 1] = [include_bytes!("../keys/rsa4096-0.der")];

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    /// With its seed.
    Ed25519(ring::signature::Ed25519KeyPair, Vec<u8>),
    Rsa(Box<rsa::RsaPrivateKey>),
}

/// A key pair. Cheap to clone.
#[derive(Clone)]
pub struct Key {
    secret: Arc<Secret>,
    spki: Vec<u8>,
}

/// How a certificate, CRL or response is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SigAlg {
    /// By the key's own habit: SHA-256, with P-384 SHA-384.
    Default,
    /// RSA PKCS #1 v1.5 over SHA-1.
    RsaSha1,
    /// The same under its old identifier, OIW's sha1WithRSASignature.
    RsaSha1Oiw,
    /// RSA PKCS #1 v1.5 over SHA-384.
    RsaSha384,
    /// RSA PKCS #1 v1.5 over SHA-512.
    RsaSha512,
    /// RSASSA-PSS over SHA-256 with a salt of so many bytes.
    RsaPss(u8),
    /// RSASSA-PSS over SHA-256 whose parameters name a salt of so many bytes. It has one more.
    RsaPssWrongSalt(u8),
    /// ECDSA over SHA-512 in name; with P-384 and P-256 keys the signature is none.
    EcdsaSha512,
    /// Named as RSA over MD5; the signature is none.
    RsaMd5,
    /// Named as DSA over SHA-1; the signature is none.
    DsaSha1,
    /// An identifier that nobody knows; the signature is none.
    Unknown,
}

fn sha256(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, data).as_ref().to_vec()
}

fn pick<'a>(keys: &[&'a [u8]], seed: &str) -> &'a [u8] {
    keys[usize::from(sha256(seed.as_bytes())[0]) % keys.len()]
}

impl Key {
    /// ECDSA on P-256.
    #[must_use]
    pub fn p256(seed: &str) -> Self {
        let secret = p256::ecdsa::SigningKey::from_slice(&sha256(seed.as_bytes())).unwrap();
        let point = secret.verifying_key().to_encoded_point(false);
        Self::new(Secret::P256(secret), &ec_algorithm(P256), point.as_bytes())
    }

    /// ECDSA on P-384.
    #[must_use]
    pub fn p384(seed: &str) -> Self {
        let scalar = [vec![0; 16], sha256(seed.as_bytes())].concat();
        let secret = p384::ecdsa::SigningKey::from_slice(&scalar).unwrap();
        let point = secret.verifying_key().to_encoded_point(false);
        Self::new(Secret::P384(secret), &ec_algorithm(P384), point.as_bytes())
    }

    /// Ed25519.
    #[must_use]
    pub fn ed25519(seed: &str) -> Self {
        let seed = sha256(seed.as_bytes());
        let secret = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = secret.public_key().as_ref().to_vec();
        Self::new(Secret::Ed25519(secret, seed), &der::seq(&[der::oid("1.3.101.112")]), &public)
    }

    /// RSA of 2048 bits: one of four, by name.
    #[must_use]
    pub fn rsa2048(seed: &str) -> Self {
        Self::rsa(pick(&RSA_2048, seed))
    }

    /// RSA of 1024 bits: one of two, by name.
    #[must_use]
    pub fn rsa1024(seed: &str) -> Self {
        Self::rsa(pick(&RSA_1024, seed))
    }

    /// RSA of 4096 bits: always the same.
    #[must_use]
    pub fn rsa4096(seed: &str) -> Self {
        Self::rsa(pick(&RSA_4096, seed))
    }

    /// From `kind:seed`, such as `p256:root`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, seed) = text.split_once(':')?;
        Some(match kind {
            "p256" => Self::p256(seed),
            "p384" => Self::p384(seed),
            "ed25519" => Self::ed25519(seed),
            "rsa2048" => Self::rsa2048(seed),
            "rsa1024" => Self::rsa1024(seed),
            "rsa4096" => Self::rsa4096(seed),
            _ => return None,
        })
    }

    fn rsa(pkcs8: &[u8]) -> Self {
        let secret = rsa::RsaPrivateKey::from_pkcs8_der(pkcs8).unwrap();
        let unsigned = |n: &rsa::BigUint| {
            der::int_bytes(&[&[0], &n.to_bytes_be()[..]].concat()[usize::from(!n.bits().is_multiple_of(8))..])
        };
        let public = der::seq(&[unsigned(secret.n()), unsigned(secret.e())]);
        Self::new(Secret::Rsa(Box::new(secret)), &rsa_algorithm("1.2.840.113549.1.1.1"), &public)
    }

    fn new(secret: Secret, algorithm: &[u8], public: &[u8]) -> Self {
        Self { secret: Arc::new(secret), spki: der::seq(&[algorithm, &der::bits(public)]) }
    }

    /// The same key under another SubjectPublicKeyInfo.
    #[must_use]
    pub fn with_spki(mut self, spki: Vec<u8>) -> Self {
        self.spki = spki;
        self
    }

    /// SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The content of subjectPublicKey.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        match &*self.secret {
            Secret::P256(key) => key.verifying_key().to_encoded_point(false).as_bytes().to_vec(),
            Secret::P384(key) => key.verifying_key().to_encoded_point(false).as_bytes().to_vec(),
            Secret::Ed25519(key, _) => key.public_key().as_ref().to_vec(),
            Secret::Rsa(key) => rsa::pkcs1::EncodeRsaPublicKey::to_pkcs1_der(&key.to_public_key())
                .unwrap()
                .as_bytes()
                .to_vec(),
        }
    }

    /// The modulus of an RSA key, without a byte for its sign.
    ///
    /// # Panics
    /// If it is of another kind.
    #[must_use]
    pub fn modulus(&self) -> Vec<u8> {
        match &*self.secret {
            Secret::Rsa(key) => key.n().to_bytes_be(),
            _ => panic!("no RSA key"),
        }
    }

    /// The private key as PKCS #8 (RFC 5208), for TLS libraries and tools.
    #[must_use]
    pub fn pkcs8(&self) -> Vec<u8> {
        let ec = |curve: &str, scalar: &[u8]| {
            let public = der::ctx_c(1, &der::bits(&self.public_key()));
            let key = der::seq(&[der::int(1), der::octets(scalar), public]);
            der::seq(&[der::int(0), ec_algorithm(curve), der::octets(&key)])
        };
        match &*self.secret {
            Secret::P256(key) => ec(P256, &key.to_bytes()),
            Secret::P384(key) => ec(P384, &key.to_bytes()),
            Secret::Ed25519(_, seed) => {
                let algorithm = der::seq(&[der::oid("1.3.101.112")]);
                der::seq(&[der::int(0), algorithm, der::octets(&der::octets(seed))])
            }
            Secret::Rsa(key) => {
                let document = rsa::pkcs8::EncodePrivateKey::to_pkcs8_der(&**key).unwrap();
                document.as_bytes().to_vec()
            }
        }
    }

    /// A key identifier: SHA-1 of the public key (RFC 5280 4.2.1.2 (1)).
    #[must_use]
    pub fn id(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.public_key()).as_ref().to_vec()
    }

    /// The AlgorithmIdentifier of a signature by this key.
    #[must_use]
    pub fn algorithm(&self, alg: SigAlg) -> Vec<u8> {
        match (alg, &*self.secret) {
            (SigAlg::Default, Secret::P256(_)) => der::seq(&[der::oid("1.2.840.10045.4.3.2")]),
            (SigAlg::Default, Secret::P384(_)) => der::seq(&[der::oid("1.2.840.10045.4.3.3")]),
            (SigAlg::Default, Secret::Ed25519(..)) => der::seq(&[der::oid("1.3.101.112")]),
            (SigAlg::Default, Secret::Rsa(_)) => rsa_algorithm("1.2.840.113549.1.1.11"),
            (SigAlg::RsaSha1, _) => rsa_algorithm("1.2.840.113549.1.1.5"),
            (SigAlg::RsaSha1Oiw, _) => rsa_algorithm("1.3.14.3.2.29"),
            (SigAlg::RsaPss(salt) | SigAlg::RsaPssWrongSalt(salt), _) => pss_algorithm(salt),
            (SigAlg::EcdsaSha512, _) => der::seq(&[der::oid("1.2.840.10045.4.3.4")]),
            (SigAlg::RsaSha384, _) => rsa_algorithm("1.2.840.113549.1.1.12"),
            (SigAlg::RsaSha512, _) => rsa_algorithm("1.2.840.113549.1.1.13"),
            (SigAlg::RsaMd5, _) => rsa_algorithm("1.2.840.113549.1.1.4"),
            (SigAlg::DsaSha1, _) => der::seq(&[der::oid("1.2.840.10040.4.3")]),
            (SigAlg::Unknown, _) => der::seq(&[der::oid("1.3.6.1.4.1.99999.1")]),
        }
    }

    /// Signs. What an algorithm cannot do with this key yields the message's hash.
    #[must_use]
    pub fn sign(&self, alg: SigAlg, message: &[u8]) -> Vec<u8> {
        use p256::ecdsa::signature::Signer as _;
        match (&*self.secret, alg) {
            (Secret::P256(key), SigAlg::Default) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            (Secret::P384(key), SigAlg::Default) => {
                let signature: p384::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            (Secret::Ed25519(key, _), SigAlg::Default) => key.sign(message).as_ref().to_vec(),
            (Secret::Rsa(key), SigAlg::Default) => sign_rsa(key, &digest::SHA256, 1, message),
            (Secret::Rsa(key), SigAlg::RsaSha384) => sign_rsa(key, &digest::SHA384, 2, message),
            (Secret::Rsa(key), SigAlg::RsaSha512) => sign_rsa(key, &digest::SHA512, 3, message),
            (Secret::Rsa(key), SigAlg::RsaPss(salt)) => sign_pss(key, usize::from(salt), message),
            (Secret::Rsa(key), SigAlg::RsaPssWrongSalt(salt)) => {
                sign_pss(key, usize::from(salt) + 1, message)
            }
            (Secret::Rsa(key), SigAlg::RsaSha1 | SigAlg::RsaSha1Oiw) => {
                let algorithm = der::seq(&[der::oid("1.3.14.3.2.26"), der::null()]);
                sign_digest_info(
                    key,
                    &algorithm,
                    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message).as_ref(),
                )
            }
            _ => sha256(message),
        }
    }
}

fn sign_rsa(key: &rsa::RsaPrivateKey, hash: &'static digest::Algorithm, arc: u8, message: &[u8]) -> Vec<u8> {
    let algorithm = der::seq(&[der::oid(&format!("2.16.840.1.101.3.4.2.{arc}")), der::null()]);
    sign_digest_info(key, &algorithm, digest::digest(hash, message).as_ref())
}

fn sign_digest_info(key: &rsa::RsaPrivateKey, algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
    let info = der::seq(&[algorithm, &der::octets(digest)]);
    key.sign(Pkcs1v15Sign::new_unprefixed(), &info).unwrap()
}

/// RSASSA-PSS over SHA-256. The salt is always the same.
fn sign_pss(key: &rsa::RsaPrivateKey, salt: usize, message: &[u8]) -> Vec<u8> {
    key.sign_with_rng(&mut NoRandomness, rsa::Pss::new_with_salt::<sha2::Sha256>(salt), &sha256(message))
        .unwrap()
}

/// Where randomness is asked for: the same bytes each time.
struct NoRandomness;

impl rsa::rand_core::RngCore for NoRandomness {
    fn next_u32(&mut self) -> u32 {
        0x5a5a_5a5a
    }

    fn next_u64(&mut self) -> u64 {
        0x5a5a_5a5a_5a5a_5a5a
    }

    fn fill_bytes(&mut self, octets: &mut [u8]) {
        octets.fill(0x5a);
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(octets);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for NoRandomness {}

fn pss_algorithm(salt: u8) -> Vec<u8> {
    let hash = der::seq(&[der::oid("2.16.840.1.101.3.4.2.1"), der::null()]);
    let mask = der::seq(&[der::oid("1.2.840.113549.1.1.8"), hash.clone()]);
    let parts = [der::ctx_c(0, &hash), der::ctx_c(1, &mask), der::ctx_c(2, &der::int(i64::from(salt)))];
    der::seq(&[der::oid("1.2.840.113549.1.1.10"), der::seq(&parts)])
}

fn ec_algorithm(curve: &str) -> Vec<u8> {
    der::seq(&[der::oid("1.2.840.10045.2.1"), der::oid(curve)])
}

fn rsa_algorithm(dotted: &str) -> Vec<u8> {
    der::seq(&[der::oid(dotted), der::null()])
}
