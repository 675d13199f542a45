//! A check in a few words, safe to log.

use core::fmt;

use certcheck_core::reason::{Reason, Rejection};

use crate::engine::advice;
use crate::engine::report::{CheckReport, SourceTried};
use crate::printable::printable;

/// The outcome of a check in a few words, for logs. Its texts stay on one line, whatever the certificate contains.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The stable code: `accept`, or that of the reason.
    pub code: &'static str,
    /// The subject of the certificate that was checked. `None` if it cannot be parsed. Nobody vouches for it unless the path
    /// is good: see [`code`](Self::code).
    pub subject: Option<String>,
    /// The certificate that is the reason of a refusal, by its place in the path: 0 is the one that was checked.
    pub certificate: Option<usize>,
    /// Why it is refused, in a sentence.
    pub detail: Option<String>,
    /// The URL or file of the evidence that matters: the one that revokes, or the source that brought nothing.
    pub source: Option<String>,
    /// What to do about it, in terms of the API.
    pub remedy: Option<String>,
}

impl Summary {
    /// A summary with a code and nothing else, to be filled in.
    #[must_use]
    pub const fn of_code(code: &'static str) -> Self {
        Self { code, subject: None, certificate: None, detail: None, source: None, remedy: None }
    }

    pub(super) fn new(report: &CheckReport) -> Self {
        let details = report.details();
        let view = details.view();
        let subject = view.path.first().map(|leaf| printable(leaf.certificate.subject()).to_string());
        let code = report.code();
        let Some(rejection) = report.reason() else {
            return Self { subject, ..Self::of_code(code) };
        };
        let failed = failed_source(report, rejection);
        let source = match &rejection.reason {
            Reason::CertificateRevoked(revoked) => Some(&revoked.proof.source),
            _ => failed.map(|tried| &tried.url),
        };
        let failure = failed.and_then(|tried| tried.failure.as_ref()).map(|(_, what)| what);
        let detail = match (report.message(), failure) {
            (Some(message), Some(failure)) => {
                Some(printable(format_args!("{message}: {failure}")).to_string())
            }
            (message, _) => message.map(|message| printable(message).to_string()),
        };
        Self {
            code,
            subject,
            certificate: Some(rejection.at),
            detail,
            source: source.map(|source| printable(source).to_string()),
            remedy: report.advice(),
        }
    }
}

/// The source because of which a status is unknown: the last that failed for that cause, or else the last.
fn failed_source<'r>(report: &'r CheckReport, rejection: &Rejection) -> Option<&'r SourceTried> {
    let Reason::RevocationUnknown(cause) = rejection.reason else { return None };
    let is_about = |tried: &&SourceTried| tried.at == rejection.at && tried.failure.is_some();
    let is_cause = |tried: &&SourceTried| tried.failure.as_ref().is_some_and(|(known, _)| *known == cause);
    let mut about = report.sources().iter().rev().filter(is_about);
    about.clone().find(is_cause).or_else(|| about.next())
}

impl CheckReport {
    /// Returns the outcome in a few words, for logs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::new(self)
    }

    /// What to do about a refusal, in terms of this API: the calls and fields that help. `None` if accepted.
    ///
    /// [`CheckReport::remedy`] is the same as a value, with words for any program.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        advice::of_report(self).map(Into::into)
    }
}

/// One line: the code, the certificate, the reason, the clause of the RFC, and what to do.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Rejection { at, reason, .. }) = self.reason() else { return f.write_str(self.code()) };
        let summary = self.summary();
        let detail = summary.detail.unwrap_or_default();
        write!(f, "{}: certificate {at}: {detail} ({})", reason.code(), reason.rfc())?;
        match summary.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}
