//! Who signed a response, and whether who signed may (RFC 6960 4.2.2.2).

use certcheck_core::key_ring::{RingCertificate, Role};
use certcheck_core::ocsp::BasicResponse;
use certcheck_core::oid;
use certcheck_core::x509::{Certificate, KeyUsage};
use certcheck_core::{Check, KeyRing, Policy, Revocation, Time};
use pki_types::CertificateDer;

use crate::signer::{SignatureObject, SignerFault};

/// The first certificate, of the ring or sent along, that the response names, whose key verifies it, and that may
/// answer about all it answers about. Whether a delegate is revoked itself is asked by a check.
pub(super) fn find(basic: &BasicResponse<'_>, ring: &KeyRing, policy: &Policy, now: Time) -> SignatureObject {
    let mut policy = policy.clone();
    policy.revocation = Revocation::Off;
    let chain = |target: &Certificate<'_>| -> Vec<CertificateDer<'static>> {
        let sent = basic.certificates().flatten().map(|certificate| certificate.der().to_vec());
        core::iter::once(target.der().to_vec()).chain(sent).map(CertificateDer::from).collect()
    };
    let in_ring = ring.certificates().iter().filter(|entry| entry.role() != Role::Distrusted);
    let in_ring = in_ring.map(|entry| (entry.certificate(), Some(entry)));
    let sent = basic.certificates().flatten().map(|certificate| (certificate, None));
    let mut fault = SignerFault::NoCertificate;
    for (certificate, entry) in in_ring.chain(sent) {
        if !basic.responder.is(&certificate) {
            continue;
        }
        if let Err(reason) = basic.verify(certificate.spki(), &policy) {
            fault = fault.or(SignerFault::Signature(reason));
            continue;
        }
        if ring.distrusts(&certificate) {
            fault = fault.or(SignerFault::Wrong);
            continue;
        }
        let chain = chain(&certificate);
        match signs_as(basic, &certificate, entry, Check::new(&chain, ring, &policy, now)) {
            Some(signs_as) => return SignatureObject::good(signs_as, &certificate, entry),
            None => fault = fault.or(SignerFault::Wrong),
        }
    }
    // A certificate that cannot be parsed may be the signer's.
    if basic.certificates().any(|certificate| certificate.is_err()) {
        fault = fault.or(SignerFault::Malformed);
    }
    SignatureObject::bad(&fault)
}

/// How it signs: as the CA itself, or as a responder that the CA authorized. `None` if neither.
fn signs_as(
    basic: &BasicResponse<'_>,
    signer: &Certificate<'_>,
    entry: Option<&RingCertificate>,
    check: Check<'_>,
) -> Option<&'static str> {
    let answers_for = |issuer: &Certificate<'_>| {
        basic.responses().all(|single| single.is_ok_and(|single| single.cert_id.is_of(issuer)))
    };
    if answers_for(signer) && entry.is_some_and(|entry| entry.role() == Role::Anchor) {
        return Some("issuer");
    }
    let report = check.run();
    if !report.is_accepted() {
        return None;
    }
    if answers_for(signer) {
        return Some("issuer");
    }
    let issuer = report.path.get(1)?;
    (is_for_answers(signer) && answers_for(&issuer.certificate)).then_some("delegate")
}

/// id-kp-OCSPSigning named as such, a key for signatures, and no CA.
fn is_for_answers(signer: &Certificate<'_>) -> bool {
    let may_sign = signer.key_usage().is_none_or(|usage| usage.has_any(KeyUsage::DIGITAL_SIGNATURE));
    let is_ca = signer.basic_constraints().is_some_and(|constraints| constraints.ca);
    names_ocsp_signing(signer) && may_sign && !is_ca
}

/// Whether id-kp-OCSPSigning is among its purposes.
pub(super) fn names_ocsp_signing(certificate: &Certificate<'_>) -> bool {
    let usage = certificate.extended_key_usage().ok().flatten();
    usage.is_some_and(|usage| usage.purposes().any(|purpose| purpose == Ok(oid::KP_OCSP_SIGNING)))
}
