//! The objects about a verification in JSON: what `certcheck verify --json` prints and `/v1/verify` answers.
//!
//! `docs/json.md` says what is promised of them.

mod certificate;
mod line;
mod reason;
mod revocation;

use std::time::Duration;

use certcheck_rustls::Remedy;
use certcheck_rustls::certcheck_core::report::Report;
use certcheck_rustls::certcheck_fetch::SourceTried;

pub use certificate::{CertificateObject, Member, fingerprint};
pub use line::{AttemptObject, Line, SpentObject, is_unreadable};
pub use reason::{ReasonObject, WarningObject};
pub use revocation::{ConsideredObject, RevocationObject, SourceObject};

/// The version of all objects. It changes when a key goes or gets another meaning.
pub const SCHEMA: u32 = 1;

/// What would help, in the words of a program.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by its users")]
pub struct Hints {
    /// With a refusal of this kind.
    pub of: fn(Remedy) -> &'static str,
    /// With the refusal of this report, given the sources that were asked. Empty if it accepts.
    pub for_report: fn(&Report<'_>, &[SourceTried]) -> String,
}

/// Whole microseconds.
#[must_use]
pub fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
