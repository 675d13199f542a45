//! Whether a certificate is self-signed.

use crate::budget::Budget;
use crate::policy::{Limits, SignaturePolicy};
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::x509::{AuthorityKeyIdentifier, Certificate, GeneralName};

/// Whether a certificate is self-issued, names no other key as its issuer's, and is signed by its own key.
///
/// If the algorithm is not built in (SHA-1 over ECDSA, DSA), the kinds of key and signature must at least match.
pub(super) fn is_self_signed(certificate: &Certificate<'_>) -> bool {
    let key = certificate.spki();
    if !signature::could_fit(certificate.signature_algorithm(), key) {
        return false;
    }
    let own_key = match (certificate.authority_key_identifier(), certificate.subject_key_identifier()) {
        (Ok(authority), Ok(own)) => {
            authority.is_none_or(|authority| names_own_key(certificate, authority, own))
        }
        _ => false,
    };
    if !own_key {
        return false;
    }
    // Whether the signature is strong enough does not matter here, since the signature of an anchor is not considered
    // in a path.
    let policy = SignaturePolicy {
        allow_sha1: true,
        min_rsa_bits: 1024,
        min_ec_bits: 160,
        ..SignaturePolicy::default()
    };
    let limits = Limits::default();
    let signed = Signed {
        message: certificate.tbs(),
        algorithm: certificate.signature_algorithm(),
        signature: certificate.signature(),
    };
    match signature::verify(signed, key, &policy, &mut Budget::new(&limits)) {
        Ok(()) => true,
        Err(SignatureFault::Reason(reason)) => {
            !matches!(reason, Reason::BadSignature | Reason::AlgorithmMismatch { .. })
        }
        Err(SignatureFault::Limit(_)) => false,
    }
}

/// Whether an authorityKeyIdentifier is consistent with the certificate being its own issuer.
fn names_own_key(
    certificate: &Certificate<'_>,
    authority: AuthorityKeyIdentifier<'_>,
    own: Option<&[u8]>,
) -> bool {
    let same_key = match (authority.key_identifier, own) {
        (Some(key), Some(own)) => key == own,
        _ => true,
    };
    let same_serial = authority.issuer_and_serial.is_none_or(|(mut issuer, serial)| {
        let is_issuer =
            |name| matches!(name, Ok(GeneralName::Directory(name)) if name.matches(certificate.issuer()));
        serial == certificate.serial().bytes() && issuer.any(is_issuer)
    });
    same_key && same_serial
}
