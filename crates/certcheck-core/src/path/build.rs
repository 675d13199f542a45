//! The search for a path (RFC 4158): every candidate, best first, shortest path first, within limits.
//!
//! The search follows names from the target upwards, one path length after another. No signature is verified before a
//! path has reached an anchor. Then the path is validated from the anchor down, so that only certified keys are used.
//! What is learned from a failure prunes the rest of the search.

use core::ops::ControlFlow;
use std::collections::HashMap;

use super::candidate::{Candidate, CertificateRef};
use super::context::Context;
use super::order::{Ordered, candidates_of};
use super::pool::Pool;
use super::verify::{Failure, IssuerState, KeptIssuerState, Scope, Valid, validate};
use crate::key_ring::{NameId, RingCertificate, Role};
use crate::policy::{Limit, LimitHit};
use crate::reason::{self, Reason, Rejection};

/// The longest path, whatever the policy allows. The search recurses once per certificate of the path.
const LONGEST_PATH: usize = 256;
/// The most consecutive self-issued certificates of one CA. A change of keys needs one, or two if the key is changed
/// back.
const MOST_SELF_ISSUED: usize = 3;
/// The most certificates below the anchor for which the search allocates no more than once.
const USUAL_PATH: usize = 4;
/// The number of steps after which it pays to find out which names lead to an anchor.
const STEPS_BEFORE_SURVEY: u32 = 64;

/// A path that was tried, and the result. Target first. The anchor is last if one was reached.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) path: Vec<CertificateRef>,
    pub(crate) rejection: Rejection,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The valid path, or the one that got furthest.
    pub(crate) path: Vec<CertificateRef>,
    pub(crate) result: Result<Valid, Rejection>,
    /// The paths that failed, up to the limit.
    pub(crate) attempts: Vec<Attempt>,
}

/// Why a branch of the search ends.
enum Stop {
    Found(Vec<CertificateRef>, Valid),
    /// No path can be valid any longer.
    Over,
}

struct Search<'s, 'a> {
    context: &'s mut Context<'a>,
    pool: &'s Pool<'a>,
    /// The path from the target up, without the anchor.
    stack: Vec<Candidate<'a>>,
    /// Certificates that no valid path contains.
    dead: Vec<CertificateRef>,
    /// The fewest certificates between a name and an anchor. Names that lead to no anchor are absent.
    distance: Option<HashMap<NameId, usize>>,
    /// Whether a path was abandoned because it was longer than this round allows.
    was_cut: bool,
    /// Whether a path was abandoned because it has more intermediates than the policy allows.
    was_too_deep: bool,
    best: Option<Attempt>,
    attempts: Vec<Attempt>,
}

/// Searches a path for the target of the pool that contains none of the `excluded` certificates below the anchor.
///
/// RFC 5280 6.1.1 (a).
#[doc(alias = "RFC 5280 section 6.1.1(a)")]
pub(crate) fn search<'a>(context: &mut Context<'a>, pool: &Pool<'a>, excluded: &[CertificateRef]) -> Outcome {
    let limit = usize::try_from(context.policy.limits.path_length).unwrap_or(usize::MAX);
    let longest = limit.min(LONGEST_PATH).saturating_sub(2);
    let mut search = Search {
        context,
        pool,
        stack: Vec::with_capacity(USUAL_PATH),
        dead: excluded.to_vec(),
        distance: None,
        was_cut: false,
        was_too_deep: false,
        best: None,
        attempts: Vec::new(),
    };
    search.stack.extend(pool.candidate(CertificateRef::Target));
    for intermediates in 0..=longest {
        search.was_cut = false;
        match search.extend(pool.target_issuer(), intermediates) {
            ControlFlow::Break(Stop::Found(path, valid)) => {
                return Outcome { path, result: Ok(valid), attempts: search.attempts };
            }
            ControlFlow::Break(Stop::Over) => break,
            ControlFlow::Continue(()) if !search.was_cut => break,
            ControlFlow::Continue(()) => {}
        }
    }
    search.give_up(longest)
}

/// The first path that a search has found and that was valid, for other targets for which the search finds the same path
/// first.
#[derive(Clone, Debug)]
pub(crate) struct FirstPath {
    /// The path, target first and anchor last.
    pub(crate) path: Vec<CertificateRef>,
    /// The steps of the search.
    pub(crate) steps: u32,
    /// The state of validation above the target, if it can be kept.
    pub(crate) state: Option<KeptIssuerState>,
}

impl FirstPath {
    /// Keeps the first path of a search. `None` if it has no issuer, or cannot be validated again.
    pub(crate) fn new<'a>(
        context: &mut Context<'a>,
        pool: &Pool<'a>,
        path: &[CertificateRef],
        steps: u32,
    ) -> Option<Self> {
        let (above, anchor) = above_target(context, path)?;
        let state = IssuerState::below(context, pool, above, anchor, false).ok()?;
        let state = state.keep(context.budget.spent);
        Some(Self { path: path.to_vec(), steps, state })
    }

    /// Validates the path for another target. `None` if it is not valid for this one: then a search is needed.
    pub(crate) fn follow<'a>(&self, context: &mut Context<'a>, pool: &Pool<'a>) -> Option<Outcome> {
        let valid = self.validate(context, pool)?;
        Some(Outcome { path: self.path.clone(), result: Ok(valid), attempts: Vec::new() })
    }

    /// Like [`FirstPath::follow`], without a copy of the path.
    pub(crate) fn validate<'a>(&self, context: &mut Context<'a>, pool: &Pool<'a>) -> Option<Valid> {
        let state = match self.state {
            Some(state) => {
                let CertificateRef::Ring(anchor) = *self.path.last()? else { return None };
                let working_key = pool.certificate(*self.path.get(1)?)?.spki();
                context.budget.spent = context.budget.spent.and(state.spent);
                state.view(working_key, context.ring.get(anchor)?)
            }
            None => {
                let (above, anchor) = above_target(context, &self.path)?;
                IssuerState::below(context, pool, above, anchor, false).ok()?
            }
        };
        (context.budget.spent.steps, context.budget.spent.paths) = (self.steps, 1);
        state.check_target(context, &pool.target()).ok()
    }
}

/// The certificates of a path above its target, without the anchor, and the anchor.
fn above_target<'a, 'p>(
    context: &Context<'a>,
    path: &'p [CertificateRef],
) -> Option<(&'p [CertificateRef], &'a RingCertificate)> {
    let [_, above @ .., CertificateRef::Ring(anchor)] = path else { return None };
    Some((above, context.ring.get(*anchor)?))
}

impl<'a> Search<'_, 'a> {
    /// Tries every certificate with this name as the issuer of the last one in the stack, in paths with exactly this
    /// many more intermediates.
    ///
    /// RFC 5280 6.1.1 (a).
    #[doc(alias = "RFC 5280 section 6.1.1(a)")]
    fn extend(&mut self, issuer: NameId, intermediates: usize) -> ControlFlow<Stop> {
        for candidate in self.candidates(issuer) {
            if let Err(hit) = self.context.budget.step() {
                return self.stop_at(hit.into());
            }
            if self.context.budget.spent.steps == STEPS_BEFORE_SURVEY {
                self.distance = Some(self.survey());
            }
            let Some(link) = self.pool.candidate(candidate) else { continue };
            let Candidate { key, issuer: above, .. } = link;
            if let Some(child) = self.stack.last()
                && self.context.is_refused_edge(child.reference, key)
            {
                continue;
            }
            if let Some(anchor) = self.anchor(candidate) {
                if intermediates == 0 {
                    self.try_path(candidate, anchor)?;
                } else {
                    // It was tried in its own round.
                }
                continue;
            }
            // RFC 4158 2.4.2: a name with the same key a second time leads nowhere new.
            if self.dead.contains(&candidate) || self.has_key(issuer, key, 0) {
                continue;
            }
            // A dozen keys of one CA that certify each other would be a dozen factorial of paths.
            if link.is_self_issued && self.self_issued_run() >= MOST_SELF_ISSUED {
                continue;
            }
            if intermediates == 0 {
                self.was_cut = true;
                continue;
            }
            if !link.is_self_issued && self.depth() >= self.context.policy.max_depth {
                self.was_too_deep = true;
                continue;
            }
            if let Some(distance) = &self.distance {
                match distance.get(&above) {
                    None => continue,
                    Some(least) if *least > intermediates - 1 => {
                        self.was_cut = true;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            self.stack.push(link);
            let outcome = self.extend(above, intermediates - 1);
            self.stack.pop();
            outcome?;
        }
        ControlFlow::Continue(())
    }

    /// Whether the stack has a certificate with this name and key, from position `from` on.
    fn has_key(&self, name: NameId, key: &[u8], from: usize) -> bool {
        self.stack.iter().skip(from).any(|link| {
            link.key == key
                && match link.reference {
                    CertificateRef::Target => self.pool.target_subject() == name,
                    CertificateRef::Ring(_) | CertificateRef::Presented(_) => link.subject == name,
                }
        })
    }

    /// The number of self-issued certificates at the end of the stack. They all have one name.
    fn self_issued_run(&self) -> usize {
        self.stack.iter().skip(1).rev().take_while(|link| link.is_self_issued).count()
    }

    /// The number of intermediates in the stack that are not self-issued.
    fn depth(&self) -> u32 {
        let count = self.stack.iter().skip(1).filter(|link| !link.is_self_issued).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The entry of the ring, if a path may end at the certificate.
    fn anchor(&self, candidate: CertificateRef) -> Option<&'a RingCertificate> {
        let CertificateRef::Ring(at) = candidate else { return None };
        let entry = self.context.ring.get(at)?;
        let may =
            entry.role() == Role::Anchor && (self.context.policy.partial_chain || entry.is_self_signed());
        may.then_some(entry)
    }

    /// The certificates of a name, best first.
    fn candidates(&self, name: NameId) -> Ordered {
        let child = self.stack.last().map(|link| link.reference);
        candidates_of(self.context.now, self.pool, name, child)
    }

    /// For every name that can be reached from the target, the fewest certificates between it and an anchor.
    fn survey(&self) -> HashMap<NameId, usize> {
        let mut below: HashMap<NameId, Vec<NameId>> = HashMap::new();
        let mut reached = vec![self.pool.target_issuer()];
        let mut seen: std::collections::HashSet<NameId> = reached.iter().copied().collect();
        let mut distance = HashMap::new();
        let mut frontier = Vec::new();
        while let Some(name) = reached.pop() {
            for candidate in self.pool.by_subject(name) {
                if self.anchor(candidate).is_some() {
                    if distance.insert(name, 0).is_none() {
                        frontier.push(name);
                    }
                } else if let Some(Candidate { issuer: above, .. }) = self.pool.candidate(candidate) {
                    below.entry(above).or_default().push(name);
                    if seen.insert(above) {
                        reached.push(above);
                    }
                }
            }
        }
        let mut steps = 0;
        while !frontier.is_empty() {
            steps += 1;
            let mut next = Vec::new();
            for name in frontier.iter().filter_map(|name| below.get(name)).flatten() {
                if !distance.contains_key(name) {
                    distance.insert(*name, steps);
                    next.push(*name);
                }
            }
            frontier = next;
        }
        distance
    }

    /// Validates the path from the stack to this anchor.
    fn try_path(&mut self, reference: CertificateRef, anchor: &'a RingCertificate) -> ControlFlow<Stop> {
        // The anchor's own certificate, presented or cross-certified, adds nothing below the anchor.
        if self.has_key(anchor.subject, anchor.certificate.spki_raw(), 1) {
            return ControlFlow::Continue(());
        }
        if let Err(hit) = self.context.budget.path() {
            return self.stop_at(hit.into());
        }
        let mut path = Vec::with_capacity(self.stack.len().saturating_add(1));
        path.extend(self.stack.iter().map(|link| link.reference));
        let validated = validate(self.context, self.pool, &path, anchor);
        path.push(reference);
        match validated {
            Ok(valid) => ControlFlow::Break(Stop::Found(path, valid)),
            Err(Failure { rejection, scope }) => {
                let at = rejection.at;
                let is_over = reason::is_fatal(&rejection.reason) || (scope == Scope::Certificate && at == 0);
                if let (Scope::Certificate, Some(reference)) = (scope, path.get(at)) {
                    self.dead.push(*reference);
                }
                self.note(Attempt { path, rejection });
                if is_over { ControlFlow::Break(Stop::Over) } else { ControlFlow::Continue(()) }
            }
        }
    }

    /// Ends the search at a limit of the search itself. The reason is reported in addition to what has failed so far.
    fn stop_at(&mut self, reason: Reason) -> ControlFlow<Stop> {
        let path = self.stack.iter().map(|link| link.reference).collect();
        self.note(Attempt { path, rejection: Rejection { at: 0, reason } });
        ControlFlow::Break(Stop::Over)
    }

    /// Records the attempt if there is room, and as the best one if it got further than any before: nearest to the
    /// target, then by the rank of its reason. A limit that ended the search is always reported.
    fn note(&mut self, attempt: Attempt) {
        let standing = |attempt: &Attempt| {
            let Rejection { at, reason } = &attempt.rejection;
            (reason::is_fatal(reason), core::cmp::Reverse(*at), reason.rank())
        };
        if self.best.as_ref().is_none_or(|best| standing(&attempt) > standing(best)) {
            self.best = Some(attempt.clone());
        }
        if self.attempts.len() < usize::try_from(self.context.policy.limits.attempts).unwrap_or(usize::MAX) {
            self.attempts.push(attempt);
        }
    }

    /// The result without a valid path: the path that got furthest, or where the names end.
    fn give_up(mut self, longest: usize) -> Outcome {
        if self.best.is_none() {
            let attempt = if self.was_cut {
                self.too_long(longest)
            } else if self.was_too_deep {
                let allowed = self.context.policy.max_depth;
                let path = self.stack.iter().map(|link| link.reference).collect();
                Attempt { path, rejection: Rejection { at: 0, reason: Reason::Depth { allowed } } }
            } else {
                self.dead_end()
            };
            self.note(attempt);
        }
        let (path, rejection) = match self.best {
            Some(Attempt { path, rejection }) => (path, rejection),
            None => (Vec::new(), Rejection { at: 0, reason: Reason::UnknownIssuer }),
        };
        Outcome { path, result: Err(rejection), attempts: self.attempts }
    }

    /// The attempt for paths that are longer than the limit.
    fn too_long(&self, longest: usize) -> Attempt {
        let allowed = u32::try_from(longest.saturating_add(2)).unwrap_or(u32::MAX);
        let path = self.stack.iter().map(|link| link.reference).collect();
        let reason = LimitHit { limit: Limit::PathLength, allowed }.into();
        Attempt { path, rejection: Rejection { at: 0, reason } }
    }

    /// Follows the best candidates up until a name has none.
    fn dead_end(&mut self) -> Attempt {
        let mut issuer = self.pool.target_issuer();
        loop {
            let next = self
                .candidates(issuer)
                .filter_map(|candidate| self.pool.candidate(candidate))
                .find(|link| self.stack.iter().all(|earlier| earlier.key != link.key));
            match next {
                Some(link) if self.stack.len() < LONGEST_PATH => {
                    self.stack.push(link);
                    issuer = link.issuer;
                }
                _ => break,
            }
        }
        let mut path: Vec<_> = self.stack.iter().map(|link| link.reference).collect();
        if let Some(distrusted) = self.distrusted_issuer(issuer) {
            path.push(distrusted);
            return Attempt {
                rejection: Rejection { at: path.len().saturating_sub(1), reason: Reason::Distrusted },
                path,
            };
        }
        let reason = self.unverifiable_root().unwrap_or(Reason::UnknownIssuer);
        Attempt { rejection: Rejection { at: path.len().saturating_sub(1), reason }, path }
    }

    /// Why the last certificate in the stack is no anchor, if it looks like a root of the ring with a signature that
    /// cannot be verified.
    fn unverifiable_root(&self) -> Option<Reason> {
        match self.stack.last()?.reference {
            CertificateRef::Ring(at) => self.context.ring.get(at)?.unverifiable(self.context.policy),
            CertificateRef::Target | CertificateRef::Presented(_) => None,
        }
    }

    /// The distrusted certificate that issued the last one in the stack, by name and signature. The remedy must not be
    /// to add it to the ring.
    fn distrusted_issuer(&mut self, name: NameId) -> Option<CertificateRef> {
        let child = self.pool.link(self.stack.last()?.reference)?;
        let ring = self.context.ring;
        ring.distrusted_by_subject(name).find_map(|at| {
            let key = ring.get(at)?.certificate().spki();
            self.context.verify_signature(&child, key).is_ok().then_some(CertificateRef::Ring(at))
        })
    }
}
