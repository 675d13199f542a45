//! Keys of more kinds, and signatures with other algorithms than the key's own.

use std::convert::Infallible;

use ring::digest;
use ring::signature::KeyPair as _;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rsa::traits::PublicKeyParts as _;

use crate::der;
use crate::key::{Key, Signer};

const RSA_2048: [&[u8]; 4] = [
    include_bytes!("../keys/rsa2048-0.der"),
    include_bytes!("../keys/rsa2048-1.der"),
    include_bytes!("../keys/rsa2048-2.der"),
    include_bytes!("../keys/rsa2048-3.der"),
];
const RSA_1024: [&[u8]; 2] =
    [include_bytes!("../keys/rsa1024-0.der"), include_bytes!("../keys/rsa1024-1.der")];
const RSA_4096: [&[u8]; 1] = [include_bytes!("../keys/rsa4096-0.der")];

/// An RSA key of 2048 bits, with SHA-256: one of four, by name.
#[must_use]
pub fn rsa2048(seed: &str) -> Key {
    rsa(pick(&RSA_2048, seed))
}

/// An RSA key of 1024 bits, with SHA-256: one of two, by name.
#[must_use]
pub fn rsa1024(seed: &str) -> Key {
    rsa(pick(&RSA_1024, seed))
}

/// An RSA key of 4096 bits, with SHA-256: always the same.
#[must_use]
pub fn rsa4096(seed: &str) -> Key {
    rsa(pick(&RSA_4096, seed))
}

/// An Ed25519 key.
#[must_use]
pub fn ed25519(seed: &str) -> Key {
    let seed = sha256(seed.as_bytes());
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    Key::new(Ed25519 { pair, seed })
}

/// A key from `kind:seed`, such as `p256:root`.
#[must_use]
pub fn from_text(text: &str) -> Option<Key> {
    let (kind, seed) = text.split_once(':')?;
    Some(match kind {
        "p256" => Key::p256(seed),
        "p384" => Key::p384(seed),
        "ed25519" => ed25519(seed),
        "rsa2048" => rsa2048(seed),
        "rsa1024" => rsa1024(seed),
        "rsa4096" => rsa4096(seed),
        _ => return None,
    })
}

/// The modulus of an RSA key, without a sign byte.
///
/// # Panics
/// If it is a key of another kind.
#[must_use]
pub fn modulus(key: &Key) -> Vec<u8> {
    rsa::PrivateKey::from_pkcs8_der(&key.pkcs8()).unwrap().n_bytes().into()
}

fn pick<'a>(keys: &[&'a [u8]], seed: &str) -> &'a [u8] {
    keys[usize::from(sha256(seed.as_bytes())[0]) % keys.len()]
}

fn rsa(pkcs8: &[u8]) -> Key {
    Key::new(Rsa(rsa::PrivateKey::from_pkcs8_der(pkcs8).unwrap()))
}

struct Ed25519 {
    pair: ring::signature::Ed25519KeyPair,
    seed: Vec<u8>,
}

impl Signer for Ed25519 {
    fn spki(&self) -> Vec<u8> {
        der::seq(&[self.algorithm(), der::bits(&self.public_key())])
    }

    fn public_key(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    fn pkcs8(&self) -> Vec<u8> {
        der::seq(&[der::int(0), self.algorithm(), der::bytes(&der::bytes(&self.seed))])
    }

    fn algorithm(&self) -> Vec<u8> {
        der::seq(&[der::oid("1.3.101.112")])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

struct Rsa(rsa::PrivateKey);

impl Signer for Rsa {
    fn spki(&self) -> Vec<u8> {
        der::seq(&[rsa_algorithm("1.2.840.113549.1.1.1"), der::bits(&self.public_key())])
    }

    fn public_key(&self) -> Vec<u8> {
        // With a sign byte if the first bit is set.
        let unsigned = |n: &[u8]| der::int_bytes(&[&[0], n].concat()[usize::from(n[0] < 0x80)..]);
        der::seq(&[unsigned(&self.0.n_bytes()), unsigned(&self.0.e_bytes())])
    }

    fn pkcs8(&self) -> Vec<u8> {
        self.0.to_pkcs8_der().unwrap().as_bytes().to_vec()
    }

    fn algorithm(&self) -> Vec<u8> {
        rsa_algorithm("1.2.840.113549.1.1.11")
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_sha2(&digest::SHA256, 1, message)
    }
}

impl Rsa {
    fn sign_sha2(&self, hash: &'static digest::Algorithm, arc: u8, message: &[u8]) -> Vec<u8> {
        let algorithm = der::seq(&[der::oid(&format!("2.16.840.1.101.3.4.2.{arc}")), der::null()]);
        self.sign_digest_info(&algorithm, digest::digest(hash, message).as_ref())
    }

    fn sign_digest_info(&self, algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
        let info = der::seq(&[algorithm, &der::bytes(digest)]);
        self.0.sign(Pkcs1v15Sign::new_unprefixed(), &info).unwrap()
    }

    /// RSASSA-PSS over SHA-256. The salt is always the same.
    fn sign_pss(&self, salt: usize, message: &[u8]) -> Vec<u8> {
        let scheme = rsa::Pss::<sha2::Sha256>::new_with_salt(salt);
        self.0.sign_with_rng(&mut NoRandomness, scheme, &sha256(message)).unwrap()
    }
}

/// A source of randomness that always returns the same bytes.
struct NoRandomness;

impl rsa::rand_core::TryRng for NoRandomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x5a5a_5a5a)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x5a5a_5a5a_5a5a_5a5a)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0x5a);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for NoRandomness {}

/// The signature algorithm of a certificate, CRL or response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SigAlg {
    /// The algorithm of the key.
    Default,
    /// RSA PKCS #1 v1.5 over SHA-1.
    RsaSha1,
    /// The same with its old identifier, sha1WithRSASignature of OIW.
    RsaSha1Oiw,
    /// RSA PKCS #1 v1.5 over SHA-384.
    RsaSha384,
    /// RSA PKCS #1 v1.5 over SHA-512.
    RsaSha512,
    /// RSASSA-PSS over SHA-256 with a salt of this many bytes.
    RsaPss(u8),
    /// RSASSA-PSS over SHA-256 whose parameters name a salt of this many bytes, one less than it has.
    RsaPssWrongSalt(u8),
    /// ECDSA over SHA-512 by its identifier. With P-384 and P-256 keys the signature is not valid.
    EcdsaSha512,
    /// RSA over MD5 by its identifier. The signature is not valid.
    RsaMd5,
    /// DSA over SHA-1 by its identifier. The signature is not valid.
    DsaSha1,
    /// An unknown identifier. The signature is not valid.
    Unknown,
}

impl SigAlg {
    /// The same key, with signatures by this algorithm. If the key cannot make them, the signature is the hash of the
    /// message.
    #[must_use]
    pub fn signer(self, key: &Key) -> Key {
        let Some(algorithm) = self.identifier() else { return key.clone() };
        let rsa = rsa::PrivateKey::from_pkcs8_der(&key.pkcs8()).ok().map(Rsa);
        Key::new(Other { key: key.clone(), rsa, alg: self, algorithm })
    }

    fn identifier(self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Default => return None,
            Self::RsaSha1 => rsa_algorithm("1.2.840.113549.1.1.5"),
            Self::RsaSha1Oiw => rsa_algorithm("1.3.14.3.2.29"),
            Self::RsaPss(salt) | Self::RsaPssWrongSalt(salt) => pss_algorithm(salt),
            Self::EcdsaSha512 => der::seq(&[der::oid("1.2.840.10045.4.3.4")]),
            Self::RsaSha384 => rsa_algorithm("1.2.840.113549.1.1.12"),
            Self::RsaSha512 => rsa_algorithm("1.2.840.113549.1.1.13"),
            Self::RsaMd5 => rsa_algorithm("1.2.840.113549.1.1.4"),
            Self::DsaSha1 => der::seq(&[der::oid("1.2.840.10040.4.3")]),
            Self::Unknown => der::seq(&[der::oid("1.3.6.1.4.1.99999.1")]),
        })
    }
}

/// A key that signs with another algorithm than its own.
struct Other {
    key: Key,
    /// The same, if it is an RSA key.
    rsa: Option<Rsa>,
    alg: SigAlg,
    algorithm: Vec<u8>,
}

impl Signer for Other {
    fn spki(&self) -> Vec<u8> {
        self.key.spki().to_vec()
    }

    fn public_key(&self) -> Vec<u8> {
        self.key.public_key()
    }

    fn pkcs8(&self) -> Vec<u8> {
        self.key.pkcs8()
    }

    fn algorithm(&self) -> Vec<u8> {
        self.algorithm.clone()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match (&self.rsa, self.alg) {
            (Some(key), SigAlg::RsaSha384) => key.sign_sha2(&digest::SHA384, 2, message),
            (Some(key), SigAlg::RsaSha512) => key.sign_sha2(&digest::SHA512, 3, message),
            (Some(key), SigAlg::RsaPss(salt)) => key.sign_pss(usize::from(salt), message),
            (Some(key), SigAlg::RsaPssWrongSalt(salt)) => key.sign_pss(usize::from(salt) + 1, message),
            (Some(key), SigAlg::RsaSha1 | SigAlg::RsaSha1Oiw) => {
                let algorithm = der::seq(&[der::oid("1.3.14.3.2.26"), der::null()]);
                let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
                key.sign_digest_info(&algorithm, digest.as_ref())
            }
            _ => sha256(message),
        }
    }
}

fn pss_algorithm(salt: u8) -> Vec<u8> {
    let hash = der::seq(&[der::oid("2.16.840.1.101.3.4.2.1"), der::null()]);
    let mask = der::seq(&[der::oid("1.2.840.113549.1.1.8"), hash.clone()]);
    let parts = [der::ctx_c(0, &hash), der::ctx_c(1, &mask), der::ctx_c(2, &der::int(i64::from(salt)))];
    der::seq(&[der::oid("1.2.840.113549.1.1.10"), der::seq(&parts)])
}

fn rsa_algorithm(dotted: &str) -> Vec<u8> {
    der::seq(&[der::oid(dotted), der::null()])
}

fn sha256(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, data).as_ref().to_vec()
}
