//! The revocation of a path that is known, looked up again.

use std::cell::OnceCell;
use std::sync::Arc;

use super::Check;
use crate::budget::Spent;
use crate::path::pool::Pool;
use crate::revocation::{AssessContext, Assessor, CheckedCertificate, Evidence};
use crate::status::Status;
use crate::time::Time;
use crate::x509::Certificate;

impl Check<'_> {
    /// Looks up again, in the evidence at hand, the revocation of a path that a check like this one found good, anchor last:
    /// what a client costs that is known. `each` is told the place and status of every certificate that policy asks about.
    ///
    /// Nothing is searched, and no signature is verified that was before; whether the path itself is still good is told
    /// by `Report::valid_until`. Signers of evidence other than a certificate's own issuer are looked for in the ring. What
    /// is at hand `also` counts like what was given. Returns the last second at which the same evidence says the same.
    pub fn look_up(
        &self,
        path: &[Certificate<'_>],
        also: Option<&Evidence>,
        mut each: impl FnMut(usize, &Status<&Arc<str>>),
    ) -> Time {
        let ([target, ..], [.., anchor]) = (path, path) else { return self.now };
        let pool = Pool::of_ring(self.ring, *target);
        let signer_policy = OnceCell::new();
        let context = AssessContext {
            ring: self.ring,
            policy: self.policy,
            now: self.now,
            issuers: self.issuers,
            pool: &pool,
            presented: &[],
            anchor: *anchor,
            signer_policy: &signer_policy,
            hashed_issuer: None,
        };
        let mut assessor = Assessor::new(context, &[self.evidence, also], Spent::default());
        for (at, checked) in CheckedCertificate::of_path(path, self.policy).enumerate() {
            each(at, &assessor.status(&checked));
        }
        assessor.until()
    }
}
