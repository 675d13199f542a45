//! Delta CRLs: RFC 5280 5.2.4 and 6.3.3 (c).

use core::cmp::Ordering;

use super::crl::{is_same_series, still_counts};
use super::evidence::Group;
use super::evidence::Piece;
use super::{Assessor, Dismissal};
use crate::crl::{Crl, CrlEntry, VerifiedCrl, compare_numbers};
use crate::status::RevocationReason;
use crate::x509::Name;

impl<'e> Assessor<'e> {
    /// The delta with the highest number that combines with this complete CRL, is signed with the same key, and is
    /// current (steps (c) and (h)). Without a delta the complete CRL is used alone: it is current, and the RFC does not
    /// oblige clients to use deltas.
    ///
    /// RFC 5280 5.2.4, RFC 5280 6.3.3 (c), RFC 5280 6.3.3 (h).
    #[doc(alias("RFC 5280 section 5.2.4", "RFC 5280 section 6.3.3(c)", "RFC 5280 section 6.3.3(h)"))]
    pub(super) fn delta_of(
        &mut self,
        complete: VerifiedCrl<'e>,
        group: Group<'e>,
    ) -> Option<VerifiedCrl<'e>> {
        if !self.policy().use_deltas {
            return None;
        }
        let crl = complete.crl();
        let number = crl.number()?;
        let mut best: Option<VerifiedCrl<'e>> = None;
        for delta in group.iter() {
            let Some(own) = combining_number(crl, number, delta) else { continue };
            let is_better = best.is_none_or(|best| {
                best.crl().number().is_some_and(|best| compare_numbers(own, best) == Ordering::Greater)
            });
            if !is_better {
                continue;
            }
            match self.verified_delta(delta, complete) {
                Ok(verified) => best = Some(verified),
                Err(dismissal) => self.dismissed(Piece::Crl(delta), &dismissal),
            }
        }
        if let Some(best) = best {
            self.counted(Piece::Crl(best.crl()));
        }
        best
    }

    /// A delta that is current and signed with the key of its complete CRL (5.2.4).
    fn verified_delta(
        &mut self,
        delta: &'e Crl,
        complete: VerifiedCrl<'e>,
    ) -> Result<VerifiedCrl<'e>, Dismissal> {
        self.is_current(delta)?;
        Ok(delta.verify_with(complete.key(), self.policy(), &mut self.context.budget)?)
    }

    /// The entry in a delta that does not combine with this complete CRL, but lists the certificate. Deviation: the RFC
    /// does not use such deltas, but revoked by any is revoked. The delta must have the same issuer, scope and key, and
    /// must not be older than the complete CRL, which does not list the certificate. A delta that is not current counts
    /// as a complete CRL with its times would.
    ///
    /// RFC 5280 6.3.3 (c).
    #[doc(alias = "RFC 5280 section 6.3.3(c)")]
    pub(super) fn listed_beside(
        &mut self,
        complete: VerifiedCrl<'e>,
        group: Group<'e>,
        serial: &[u8],
        issuer: Option<Name<'_>>,
    ) -> Result<Option<(&'e Crl, CrlEntry<'e>)>, Dismissal> {
        if !self.policy().use_deltas {
            return Ok(None);
        }
        let crl = complete.crl();
        for delta in group.iter().filter(|delta| delta.base_number().is_some() && is_same_series(crl, delta))
        {
            let is_older = match (delta.number(), crl.number()) {
                (Some(own), Some(number)) => compare_numbers(own, number) == Ordering::Less,
                _ => delta.this_update() < crl.this_update(),
            };
            let currency = self.is_current(delta);
            let combines = crl.number().is_some_and(|number| combining_number(crl, number, delta).is_some());
            if is_older || combines && currency.is_ok() {
                continue;
            }
            let Some(listed) = delta.find(serial, issuer) else { continue };
            // An unsigned delta is not evaluated at all.
            if delta.verify_with(complete.key(), self.policy(), &mut self.context.budget).is_err() {
                continue;
            }
            let entry = listed.map_err(Dismissal::Malformed)?;
            let counts = currency.map_or_else(|dismissal| still_counts(&entry, &dismissal), |()| true);
            if counts && entry.reason != RevocationReason::RemoveFromCrl {
                self.counted(Piece::Crl(delta));
                return Ok(Some((delta, entry)));
            }
        }
        Ok(None)
    }
}

/// The number of a delta that combines with a complete CRL by (c)(1) to (3): same issuer, scope and key identifier, and
/// the complete CRL is not older than the delta's base, and older than the delta.
///
/// RFC 5280 5.2.1, RFC 5280 6.3.3 (c).
#[doc(alias("RFC 5280 section 5.2.1", "RFC 5280 section 6.3.3(c)"))]
fn combining_number<'c>(crl: &Crl, number: &[u8], delta: &'c Crl) -> Option<&'c [u8]> {
    let (base, own) = (delta.base_number()?, delta.number()?);
    let keys_agree = match (crl.authority_key(), delta.authority_key()) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => true,
    };
    let combines = is_same_series(crl, delta)
        && keys_agree
        && compare_numbers(number, base) != Ordering::Less
        && compare_numbers(number, own) == Ordering::Less;
    combines.then_some(own)
}
