//! A check from its begin to its end: the evidence it needs is looked up in memory, then in the store, then fetched,
//! all at once and until a deadline.

use std::sync::Arc;

use certcheck_core::revocation::{Answer, Dismissal, EvidenceRequest, Need};
use certcheck_core::status::Cause;
use certcheck_core::{CheckSession, Time};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::cache::entry::CacheSlot;
use crate::cache::evidence::{CachedEvidence, Origin};
use crate::cache::key::EvidenceKey;
use crate::cache::lookup::Found;
use crate::cache::path_templates::PathTemplate;
use crate::engine::outcome::{CheckOutcome, Used};
use crate::engine::report::SourceTried;
use crate::engine::snapshot::Snapshot;
use crate::engine::waiting::{Awaited, PendingNeed, WaitDeadlines, WaitOutcome, wait};
use crate::failure::Failure;
use crate::fetcher::parties::{Names, Parties, Party, of_path};
use crate::fetcher::{Behalf, FetchOutcome, FetchWatcher, Fetcher, Level};
use crate::inputs::Inputs;
use crate::metrics as names;

/// Where evidence may come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// Memory, store and network: there is time to wait.
    AllSources,
    /// Memory alone, at once.
    MemoryOnly,
}

/// Evidence that is looked for again: what memory has under its key is not enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    pub(crate) key: EvidenceKey,
    /// Where it is looked for first, and last.
    pub(crate) from: Level,
    pub(crate) until: Level,
}

/// A check in progress, with the evidence that it has found.
pub(crate) struct Driver {
    fetcher: Arc<Fetcher>,
    pub(crate) snapshot: Arc<Snapshot>,
    session: CheckSession<Inputs>,
    /// The issuer path that the check was begun under.
    template: Option<Arc<PathTemplate>>,
    /// What was in memory when the check began.
    found: Vec<Found>,
    reach: Reach,
    deadline: Instant,
    renew: Option<Renewal>,
    sources: Vec<SourceTried>,
    slots: Vec<Arc<CacheSlot>>,
    unkept_until: Option<Time>,
    unfinished: Names,
    missing: Names,
    /// The parties that fetches are counted for, once there is a fetch.
    parties: Option<Parties>,
    /// The answers that counted.
    useful: Vec<(Need, Arc<FetchOutcome>, Level)>,
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver").field("needs", &self.session.needs()).finish_non_exhaustive()
    }
}

/// The result of a search step.
enum Step {
    /// It has been answered.
    Answered,
    /// It is being fetched.
    Wait { pending: Box<PendingNeed>, level: Level, watcher: FetchWatcher, deadlines: WaitDeadlines },
}

impl Driver {
    /// Goes on with a check that has begun.
    pub(crate) fn new(
        fetcher: &Arc<Fetcher>,
        snapshot: &Arc<Snapshot>,
        session: CheckSession<Inputs>,
        template: Option<Arc<PathTemplate>>,
        used: Used,
        renew: Option<Renewal>,
    ) -> Self {
        let Used { found, sources, slots } = used;
        Self {
            fetcher: Arc::clone(fetcher),
            snapshot: Arc::clone(snapshot),
            session,
            template,
            found,
            reach: Reach::AllSources,
            deadline: Instant::now(),
            renew,
            sources,
            slots,
            unkept_until: None,
            unfinished: Names::new(),
            missing: Names::new(),
            useful: Vec::new(),
            parties: None,
        }
    }

    /// Whether the verdict is final.
    pub(crate) fn is_settled(&self) -> bool {
        self.session.needs().is_empty()
    }

    pub(crate) const fn inputs(&self) -> &Inputs {
        self.session.inputs()
    }

    /// Looks for missing evidence everywhere until the deadline. Offline it waits for the store alone.
    pub(crate) async fn run(mut self, deadline: Instant) -> CheckOutcome {
        self.deadline = deadline;
        let mut waiting = FuturesUnordered::new();
        let mut open: Vec<EvidenceRequest> = Vec::new();
        loop {
            // An answer may cause another need.
            while let Some(need) =
                self.session.needs().iter().find(|need| !open.contains(&need.request)).cloned()
            {
                if let Step::Wait { pending, level, watcher, deadlines } = self.seek(need) {
                    open.push(pending.need.request.clone());
                    waiting.push(wait(*pending, level, watcher, deadlines));
                }
            }
            // Fetches that are still under way are not waited for once the verdict is certain.
            if self.session.needs().is_empty() {
                break;
            }
            let Some(awaited) = waiting.next().await else { break };
            let request = awaited.pending.need.request.clone();
            match self.decide(awaited).await {
                Step::Answered => open.retain(|known| *known != request),
                Step::Wait { pending, level, watcher, deadlines } => {
                    waiting.push(wait(*pending, level, watcher, deadlines));
                }
            }
        }
        self.finish()
    }

    /// Decides by memory, and waits for nothing.
    pub(crate) fn finish_from_memory(mut self) -> CheckOutcome {
        self.reach = Reach::MemoryOnly;
        while let Some(need) = self.session.needs().first().cloned() {
            // In memory or not, it is answered here.
            let _answered = self.seek(need);
        }
        self.finish()
    }

    fn note_slot(&mut self, slot: Arc<CacheSlot>) {
        if !self.slots.iter().any(|known| known.key == slot.key) {
            self.slots.push(slot);
        }
    }

    /// Looks in memory, then begins a search elsewhere.
    fn seek(&mut self, need: Need) -> Step {
        let mut pending = PendingNeed::new(need);
        let key = EvidenceKey::of(&pending.need.request);
        if let Some(key) = key {
            let slot = self.fetcher.memory.slot(key);
            slot.touch(self.inputs().now);
            self.note_slot(Arc::clone(&slot));
            if let Some(cached) = slot.get() {
                let is_wanted_anew = self.renew.is_some_and(|renew| renew.key == key);
                let fault = if is_wanted_anew || self.fetcher.memory.is_due(&cached, self.inputs().now) {
                    self.session.preview(&pending.need.request, &cached.answer).fault
                } else {
                    match self.session.offer(&pending.need.request, cached.answer.clone()) {
                        Ok(()) => return self.answered_with(&pending, &cached, Origin::Memory),
                        Err(fault) => Some(fault),
                    }
                };
                match fault {
                    None => pending.fallback = Some(cached),
                    Some(Dismissal::Stale { .. }) => pending.last = Some(cached),
                    Some(_) => {}
                }
                if let Some(renew) = self.renew.filter(|_| is_wanted_anew) {
                    return self.ask(pending, renew.from);
                }
            }
        }
        if self.reach == Reach::MemoryOnly {
            self.missing.push(self.name_of(&pending.need));
            return self.answer_failed(pending, Failure::new(Cause::NotTried, "not in memory"));
        }
        self.ask(pending, Level::Store)
    }

    /// Begins a search at the first level from this one on that may have it.
    fn ask(&mut self, pending: PendingNeed, from: Level) -> Step {
        match from {
            Level::Store | Level::Near => {
                if EvidenceKey::of(&pending.need.request).is_some() && self.fetcher.has_store(from) {
                    let policy = &self.snapshot.basis.policy;
                    let nobody = Behalf::default();
                    if let Ok(watcher) = self.fetcher.begin(&pending.need, from, None, &nobody, policy) {
                        // A store that does not answer must not use up the network's time.
                        let half = self.half();
                        let deadlines = WaitDeadlines { silent: half, whole: half };
                        return Step::Wait { pending: Box::new(pending), level: from, watcher, deadlines };
                    }
                }
                self.ask_after(pending, from, Failure::new(Cause::NotTried, "not in the store"))
            }
            Level::Mirror if !self.fetcher.may_ask_mirrors(&pending.need.request) => {
                self.ask_after(pending, from, Failure::new(Cause::NotTried, "no mirror can be asked"))
            }
            Level::Mirror | Level::Network => {
                let looked = pending.looked();
                let behalf = Behalf { looked, ..self.behalf(&pending.need) };
                let (known, policy) = (pending.fallback.as_ref(), &self.snapshot.basis.policy);
                match self.fetcher.begin(&pending.need, from, known, &behalf, policy) {
                    Ok(watcher) => {
                        // A mirror that sends slowly must not use up the source's time either.
                        let half = self.half();
                        let whole = if from == Level::Mirror { half } else { self.deadline };
                        let deadlines = WaitDeadlines { silent: half, whole };
                        Step::Wait { pending: Box::new(pending), level: from, watcher, deadlines }
                    }
                    Err(failure) => self.ask_after(pending, from, failure),
                }
            }
        }
    }

    /// Goes on with the next level. If this was the last one, the need is answered with the failure.
    fn ask_after(&mut self, pending: PendingNeed, level: Level, failure: Failure) -> Step {
        match self.next(level) {
            Some(next) => self.ask(pending, next),
            None => self.answer_failed(pending, failure),
        }
    }

    /// The level at which evidence is looked for after this one.
    fn next(&self, level: Level) -> Option<Level> {
        level.next().filter(|next| self.renew.is_none_or(|renew| *next <= renew.until))
    }

    /// Half of the time that is left.
    fn half(&self) -> Instant {
        let now = Instant::now();
        now + self.deadline.saturating_duration_since(now) / 2
    }

    /// A name that is the same for all checks that want this evidence.
    fn name_of(&self, need: &Need) -> u64 {
        match EvidenceKey::of(&need.request) {
            Some(key) => Party::hashed(key),
            None => Party::hashed((need.request.url(), self.inputs().chain.first().map(|leaf| &**leaf))),
        }
    }

    /// The parties that the fetch is counted for.
    fn behalf(&mut self, need: &Need) -> Behalf {
        let parties = match &self.parties {
            Some(parties) => parties.clone(),
            None => {
                let parties = self.find_parties(need);
                self.parties = Some(parties.clone());
                parties
            }
        };
        Behalf { parties, deadline: Some(self.deadline), looked: None }
    }

    fn find_parties(&self, need: &Need) -> Parties {
        // Evidence that is fetched in advance is for any client.
        let client = match self.renew {
            Some(renew) => Party::hashed(renew.key),
            None => Party::hashed(self.inputs().chain.first().map(|leaf| &**leaf)),
        };
        let issuers = self.session.issuer_keys();
        let mut parties = of_path(client, issuers.iter().copied());
        if issuers.is_empty() {
            parties.push(Party::Issuer(Party::hashed(&*need.signer)));
        }
        parties
    }

    /// Evaluates what was awaited. A source that is silent for half of the time is replaced by another, if there is
    /// one. Otherwise it has all of the time.
    async fn decide(&mut self, awaited: Awaited) -> Step {
        let Awaited { pending, level, outcome } = awaited;
        match outcome {
            WaitOutcome::Finished(Ok(outcome)) => {
                let fetcher = Arc::clone(&self.fetcher);
                // Verifying the signature of a large CRL and indexing its entries takes time, so others are served in
                // between. A CRL whose signer is known takes little.
                let is_done = outcome.cached.crl().is_some() && outcome.cached.is_signed();
                let turn = fetcher.heavy.turn(if is_done { 0 } else { outcome.cached.bytes() }).await;
                turn.run(|| self.take_outcome(pending, level, &outcome))
            }
            WaitOutcome::Finished(Err(failure)) => self.ask_after(pending, level, failure),
            WaitOutcome::Silent(_, failure) if level != Level::Network => {
                self.ask_after(pending, level, failure)
            }
            WaitOutcome::Silent(watcher, failure) => {
                let whole = self.deadline;
                let supposed =
                    self.session.preview(&pending.need.request, &Answer::Failed(Cause::Unreachable));
                if supposed.asks_on || pending.fallback.is_some() || Instant::now() >= whole {
                    self.unfinished.push(self.name_of(&pending.need));
                    return self.answer_failed(pending, failure);
                }
                let deadlines = WaitDeadlines { silent: whole, whole };
                Step::Wait { pending: Box::new(pending), level, watcher, deadlines }
            }
        }
    }

    /// Decides what to do with what was fetched.
    fn take_outcome(&mut self, pending: PendingNeed, level: Level, outcome: &Arc<FetchOutcome>) -> Step {
        let cached = &outcome.cached;
        let mut pending = pending;
        let need = pending.need.clone();
        if !self.session.needs().iter().any(|known| known.request == need.request) {
            // The verdict is certain without it, or another path is: the evidence is not at fault. A CRL whose
            // signature is verified is kept for others.
            if cached.crl().is_some() && !self.fetcher.memory.is_rollback(cached) {
                self.fetcher.keep(&need, outcome, level, self.inputs().now);
            }
            return Step::Answered;
        }
        self.find_signer(&need, cached);
        if matches!(level, Level::Store | Level::Near) {
            pending.stored = Some(Arc::clone(cached));
        }
        let mut next = self.next(level);
        let is_due = next.is_some() && self.fetcher.memory.is_due(cached, self.inputs().now);
        let decided = if self.fetcher.memory.is_rollback(cached) {
            Err(Dismissal::Superseded)
        } else if is_due {
            // It is used if nothing newer is available. It is not offered yet.
            self.session.preview(&need.request, &cached.answer).fault.map_or(Ok(()), Err)
        } else {
            self.session.offer(&need.request, cached.answer.clone())
        };
        // The near store is asked only for what others wrote over it.
        if next == Some(Level::Near) && (decided.is_ok() || cached.origin != Origin::Shared) {
            next = self.next(Level::Near);
        }
        match decided {
            Ok(()) => {
                self.fetcher.keep(&need, outcome, level, self.inputs().now);
                // The signer may be known only when all evidence is.
                self.useful.push((need, Arc::clone(outcome), level));
                if let Some(next) = next.filter(|_| is_due) {
                    PendingNeed::keep_newer(&mut pending.fallback, cached);
                    return self.ask(pending, next);
                }
                self.answered_with(&pending, cached, cached.origin)
            }
            Err(dismissal) => {
                let cause = dismissal.cause();
                let failure = Failure::new(cause, dismissal.to_string());
                self.fetcher.reject(&need, outcome, level, &failure);
                // It cannot be used to accept, but it is evidence: a CRL that is too old may list the certificate.
                if cause == Cause::Stale && cached.is_signed() {
                    PendingNeed::keep_newer(&mut pending.last, cached);
                }
                if level == Level::Network && cached.is_from_store() {
                    pending.is_for_source = true;
                    return self.ask(pending, level);
                }
                if let Some(next) = next {
                    return self.ask(pending, next);
                }
                let is_reported = pending.fallback.is_none() && self.last_word(&pending).is_none();
                if is_reported && cause != Cause::Rollback {
                    self.record_source(&pending, Some(cached), None, Some(&failure));
                    self.session.answer(&need.request, cached.answer.clone());
                    return Step::Answered;
                }
                self.answer_failed(pending, failure)
            }
        }
    }

    /// Finds the signer of a CRL, unless it is known. Without it the CRL cannot be compared with an older one. The
    /// signer need not be the issuer.
    fn find_signer(&mut self, need: &Need, cached: &CachedEvidence) {
        if !cached.is_signed() {
            // The CRL remembers it. Other needs that are found here are asked for below.
            let _signer_is_known = self.session.preview(&need.request, &cached.answer);
        }
    }

    /// Offers evidence that is in the cache and too old, if it lists a certificate of the path. It counts whatever
    /// else was fetched.
    fn last_word(&mut self, pending: &PendingNeed) -> Option<Answer> {
        let last = pending.last.as_ref()?;
        let supposed = self.session.preview(&pending.need.request, &last.answer);
        supposed.finds_revoked.then(|| last.answer.clone())
    }

    /// Notes that it was offered and counted.
    fn answered_with(&mut self, pending: &PendingNeed, cached: &Arc<CachedEvidence>, from: Origin) -> Step {
        if EvidenceKey::of(&pending.need.request).is_none() {
            let again = cached.refresh_at(fastrand::f64());
            self.unkept_until = Some(self.unkept_until.map_or(again, |known| known.min(again)));
        }
        let labels = [("kind", cached.kind().code()), ("from", from.code())];
        metrics::counter!(names::ANSWERS, &labels).increment(1);
        self.record_source(pending, Some(cached), Some(from), None);
        Step::Answered
    }

    /// Nothing newer is available: the evidence in memory is used if the policy tolerates it.
    fn answer_failed(&mut self, pending: PendingNeed, failure: Failure) -> Step {
        self.record_source(&pending, None, None, Some(&failure));
        let answer = match &pending.fallback {
            Some(cached) => {
                self.record_source(&pending, Some(cached), Some(Origin::Memory), None);
                cached.answer.clone()
            }
            None => self.last_word(&pending).unwrap_or(Answer::Failed(failure.cause)),
        };
        self.session.answer(&pending.need.request, answer);
        Step::Answered
    }

    fn record_source(
        &mut self,
        pending: &PendingNeed,
        cached: Option<&Arc<CachedEvidence>>,
        from: Option<Origin>,
        failure: Option<&Failure>,
    ) {
        let kind = pending.need.request.kind();
        self.sources.push(SourceTried {
            at: pending.need.at,
            kind,
            url: Arc::clone(pending.need.request.url()),
            from,
            elapsed: pending.begun.elapsed(),
            bytes: cached.map_or(0, |cached| cached.bytes()),
            failure: failure.map(|failure| (failure.cause, failure.detail.clone())),
            refusal: failure.and_then(|failure| failure.refusal.clone()),
        });
    }

    fn finish(self) -> CheckOutcome {
        for (need, outcome, level) in &self.useful {
            self.fetcher.keep(need, outcome, *level, self.inputs().now);
        }
        if self.renew.is_none() {
            let Self { template, session, found, fetcher, .. } = &self;
            self.snapshot.templates.learn(template.as_ref(), session, found, &fetcher.memory);
        }
        CheckOutcome {
            evaluations: self.session.evaluations(),
            report: self.session.into_report(),
            sources: self.sources,
            slots: self.slots,
            unkept_until: self.unkept_until,
            unfinished: self.unfinished,
            missing: self.missing,
        }
    }
}
