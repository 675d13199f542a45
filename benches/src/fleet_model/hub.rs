//! What nodes of a site ask before the origin: an HTTP cache, a mirror or a shared store.

use certcheck_core::Time;
use certcheck_fetch::refresh;

use super::evidence::{Answer, BEGIN, Evidence};
use super::network::{Fault, Link, SMALL};
use super::origin::FAST;
use super::queue::{Ask, Event};
use super::setup::Mode;
use super::world::World;

/// Seconds for which the HTTP cache serves what it got.
const TTL: i64 = 3_600;
/// The longest time between two looks of the mirror, in milliseconds, and the first pause after a failure.
const LOOK: u64 = 60_000;
const FIRST_PAUSE: u64 = 2_000;
/// Bytes that a store sends in a millisecond: 300 MiB/s.
const STORE: u64 = 314_573;
/// Milliseconds that a lease lasts without its holder.
const LEASE: u64 = 15_000;

/// What the hub has of a CRL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub(super) evidence: Option<Evidence>,
    /// The one before, which comes back when a store loses its last write.
    before: Option<Evidence>,
    /// What the HTTP cache has is junk.
    is_junk: bool,
    /// When it was fetched, and until when there is nothing newer.
    at: i64,
    until: Option<i64>,
    /// Looks in a row that failed.
    failures: u32,
    /// Until when a node has the lease, in milliseconds.
    lease: u64,
}

impl World {
    /// What the hub answers to a node, and the milliseconds until the answer is sent.
    pub(super) fn ask_hub(&mut self, ask: &Ask, known: Option<u32>) -> (Answer, u64) {
        match self.setup.mode {
            Mode::HttpCache => self.ask_cache(ask.crl),
            Mode::Mirror => self.ask_mirror(ask.crl, known),
            _ => self.ask_store(ask, known),
        }
    }

    fn ask_cache(&mut self, crl: u16) -> (Answer, u64) {
        let now = self.time();
        let mut kept = self.hub[usize::from(crl)];
        let mut waits = 0;
        if now >= kept.at + TTL && self.network.hub_reaches_origin() {
            let known = kept.evidence.filter(|_| !kept.is_junk).map(|evidence| evidence.version);
            let (answer, takes) = self.ask_origin(crl, known);
            waits = takes + 100;
            kept = match answer {
                Answer::Body { evidence, .. } => {
                    Kept { evidence: Some(evidence), at: now, ..Kept::default() }
                }
                Answer::Junk => Kept { is_junk: true, at: now, ..kept },
                _ => Kept { at: now, ..kept },
            };
            self.hub[usize::from(crl)] = kept;
        }
        match kept.evidence {
            _ if kept.is_junk => (Answer::Junk, waits),
            Some(evidence) => {
                let takes = self.send_inside(FAST);
                (Answer::Body { evidence, until: None, at: now }, waits + takes)
            }
            None => (Answer::Nothing, waits),
        }
    }

    fn ask_mirror(&mut self, crl: u16, known: Option<u32>) -> (Answer, u64) {
        let (now, kept) = (self.time(), self.hub[usize::from(crl)]);
        let Some(evidence) = kept.evidence.filter(|one| one.is_current(&self.freshness, now)) else {
            return (Answer::Nothing, 0);
        };
        if known == Some(evidence.version) {
            self.counts.inside_sent(SMALL, self.queue.now);
            return (Answer::Same { until: kept.until, at: now }, 0);
        }
        (Answer::Body { evidence, until: kept.until, at: now }, self.send_inside(FAST))
    }

    fn ask_store(&mut self, ask: &Ask, known: Option<u32>) -> (Answer, u64) {
        let (now, kept) = (self.queue.now, self.hub[usize::from(ask.crl)]);
        self.counts.inside_sent(SMALL, now);
        let is_due = |evidence: &Evidence| {
            let until = kept.until.map(Time::from_unix);
            refresh::due(Some(evidence.life()), Time::from_unix(kept.at), until, 1.0).unix() <= self.time()
        };
        let same = Answer::Same { until: kept.until, at: kept.at };
        match kept.evidence {
            Some(evidence) if known.is_none_or(|known| known < evidence.version) => {
                return (Answer::Body { evidence, until: kept.until, at: kept.at }, self.send_inside(STORE));
            }
            Some(evidence) if known == Some(evidence.version) && !is_due(&evidence) => return (same, 0),
            _ => {}
        }
        if kept.lease > now {
            return (Answer::Wait, 0);
        }
        self.hub[usize::from(ask.crl)].lease = now + LEASE;
        (Answer::Lease, 0)
    }

    fn send_inside(&mut self, a_millisecond: u64) -> u64 {
        let (size, now) = (self.setup.size(), self.queue.now);
        self.counts.inside_sent(size, now);
        self.network.transfer(Link::Hub, size, a_millisecond, now)
    }

    /// A node writes to the store: a newer version replaces an older one, and the same has new times.
    pub(super) fn write(&mut self, node: u32, crl: u16, version: u32, at: i64, has_lease: bool) {
        let latest = self.time() + self.freshness.skew;
        let until = self.setup.max_age.map(|age| at + i64::from(age));
        let Some(evidence) = self.version(crl, version) else { return };
        let kept = &mut self.hub[usize::from(crl)];
        if has_lease {
            kept.lease = 0;
        }
        let order = |one: &Evidence| one.order().not_after(latest);
        match kept.evidence.map(|other| order(&evidence).cmp(&order(&other))) {
            Some(std::cmp::Ordering::Less) => return,
            Some(std::cmp::Ordering::Equal) => {
                (kept.at, kept.until) = (at, until);
                return;
            }
            _ => {}
        }
        *kept =
            Kept { evidence: Some(evidence), before: kept.evidence, at, until, lease: kept.lease, ..*kept };
        self.counts.inside_sent(self.setup.size(), self.queue.now);
        self.announce(crl, Some(node));
    }

    /// A version that a node has.
    fn version(&self, crl: u16, version: u32) -> Option<Evidence> {
        self.origin[usize::from(crl)].get(version as usize - 1).copied()
    }

    /// A store that fails over has lost what was written last.
    pub(super) fn lose_writes(&mut self) {
        for kept in &mut self.hub {
            if let Some(before) = kept.before.take() {
                kept.evidence = Some(before);
            }
        }
    }

    /// Tells all nodes that there is something newer.
    fn announce(&mut self, crl: u16, but: Option<u32>) {
        for node in (0..self.setup.nodes).filter(|node| Some(*node) != but) {
            if !self.network.reaches_hub(node) {
                continue;
            }
            if self.network.loses(&mut self.random) {
                // The stream of a mirror breaks, and is begun again. A message of a store is gone.
                if self.setup.mode == Mode::Mirror {
                    let wait = self.random.u64(1_000..10_000);
                    self.queue.after(wait, Event::Reconnect(node));
                }
                continue;
            }
            let wait = self.random.u64(1..20);
            self.queue.after(wait, Event::News(node, crl));
        }
    }

    /// The mirror looks at a source.
    pub(super) fn look(&mut self, crl: u16) {
        if self.network.is(Fault::HubDead) {
            return;
        }
        let reaches = self.network.hub_reaches_origin()
            && !self.network.loses(&mut self.random)
            && !self.network.loses(&mut self.random);
        let known = self.hub[usize::from(crl)].evidence.map(|evidence| evidence.version);
        let (answer, takes) = if reaches { self.ask_origin(crl, known) } else { (Answer::Nothing, 2_000) };
        let wait = self.random.u64(20..200);
        self.queue.after(wait + takes, Event::Looked(crl, answer));
    }

    /// The mirror serves what came, if it is good and not older.
    pub(super) fn looked(&mut self, crl: u16, answer: Answer) {
        if self.network.is(Fault::HubDead) {
            return;
        }
        let now = self.time();
        let mut kept = self.hub[usize::from(crl)];
        let is_served = match answer {
            Answer::Same { .. } => true,
            Answer::Body { evidence, .. } => {
                evidence.is_current(&self.freshness, now)
                    && kept.evidence.is_none_or(|before| before.order() <= evidence.order())
            }
            _ => false,
        };
        let spread = 1.0 - self.random.f64() / 10.0;
        let mut wait = (LOOK as f64 * spread) as u64;
        if is_served {
            if let Answer::Body { evidence, .. } = answer {
                kept.evidence = Some(evidence);
                self.announce(crl, None);
            }
            if let (Some(evidence), Answer::Body { until, at, .. } | Answer::Same { until, at }) =
                (kept.evidence, answer)
            {
                let (until, at) = (until.map(Time::from_unix), Time::from_unix(at));
                let due = refresh::due(Some(evidence.life()), at, until, spread).unix();
                let due = u64::try_from((due - BEGIN) * 1_000).unwrap_or_default();
                wait = due.saturating_sub(self.queue.now).clamp(1_000, wait);
            }
            kept.failures = 0;
            kept.until = Some(now + (wait / 1_000) as i64);
        } else {
            wait = (FIRST_PAUSE << kept.failures.min(16)).min(LOOK);
            kept.failures += 1;
        }
        self.hub[usize::from(crl)] = kept;
        self.queue.after(wait, Event::Look(crl));
    }
}
