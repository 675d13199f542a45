//! Why a certificate is refused, and what is worth a warning.

use certcheck_core::reason::Rejection;
use certcheck_core::report::{Report, Warning};
use certcheck_fetch::SourceTried;
use serde::Serialize;

use crate::hint;

/// Why a path is refused.
#[derive(Serialize)]
pub(crate) struct ReasonObject {
    pub(crate) code: &'static str,
    pub(crate) certificate_index: usize,
    pub(crate) rfc: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl From<&Rejection> for ReasonObject {
    fn from(rejection: &Rejection) -> Self {
        let reason = &rejection.reason;
        Self {
            code: reason.code(),
            certificate_index: rejection.at,
            rfc: reason.rfc(),
            message: reason.to_string(),
            hint: hint::of(reason.remedy()).to_owned(),
        }
    }
}

impl ReasonObject {
    /// Why a report refuses, with what explains it and would help in this case.
    pub(crate) fn of(report: &Report<'_>, sources: &[SourceTried]) -> Option<Self> {
        let general = Self::from(report.reason.as_ref()?);
        Some(Self {
            message: report.message().unwrap_or_default(),
            hint: hint::for_report(report, sources),
            ..general
        })
    }
}

/// A warning, which changes no verdict.
#[derive(Serialize)]
pub(crate) struct WarningObject {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl From<&Warning> for WarningObject {
    fn from(warning: &Warning) -> Self {
        Self { code: warning.code(), message: warning.to_string() }
    }
}
