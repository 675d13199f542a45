//! A certificate, and its place in a path.

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::report::PathCertificate;
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_rustls::certcheck_fetch::SourceTried;
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::RevocationObject;

/// What a certificate says of itself: the same object wherever a certificate appears.
#[derive(Serialize)]
#[non_exhaustive]
pub struct CertificateObject {
    /// The subject in the form of RFC 4514.
    pub subject: String,
    /// The issuer, written like the subject.
    pub issuer: String,
    /// The serial number in lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, in lower-case hexadecimal.
    pub sha256: String,
    /// The first second of its validity.
    pub not_before: String,
    /// The last second of its validity.
    pub not_after: String,
}

impl CertificateObject {
    /// Of a certificate.
    #[must_use]
    pub fn of(certificate: &Certificate<'_>) -> Self {
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
#[non_exhaustive]
pub struct Member {
    /// `leaf`, `intermediate` or `anchor`.
    pub role: &'static str,
    /// The certificate.
    pub certificate: CertificateObject,
    /// Its status.
    pub revocation: RevocationObject,
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
#[must_use]
pub fn fingerprint(certificate: &Certificate<'_>) -> String {
    HEXLOWER.encode(&sha256(certificate.der()))
}
