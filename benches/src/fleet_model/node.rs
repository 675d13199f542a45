//! A node: a process that decides about clients, and keeps its evidence fresh.

use certcheck_core::Time;
use certcheck_core::policy::Freshness;
use certcheck_fetch::refresh;

use super::evidence::{Answer, BEGIN, Evidence};
use super::laws::{Law, Verdict};
use super::network::Fault;
use super::queue::{Ask, Event, Place, Why};
use super::setup::{Defect, Mode};
use super::world::World;

/// Milliseconds until a question counts as lost.
const PATIENCE: u64 = 2_000;
/// Milliseconds between two attempts to get a lease, and how many there are before the node fetches by itself.
const LEASE_PAUSE: u64 = 100;
const LEASE_TRIES: u8 = 20;
/// The pause before a look after news that brought nothing is repeated, and how often it is.
const NEWS_PAUSE: u64 = 250;
const NEWS_TRIES: u8 = 1;
/// Seconds between two fetches of a program that does not know when evidence is due.
const FOUR_HOURS: i64 = 14_400;

/// What a node has of a CRL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    pub(super) held: Option<Evidence>,
    /// When it was fetched, and until when HTTP says that there is nothing newer.
    at: i64,
    until: Option<i64>,
    /// When it is due, in milliseconds.
    pub(super) due: u64,
    is_asking: bool,
    /// Whether there were news while it was asking.
    has_news: bool,
    failures: u32,
}

/// A node's verdict by what it has.
fn verdict(held: Option<&Evidence>, client: u32, (freshness, clock): (&Freshness, i64)) -> Verdict {
    match held.filter(|held| held.is_current(freshness, clock)) {
        None => Verdict::Unknown,
        Some(held) if client <= held.version => Verdict::Revoked,
        Some(_) => Verdict::Good,
    }
}

impl World {
    fn slot(&mut self, node: u32, crl: u16) -> &mut Slot {
        &mut self.slots[node as usize * usize::from(self.setup.crls) + usize::from(crl)]
    }

    /// The time by the clock of a node.
    fn clock(&self, node: u32) -> i64 {
        self.time() + self.skews[node as usize]
    }

    /// Whether the clock of a node differs by as much as is tolerated, or less.
    pub(super) fn has_good_clock(&self, node: u32) -> bool {
        self.skews[node as usize].abs() <= self.freshness.skew
    }

    pub(super) fn is_up(&self, node: u32) -> bool {
        !self.network.is(Fault::Restart(node))
    }

    fn begin_ask(&mut self, node: u32, crl: u16, why: Why) {
        if std::mem::replace(&mut self.slot(node, crl).is_asking, true) {
            return;
        }
        let place = if self.setup.mode.has_hub() { Place::Hub } else { Place::Origin };
        self.ask(Ask { node, crl, why, place, tries: 0, has_lease: false, was_hurt: false });
    }

    /// Sends a question.
    pub(super) fn ask(&mut self, ask: Ask) {
        let reaches = match ask.place {
            Place::Hub => self.network.reaches_hub(ask.node),
            Place::Origin => self.network.reaches_origin(ask.node),
        };
        if !reaches || self.network.loses(&mut self.random) {
            let lost = Ask { was_hurt: true, ..ask };
            return self.queue.after(PATIENCE, Event::Answered(lost, Answer::Nothing));
        }
        let wait = self.delay(ask.place);
        self.queue.after(wait, Event::Arrive(ask));
    }

    fn delay(&mut self, place: Place) -> u64 {
        match place {
            Place::Hub => self.random.u64(1..5),
            Place::Origin => self.random.u64(10..100),
        }
    }

    /// A question arrives at the hub or the origin.
    pub(super) fn arrive(&mut self, ask: Ask) {
        let held = self.slot(ask.node, ask.crl).held.map(|held| held.version);
        let (reaches, (answer, takes)) = match ask.place {
            Place::Hub => (self.network.reaches_hub(ask.node), self.ask_hub(&ask, held)),
            Place::Origin => {
                let known = held.filter(|_| self.setup.mode != Mode::Every4h);
                (self.network.reaches_origin(ask.node), self.ask_origin(ask.crl, known))
            }
        };
        if !reaches || self.network.loses(&mut self.random) {
            let lost = Ask { was_hurt: true, ..ask };
            return self.queue.after(PATIENCE, Event::Answered(lost, Answer::Nothing));
        }
        let is_honest = ask.place == Place::Hub || Self::is_honest(&self.network);
        let wait = self.delay(ask.place) + takes;
        let ask = Ask { was_hurt: ask.was_hurt || !is_honest, ..ask };
        self.queue.after(wait, Event::Answered(ask, answer));
    }

    /// An answer arrives at a node.
    pub(super) fn answered(&mut self, ask: Ask, answer: Answer) -> Result<(), Law> {
        let Ask { node, crl, why, place, .. } = ask;
        if !self.is_up(node) {
            // The next start asks again.
            self.slot(node, crl).is_asking = false;
            return Ok(());
        }
        let is_answered = match answer {
            Answer::Wait if ask.tries < LEASE_TRIES && why != Why::News => {
                let wait = LEASE_PAUSE / 2 + self.random.u64(..LEASE_PAUSE);
                self.queue.after(wait, Event::Again(Ask { tries: ask.tries + 1, ..ask }));
                return Ok(());
            }
            Answer::Body { evidence, until, at } => self.take(&ask, evidence, until, at),
            Answer::Same { until, at } => {
                let slot = self.slot(node, crl);
                (slot.at, slot.until) = (at, until);
                true
            }
            _ => false,
        };
        let (now, clock) = (self.time(), self.clock(node));
        let held = self.slot(node, crl).held.filter(|held| held.is_current(&self.freshness, clock));
        // By its life alone: evidence that ends soon is not good enough when there may be another.
        let ends_soon = |held: Evidence| {
            refresh::due(Some(held.life()), Time::from_unix(held.this_update), None, 0.0).unix() <= now
        };
        let may_go_on = place == Place::Hub
            && self.setup.mode != Mode::HttpCache
            && why != Why::News
            && !self.setup.is(Defect::OnlyAsksHub);
        if may_go_on && (!is_answered || held.is_none_or(ends_soon)) {
            let has_lease = answer == Answer::Lease;
            // That the hub was not reached is no excuse.
            self.ask(Ask { place: Place::Origin, tries: 0, has_lease, was_hurt: false, ..ask });
            return Ok(());
        }
        if why == Why::News && !is_answered && ask.tries < NEWS_TRIES {
            self.queue.after(NEWS_PAUSE, Event::Again(Ask { tries: ask.tries + 1, ..ask }));
            return Ok(());
        }
        if place == Place::Origin && self.setup.mode == Mode::Store {
            self.write_back(&ask, now);
        }
        if why == Why::News && !is_answered && self.setup.mode == Mode::Mirror {
            // A network that loses questions breaks the stream of news too.
            let wait = self.random.u64(1_000..10_000);
            self.queue.after(wait, Event::Reconnect(node));
        }
        let slot = self.slot(node, crl);
        slot.is_asking = false;
        slot.failures = if is_answered { 0 } else { slot.failures + 1 };
        if std::mem::take(&mut slot.has_news) {
            // The answer may have been sent before the news.
            self.queue.after(NEWS_PAUSE, Event::News(node, crl));
        }
        self.schedule(node, crl);
        let Why::Client(client) = why else { return Ok(()) };
        let is_excused = ask.was_hurt || !self.has_good_clock(node) || self.setup.mode == Mode::HttpCache;
        self.conclude(node, crl, client, is_excused)
    }

    /// Uses evidence if it is current and not older than what the node has. Returns whether it is current: if not, the
    /// source has failed, as in a check.
    fn take(&mut self, ask: &Ask, evidence: Evidence, until: Option<i64>, at: i64) -> bool {
        let (clock, now) = (self.clock(ask.node), self.queue.now);
        if !evidence.is_current(&self.freshness, clock) {
            return false;
        }
        let takes_older = self.setup.is(Defect::TakesOlder);
        let slot = self.slot(ask.node, ask.crl);
        if slot.held.is_some_and(|held| evidence.order() < held.order()) && !takes_older {
            return true;
        }
        let before = slot.held.map_or(0, |held| held.version);
        (slot.held, slot.at, slot.until) = (Some(evidence), at, until);
        if evidence.version > before {
            self.counts.adopted(ask.crl, before, evidence.version, now);
        }
        true
    }

    /// Writes what the origin sent, or that it has not changed, to the store.
    fn write_back(&mut self, ask: &Ask, at: i64) {
        let Some(held) = self.slot(ask.node, ask.crl).held else { return };
        if self.network.reaches_hub(ask.node) && !self.network.loses(&mut self.random) {
            let wait = self.delay(Place::Hub) + self.setup.size() / 125_000;
            let Ask { node, crl, has_lease, .. } = *ask;
            self.queue.after(wait, Event::Write { node, crl, version: held.version, at, has_lease });
        }
    }

    /// When the node asks again.
    fn schedule(&mut self, node: u32, crl: u16) {
        if self.setup.is(Defect::NeverRenews) {
            return;
        }
        let is_simple = matches!(self.setup.mode, Mode::Every4h | Mode::HttpCache);
        // What a host does not have in common with others is its share of the spread.
        let jitter =
            f64::from((node.wrapping_mul(0x9e37_79b1) ^ u32::from(crl)).wrapping_mul(0x85eb_ca6b) >> 8)
                / f64::from(1 << 24);
        let now = self.queue.now;
        let slot = self.slot(node, crl);
        let due = match slot.held {
            Some(_) if is_simple => slot.at + FOUR_HOURS,
            Some(held) => {
                let until = slot.until.map(Time::from_unix);
                refresh::due(Some(held.life()), Time::from_unix(slot.at), until, jitter).unix()
            }
            None => 0,
        };
        // A source that fails is not asked for a while.
        let pause = if slot.failures > 0 { (1_000 << slot.failures.min(9)).min(300_000) } else { 1_000 };
        let due = u64::try_from((due - BEGIN) * 1_000).unwrap_or_default();
        slot.due = due.max(now + pause);
        let due = slot.due;
        self.queue.at(due, Event::Due(node, crl));
    }

    pub(super) fn due(&mut self, node: u32, crl: u16) {
        // It has been asked for meanwhile.
        if self.slot(node, crl).due == self.queue.now && self.is_up(node) {
            self.begin_ask(node, crl, Why::Due);
        }
    }

    pub(super) fn news(&mut self, node: u32, crl: u16) {
        if self.is_up(node) && self.slot(node, crl).held.is_some() && !self.setup.is(Defect::NeverRenews) {
            let slot = self.slot(node, crl);
            slot.has_news |= slot.is_asking;
            self.begin_ask(node, crl, Why::News);
        }
    }

    /// A node listens again: it looks at everything.
    pub(super) fn reconnect(&mut self, node: u32) {
        if self.setup.mode == Mode::Mirror && self.network.reaches_hub(node) {
            for crl in 0..self.setup.crls {
                self.news(node, crl);
            }
        }
        if self.setup.mode == Mode::Store {
            self.compare_heads(node);
        }
    }

    pub(super) fn poll(&mut self, node: u32) {
        self.compare_heads(node);
        let wait = self.random.u64(30_000..60_000);
        self.queue.after(wait, Event::Poll(node));
    }

    /// Compares the heads of a store with what the node has: it takes what is newer, and puts back what was lost.
    fn compare_heads(&mut self, node: u32) {
        if !self.is_up(node) || !self.network.reaches_hub(node) || self.network.loses(&mut self.random) {
            return;
        }
        self.counts.inside_sent(u64::from(self.setup.crls) * 64, self.queue.now);
        for crl in 0..self.setup.crls {
            let head = self.hub[usize::from(crl)].evidence;
            let Slot { held, at, .. } = *self.slot(node, crl);
            match held.map(|held| held.order()).cmp(&head.map(|head| head.order())) {
                std::cmp::Ordering::Less => self.news(node, crl),
                std::cmp::Ordering::Greater => {
                    let version = held.map_or(1, |held| held.version);
                    self.queue.after(1, Event::Write { node, crl, version, at, has_lease: false });
                }
                std::cmp::Ordering::Equal => {}
            }
        }
    }

    /// A node has started: what it has on its disk is looked at again.
    pub(super) fn start(&mut self, node: u32) {
        for crl in 0..self.setup.crls {
            self.schedule(node, crl);
        }
        self.reconnect(node);
    }

    /// A client comes, whose certificate is about to be revoked, or has just been.
    pub(super) fn decide(&mut self, node: u32) -> Result<(), Law> {
        let every = u64::from(self.setup.decide_every) * 1_000;
        let wait = every / 2 + self.random.u64(..every);
        self.queue.after(wait, Event::Decide(node));
        if !self.is_up(node) {
            return Ok(());
        }
        let crl = self.random.u16(..self.setup.crls);
        let newest = self.newest(crl).version;
        let client = self.random.u32(newest.saturating_sub(1)..newest + 3);
        let clock = self.clock(node);
        let held = self.slot(node, crl).held;
        let knows = held.is_some_and(|held| held.is_current(&self.freshness, clock));
        if !knows && !self.slot(node, crl).is_asking && !self.setup.is(Defect::UsesEnded) {
            self.begin_ask(node, crl, Why::Client(client));
            return Ok(());
        }
        // If the node asks already, the client joins, and what comes of that is examined there.
        self.conclude(node, crl, client, true)
    }

    /// Decides by what the node has.
    fn conclude(&mut self, node: u32, crl: u16, client: u32, is_excused: bool) -> Result<(), Law> {
        let clock = self.clock(node);
        let held = self.slot(node, crl).held;
        let mut verdict = verdict(held.as_ref(), client, (&self.freshness, clock));
        if held.is_some() && self.setup.is(Defect::UsesEnded) && verdict == Verdict::Unknown {
            verdict = Verdict::Good;
        }
        if self.setup.is(Defect::ForgetsRevoked) && verdict == Verdict::Revoked {
            verdict = Verdict::Good;
        }
        let is_late = verdict == Verdict::Good && client <= self.newest(crl).version;
        let counts = if self.network.is_split() { &mut self.counts.split } else { &mut self.counts.whole };
        match verdict {
            Verdict::Good if is_late => counts.late += 1,
            Verdict::Good => counts.good += 1,
            Verdict::Revoked => counts.revoked += 1,
            Verdict::Unknown => counts.unknown += 1,
        }
        self.laws.decided((node, crl), held.as_ref(), client, verdict, (&self.freshness, clock))?;
        if verdict == Verdict::Unknown && !is_excused { Err(Law::OriginIsEnough) } else { Ok(()) }
    }

    /// Whether the node has this version or a newer one.
    pub(super) fn has(&self, node: u32, crl: u16, version: u32) -> bool {
        let slot = &self.slots[node as usize * usize::from(self.setup.crls) + usize::from(crl)];
        slot.held.is_some_and(|held| held.version >= version)
    }
}
