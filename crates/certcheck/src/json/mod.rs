//! JSON for programs: one object a line. The objects are described in `schemas/`, and `docs/json.md` says what is promised
//! of them.

mod error;
mod plan;

use std::io::{self, Write};

use certcheck_core::revocation::EvidenceRequest;
use serde::Serialize;

use certcheck_serve::verification::SCHEMA;
pub(crate) use certcheck_serve::verification::{
    AttemptObject, CertificateObject, Line, Member, ReasonObject, RevocationObject, SourceObject,
    fingerprint, is_unreadable, microseconds,
};
pub(crate) use error::ErrorObject;
pub(crate) use plan::{plan_exit, write_plan};

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

impl Document for Line {
    const TYPE: &'static str = "verification";
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
