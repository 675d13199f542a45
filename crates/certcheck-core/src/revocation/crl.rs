//! The status of a certificate by CRLs: RFC 5280 6.3.3.

use core::cmp::Ordering;
use std::sync::Arc;

use super::considered::SOME_REASONS;
use super::evidence::Group;
use super::evidence::Piece;
use super::scope::{self, ALL_REASONS, Scope};
use super::{Assessor, CheckedCertificate, Dismissal};
use crate::crl::{Crl, CrlEntry, VerifiedCrl, compare_numbers};
use crate::status::{Cause, Means, Proof, RevocationReason, Revoked, Status};
use crate::x509::{DistributionPoints, GeneralName, Name, Version};

/// The answer of one CRL and its delta for a certificate.
enum Answer<'e> {
    /// The certificate is not listed, for these reasons.
    Clear(u16, Proof<&'e Arc<str>>),
    Listed(Revoked<&'e Arc<str>>),
}

impl<'e> Assessor<'e> {
    /// The status by every distribution point and every available CRL (6.3.3).
    ///
    /// RFC 5280 6.3.1.
    #[doc(alias = "RFC 5280 section 6.3.1")]
    pub(super) fn by_crl(&mut self, checked: &CheckedCertificate<'_, 'e>) -> Status<&'e Arc<str>> {
        let Ok(points) = checked.certificate.crl_distribution_points() else {
            return Status::Unknown(Cause::Malformed);
        };
        let limits = &self.policy().limits;
        let max = usize::try_from(limits.distribution_points).unwrap_or(usize::MAX);
        let most_issuers = usize::try_from(limits.crl_issuers).unwrap_or(usize::MAX);
        let issuer = checked.certificate.issuer();
        // (b)(1): CRLs of other issuers, if a point names them.
        let mut others: Vec<Name<'e>> = Vec::new();
        for (at, point) in points.into_iter().flatten().enumerate() {
            let Ok(point) = point else { return Status::Unknown(Cause::Malformed) };
            if at >= max {
                return Status::Unknown(Cause::TooLarge);
            }
            for name in point.crl_issuer.into_iter().flatten() {
                let Ok(GeneralName::Directory(name)) = name else { continue };
                // With the certificate's issuer, and with each of those found so far.
                let each = name.cost().saturating_add(issuer.cost());
                if self.context.budget.compare_names(each.saturating_mul(others.len() + 1)).is_err() {
                    return Status::Unknown(Cause::TooLarge);
                }
                if !name.matches(issuer) && !others.iter().any(|known| known.matches(name)) {
                    // 4.2.1.13: a point has one name.
                    if others.len() >= most_issuers {
                        return Status::Unknown(Cause::TooLarge);
                    }
                    others.push(name);
                }
            }
        }
        let mut found = Found { covered: 0, proof: None, partial: Vec::new(), cause: Cause::NotTried };
        // CRLs of the certificate's issuer, for any point, and those that no point names (6.3.3, end).
        let mut revoked = self.by_crls_of(issuer, points, checked, &mut found);
        self.looked_beyond |= !others.is_empty();
        for other in others {
            revoked = revoked.or_else(|| self.by_crls_of(other, points, checked, &mut found));
        }
        match (revoked, found.proof) {
            (Some(revoked), _) => Status::Revoked(revoked),
            (None, Some(proof)) if found.covered == ALL_REASONS => Status::Good(proof),
            (None, Some(_)) => {
                for crl in found.partial {
                    self.dismissed(Piece::Crl(crl), &SOME_REASONS);
                }
                Status::Unknown(self.worse(found.cause, Cause::OutOfScope))
            }
            (None, None) => Status::Unknown(found.cause),
        }
    }

    /// Evaluates every complete CRL of this name. Revoked by any is revoked, whatever the others say.
    ///
    /// RFC 5280 6.3.2, RFC 5280 6.3.3 (e), RFC 5280 6.3.3 (l).
    #[doc(alias("RFC 5280 section 6.3.2", "RFC 5280 section 6.3.3(e)", "RFC 5280 section 6.3.3(l)"))]
    fn by_crls_of(
        &mut self,
        name: Name<'e>,
        points: Option<DistributionPoints<'e>>,
        checked: &CheckedCertificate<'_, 'e>,
        found: &mut Found<'e>,
    ) -> Option<Revoked<&'e Arc<str>>> {
        let group = self.at_hand.crls_of(name);
        for crl in group.iter().filter(|crl| crl.base_number().is_none()) {
            match self.consult(crl, group, points, checked) {
                Ok(Answer::Listed(revoked)) => {
                    self.counted(Piece::Crl(crl));
                    return Some(revoked);
                }
                Ok(Answer::Clear(reasons, proof)) => {
                    if reasons == ALL_REASONS {
                        self.counted(Piece::Crl(crl));
                    } else {
                        found.partial.push(crl);
                    }
                    // (e), (l): the reasons that it adds to the covered ones.
                    if reasons & !found.covered != 0 {
                        found.covered |= reasons;
                        found.proof = Some(proof);
                    }
                }
                Err(dismissal) => {
                    self.dismissed(Piece::Crl(crl), &dismissal);
                    found.cause = self.worse(found.cause, dismissal.cause());
                }
            }
        }
        None
    }

    /// Steps (a) to (k) for one complete CRL. A short scope is checked before the signature, (f) and (g), so that only
    /// one of many partitions is verified. A long scope takes time, and is only checked after its issuer's signature.
    ///
    /// RFC 5280 5.2.3.
    #[doc(alias = "RFC 5280 section 5.2.3")]
    fn consult(
        &mut self,
        crl: &'e Crl,
        group: Group<'e>,
        points: Option<DistributionPoints<'e>>,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<Answer<'e>, Dismissal> {
        // 5.2.3: a rule for issuers, which version 1 cannot follow.
        if self.policy().pedantic && crl.version() != Version::V1 && crl.number().is_none() {
            return Err(Dismissal::NoNumber);
        }
        // (b), (d): the reasons of all points by which it covers the certificate.
        let early = if scope::is_short(crl) {
            Some(scope::of(crl, points, checked, &mut self.context.budget)?)
        } else {
            None
        };
        // (f), (g)
        let verified = self.verified(crl, checked)?;
        let scope = match early {
            Some(scope) => scope,
            None => scope::of(crl, points, checked, &mut self.context.budget)?,
        };
        self.answer(verified, group, scope, checked)
    }

    /// The answer of a CRL that covers the certificate: steps (a), (c) and (h) to (k).
    ///
    /// RFC 5280 6.3.3 (a), RFC 5280 6.3.3 (i), RFC 5280 6.3.3 (j), RFC 5280 6.3.3 (k).
    #[doc(alias(
        "RFC 5280 section 6.3.3(a)",
        "RFC 5280 section 6.3.3(i)",
        "RFC 5280 section 6.3.3(j)",
        "RFC 5280 section 6.3.3(k)"
    ))]
    fn answer(
        &mut self,
        verified: VerifiedCrl<'e>,
        group: Group<'e>,
        scope: Scope,
        checked: &CheckedCertificate<'_, 'e>,
    ) -> Result<Answer<'e>, Dismissal> {
        let crl = verified.crl();
        // A newer CRL with the same scope replaces it, whatever source the older one is from.
        let mut is_contradicted = false;
        for other in group.iter().filter(|other| !core::ptr::eq(*other, crl)) {
            match self.precedence(other, verified) {
                Some(Ordering::Greater) => return Err(Dismissal::Superseded),
                Some(Ordering::Equal) => is_contradicted = true,
                _ => {}
            }
        }
        let issuer = Some(checked.certificate.issuer()).filter(|_| scope.is_indirect);
        let serial = checked.certificate.serial().bytes();
        let listed = verified.find(serial, issuer).transpose().map_err(Dismissal::Malformed)?;
        // (a): whether it is current.
        if let Err(dismissal) = self.is_current(crl) {
            return match listed {
                Some(entry) if still_counts(&entry, &dismissal) => Ok(Answer::Listed(revoked(crl, &entry))),
                _ => Err(dismissal),
            };
        }
        if let Some((delta, entry)) = self.listed_beside(verified, group, serial, issuer)? {
            return Ok(Answer::Listed(revoked(delta, &entry)));
        }
        // (c), (h), (i): the newest delta that fits.
        if let Some(delta) = self.delta_of(verified, group) {
            let entry = delta.find(serial, issuer).transpose().map_err(Dismissal::Malformed)?;
            match (entry, listed) {
                // (k). Deviation: only a hold is lifted. A compromised key does not become safe again.
                (Some(entry), Some(base))
                    if entry.reason == RevocationReason::RemoveFromCrl
                        && base.reason != RevocationReason::CertificateHold =>
                {
                    return Ok(Answer::Listed(revoked(crl, &base)));
                }
                (Some(entry), _) if entry.reason == RevocationReason::RemoveFromCrl => {
                    return Ok(Answer::Clear(scope.reasons, proof(delta.crl())));
                }
                (Some(entry), _) => return Ok(Answer::Listed(revoked(delta.crl(), &entry))),
                (None, Some(base)) => return Ok(Answer::Listed(revoked(crl, &base))),
                (None, None) => return Ok(Answer::Clear(scope.reasons, proof(delta.crl()))),
            }
        }
        // (j)
        match listed {
            Some(entry) => Ok(Answer::Listed(revoked(crl, &entry))),
            None if is_contradicted => Err(Dismissal::Conflict),
            None => Ok(Answer::Clear(scope.reasons, proof(crl))),
        }
    }

    /// Checks whether a CRL is current.
    ///
    /// RFC 5280 6.3.3 (a).
    #[doc(alias = "RFC 5280 section 6.3.3(a)")]
    pub(super) fn is_current(&mut self, crl: &Crl) -> Result<(), Dismissal> {
        self.check_current(crl.this_update(), crl.next_update())
    }

    /// The relation of another complete CRL to this one: `Greater` replaces it, `Equal` contradicts it. `None` if they
    /// are unrelated. The other must be signed with the same key, so that another CA with the same name cannot replace
    /// a CRL.
    ///
    /// RFC 5280 5.2.3.
    #[doc(alias = "RFC 5280 section 5.2.3")]
    fn precedence(&mut self, other: &'e Crl, verified: VerifiedCrl<'e>) -> Option<Ordering> {
        let crl = verified.crl();
        if other.base_number().is_some() || !is_same_series(crl, other) {
            return None;
        }
        // By number, then by thisUpdate.
        let by_number = match (other.number(), crl.number()) {
            (Some(a), Some(b)) => compare_numbers(a, b),
            _ => Ordering::Equal,
        };
        let order = by_number.then(other.this_update().cmp(&crl.this_update()));
        let hides = order == Ordering::Greater
            && match self.is_current(other) {
                Ok(()) => true,
                // A CRL that is not valid yet replaces nothing: the older list may name the certificate.
                Err(Dismissal::NotYetValid { .. }) => false,
                // An expired CRL never replaces a fresh one: a higher number with an earlier time is not newer.
                Err(_) => other.this_update() >= crl.this_update(),
            };
        let contradicts = order == Ordering::Equal && crl.number().is_some() && other.tbs() != crl.tbs();
        let is_of_key = (hides || contradicts)
            && other.verify_with(verified.key(), self.policy(), &mut self.context.budget).is_ok();
        is_of_key.then_some(order)
    }
}

/// The reasons_mask so far, the evidence for it, and why it does not cover more.
struct Found<'e> {
    covered: u16,
    proof: Option<Proof<&'e Arc<str>>>,
    /// CRLs that do not list the certificate for some reasons.
    partial: Vec<&'e Crl>,
    cause: Cause,
}

/// Whether an entry of a CRL that is not current revokes all the same. A list that is too old still names the
/// certificate, unless it is a hold that may have been lifted since. A list from the future names it from now on.
///
/// RFC 5280 6.3.3 (a).
#[doc(alias = "RFC 5280 section 6.3.3(a)")]
pub(super) fn still_counts(entry: &CrlEntry<'_>, dismissal: &Dismissal) -> bool {
    match dismissal {
        Dismissal::Stale { .. } => entry.reason != RevocationReason::CertificateHold,
        Dismissal::NotYetValid { .. } => true,
        _ => false,
    }
}

/// Whether two CRLs have the same issuer and IDP, so that the newer one replaces the older one. The names are known to
/// match.
pub(super) fn is_same_series(a: &Crl, b: &Crl) -> bool {
    a.scope() == b.scope()
}

fn proof(crl: &Crl) -> Proof<&Arc<str>> {
    Proof {
        by: Means::Crl,
        source: crl.source(),
        this_update: crl.this_update(),
        next_update: crl.next_update(),
    }
}

fn revoked<'e>(crl: &'e Crl, entry: &CrlEntry<'_>) -> Revoked<&'e Arc<str>> {
    Revoked {
        proof: proof(crl),
        at: entry.revoked_at,
        reason: entry.reason,
        invalid_since: entry.invalid_since,
    }
}
