//! A check: certificates in, a report out. No I/O, no clock; the same answer for the same question.

use pki_types::CertificateDer;

use crate::budget::{Limit, LimitHit, Spent};
use crate::path::VerifiedIssuers;
use crate::path::build::{self, Outcome};
use crate::path::pool::{CertificateRef, Pool};
use crate::path::verify::{Context, Valid};
use crate::policy::{Policy, Revocation};
use crate::reason::{Cause, Reason, Rejection};
use crate::report::{Attempt, PathCertificate, PathRole, Report, Status, Verdict, Warning};
use crate::ring::{KeyRing, Role};
use crate::time::Time;
use crate::view::{Certificate, KnownExtension};

/// A question about a certificate.
///
/// ```
/// use certcheck_core::{Check, KeyRing, Policy, Revocation, Time, certificates_of};
///
/// let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo");
/// let ring = KeyRing::from_paths(&[format!("{demo}/ring")])?;
/// let chain = certificates_of(&std::fs::read(format!("{demo}/good.pem"))?)?;
///
/// let policy = Policy::client(Revocation::Off);
/// let now = Time::from_rfc3339("2027-01-01T00:00:00Z").ok_or("not a time")?;
/// let report = Check::new(&chain, &ring, &policy, now).run();
/// assert!(report.is_accepted());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check<'a> {
    chain: &'a [CertificateDer<'a>],
    ring: &'a KeyRing,
    policy: &'a Policy,
    now: Time,
    issuers: Option<&'a VerifiedIssuers>,
}

impl<'a> Check<'a> {
    /// Asks about the first certificate of a chain; the others are presented intermediates, in any order.
    #[must_use]
    pub const fn new(
        chain: &'a [CertificateDer<'a>],
        ring: &'a KeyRing,
        policy: &'a Policy,
        now: Time,
    ) -> Self {
        Self { chain, ring, policy, now, issuers: None }
    }

    /// Remembers signatures on CA certificates from check to check.
    #[must_use]
    pub const fn with_verified_issuers(mut self, issuers: &'a VerifiedIssuers) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// Answers.
    pub fn run(self) -> Report<'a> {
        let mut warnings = Vec::new();
        let (target, presented) = match self.read(&mut warnings) {
            Ok(read) => read,
            Err(reason) => return refused(reason, warnings),
        };
        let pool = Pool::new(self.ring, target, presented);
        let mut context = Context::new(self.ring, self.policy, self.now, self.issuers);
        let Outcome { path, result, attempts } = build::search(&mut context, &pool);
        let spent = context.budget.spent;

        let mut path = self.tell_path(&pool, &path);
        let attempts = attempts
            .into_iter()
            .map(|attempt| Attempt {
                path: attempt
                    .path
                    .iter()
                    .filter_map(|at| pool.link(*at))
                    .map(|(link, _)| link.certificate)
                    .collect(),
                rejection: attempt.rejection,
            })
            .collect();
        let (verdict, reason, policies) = match result {
            Ok(Valid { policies, anchor_outside_validity }) => {
                self.remember(&path);
                if let (true, Some(anchor)) = (anchor_outside_validity, path.last()) {
                    let (not_before, not_after) =
                        (anchor.certificate.not_before(), anchor.certificate.not_after());
                    warnings.push(Warning::AnchorOutsideValidity { not_before, not_after });
                }
                match self.decide(&mut path, &mut warnings) {
                    None => (Verdict::Accept, None, policies),
                    Some(rejection) => (Verdict::Undetermined, Some(rejection), policies),
                }
            }
            Err(rejection) => (Verdict::Reject, Some(rejection), Vec::new()),
        };
        let valid_until = (verdict == Verdict::Accept).then(|| self.valid_until(&path)).flatten();
        Report { verdict, reason, path, policies, valid_until, attempts, warnings, spent }
    }

    /// The target, and what of the rest reads: junk beside a good chain changes nothing.
    fn read(&self, warnings: &mut Vec<Warning>) -> Result<(Certificate<'a>, Vec<Certificate<'a>>), Reason> {
        let limits = &self.policy.limits;
        let parse = |der: &'a CertificateDer<'a>| {
            if u32::try_from(der.len()).is_ok_and(|length| length <= limits.certificate_octets) {
                Certificate::parse(der).map_err(Reason::from)
            } else {
                Err(LimitHit { limit: Limit::CertificateOctets, allowed: limits.certificate_octets }.into())
            }
        };
        let (first, rest) = self.chain.split_first().ok_or(Reason::NoCertificate)?;
        let target = parse(first)?;
        let most = usize::try_from(limits.presented).unwrap_or(usize::MAX);
        if rest.len() > most {
            warnings.push(Warning::PresentedTooMany { allowed: limits.presented });
        }
        let mut presented = Vec::with_capacity(rest.len().min(most));
        for (index, der) in (1..).zip(rest.iter().take(most)) {
            match parse(der) {
                Ok(certificate) => presented.push(certificate),
                Err(reason) => warnings.push(Warning::PresentedMalformed { index, reason }),
            }
        }
        Ok((target, presented))
    }

    fn tell_path(&self, pool: &Pool<'a>, path: &[CertificateRef]) -> Vec<PathCertificate<'a>> {
        let tell = |(at, reference): (usize, &CertificateRef)| {
            let (link, _) = pool.link(*reference)?;
            let entry = match reference {
                CertificateRef::Ring(index) => self.ring.get(*index),
                CertificateRef::Target | CertificateRef::Presented(_) => None,
            };
            let role = match entry {
                _ if at == 0 => PathRole::Leaf,
                Some(entry) if entry.role() == Role::Anchor && at + 1 == path.len() => PathRole::Anchor,
                _ => PathRole::Intermediate,
            };
            Some(PathCertificate {
                role,
                certificate: link.certificate,
                in_ring: entry,
                revocation: Status::NotChecked,
            })
        };
        path.iter().enumerate().filter_map(tell).collect()
    }

    /// Keeps the signatures of an accepted path's CAs.
    fn remember(&self, path: &[PathCertificate<'a>]) {
        let Some(issuers) = self.issuers else { return };
        for (child, issuer) in path.iter().zip(path.iter().skip(1)).skip(1) {
            let certificate = &child.certificate;
            issuers.add(certificate.der(), certificate.signature(), issuer.certificate.spki().raw);
        }
    }

    /// What policy makes of what is known of revocation. Nothing is known yet but who names sources.
    fn decide(&self, path: &mut [PathCertificate<'a>], warnings: &mut Vec<Warning>) -> Option<Rejection> {
        let mut rejection = None;
        for (at, member) in path.iter_mut().enumerate() {
            if member.role == PathRole::Anchor || self.policy.revocation == Revocation::Off {
                continue;
            }
            let certificate = &member.certificate;
            let names_source = certificate.has(KnownExtension::CrlDistributionPoints)
                || certificate.has(KnownExtension::AuthorityInfoAccess);
            let cause = if names_source { Cause::NotTried } else { Cause::NoSource };
            member.revocation = Status::Unknown(cause);
            let passes = match self.policy.revocation {
                Revocation::HardFail => false,
                Revocation::IfOffered => cause == Cause::NoSource,
                Revocation::SoftFail | Revocation::Off => true,
            };
            if passes {
                warnings.push(Warning::RevocationLetPass { at, cause });
            } else if rejection.is_none() {
                rejection = Some(Rejection { at, reason: Reason::RevocationUnknown(cause) });
            }
        }
        rejection
    }

    /// The earliest end of validity; the anchor's counts where policy or settings make it count.
    fn valid_until(&self, path: &[PathCertificate<'a>]) -> Option<Time> {
        let enforce = self.policy.anchor_validity == crate::policy::AnchorValidity::Enforce;
        let counts = |member: &&PathCertificate<'a>| member.role != PathRole::Anchor || enforce;
        let own = path.iter().filter(counts).map(|member| member.certificate.not_after()).min();
        let trusted = path.last().and_then(|anchor| anchor.in_ring?.constraints().not_after);
        own.into_iter().chain(trusted).min()
    }
}

/// Nothing was searched.
fn refused(reason: Reason, warnings: Vec<Warning>) -> Report<'static> {
    Report {
        verdict: Verdict::Reject,
        reason: Some(Rejection { at: 0, reason }),
        path: Vec::new(),
        policies: Vec::new(),
        valid_until: None,
        attempts: Vec::new(),
        warnings,
        spent: Spent::default(),
    }
}
