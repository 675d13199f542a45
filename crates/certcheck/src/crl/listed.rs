//! The entries of a CRL with who issued their certificates (RFC 5280 5.3.3).

use certcheck_core::crl::{Crl, CrlEntry};
use certcheck_core::der::ViewFault;
use certcheck_core::x509::{GeneralName, GeneralNames, Name};
use serde::Serialize;

use crate::hex;

/// Who issued the certificate of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) enum CertificateIssuer<'a> {
    /// The issuer of the CRL.
    OfCrl,
    /// The one that an entry of an indirect CRL names.
    Named(Name<'a>),
    /// What is named is no directory name: no certificate has such an issuer.
    Nobody,
}

impl<'a> CertificateIssuer<'a> {
    fn of(mut names: GeneralNames<'a>) -> Self {
        names
            .find_map(|name| match name {
                Ok(GeneralName::Directory(name)) => Some(Self::Named(name)),
                _ => None,
            })
            .unwrap_or(Self::Nobody)
    }
}

/// An entry and whose certificate it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    pub(super) entry: CrlEntry<'a>,
    pub(super) issuer: CertificateIssuer<'a>,
}

impl Listed<'_> {
    /// The entry about the same certificate in a CRL of the same issuer: the first, where there are several.
    pub(super) fn find_in<'a>(&self, crl: &'a Crl) -> Option<Result<CrlEntry<'a>, ViewFault>> {
        let issuer = match self.issuer {
            CertificateIssuer::OfCrl => None,
            CertificateIssuer::Named(name) => Some(name),
            CertificateIssuer::Nobody => return None,
        };
        crl.find_unverified(self.entry.serial, issuer)
    }
}

/// All of them, in order, in one pass.
pub(super) fn listed(crl: &Crl) -> impl Iterator<Item = Result<Listed<'_>, ViewFault>> {
    let mut issuer = CertificateIssuer::OfCrl;
    crl.entries().map(move |entry| {
        let entry = entry?;
        if let Some(names) = entry.certificate_issuer() {
            issuer = CertificateIssuer::of(names);
        }
        Ok(Listed { entry, issuer })
    })
}

/// An entry as JSON has it.
#[derive(Serialize)]
pub(super) struct EntryObject {
    pub(super) serial: String,
    /// `null` where it is the CRL's issuer.
    pub(super) certificate_issuer: Option<String>,
    pub(super) revoked_at: String,
    pub(super) revocation_reason: String,
    pub(super) invalid_since: Option<String>,
}

impl From<&Listed<'_>> for EntryObject {
    fn from(listed: &Listed<'_>) -> Self {
        let Listed { entry, issuer } = listed;
        Self {
            serial: hex::number(entry.serial),
            certificate_issuer: match issuer {
                CertificateIssuer::OfCrl => None,
                CertificateIssuer::Named(name) => Some(name.to_string()),
                CertificateIssuer::Nobody => Some(String::new()),
            },
            revoked_at: entry.revoked_at.to_string(),
            revocation_reason: entry.reason.to_string(),
            invalid_since: entry.invalid_since.map(|time| time.to_string()),
        }
    }
}
