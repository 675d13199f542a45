//! Which certificate of a ring signed a CRL (RFC 5280 6.3.3 (f), (g)).

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{RingCertificate, Role};
use certcheck_core::x509::KeyUsage;
use certcheck_core::{KeyRing, Policy};

use crate::signer::{SignatureObject, SignerFault};

/// The first certificate of the issuer's name whose key verifies the CRL and may sign CRLs. Whether a path leads from
/// it to an anchor is asked by a check.
pub(super) fn find(crl: &Crl, ring: &KeyRing, policy: &Policy) -> SignatureObject {
    let mut fault = SignerFault::NoCertificate;
    for entry in ring.certificates() {
        let certificate = entry.certificate();
        if !certificate.subject().matches(crl.issuer()) {
            continue;
        }
        fault = fault.or(match crl.verify(certificate.spki(), policy) {
            Ok(_) if may_sign(entry) && !ring.distrusts(&certificate) => {
                return SignatureObject::good("issuer", &certificate, Some(entry));
            }
            Ok(_) => SignerFault::Wrong,
            Err(reason) => SignerFault::Signature(reason),
        });
    }
    SignatureObject::bad(&fault)
}

/// cRLSign; of an anchor, which is a name and a key, keyUsage may be absent (RFC 10007).
fn may_sign(entry: &RingCertificate) -> bool {
    let usage = entry.certificate().key_usage();
    usage.map_or_else(|| entry.role() == Role::Anchor, |usage| usage.has_any(KeyUsage::CRL_SIGN))
}
