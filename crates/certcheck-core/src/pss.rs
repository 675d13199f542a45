//! RSASSA-PSS: its parameters (RFC 4055 3.1), and signatures whose salt is not as long as their hash.
//!
//! Providers only verify salts as long as the hash. The default of OpenSSL is the longest that fits, and 20 and 0 occur
//! in practice. The crate `rsa` verifies those. Verification only uses public values.

use rsa::BoxedUint;
use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use sha2::{Sha256, Sha384, Sha512};

use crate::der::{Reader, ViewFault, tag, unsigned};
use crate::key::RsaKey;
use crate::oid::{self, Oid};
use crate::reason::Unsupported;
use crate::x509::AlgorithmIdentifier;

const FIELD: &str = "RSASSA-PSS-params";

/// Whether this is id-RSASSA-PSS.
pub(crate) fn is_pss(algorithm: AlgorithmIdentifier<'_>) -> bool {
    matches!(algorithm.oid.content(), [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10])
}

/// The parameters of RSASSA-PSS with the mask generation function MGF1 and trailer 1. There are no others.
///
/// ```asn1
/// RSASSA-PSS-params ::= SEQUENCE {
///      hashAlgorithm [0] HashAlgorithm DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
///      saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Parameters<'a> {
    pub(crate) hash: Oid<'a>,
    pub(crate) mask_hash: Oid<'a>,
    /// The length of the salt, in bytes.
    pub(crate) salt: u32,
}

impl<'a> Parameters<'a> {
    /// The parameters of an algorithm. `None` if it is another algorithm, or if its parameters cannot be parsed.
    ///
    /// RFC 5280 4.1.1.2, RFC 4055 3.1.
    #[doc(alias("RFC 5280 section 4.1.1.2", "RFC 4055 section 3.1"))]
    pub(crate) fn of(algorithm: AlgorithmIdentifier<'a>) -> Option<Self> {
        const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
        if !is_pss(algorithm) {
            return None;
        }
        let read = || -> Result<Option<Self>, ViewFault> {
            let mut outer = Reader::new(algorithm.parameters.unwrap_or_default());
            let mut fields = outer.sequence(FIELD)?;
            outer.finish(FIELD)?;
            let mut field = |n| fields.optional(tag::context_constructed(n), FIELD);
            let hash = field(0)?.map_or(Ok(Some(oid::SHA1)), |tlv| plain_hash(tlv.reader()))?;
            let mask_hash = match field(1)? {
                None => Some(oid::SHA1),
                Some(tlv) => {
                    let mask = only_identifier(tlv.reader())?;
                    let hash = plain_hash(Reader::new(mask.parameters.unwrap_or_default()))?;
                    hash.filter(|_| mask.oid.content() == MGF1)
                }
            };
            let salt = field(2)?.map_or(Ok(20), |tlv| only_number(tlv.reader()))?;
            let trailer = field(3)?.map_or(Ok(1), |tlv| only_number(tlv.reader()))?;
            fields.finish(FIELD)?;
            Ok(hash.zip(mask_hash).filter(|_| trailer == 1).map(|(hash, mask_hash)| Self {
                hash,
                mask_hash,
                salt,
            }))
        };
        read().ok().flatten()
    }

    /// Whether a key with these parameters may make such a signature (RFC 4055 3.3).
    pub(crate) fn allows(&self, signature: Parameters<'_>) -> bool {
        self.hash == signature.hash && self.mask_hash == signature.mask_hash && self.salt <= signature.salt
    }

    /// Whether the hash is SHA-1, which is the default (RFC 4055 3.1).
    pub(crate) fn is_sha1(&self) -> bool {
        self.hash == oid::SHA1
    }
}

/// The hash, which must be the only element. Its parameters may be NULL or absent (RFC 4055 2.1).
fn plain_hash(reader: Reader<'_>) -> Result<Option<Oid<'_>>, ViewFault> {
    let hash = only_identifier(reader)?;
    Ok(hash.parameters.is_none_or(|null| null == [tag::NULL, 0]).then_some(hash.oid))
}

/// The AlgorithmIdentifier, which must be the only element.
fn only_identifier(mut reader: Reader<'_>) -> Result<AlgorithmIdentifier<'_>, ViewFault> {
    let identifier = AlgorithmIdentifier::parse(reader.sequence(FIELD)?, FIELD)?;
    reader.finish(FIELD)?;
    Ok(identifier)
}

/// The INTEGER, which must be the only element.
fn only_number(mut reader: Reader<'_>) -> Result<u32, ViewFault> {
    let number = unsigned(reader.expect(tag::INTEGER, FIELD)?, FIELD)?;
    reader.finish(FIELD)?;
    Ok(number)
}

/// The longest modulus with which salts of any length are verified, in bits. In the same time, providers verify with
/// twice as many.
const LONGEST: u32 = 4096;

/// A SHA-2 hash that is used with PSS.
#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// A verifier for signatures with any salt length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnySalt {
    hash: Hash,
    salt: usize,
}

impl AnySalt {
    /// The verifier for these parameters and this key.
    pub(crate) fn new(parameters: Parameters<'_>, key: RsaKey<'_>) -> Result<Self, Unsupported> {
        let Parameters { hash, mask_hash, salt } = parameters;
        let names = || Unsupported::PssParameters {
            hash: hash.algorithm_name(),
            mask_hash: mask_hash.algorithm_name(),
        };
        if hash != mask_hash {
            return Err(names());
        }
        let (hash, length, name) = match hash {
            oid::SHA256 => (Hash::Sha256, 32, "SHA-256"),
            oid::SHA384 => (Hash::Sha384, 48, "SHA-384"),
            oid::SHA512 => (Hash::Sha512, 64, "SHA-512"),
            _ => return Err(names()),
        };
        if key.bits() > LONGEST {
            return Err(Unsupported::RsaLength { bits: key.bits(), longest: LONGEST });
        }
        // RFC 8017 9.1.1, step 3.
        let longest = key.bits().saturating_sub(1).div_ceil(8).saturating_sub(length + 2);
        if salt > longest {
            return Err(Unsupported::PssSalt { hash: name, bytes: salt, longest });
        }
        Ok(Self { hash, salt: usize::try_from(salt).unwrap_or(usize::MAX) })
    }

    /// Whether the key made the signature.
    ///
    /// RFC 5280 4.1.1.2, RFC 4055 3.1.
    #[doc(alias("RFC 5280 section 4.1.1.2", "RFC 4055 section 3.1"))]
    pub(crate) fn verify(self, key: RsaKey<'_>, message: &[u8], signature: &[u8]) -> bool {
        let exponent = BoxedUint::from_be_slice_vartime(key.exponent());
        let modulus = BoxedUint::from_be_slice_vartime(key.modulus());
        let (Ok(key), Ok(signature)) =
            (rsa::PublicKey::new(modulus, exponent), Signature::try_from(signature))
        else {
            return false;
        };
        let outcome = match self.hash {
            Hash::Sha256 => {
                VerifyingKey::<Sha256>::new_with_salt_len(key, self.salt).verify(message, &signature)
            }
            Hash::Sha384 => {
                VerifyingKey::<Sha384>::new_with_salt_len(key, self.salt).verify(message, &signature)
            }
            Hash::Sha512 => {
                VerifyingKey::<Sha512>::new_with_salt_len(key, self.salt).verify(message, &signature)
            }
        };
        outcome.is_ok()
    }
}
