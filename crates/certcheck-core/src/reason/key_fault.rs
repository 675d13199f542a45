//! Faults of public keys, and unsupported algorithms.

use core::fmt;

use crate::oid::OidBuf;
use crate::remedy::Remedy;

/// Why a public key is rejected, apart from a short RSA modulus or an unsupported algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyFault {
    /// A curve below the minimum size.
    ShortCurve {
        /// The curve.
        curve: &'static str,
        /// The size of its field.
        bits: u32,
        /// The smallest accepted size.
        min_bits: u32,
    },
    /// An RSA exponent that is even or less than 3, which makes signatures easy to forge.
    Exponent,
    /// An even RSA modulus: a factor is known to everyone.
    EvenModulus,
    /// A point of small order on Curve25519: anyone can make signatures that verify with it.
    SmallOrder,
    /// An RSA exponent that is not less than the modulus.
    ExponentTooLarge,
    /// A key with another length than its algorithm requires.
    Length {
        /// The algorithm or the curve.
        of: &'static str,
        /// The length of the key, in bytes.
        found: usize,
        /// The required length, in bytes.
        want: usize,
    },
    /// A point in a form that is not in RFC 5480 2.2, such as the point at infinity.
    PointForm {
        /// The first byte. `None` if there is none.
        first: Option<u8>,
    },
    /// A point that is not on its curve.
    NotOnCurve {
        /// The curve.
        curve: &'static str,
    },
    /// A coordinate that is not below the prime.
    NotReduced,
    /// Parameters for an algorithm that has none (RFC 8410 3).
    Parameters {
        /// The algorithm.
        of: &'static str,
    },
}

impl KeyFault {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::ShortCurve { .. } | Self::Exponent | Self::EvenModulus | Self::SmallOrder => "weak-key",
            Self::ExponentTooLarge
            | Self::Length { .. }
            | Self::PointForm { .. }
            | Self::NotOnCurve { .. }
            | Self::NotReduced
            | Self::Parameters { .. } => "malformed",
        }
    }

    pub(crate) const fn rfc(self) -> &'static str {
        match self {
            Self::ShortCurve { .. } => "RFC 5280 6.1.3 (a)(1)",
            Self::Exponent | Self::EvenModulus | Self::ExponentTooLarge => "RFC 8017 3.1",
            Self::SmallOrder => "RFC 8032 8.9",
            Self::Length { .. } | Self::PointForm { .. } | Self::NotOnCurve { .. } => "RFC 5480 2.2",
            Self::NotReduced => "RFC 8032 5.1.3",
            Self::Parameters { .. } => "RFC 8410 3",
        }
    }

    pub(crate) const fn remedy(self) -> Remedy {
        match self {
            Self::ShortCurve { .. } => Remedy::UseLargerCurve,
            _ => Remedy::ReplaceKey,
        }
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortCurve { curve, bits, min_bits } => {
                write!(f, "the key is on {curve}, a curve of {bits} bits, at least {min_bits} are required")
            }
            Self::Exponent => f.write_str("the RSA key's public exponent is even or less than 3"),
            Self::EvenModulus => f.write_str("the RSA key's modulus is even"),
            Self::SmallOrder => {
                f.write_str("the key is a point of small order: anyone can forge signatures for it")
            }
            Self::ExponentTooLarge => {
                f.write_str("the RSA key's public exponent is not less than its modulus")
            }
            Self::Length { of, found, want } => {
                write!(f, "the {of} key has {found} bytes, {want} are required")
            }
            Self::PointForm { first: Some(0) } => f.write_str("the key is the point at infinity"),
            Self::PointForm { first: Some(first) } => {
                write!(f, "the key is a point in the unknown form {first:#04x}")
            }
            Self::PointForm { first: None } => f.write_str("the key is an empty point"),
            Self::NotOnCurve { curve } => write!(f, "the key is not a point on {curve}"),
            Self::NotReduced => {
                f.write_str("the key has a coordinate that is not below the prime of its curve")
            }
            Self::Parameters { of } => write!(f, "the {of} key has parameters, which are not allowed"),
        }
    }
}

/// An algorithm, key or parameter that is not supported.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unsupported {
    /// A signature algorithm.
    Signature(OidBuf),
    /// The algorithm of a key.
    Key(OidBuf),
    /// An unknown named curve of a key.
    Curve(OidBuf),
    /// The algorithm of the issuer's key. No signature can be verified with such keys.
    IssuerKey(OidBuf),
    /// A hash that is not supported together with a curve.
    HashWithCurve {
        /// The hash.
        hash: &'static str,
        /// The curve.
        curve: &'static str,
    },
    /// RSASSA-PSS with parameters that do not match each other, or with a hash that is not supported.
    PssParameters {
        /// The hash, if its name is known.
        hash: Option<&'static str>,
        /// The hash of the mask generation function, if its name is known.
        mask_hash: Option<&'static str>,
    },
    /// RSASSA-PSS with a salt that is longer than the key and the hash allow.
    PssSalt {
        /// The hash.
        hash: &'static str,
        /// The length of the salt, in bytes.
        bytes: u32,
        /// The longest possible salt, in bytes.
        longest: u32,
    },
    /// An RSA modulus of the issuer that is longer than supported for this signature algorithm.
    RsaLength {
        /// Its length in bits.
        bits: u32,
        /// The longest supported length.
        longest: u32,
    },
    /// An RSA modulus of the issuer that is shorter than supported for this signature algorithm, whatever the policy
    /// accepts.
    RsaShort {
        /// Its length in bits.
        bits: u32,
        /// The shortest supported length.
        shortest: u32,
    },
    /// An RSA exponent of the issuer that is larger than supported.
    RsaExponent {
        /// Its length in bits.
        bits: u32,
        /// The longest supported length.
        longest: u32,
    },
    /// A point in compressed form.
    CompressedPoint {
        /// Its curve.
        curve: &'static str,
    },
}

impl Unsupported {
    pub(crate) const fn remedy(&self) -> Remedy {
        match self {
            Self::CompressedPoint { .. } => Remedy::UseUncompressedPoint,
            _ => Remedy::UseSupportedAlgorithm,
        }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |oid: &OidBuf| oid.as_oid().algorithm_name().map_or_else(|| oid.to_string(), Into::into);
        match self {
            Self::Signature(oid) => write!(f, "signature algorithm {} is not supported", name(oid)),
            Self::Key(oid) => write!(f, "key algorithm {} is not supported", name(oid)),
            Self::Curve(oid) => write!(f, "the key is on the unknown curve {}", name(oid)),
            Self::IssuerKey(oid) => {
                write!(f, "signatures with the issuer's key algorithm, {}, are not supported", name(oid))
            }
            Self::HashWithCurve { hash, curve } => {
                write!(f, "ECDSA on {curve} with {hash} is not supported")
            }
            Self::PssParameters { hash, mask_hash } => {
                let name = |hash: &Option<&'static str>| hash.unwrap_or("an unknown hash");
                write!(
                    f,
                    "RSASSA-PSS over {} with MGF1 over {} is not supported",
                    name(hash),
                    name(mask_hash)
                )
            }
            Self::PssSalt { hash, bytes, longest } => write!(
                f,
                "RSASSA-PSS over {hash} with a salt of {bytes} bytes is not supported, at most {longest} bytes are"
            ),
            Self::RsaLength { bits, longest } => {
                write!(
                    f,
                    "the issuer's RSA key has {bits} bits, at most {longest} are supported with this algorithm"
                )
            }
            Self::RsaShort { bits, shortest } => write!(
                f,
                "the issuer's RSA key has {bits} bits, at least {shortest} are required with this algorithm"
            ),
            Self::RsaExponent { bits, longest } => write!(
                f,
                "the public exponent of the issuer's RSA key has {bits} bits, at most {longest} are supported"
            ),
            Self::CompressedPoint { curve } => {
                write!(f, "the key is a compressed point on {curve}, which is not supported")
            }
        }
    }
}
