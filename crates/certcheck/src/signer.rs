//! Who signed a CRL or an OCSP response, as both commands tell it.

use std::io::{self, Write};

use anstyle::Style;
use certcheck_core::key_ring::RingCertificate;
use certcheck_core::oid::Oid;
use certcheck_core::reason::Reason;
use certcheck_core::status::Cause;
use certcheck_core::x509::Certificate;
use serde::Serialize;

use crate::json::CertificateObject;
use crate::text::{BAD, GOOD, QUIET};
use crate::visible::Visible;

/// Whether a signature verifies, and with which certificate or why not.
#[derive(Serialize)]
pub(crate) struct SignatureObject {
    pub(crate) verified: bool,
    signer: Option<SignerObject>,
    cause: Option<&'static str>,
    message: Option<String>,
}

/// The certificate whose key signed.
#[derive(Serialize)]
struct SignerObject {
    /// `issuer`, or of OCSP also `delegate`.
    signs_as: &'static str,
    /// `anchor` or `intermediate` in the ring; `null` if it came with the response.
    role: Option<&'static str>,
    source: Option<String>,
    certificate: CertificateObject,
}

impl SignatureObject {
    /// It verifies with this certificate, of the ring or not.
    pub(crate) fn good(
        signs_as: &'static str,
        certificate: &Certificate<'_>,
        entry: Option<&RingCertificate>,
    ) -> Self {
        let role = entry.map(|entry| entry.role().code());
        let signer = SignerObject {
            signs_as,
            role,
            source: entry.map(|entry| entry.source().to_owned()),
            certificate: CertificateObject::of(certificate),
        };
        Self { verified: true, signer: Some(signer), cause: None, message: None }
    }

    /// It does not.
    pub(crate) fn bad(fault: &SignerFault) -> Self {
        let (code, message) = match fault {
            SignerFault::NoCertificate => {
                ("no-certificate", "no certificate of the signer's name or key is in the ring".to_owned())
            }
            SignerFault::Malformed => {
                (Cause::Malformed.code(), "a certificate that came with it cannot be parsed".to_owned())
            }
            SignerFault::Signature(reason) => (reason.code(), reason.to_string()),
            SignerFault::Wrong => (Cause::WrongSigner.code(), Cause::WrongSigner.sentence().to_owned()),
        };
        Self { verified: false, signer: None, cause: Some(code), message: Some(message) }
    }

    /// One line.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(SignerObject { signs_as, source, certificate, .. }) = &self.signer {
            let source = source.as_deref().unwrap_or("sent along");
            let subject = &certificate.subject;
            writeln!(
                out,
                "  {GOOD}verified{GOOD:#} with {signs_as} {subject}  {QUIET}{}{QUIET:#}",
                Visible(source)
            )?;
        }
        if let (Some(code), Some(message)) = (self.cause, &self.message) {
            writeln!(out, "  {BAD}not verified{BAD:#}: {code}: {message}")?;
        }
        Ok(())
    }
}

/// Why a signature counts for nothing. Later ones tell more.
#[derive(Clone, Debug)]
pub(crate) enum SignerFault {
    NoCertificate,
    /// The signer's certificate may be one that cannot be parsed.
    Malformed,
    Signature(Reason),
    /// It verifies with a key that is not allowed to sign it.
    Wrong,
}

impl SignerFault {
    /// Of two the one that tells more.
    pub(crate) fn or(self, other: Self) -> Self {
        let rank = |fault: &Self| match fault {
            Self::NoCertificate => 0,
            Self::Malformed => 1,
            Self::Signature(_) => 2,
            Self::Wrong => 3,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// A signature's algorithm.
#[derive(Serialize)]
pub(crate) struct AlgorithmObject {
    pub(crate) oid: String,
    pub(crate) name: Option<&'static str>,
}

impl AlgorithmObject {
    /// The name, or the identifier of what has none here.
    pub(crate) fn shown(&self) -> &str {
        self.name.unwrap_or(&self.oid)
    }
}

impl From<Oid<'_>> for AlgorithmObject {
    fn from(oid: Oid<'_>) -> Self {
        Self { oid: oid.to_string(), name: oid.algorithm_name() }
    }
}

/// Whether evidence is current, as a style and a word.
pub(crate) fn currency(cause: Option<&'static str>) -> (Style, &'static str) {
    cause.map_or((GOOD, "current"), |cause| (BAD, cause))
}
