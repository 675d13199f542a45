//! Signed data against a key (RFC 5280 6.1.3 (a)(1)), through algorithms that come from outside.

use core::fmt;

use pki_types::SignatureVerificationAlgorithm;

use crate::budget::{Budget, LimitHit};
use crate::der::{Reader, ViewFault, bit_string_octets, integer, tag, unsigned};
use crate::oid::Oid;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::view::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// The content of `AlgorithmIdentifier` for rsaEncryption: what RSA algorithms are registered under.
const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// A set of signature algorithms.
#[derive(Clone, Copy)]
pub struct Algorithms {
    modern: &'static [&'static dyn SignatureVerificationAlgorithm],
}

impl Algorithms {
    /// Exactly these.
    #[must_use]
    pub const fn new(algorithms: &'static [&'static dyn SignatureVerificationAlgorithm]) -> Self {
        Self { modern: algorithms }
    }

    /// RSA PKCS #1 and PSS of 2048 to 8192 bits, P-256, P-384 and Ed25519, over `ring`.
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

    /// The same over `aws-lc-rs`, with P-521, the other hashes of ECDSA, and ML-DSA.
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
}

impl Default for Algorithms {
    /// `ring` where it is built in, else `aws-lc-rs`, else none.
    fn default() -> Self {
        #[cfg(feature = "ring")]
        return Self::ring();
        #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
        return Self::aws_lc_rs();
        #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
        return Self::new(&[]);
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Algorithms({})", self.modern.len())
    }
}

/// Why a signature was not verified, or did not verify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SignatureFault {
    Reason(Reason),
    Limit(LimitHit),
}

impl From<LimitHit> for SignatureFault {
    fn from(hit: LimitHit) -> Self {
        Self::Limit(hit)
    }
}

impl From<SignatureFault> for Reason {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Reason(reason) => reason,
            SignatureFault::Limit(hit) => hit.into(),
        }
    }
}

/// One signature to verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The octets that were signed.
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: AlgorithmIdentifier<'a>,
    /// The content of the BIT STRING.
    pub(crate) signature: &'a [u8],
}

/// What will verify a signature that policy admits.
#[derive(Clone, Copy)]
pub(crate) enum Verifier {
    Registered(&'static dyn SignatureVerificationAlgorithm),
    Legacy(&'static ring::signature::RsaParameters),
}

/// Judges algorithm and key by name, without arithmetic.
pub(crate) fn admit(
    signed: Signed<'_>,
    key: SubjectPublicKeyInfo<'_>,
    policy: &Policy,
) -> Result<Verifier, Reason> {
    hash_strength(signed.algorithm, policy)?;
    key_strength(key, policy)?;
    let kind = SignatureKind::of(signed.algorithm);
    let registered = policy.algorithms.modern;
    let mut of_signature = registered
        .iter()
        .filter(|algorithm| is_same_signature(signed.algorithm, algorithm.signature_alg_id().as_ref()))
        .peekable();
    let legacy = legacy_rsa(signed.algorithm, key, kind);
    let unsupported = || Reason::UnsupportedAlgorithm { oid: signed.algorithm.oid.into(), is_key: false };
    if of_signature.peek().is_none() && legacy.is_none() {
        return Err(unsupported());
    }
    let mismatch = || Reason::AlgorithmMismatch {
        signature: signed.algorithm.oid.into(),
        key: key.algorithm.oid.into(),
    };
    let key_algorithm = registered_key_algorithm(key, signed.algorithm).ok_or_else(mismatch)?;
    if let Some(legacy) = legacy {
        return Ok(Verifier::Legacy(legacy));
    }
    if let Some(algorithm) = of_signature.find(|algorithm| *algorithm.public_key_alg_id() == *key_algorithm) {
        return Ok(Verifier::Registered(*algorithm));
    }
    // A curve that the set has, with another hash, is a mismatch; one it does not have is unsupported.
    if registered.iter().any(|algorithm| *algorithm.public_key_alg_id() == *key_algorithm) {
        return Err(mismatch());
    }
    Err(Reason::UnsupportedAlgorithm { oid: key.algorithm.oid.into(), is_key: true })
}

/// Verifies a signature, spending one of the budget unless it is refused by name before.
pub(crate) fn verify(
    signed: Signed<'_>,
    key: SubjectPublicKeyInfo<'_>,
    policy: &Policy,
    budget: &mut Budget<'_>,
) -> Result<(), SignatureFault> {
    let verifier = admit(signed, key, policy).map_err(SignatureFault::Reason)?;
    budget.signature()?;
    let is_good = match verifier {
        Verifier::Registered(algorithm) => {
            algorithm.verify_signature(key.public_key, signed.message, signed.signature).is_ok()
        }
        Verifier::Legacy(parameters) => ring::signature::UnparsedPublicKey::new(parameters, key.public_key)
            .verify(signed.message, signed.signature)
            .is_ok(),
    };
    if is_good { Ok(()) } else { Err(SignatureFault::Reason(Reason::BadSignature)) }
}

/// Verifies signed data as it stands in X.509: `algorithm` is an AlgorithmIdentifier, `signature` a BIT STRING, both in
/// DER. For who has structures of their own to verify with a policy's algorithms and floors.
///
/// # Errors
/// Why it does not verify, or is not admitted.
pub fn verify_signed_data(
    message: &[u8],
    algorithm: &[u8],
    signature: &[u8],
    key: SubjectPublicKeyInfo<'_>,
    policy: &Policy,
) -> Result<(), Reason> {
    let (mut outer, mut bits) = (Reader::new(algorithm), Reader::new(signature));
    let algorithm = AlgorithmIdentifier::parse(outer.sequence("algorithm")?, "algorithm")?;
    outer.finish("algorithm")?;
    let octets = bit_string_octets(bits.expect(tag::BIT_STRING, "signature")?, "signature")?;
    bits.finish("signature")?;
    let signed = Signed { message, algorithm, signature: octets };
    verify(signed, key, policy, &mut Budget::new(&policy.limits)).map_err(Reason::from)
}

/// Whether signature and key could belong together at all, without arithmetic: the cheap half of "self-signed".
pub(crate) fn could_fit(signature: AlgorithmIdentifier<'_>, key: SubjectPublicKeyInfo<'_>) -> bool {
    let family = |content: &[u8]| match content {
        // pkcs-1, and the obsolete id-ea-rsa.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, ..] | [0x55, 8, 1, 1] => 1,
        // ansi-X9-62: ecPublicKey and ecdsa-with-*.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, ..] => 2,
        // x9-57: dsa and dsa-with-sha1; NIST's dsa-with-sha224 and sha256.
        [0x2a, 0x86, 0x48, 0xce, 0x38, ..] | [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 1 | 2] => 3,
        _ => 0,
    };
    let (a, b) = (signature.oid.content(), key.algorithm.oid.content());
    match (family(a), family(b)) {
        // Algorithms such as Ed25519 and ML-DSA have one identifier for key and signature.
        (0, 0) => a == b,
        (a, b) => a == b,
    }
}

/// What a signature algorithm is, as far as it is refused or takes another way than the registered set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SignatureKind {
    Broken(&'static str),
    Sha1,
    Other,
}

impl SignatureKind {
    fn of(algorithm: AlgorithmIdentifier<'_>) -> Self {
        match algorithm.oid.content() {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2] => Self::Broken("MD2"),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 3] => Self::Broken("MD4"),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4] => Self::Broken("MD5"),
            // sha1WithRSAEncryption, sha1WithRSASignature, ecdsa-with-SHA1.
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]
            | [0x2b, 0x0e, 3, 2, 29]
            | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => Self::Sha1,
            // RSASSA-PSS whose parameters leave the hash at its default, SHA-1 (RFC 4055 3.1).
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] if pss_hash_is_default(algorithm) => Self::Sha1,
            _ => Self::Other,
        }
    }
}

fn pss_hash_is_default(algorithm: AlgorithmIdentifier<'_>) -> bool {
    algorithm.parameters.is_some_and(|parameters| {
        Reader::new(parameters)
            .sequence("RSASSA-PSS-params")
            .is_ok_and(|fields| fields.peek() != Some(tag::context_constructed(0)))
    })
}

/// The same octets, or PSS with parameters that mean the same.
fn is_same_signature(algorithm: AlgorithmIdentifier<'_>, registered: &[u8]) -> bool {
    if algorithm.content == registered {
        return true;
    }
    let Some(ours) = pss_parameters(algorithm) else { return false };
    AlgorithmIdentifier::parse(Reader::new(registered), "AlgorithmIdentifier")
        .is_ok_and(|registered| pss_parameters(registered).is_some_and(|theirs| ours == theirs))
}

/// The AlgorithmIdentifier that is all there is.
fn only_identifier(mut reader: Reader<'_>) -> Result<AlgorithmIdentifier<'_>, ViewFault> {
    const FIELD: &str = "RSASSA-PSS-params";
    let identifier = AlgorithmIdentifier::parse(reader.sequence(FIELD)?, FIELD)?;
    reader.finish(FIELD)?;
    Ok(identifier)
}

/// The INTEGER that is all there is.
fn only_number(mut reader: Reader<'_>) -> Result<u32, ViewFault> {
    const FIELD: &str = "RSASSA-PSS-params";
    let number = unsigned(reader.expect(tag::INTEGER, FIELD)?, FIELD)?;
    reader.finish(FIELD)?;
    Ok(number)
}

/// ```asn1
/// RSASSA-PSS-params ::= SEQUENCE {
///      hashAlgorithm [0] HashAlgorithm DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
///      saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }
/// ```
/// Hash and length of the salt, where MGF1 has the same hash. A hash's parameters may be NULL or absent (RFC 4055 2.1).
fn pss_parameters(algorithm: AlgorithmIdentifier<'_>) -> Option<(Oid<'_>, u32)> {
    const FIELD: &str = "RSASSA-PSS-params";
    const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    if !matches!(algorithm.oid.content(), [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]) {
        return None;
    }
    let read = || -> Result<Option<(Oid<'_>, u32)>, ViewFault> {
        let mut outer = Reader::new(algorithm.parameters.unwrap_or_default());
        let mut fields = outer.sequence(FIELD)?;
        outer.finish(FIELD)?;
        let hash = only_identifier(fields.expect(tag::context_constructed(0), FIELD)?.reader())?;
        let mask = only_identifier(fields.expect(tag::context_constructed(1), FIELD)?.reader())?;
        let mask_hash = only_identifier(Reader::new(mask.parameters.unwrap_or_default()))?;
        let salt = only_number(fields.expect(tag::context_constructed(2), FIELD)?.reader())?;
        let trailer = fields
            .optional(tag::context_constructed(3), FIELD)?
            .map(|tlv| only_number(tlv.reader()))
            .transpose()?;
        fields.finish(FIELD)?;
        let is_plain =
            |hash: AlgorithmIdentifier<'_>| hash.parameters.is_none_or(|null| null == [tag::NULL, 0]);
        let fits = mask.oid.content() == MGF1
            && mask_hash.oid == hash.oid
            && is_plain(hash)
            && is_plain(mask_hash)
            && trailer.unwrap_or(1) == 1;
        Ok(fits.then_some((hash.oid, salt)))
    };
    read().ok().flatten()
}

/// Bits of an RSA modulus, if the key is RSA.
pub(crate) fn rsa_bits(key: SubjectPublicKeyInfo<'_>) -> Option<Result<u32, Reason>> {
    if !matches!(
        key.algorithm.oid.content(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 | 10] | [0x55, 8, 1, 1]
    ) {
        return None;
    }
    let read = || {
        const FIELD: &str = "RSAPublicKey";
        let mut document = Reader::new(key.public_key);
        let mut fields = document.sequence(FIELD)?;
        document.finish(FIELD)?;
        let modulus = integer(fields.expect(tag::INTEGER, FIELD)?, FIELD)?;
        integer(fields.expect(tag::INTEGER, FIELD)?, FIELD)?;
        fields.finish(FIELD)?;
        let magnitude = match modulus {
            [0, rest @ ..] => rest,
            all => all,
        };
        let octets = u32::try_from(magnitude.len()).unwrap_or(u32::MAX / 8);
        Ok((octets * 8).saturating_sub(magnitude.first().map_or(0, |first| first.leading_zeros())))
    };
    Some(read().map_err(Reason::Malformed))
}

/// Refuses signatures over broken hashes.
pub(crate) fn hash_strength(algorithm: AlgorithmIdentifier<'_>, policy: &Policy) -> Result<(), Reason> {
    match SignatureKind::of(algorithm) {
        SignatureKind::Broken(hash) => Err(Reason::WeakSignature { hash }),
        SignatureKind::Sha1 if !policy.allow_sha1 => Err(Reason::WeakSignature { hash: "SHA-1" }),
        SignatureKind::Sha1 | SignatureKind::Other => Ok(()),
    }
}

/// Refuses keys below the floor and elliptic curves that are spelled out instead of named.
pub(crate) fn key_strength(key: SubjectPublicKeyInfo<'_>, policy: &Policy) -> Result<(), Reason> {
    if let Some(bits) = rsa_bits(key) {
        let bits = bits?;
        let floor = policy.min_rsa_bits.max(1024);
        if bits < floor {
            return Err(Reason::WeakKey { bits, floor });
        }
    }
    // RFC 5480 2.1.1: namedCurve is the only choice. Explicit parameters let a key choose its own generator.
    if let [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] = key.algorithm.oid.content() {
        let named = key.algorithm.parameters.is_some_and(|parameters| parameters.first() == Some(&tag::OID));
        if !named {
            return Err(Reason::ExplicitCurve);
        }
    }
    Ok(())
}

/// The identifier that algorithms are registered under for this key, or `None` where the key forbids this signature.
fn registered_key_algorithm<'a>(
    key: SubjectPublicKeyInfo<'a>,
    signature: AlgorithmIdentifier<'_>,
) -> Option<&'a [u8]> {
    match key.algorithm.oid.content() {
        // RFC 3279 2.3.1: the parameters are NULL.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1] => {
            (could_fit(signature, key) && key.algorithm.content == RSA_ENCRYPTION).then_some(RSA_ENCRYPTION)
        }
        // X.509's own `rsa`, long obsolete, with the same key format.
        [0x55, 8, 1, 1] => Some(RSA_ENCRYPTION),
        // RFC 4055 3.1 and 3.3: a PSS key makes only PSS signatures, and with its parameters if it has some.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] => {
            let fits = signature.oid == key.algorithm.oid
                && (key.algorithm.parameters.is_none()
                    || pss_parameters(key.algorithm) == pss_parameters(signature));
            fits.then_some(RSA_ENCRYPTION)
        }
        _ => could_fit(signature, key).then_some(key.algorithm.content),
    }
}

/// The algorithms for old rings: RSA PKCS #1 under 2048 bits, or over SHA-1. Policy has let them pass by now.
fn legacy_rsa(
    signature: AlgorithmIdentifier<'_>,
    key: SubjectPublicKeyInfo<'_>,
    kind: SignatureKind,
) -> Option<&'static ring::signature::RsaParameters> {
    use ring::signature as alg;
    let short = matches!(rsa_bits(key), Some(Ok(bits)) if bits < 2048);
    match (signature.oid.content(), kind) {
        ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5] | [0x2b, 0x0e, 3, 2, 29], SignatureKind::Sha1) => {
            Some(&alg::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)
        }
        ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], _) if short => {
            Some(&alg::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
        }
        ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], _) if short => {
            Some(&alg::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
        }
        _ => None,
    }
}
