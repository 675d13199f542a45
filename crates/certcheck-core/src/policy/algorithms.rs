//! The signature algorithms and keys that a policy accepts.

use core::fmt;

use pki_types::SignatureVerificationAlgorithm;

/// A set of signature algorithms.
#[derive(Clone, Copy)]
pub struct Algorithms {
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
}

impl Algorithms {
    /// A set of exactly these algorithms.
    #[must_use]
    pub const fn new(algorithms: &'static [&'static dyn SignatureVerificationAlgorithm]) -> Self {
        Self { algorithms }
    }

    /// RSA PKCS #1 and PSS with 2048 to 8192 bits, P-256, P-384 and Ed25519, over `ring`.
    #[cfg(feature = "ring")]
    #[must_use]
    pub const fn ring() -> Self {
        use webpki::ring as alg;
        const ALL: &[&dyn SignatureVerificationAlgorithm] = &[
            alg::ECDSA_P256_SHA256,
            alg::ECDSA_P256_SHA384,
            alg::ECDSA_P384_SHA256,
            alg::ECDSA_P384_SHA384,
            alg::ED25519,
            alg::RSA_PKCS1_2048_8192_SHA256,
            alg::RSA_PKCS1_2048_8192_SHA384,
            alg::RSA_PKCS1_2048_8192_SHA512,
            alg::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
            alg::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
            alg::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
            alg::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            alg::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            alg::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        ];
        Self::new(ALL)
    }

    /// The algorithms of `ring` over `aws-lc-rs`, and P-521, more hashes for ECDSA, and ML-DSA.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub const fn aws_lc_rs() -> Self {
        use webpki::aws_lc_rs as alg;
        const ALL: &[&dyn SignatureVerificationAlgorithm] = &[
            alg::ECDSA_P256_SHA256,
            alg::ECDSA_P256_SHA384,
            alg::ECDSA_P256_SHA512,
            alg::ECDSA_P384_SHA256,
            alg::ECDSA_P384_SHA384,
            alg::ECDSA_P384_SHA512,
            alg::ECDSA_P521_SHA256,
            alg::ECDSA_P521_SHA384,
            alg::ECDSA_P521_SHA512,
            alg::ED25519,
            alg::ML_DSA_44,
            alg::ML_DSA_65,
            alg::ML_DSA_87,
            alg::RSA_PKCS1_2048_8192_SHA256,
            alg::RSA_PKCS1_2048_8192_SHA384,
            alg::RSA_PKCS1_2048_8192_SHA512,
            alg::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
            alg::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
            alg::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
            alg::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            alg::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            alg::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        ];
        Self::new(ALL)
    }

    pub(crate) const fn as_slice(&self) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        self.algorithms
    }
}

impl Default for Algorithms {
    /// The algorithms of `ring` if it is built in, otherwise of `aws-lc-rs`.
    fn default() -> Self {
        #[cfg(feature = "ring")]
        return Self::ring();
        #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
        return Self::aws_lc_rs();
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Algorithms({})", self.algorithms.len())
    }
}

/// The signatures and keys that are accepted, on certificates and on evidence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignaturePolicy {
    /// The accepted signature algorithms.
    pub algorithms: Algorithms,
    /// The shortest accepted RSA modulus, in bits. Not below 1024.
    pub min_rsa_bits: u32,
    /// The smallest accepted elliptic curve, in bits of its field. Not below 160. Curve25519 and Curve448 are always
    /// accepted.
    pub min_ec_bits: u32,
    /// Whether signatures over SHA-1 are accepted.
    pub allow_sha1: bool,
}

impl Default for SignaturePolicy {
    fn default() -> Self {
        Self { algorithms: Algorithms::default(), min_rsa_bits: 2048, min_ec_bits: 256, allow_sha1: false }
    }
}
