//! A refusal as rustls reports it.

use core::fmt;
use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::reason::{AlertClass, Reason, Rejection};
use certcheck_fetch::CheckReport;
use pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, OtherError};

/// Why a client is refused, with the whole report. [`CertificateError::Other`] contains it where rustls has no error
/// of its own.
#[derive(Clone)]
pub struct Refused {
    report: CheckReport,
}

impl Refused {
    /// From a report that does not accept.
    pub(crate) const fn new(report: CheckReport) -> Self {
        Self { report }
    }

    /// The stable code of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.report.code()
    }

    /// Which certificate of the path, and why.
    #[must_use]
    pub fn reason(&self) -> Option<&Rejection> {
        self.report.reason()
    }

    /// The whole report: paths that were tried, sources that were asked.
    pub const fn report(&self) -> &CheckReport {
        &self.report
    }

    /// The alert that the client is sent (RFC 8446 6.2).
    #[doc(alias = "RFC 8446 section 6.2")]
    #[must_use]
    pub fn alert(&self) -> AlertDescription {
        self.certificate_error().into()
    }

    /// The error of rustls, which decides the alert. Where rustls has none it is `Other`, and the alert is
    /// certificate_unknown.
    ///
    /// RFC 8446 6.2.
    #[doc(alias = "RFC 8446 section 6.2")]
    pub(crate) fn certificate_error(&self) -> CertificateError {
        let other = || CertificateError::Other(OtherError(Arc::new(self.clone())));
        let Some(Rejection { reason, .. }) = self.reason() else { return other() };
        match reason.alert_class() {
            AlertClass::Malformed => CertificateError::BadEncoding,
            // rustls sends decrypt_error for it, where RFC 8446 6.2 has bad_certificate.
            AlertClass::BadSignature => CertificateError::BadSignature,
            AlertClass::UnhandledCriticalExtension => CertificateError::UnhandledCriticalExtension,
            AlertClass::InvalidPurpose => CertificateError::InvalidPurpose,
            AlertClass::Revoked => CertificateError::Revoked,
            AlertClass::Expired => match reason {
                Reason::Expired { not_after, now } => {
                    CertificateError::ExpiredContext { time: unix(*now), not_after: unix(*not_after) }
                }
                _ => CertificateError::Expired,
            },
            AlertClass::NotYetValid => match reason {
                Reason::NotYetValid { not_before, now } => {
                    CertificateError::NotValidYetContext { time: unix(*now), not_before: unix(*not_before) }
                }
                _ => CertificateError::NotValidYet,
            },
            AlertClass::UnknownCa => CertificateError::UnknownIssuer,
            AlertClass::Other => other(),
        }
    }

    pub(crate) fn error(&self) -> Error {
        Error::InvalidCertificate(self.certificate_error())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.report, f)
    }
}

/// The same as Display, because rustls prints its errors with Debug.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Refused {}

/// rustls has no times before 1970.
fn unix(time: Time) -> UnixTime {
    UnixTime::since_unix_epoch(core::time::Duration::from_secs(u64::try_from(time.unix()).unwrap_or(0)))
}

/// The time that rustls gives.
pub(crate) fn time(unix: UnixTime) -> Time {
    Time::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX))
}
