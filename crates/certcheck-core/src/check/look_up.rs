//! Looking up the revocation of a known path again.

use std::cell::OnceCell;
use std::sync::Arc;

use super::Check;
use crate::budget::Spent;
use crate::path::pool::Pool;
use crate::revocation::{Assessor, CheckedCertificate, Evidence};
use crate::status::Status;
use crate::time::Time;
use crate::x509::Certificate;

impl Check<'_> {
    /// Looks up the revocation of a path again, in the evidence that is available. This is the cost of a known client.
    ///
    /// An earlier check like this one must have accepted the path, whose last certificate is the anchor. `each` is
    /// called with the position and status of every certificate that the policy checks. `also` is used in addition to
    /// the given evidence.
    ///
    /// Nothing is searched, and no known signature is verified again. Whether the path itself is still valid follows
    /// from `Report::valid_until`. Signers of evidence other than a certificate's own issuer are looked up in the ring.
    /// Returns the last second for which the same evidence gives the same statuses.
    pub fn look_up(
        &self,
        path: &[Certificate<'_>],
        also: Option<&Evidence>,
        mut each: impl FnMut(usize, &Status<&Arc<str>>),
    ) -> Time {
        let ([target, ..], [.., anchor]) = (path, path) else { return self.now };
        let pool = Pool::of_ring(self.ring, *target);
        let signer_policy = OnceCell::new();
        let context = self.assess_context(&pool, *anchor, &signer_policy);
        let mut assessor = Assessor::new(context, &[self.evidence, also], Spent::default());
        for (at, checked) in CheckedCertificate::of_path(path, self.policy).enumerate() {
            each(at, &assessor.status(&checked));
        }
        assessor.until()
    }
}
