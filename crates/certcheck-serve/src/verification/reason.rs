//! Why a certificate is refused, and what is worth a warning.

use certcheck_rustls::certcheck_core::reason::Rejection;
use certcheck_rustls::certcheck_core::report::{Report, Warning};
use certcheck_rustls::certcheck_fetch::SourceTried;
use serde::Serialize;

use super::Hints;

/// Why a path is refused.
#[derive(Serialize)]
#[non_exhaustive]
pub struct ReasonObject {
    /// The stable code.
    pub code: &'static str,
    /// The place of the certificate in the path. 0 is the one that was checked.
    pub certificate_index: usize,
    /// The clause.
    pub rfc: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What would help.
    pub hint: String,
}

impl ReasonObject {
    /// Why a path is refused, with what helps in general.
    #[must_use]
    pub fn of_rejection(rejection: &Rejection, hints: Hints) -> Self {
        let reason = &rejection.reason;
        Self {
            code: reason.code(),
            certificate_index: rejection.at,
            rfc: reason.rfc(),
            message: reason.to_string(),
            hint: (hints.of)(reason.remedy()).to_owned(),
        }
    }

    /// Why a report refuses, with what explains it and would help in this case.
    #[must_use]
    pub fn of(report: &Report<'_>, sources: &[SourceTried], hints: Hints) -> Option<Self> {
        let general = Self::of_rejection(report.reason.as_ref()?, hints);
        Some(Self {
            message: report.message().unwrap_or_default(),
            hint: (hints.for_report)(report, sources),
            ..general
        })
    }
}

/// A warning, which changes no verdict.
#[derive(Serialize)]
#[non_exhaustive]
pub struct WarningObject {
    /// The stable code.
    pub code: &'static str,
    /// What is worth a warning, in a sentence.
    pub message: String,
}

impl From<&Warning> for WarningObject {
    fn from(warning: &Warning) -> Self {
        Self { code: warning.code(), message: warning.to_string() }
    }
}
