//! Who signed a CRL or an OCSP response, as both commands tell it.

use std::io::{self, Write};

use anstyle::Style;
use certcheck_core::oid::Oid;
use certcheck_core::signer::{EvidenceSigner, NoSigner};
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
    /// What the core says of a signature.
    pub(crate) fn of(signer: Result<EvidenceSigner<'_>, NoSigner>) -> Self {
        let fault = match signer {
            Ok(EvidenceSigner { signs_as, certificate, entry, .. }) => {
                let signer = SignerObject {
                    signs_as: signs_as.code(),
                    role: entry.map(|entry| entry.role().code()),
                    source: entry.map(|entry| entry.source().to_owned()),
                    certificate: CertificateObject::of(&certificate),
                };
                return Self { verified: true, signer: Some(signer), cause: None, message: None };
            }
            Err(fault) => fault,
        };
        Self { verified: false, signer: None, cause: Some(fault.code()), message: Some(fault.to_string()) }
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
