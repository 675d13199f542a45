//! Verification of signed data with a key (RFC 5280 6.1.3 (a)(1)), through the algorithms of the policy.

pub(crate) mod memo;

use pki_types::SignatureVerificationAlgorithm;

use crate::budget::Budget;
use crate::der::{Reader, bit_string_bytes, tag};
use crate::key::{self, RsaKey};
use crate::oid::Oid;
use crate::policy::{LimitHit, SignaturePolicy};
use crate::provider::signature::{RsaParameters, UnparsedPublicKey};
use crate::pss;
use crate::reason::{Reason, Unsupported};
use crate::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// The content of `AlgorithmIdentifier` for rsaEncryption, under which RSA algorithms are registered.
const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// The shortest RSA key that the registered algorithms support, in bits.
const SHORTEST: u32 = 2048;

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
    /// The signed bytes.
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: AlgorithmIdentifier<'a>,
    /// The content of the BIT STRING.
    pub(crate) signature: &'a [u8],
}

/// What verifies a signature that the policy accepts.
#[derive(Clone, Copy)]
pub(crate) enum Verifier {
    Registered(&'static dyn SignatureVerificationAlgorithm),
    Legacy(&'static RsaParameters),
    AnySalt(pss::AnySalt),
}

/// The verifier for an algorithm and a key. They are checked by name, without arithmetic.
///
/// RFC 5280 4.1.1.2, RFC 4055 3.1.
#[doc(alias("RFC 5280 section 4.1.1.2", "RFC 4055 section 3.1"))]
pub(crate) fn select_verifier(
    signed: Signed<'_>,
    key: SubjectPublicKeyInfo<'_>,
    policy: &SignaturePolicy,
) -> Result<Verifier, Reason> {
    hash_strength(signed.algorithm, policy)?;
    key::check_signer(key, policy)?;
    let kind = SignatureKind::of(signed.algorithm);
    let registered = policy.algorithms.as_slice();
    let mut of_signature = registered
        .iter()
        .filter(|algorithm| is_same_signature(signed.algorithm, algorithm.signature_alg_id().as_ref()))
        .peekable();
    let legacy = legacy_rsa(signed.algorithm, key, kind);
    let is_known = of_signature.peek().is_some() || legacy.is_some();
    if !is_known && !has_other_salt(signed.algorithm, registered) {
        return Err(unsupported(signed.algorithm, key));
    }
    let mismatch = || Reason::AlgorithmMismatch {
        signature: signed.algorithm.oid.into(),
        key: key.algorithm.oid.into(),
    };
    let key_algorithm = registered_key_algorithm(key, signed.algorithm).ok_or_else(mismatch)?;
    if let Some(legacy) = legacy {
        return Ok(Verifier::Legacy(legacy));
    }
    let short = short_rsa(key);
    if !is_known || short.is_some() && pss::is_pss(signed.algorithm) {
        return any_salt(signed.algorithm, key);
    }
    let Some(algorithm) = of_signature.find(|algorithm| *algorithm.public_key_alg_id() == *key_algorithm)
    else {
        return Err(unsupported_key(signed.algorithm, key));
    };
    match short {
        Some(bits) => Err(Reason::UnsupportedAlgorithm(Unsupported::RsaShort { bits, shortest: SHORTEST })),
        None => Ok(Verifier::Registered(*algorithm)),
    }
}

/// The reason for a signature algorithm that is not in the set.
fn unsupported(algorithm: AlgorithmIdentifier<'_>, key: SubjectPublicKeyInfo<'_>) -> Reason {
    let unsupported = match pss::Parameters::of(algorithm) {
        Some(parameters) => Unsupported::PssParameters {
            hash: parameters.hash.algorithm_name(),
            mask_hash: parameters.mask_hash.algorithm_name(),
        },
        None => match (algorithm.oid.ecdsa_hash(), key::curve_name(key)) {
            (Some(hash), Some(curve)) => Unsupported::HashWithCurve { hash, curve },
            _ => Unsupported::Signature(algorithm.oid.into()),
        },
    };
    Reason::UnsupportedAlgorithm(unsupported)
}

/// The reason for a key with which no algorithm of the set makes such signatures.
fn unsupported_key(algorithm: AlgorithmIdentifier<'_>, key: SubjectPublicKeyInfo<'_>) -> Reason {
    let unsupported = match (algorithm.oid.ecdsa_hash(), key::curve_name(key)) {
        (Some(hash), Some(curve)) => Unsupported::HashWithCurve { hash, curve },
        _ => Unsupported::IssuerKey(key.algorithm.oid.into()),
    };
    Reason::UnsupportedAlgorithm(unsupported)
}

/// Whether this is RSASSA-PSS with a hash that is in the set with another salt length.
fn has_other_salt(
    algorithm: AlgorithmIdentifier<'_>,
    registered: &[&dyn SignatureVerificationAlgorithm],
) -> bool {
    fn hash_of(algorithm: AlgorithmIdentifier<'_>) -> Option<Oid<'_>> {
        pss::Parameters::of(algorithm).map(|parameters| parameters.hash)
    }
    hash_of(algorithm).is_some_and(|hash| {
        registered.iter().any(|known| {
            let known = known.signature_alg_id();
            AlgorithmIdentifier::parse(Reader::new(known.as_ref()), "AlgorithmIdentifier")
                .is_ok_and(|known| hash_of(known) == Some(hash))
        })
    })
}

fn any_salt(algorithm: AlgorithmIdentifier<'_>, key: SubjectPublicKeyInfo<'_>) -> Result<Verifier, Reason> {
    let (Some(parameters), Some(Ok(rsa))) = (pss::Parameters::of(algorithm), RsaKey::of(key)) else {
        return Err(unsupported(algorithm, key));
    };
    pss::AnySalt::new(parameters, rsa).map(Verifier::AnySalt).map_err(Reason::UnsupportedAlgorithm)
}

/// The length of an uncompressed point of a 256-bit curve, in bytes.
const P256_POINT: usize = 65;

/// The cost of a verification, in verifications over P-256: measured with `ring`, and rounded up.
fn cost(verifier: &Verifier, key: SubjectPublicKeyInfo<'_>) -> u32 {
    let bits = match RsaKey::of(key) {
        Some(Ok(rsa)) => rsa.bits(),
        // Longer curves, and other long keys.
        _ if key.public_key.len() > P256_POINT => return 8,
        _ => return 1,
    };
    // The work grows with the square of the length.
    let work = (bits / 2_048).saturating_mul(bits / 2_048).max(1);
    match verifier {
        Verifier::AnySalt(_) => work.saturating_mul(2),
        Verifier::Registered(_) | Verifier::Legacy(_) => work.div_ceil(4),
    }
}

/// Verifies a signature. Spends one signature of the budget, unless algorithm or key are rejected by name before.
///
/// RFC 5280 4.1.1.3, RFC 5280 6.1.3 (a)(1).
#[doc(alias("RFC 5280 section 4.1.1.3", "RFC 5280 section 6.1.3(a)(1)"))]
pub(crate) fn verify(
    signed: Signed<'_>,
    key: SubjectPublicKeyInfo<'_>,
    policy: &SignaturePolicy,
    budget: &mut Budget<'_>,
) -> Result<(), SignatureFault> {
    let verifier = select_verifier(signed, key, policy).map_err(SignatureFault::Reason)?;
    budget.signature(cost(&verifier, key))?;
    run(&verifier, signed, key)
}

/// Like [`verify`], for a signature on evidence. It counts as one, whatever it costs: evidence is given, or fetched
/// from a few sources for a validated path, and a client cannot present it.
pub(crate) fn verify_evidence(
    signed: Signed<'_>,
    key: SubjectPublicKeyInfo<'_>,
    policy: &SignaturePolicy,
    budget: &mut Budget<'_>,
) -> Result<(), SignatureFault> {
    let verifier = select_verifier(signed, key, policy).map_err(SignatureFault::Reason)?;
    budget.evidence_signature()?;
    run(&verifier, signed, key)
}

fn run(verifier: &Verifier, signed: Signed<'_>, key: SubjectPublicKeyInfo<'_>) -> Result<(), SignatureFault> {
    let is_good = match verifier {
        Verifier::Registered(algorithm) => {
            algorithm.verify_signature(key.public_key, signed.message, signed.signature).is_ok()
        }
        Verifier::Legacy(parameters) => UnparsedPublicKey::new(*parameters, key.public_key)
            .verify(signed.message, signed.signature)
            .is_ok(),
        Verifier::AnySalt(verifier) => matches!(RsaKey::of(key), Some(Ok(rsa))
            if verifier.verify(rsa, signed.message, signed.signature)),
    };
    if is_good { Ok(()) } else { Err(SignatureFault::Reason(Reason::BadSignature)) }
}

/// Verifies signed data with the algorithms and minimum lengths of a policy.
///
/// `algorithm` is an AlgorithmIdentifier and `signature` a BIT STRING, both in DER. For callers that verify structures
/// of their own.
///
/// # Errors
/// Why it does not verify, or why the algorithm or the key is not accepted.
pub fn verify_signed_data(
    message: &[u8],
    algorithm: &[u8],
    signature: &[u8],
    key: SubjectPublicKeyInfo<'_>,
    policy: &SignaturePolicy,
) -> Result<(), Reason> {
    let (mut outer, mut bits) = (Reader::new(algorithm), Reader::new(signature));
    let algorithm = AlgorithmIdentifier::parse(outer.sequence("algorithm")?, "algorithm")?;
    outer.finish("algorithm")?;
    let bytes = bit_string_bytes(bits.expect(tag::BIT_STRING, "signature")?, "signature")?;
    bits.finish("signature")?;
    let signed = Signed { message, algorithm, signature: bytes };
    let verifier = select_verifier(signed, key, policy)?;
    run(&verifier, signed, key).map_err(Reason::from)
}

/// Whether a signature and a key could belong together, without arithmetic: the cheap part of the check for self-signed
/// certificates.
pub(crate) fn could_fit(signature: AlgorithmIdentifier<'_>, key: SubjectPublicKeyInfo<'_>) -> bool {
    let family = |content: &[u8]| match content {
        // pkcs-1, the obsolete id-ea-rsa, and sha1WithRSASignature of OIW.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, ..] | [0x55, 8, 1, 1] | [0x2b, 0x0e, 3, 2, 29] => 1,
        // ansi-X9-62: ecPublicKey and ecdsa-with-*.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, ..] => 2,
        // x9-57: dsa and dsa-with-sha1. NIST: dsa-with-sha224 and dsa-with-sha256.
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

/// The kind of a signature algorithm, if it is rejected or not verified by the registered set.
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
            // RSASSA-PSS over SHA-1, which is the default (RFC 4055 3.1).
            _ if pss::Parameters::of(algorithm).is_some_and(|pss| pss.is_sha1()) => Self::Sha1,
            _ => Self::Other,
        }
    }
}

/// Whether both have the same bytes, or are PSS with equivalent parameters.
fn is_same_signature(algorithm: AlgorithmIdentifier<'_>, registered: &[u8]) -> bool {
    if algorithm.content == registered {
        return true;
    }
    let Some(ours) = pss::Parameters::of(algorithm) else { return false };
    AlgorithmIdentifier::parse(Reader::new(registered), "AlgorithmIdentifier")
        .is_ok_and(|registered| pss::Parameters::of(registered) == Some(ours))
}

/// Rejects signatures over broken hashes.
pub(crate) fn hash_strength(
    algorithm: AlgorithmIdentifier<'_>,
    policy: &SignaturePolicy,
) -> Result<(), Reason> {
    match SignatureKind::of(algorithm) {
        SignatureKind::Broken(hash) => Err(Reason::WeakSignature { hash }),
        SignatureKind::Sha1 if !policy.allow_sha1 => Err(Reason::WeakSignature { hash: "SHA-1" }),
        SignatureKind::Sha1 | SignatureKind::Other => Ok(()),
    }
}

/// The identifier under which algorithms are registered for this key. `None` if the key does not allow this signature.
fn registered_key_algorithm<'a>(
    key: SubjectPublicKeyInfo<'a>,
    signature: AlgorithmIdentifier<'_>,
) -> Option<&'a [u8]> {
    match key.algorithm.oid.content() {
        // RFC 3279 2.3.1: the parameters are NULL.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1] => {
            (could_fit(signature, key) && key.algorithm.content == RSA_ENCRYPTION).then_some(RSA_ENCRYPTION)
        }
        // The obsolete `rsa` of X.509, with the same key format.
        [0x55, 8, 1, 1] => Some(RSA_ENCRYPTION),
        // RFC 4055 3.1 and 3.3: a PSS key only makes PSS signatures. If it has parameters, the signature must have the
        // same, with at least their salt length.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] => {
            let fits = signature.oid == key.algorithm.oid
                && (key.algorithm.parameters.is_none()
                    || pss::Parameters::of(key.algorithm)
                        .zip(pss::Parameters::of(signature))
                        .is_some_and(|(key, signature)| key.allows(signature)));
            fits.then_some(RSA_ENCRYPTION)
        }
        _ => could_fit(signature, key).then_some(key.algorithm.content),
    }
}

/// The length of an RSA key that is shorter than the registered algorithms support.
fn short_rsa(key: SubjectPublicKeyInfo<'_>) -> Option<u32> {
    match RsaKey::of(key) {
        Some(Ok(rsa)) => Some(rsa.bits()).filter(|bits| *bits < SHORTEST),
        _ => None,
    }
}

/// The algorithms for old rings: RSA PKCS #1 with less than 2048 bits, or over SHA-1. The policy has accepted them by
/// then.
///
/// RFC 5280 4.1.1.2.
#[doc(alias = "RFC 5280 section 4.1.1.2")]
fn legacy_rsa(
    signature: AlgorithmIdentifier<'_>,
    key: SubjectPublicKeyInfo<'_>,
    kind: SignatureKind,
) -> Option<&'static RsaParameters> {
    use crate::provider::signature as alg;
    let short = short_rsa(key).is_some();
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
