//! The decision of the policy about the statuses of a path's certificates.

use crate::policy::Tolerance;
use crate::reason::{Reason, Rejection};
use crate::report::Warning;
use crate::status::Status;

/// Whether the statuses allow a path. A revocation counts before any unknown status.
///
/// RFC 5280 6.1.3 (a)(3).
#[doc(alias = "RFC 5280 section 6.1.3(a)(3)")]
pub(super) fn decide(
    statuses: &[Status],
    tolerance: Tolerance,
    warnings: &mut Vec<Warning>,
) -> Result<(), Rejection> {
    let mut unknown = None;
    for (at, status) in statuses.iter().enumerate() {
        match status {
            Status::Revoked(revoked) => {
                return Err(Rejection { at, reason: Reason::CertificateRevoked(Box::new(revoked.clone())) });
            }
            Status::Unknown(cause) => {
                if tolerance.tolerates(*cause) {
                    warnings.push(Warning::RevocationTolerated { at, cause: *cause });
                } else if unknown.is_none() {
                    unknown = Some(Rejection { at, reason: Reason::RevocationUnknown(*cause) });
                }
            }
            _ => {}
        }
    }
    unknown.map_or(Ok(()), Err)
}
