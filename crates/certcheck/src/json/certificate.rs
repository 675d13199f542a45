//! A certificate, and its place in a path.

use certcheck_core::digest::sha256;
use certcheck_core::report::PathCertificate;
use certcheck_core::x509::Certificate;
use certcheck_fetch::SourceTried;
use serde::Serialize;

use super::RevocationObject;
use crate::hex;

/// What a certificate says of itself: the same object wherever a certificate appears.
#[derive(Serialize)]
pub(crate) struct CertificateObject {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) serial: String,
    pub(crate) sha256: String,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
}

impl CertificateObject {
    pub(crate) fn of(certificate: &Certificate<'_>) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial().to_string(),
            sha256: fingerprint(certificate),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
        }
    }
}

/// A certificate of the path.
#[derive(Serialize)]
pub(crate) struct Member {
    pub(crate) role: &'static str,
    pub(crate) certificate: CertificateObject,
    pub(crate) revocation: RevocationObject,
}

impl Member {
    pub(super) fn new(member: &PathCertificate<'_>, sources: &[SourceTried]) -> Self {
        Self {
            role: member.role.code(),
            certificate: CertificateObject::of(&member.certificate),
            revocation: RevocationObject::new(&member.revocation, sources),
        }
    }
}

/// SHA-256 of the certificate, in lower-case hexadecimal.
pub(crate) fn fingerprint(certificate: &Certificate<'_>) -> String {
    hex::bytes(&sha256(certificate.der()))
}
