//! The identity in a certificate that was accepted.
//!
//! ```text
//! accepted report -> leaf, policies, anchor -> Identity -> one accessor per kind of name
//! ```
//! A name is exactly what the certificate has, parsed at each call. The accessor of a name that must not be relied on
//! returns an error, never a part of the name. No accessor falls back from subjectAltName to the common name, which
//! does not name a server either (RFC 9525 2). The EDIPI is the exception, because its issuers put it there.

mod attributes;
mod edipi;
mod error;
mod fasc_n;
mod names;
mod sid;
mod spiffe;

use core::fmt;
use std::borrow::Cow;

use certcheck_core::der::{Reader, tag};
use certcheck_core::digest::sha256;
use certcheck_core::oid::{self, OidBuf};
use certcheck_core::x509::{Attribute, Certificate, Name, OwnedCertificate};
use certcheck_core::{Report, Time, Verdict};
use pki_types::CertificateDer;

pub use edipi::Edipi;
pub use error::IdentityError;
pub use fasc_n::FascN;
pub use names::OtherName;

/// The identity of an accepted client: its certificate, and the results of the check. It is owned, so it outlives the
/// handshake and can be stored with a session for resumption.
///
/// Its Display and Debug text is subject, serial number and issuer, for people and not for comparison.
#[derive(Clone)]
pub struct Identity {
    certificate: OwnedCertificate,
    policies: Vec<OidBuf>,
    /// The anchor's subject, encoded.
    anchor: Box<[u8]>,
    /// SPIFFE trust domains that the anchor names for itself. `None` if its names cannot be parsed.
    anchor_domains: Option<Vec<Box<str>>>,
}

impl Identity {
    /// The identity in the certificate that a report accepts.
    ///
    /// The caller chooses which names count by the accessor. A name that cannot be used makes its accessor fail, not
    /// this function.
    ///
    /// # Errors
    /// [`IdentityError::NotAccepted`] for any verdict but [`Verdict::Accept`].
    pub fn of(report: &Report<'_>) -> Result<Self, IdentityError> {
        let (Verdict::Accept, [leaf, ..], [.., anchor]) = (report.verdict, &*report.path, &*report.path)
        else {
            return Err(IdentityError::NotAccepted { verdict: report.verdict });
        };
        Ok(Self {
            certificate: leaf.certificate.to_owned(),
            policies: report.policies.clone(),
            anchor: anchor.certificate.subject().raw().into(),
            anchor_domains: spiffe::trust_domains(&anchor.certificate),
        })
    }

    /// From any certificate that can be parsed, as if it were accepted under itself. Every accessor is called.
    #[cfg(fuzzing)]
    pub(crate) fn exercise(certificate: &Certificate<'_>) {
        let identity = Self {
            certificate: certificate.to_owned(),
            policies: Vec::new(),
            anchor: certificate.subject().raw().into(),
            anchor_domains: spiffe::trust_domains(certificate),
        };
        let _shown =
            (identity.to_string(), identity.subject(), identity.issuer(), identity.common_name().is_some());
        let _lists = (identity.emails(), identity.dns_names(), identity.uris(), identity.other_names());
        let _names = (identity.ip_addresses(), identity.spiffe_id(), identity.upn(), identity.sid());
        let _numbers = (identity.edipi(), identity.card_uuid());
        if let Ok(Some(number)) = identity.fasc_n() {
            assert_eq!(FascN::parse(number.bytes()).ok(), Some(number));
        }
    }

    /// The certificate, as the core parses it.
    #[must_use]
    pub fn view(&self) -> Certificate<'_> {
        self.certificate.view()
    }

    /// The certificate as it was presented.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'_> {
        CertificateDer::from(&**self.certificate.der())
    }

    /// The subject in the form of RFC 4514. Empty where only subjectAltName has a name (RFC 5280 4.1.2.6).
    ///
    /// Very long text is cut. For decisions, compare the names in [`view`](Self::view), not text.
    #[must_use]
    pub fn subject(&self) -> String {
        self.view().subject().to_string()
    }

    /// The issuer (RFC 5280 4.1.2.4), written like the subject.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.view().issuer().to_string()
    }

    /// The subject of the anchor that vouches for the path, written like the subject of the certificate.
    #[must_use]
    pub fn anchor(&self) -> String {
        Name::parse(&mut Reader::new(&self.anchor), "subject")
            .map_or_else(|_| String::new(), |name| name.to_string())
    }

    /// The serial number (RFC 5280 4.1.2.2) in lower-case hexadecimal, without a sign byte.
    #[must_use]
    pub fn serial(&self) -> String {
        self.view().serial().to_string()
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.certificate.der())
    }

    /// SHA-256 of the subjectPublicKeyInfo (RFC 5280 4.1.2.7), header included: the pin of RFC 7469 2.4.
    #[must_use]
    pub fn spki_sha256(&self) -> [u8; 32] {
        sha256(self.view().spki().raw)
    }

    /// The last second of the certificate's validity (RFC 5280 4.1.2.5). Certificates above it may end sooner.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.view().not_after()
    }

    /// The policies that hold for the whole path, in the anchor's domain (user-constrained-policy-set, RFC 5280 6.1.6).
    #[must_use]
    pub fn policies(&self) -> &[OidBuf] {
        &self.policies
    }

    /// The most specific common name (X.520 6.2.2), for display. **Not an identity**: CAs put any text there, and
    /// name constraints do not bind it. `None` also if it is not text or has control characters.
    #[must_use]
    pub fn common_name(&self) -> Option<Cow<'_, str>> {
        self.common_names().last().flatten().filter(|text| !text.chars().any(names::is_forbidden))
    }

    /// Each common name of the subject, the one nearest to the root first. `None` for one that is not text.
    fn common_names(&self) -> impl Iterator<Item = Option<Cow<'_, str>>> {
        self.view().subject().attributes().filter(|attribute| attribute.oid == oid::COMMON_NAME).map(text_of)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificate = self.view();
        if !certificate.subject().is_empty() {
            write!(f, "{}, ", certificate.subject())?;
        }
        write!(f, "serial {} of {}", certificate.serial(), certificate.issuer())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

/// The value as text. A PrintableString with other ASCII characters is accepted, as where the core displays names.
fn text_of(attribute: Attribute<'_>) -> Option<Cow<'_, str>> {
    attribute.text().or_else(|| match attribute.tag {
        tag::PRINTABLE_STRING => {
            core::str::from_utf8(attribute.value).ok().filter(|text| text.is_ascii()).map(Cow::Borrowed)
        }
        _ => None,
    })
}
