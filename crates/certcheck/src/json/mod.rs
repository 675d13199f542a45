//! JSON for programs: one object a line. The objects are described in `schemas/`, and `docs/json.md` says what is promised
//! of them.

mod certificate;
mod error;
mod plan;
mod reason;
mod revocation;
mod verification;

use std::io::{self, Write};
use std::time::Duration;

use certcheck_core::revocation::EvidenceRequest;
use serde::Serialize;

pub(crate) use certificate::{CertificateObject, Member, fingerprint};
pub(crate) use error::ErrorObject;
pub(crate) use plan::{plan_exit, write_plan};
pub(crate) use reason::{ReasonObject, WarningObject};
pub(crate) use revocation::{ConsideredObject, RevocationObject, SourceObject};
pub(crate) use verification::{AttemptObject, Line, is_unreadable};

/// The version of all objects. It changes when a key goes or gets another meaning.
const SCHEMA: u32 = 1;

/// An object that stands on a line of its own.
pub(crate) trait Document: Serialize {
    /// What it is: the value of its key `type`.
    const TYPE: &'static str;
}

/// What every line begins with.
#[derive(Serialize)]
struct Envelope<'d, D> {
    schema: u32,
    r#type: &'static str,
    #[serde(flatten)]
    document: &'d D,
}

/// Writes one line to standard output.
pub(crate) fn print<D: Document>(document: &D) -> io::Result<()> {
    // A line may be long: of a CRL it lists all that is new.
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out, document)?;
    out.flush()
}

/// Writes one line.
pub(crate) fn write<D: Document>(out: &mut impl Write, document: &D) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Envelope { schema: SCHEMA, r#type: D::TYPE, document })?;
    out.write_all(b"\n")
}

/// The kind of evidence that is asked for.
pub(crate) fn kind_of(ask: &EvidenceRequest) -> &'static str {
    match ask {
        EvidenceRequest::Crl { .. } => "crl",
        EvidenceRequest::Ocsp { .. } => "ocsp",
        _ => "issuers",
    }
}

/// Whole microseconds.
pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
