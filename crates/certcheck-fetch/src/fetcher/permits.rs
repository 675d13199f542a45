//! Permits: how much each party may do at once, so that none takes the share of others.
//!
//! A permit is counted for each of its parties: the client, the issuers of its path, the host, and its addresses. The
//! limit of each kind of party is below that of all together. So a part is left for others, whatever one client,
//! issuer, host or address does. A quarter of what many share (all, an anchor, an issuer, an address) is kept for
//! clients and hosts that have no permit yet.
//!
//! ```text
//! waiting -> young: for YOUNG at most -> slow: until it is done
//! ```
//! Work that goes on for long moves to another, larger lane with limits of its own. So new work waits for other new
//! work, and never for a slow download.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::parties::{Bounds, Full, Parties, Party};

/// How long a permit counts as young.
pub(crate) const YOUNG: Duration = Duration::from_millis(500);
/// Permits that are waited for.
const WAITING: usize = 4_096;

/// A group of permits that are counted together.
#[derive(Clone, Copy, Debug)]
enum LaneKind {
    /// Work that began within [`YOUNG`].
    Young,
    /// Work that goes on for longer.
    Slow,
}

#[derive(Debug, Default)]
struct Lane {
    all: usize,
    taken: HashMap<Party, usize>,
}

impl Lane {
    fn taken(&self, party: Party) -> usize {
        self.taken.get(&party).copied().unwrap_or(0)
    }

    fn take(&mut self, parties: &Parties) {
        self.all += 1;
        for party in parties {
            *self.taken.entry(*party).or_default() += 1;
        }
    }

    fn give_back(&mut self, parties: &Parties) {
        self.all = self.all.saturating_sub(1);
        for party in parties {
            if let Some(taken) = self.taken.get_mut(party) {
                *taken = taken.saturating_sub(1);
                if *taken == 0 {
                    self.taken.remove(party);
                }
            }
        }
    }

    fn full(&self, bounds: &Bounds, parties: &Parties) -> Option<Full> {
        let is_new = !parties.iter().any(|party| !party.is_shared() && self.taken(*party) > 0);
        let bound = |max: usize| if is_new { max } else { max.saturating_sub(max / 4) };
        if self.all >= bound(bounds.all) {
            return Some(Full::All(bound(bounds.all)));
        }
        parties.iter().find_map(|party| {
            let max = bounds.of(*party);
            let max = if party.is_shared() { bound(max) } else { max };
            (self.taken(*party) >= max).then_some(Full::Party(*party, max))
        })
    }

    /// The number of permits of all parties.
    fn load(&self, parties: &Parties) -> usize {
        parties.iter().map(|party| self.taken(*party)).sum()
    }
}

#[derive(Debug)]
struct Waiter {
    parties: Parties,
    sender: oneshot::Sender<Permit>,
    /// How many came before it.
    number: u64,
}

impl Waiter {
    /// Its parties without the client: the fetches for many clients of one source have the same.
    fn group(parties: &Parties) -> Parties {
        parties.iter().filter(|party| !matches!(party, Party::Client(_))).copied().collect()
    }
}

#[derive(Debug, Default)]
struct State {
    young: Lane,
    slow: Lane,
    /// The number of permits of a host, in both lanes.
    hosts: HashMap<Party, usize>,
    /// Those that wait, by their parties without the client, each group in the order in which they came.
    waiting: HashMap<Parties, VecDeque<Waiter>>,
    /// How many have waited so far.
    came: u64,
}

/// All permits, and the fetches that wait for one.
#[derive(Debug)]
pub(crate) struct Permits {
    bounds: Bounds,
    state: Mutex<State>,
}

/// A permit. It is returned when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    of: Arc<Permits>,
    parties: Parties,
    lane: LaneKind,
}

impl State {
    fn full(&self, bounds: &Bounds, parties: &Parties) -> Option<Full> {
        let of_host = parties.iter().find(|party| {
            matches!(party, Party::Host(_))
                && self.hosts.get(party).is_some_and(|taken| *taken >= bounds.host)
        });
        let of_host = of_host.map(|host| Full::Party(*host, bounds.host));
        of_host.or_else(|| self.young.full(bounds, parties))
    }

    fn take(&mut self, parties: &Parties) {
        self.young.take(parties);
        for host in parties.iter().filter(|party| matches!(party, Party::Host(_))) {
            *self.hosts.entry(*host).or_default() += 1;
        }
    }

    fn give_back(&mut self, parties: &Parties, lane: LaneKind) {
        match lane {
            LaneKind::Young => self.young.give_back(parties),
            LaneKind::Slow => self.slow.give_back(parties),
        }
        for host in parties.iter().filter(|party| matches!(party, Party::Host(_))) {
            if let Some(taken) = self.hosts.get_mut(host) {
                *taken = taken.saturating_sub(1);
                if *taken == 0 {
                    self.hosts.remove(host);
                }
            }
        }
    }

    /// The next in turn: of those that there is room for, the one with the fewest permits, and of these the first
    /// that came.
    fn next(&mut self, bounds: &Bounds) -> Option<Waiter> {
        self.waiting.retain(|_, group| {
            while group.front().is_some_and(|waiter| waiter.sender.is_closed()) {
                group.pop_front();
            }
            !group.is_empty()
        });
        let groups = self.waiting.iter().filter_map(|(key, group)| {
            let (at, order) = self.next_of(group, bounds)?;
            Some((order, key, at))
        });
        let (_, key, at) = groups.min_by_key(|(order, ..)| *order)?;
        let key = key.clone();
        self.waiting.get_mut(&key)?.remove(at)
    }

    /// The next of a group: its place, its permits and its number. Only the client differs within a group. So one whose
    /// client has no permit goes first, and if there is no room for it, there is none for the others: a thousand that wait
    /// cost as much as one.
    fn next_of(&self, group: &VecDeque<Waiter>, bounds: &Bounds) -> Option<(usize, (usize, u64))> {
        let mut next = None;
        for (at, waiter) in group.iter().enumerate().filter(|(_, waiter)| !waiter.sender.is_closed()) {
            let has_room = self.full(bounds, &waiter.parties).is_none();
            let order = (self.young.load(&waiter.parties), waiter.number);
            let mut clients = waiter.parties.iter().filter(|party| matches!(party, Party::Client(_)));
            let is_first = clients.all(|client| self.young.taken(*client) == 0);
            if has_room && next.is_none_or(|(_, first)| order < first) {
                next = Some((at, order));
            }
            if is_first {
                break;
            }
        }
        next
    }

    fn number_waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Adds one that waits, unless there are too many.
    fn wait(&mut self, parties: Parties, sender: oneshot::Sender<Permit>) -> Result<(), Full> {
        if self.number_waiting() >= WAITING {
            self.waiting.retain(|_, group| {
                group.retain(|waiter| !waiter.sender.is_closed());
                !group.is_empty()
            });
            if self.number_waiting() >= WAITING {
                return Err(Full::Waiting(WAITING));
            }
        }
        let number = self.came;
        self.came += 1;
        let group = self.waiting.entry(Waiter::group(&parties)).or_default();
        group.push_back(Waiter { parties, sender, number });
        Ok(())
    }
}

impl Permits {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit for those of these keys that have none yet, if there is one now.
    pub(crate) fn try_acquire_any(
        self: &Arc<Self>,
        keys: impl IntoIterator<Item = u64>,
        mut parties: Parties,
    ) -> Result<Permit, Full> {
        let mut state = self.lock();
        let keys = keys.into_iter().map(Party::Evidence);
        let before = parties.len();
        parties.extend(keys.filter(|key| state.young.taken(*key) == 0));
        if parties.len() == before {
            return Err(Full::UnderWay);
        }
        if let Some(full) = state.full(&self.bounds, &parties) {
            return Err(full);
        }
        state.take(&parties);
        Ok(Permit { of: Arc::clone(self), parties, lane: LaneKind::Young })
    }

    /// A permit, waited for within this time, or else the limit that is in the way at the end.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        parties: Parties,
        max_wait: Duration,
    ) -> Result<Permit, Full> {
        let receiver = {
            let mut state = self.lock();
            if state.full(&self.bounds, &parties).is_none() {
                state.take(&parties);
                return Ok(Permit { of: Arc::clone(self), parties, lane: LaneKind::Young });
            }
            let (sender, receiver) = oneshot::channel();
            state.wait(parties.clone(), sender)?;
            receiver
        };
        match timeout(max_wait, receiver).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.lock().full(&self.bounds, &parties).unwrap_or(Full::All(self.bounds.all))),
        }
    }

    /// Gives free permits to those that wait.
    fn hand_on(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some(Waiter { parties, sender, .. }) = state.next(&self.bounds) else { return };
            state.take(&parties);
            // A receiver that is gone returns the permit by its drop, which needs the lock.
            drop(state);
            drop(sender.send(Permit { of: Arc::clone(self), parties, lane: LaneKind::Young }));
        }
    }
}

impl Permit {
    /// Runs the work of this permit. Work that goes on for long makes room for others. `None` if too much does.
    pub(crate) async fn spend<T>(mut self, work: impl Future<Output = T>) -> Result<T, Full> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::time::sleep(YOUNG) => self.slow_down()?,
        }
        Ok(work.await)
    }

    /// Moves the permit to the lane for long work. If that is full, the work must end.
    pub(crate) fn slow_down(&mut self) -> Result<(), Full> {
        let bounds = self.of.bounds.slow();
        {
            let mut state = self.of.lock();
            if let Some(full) = state.slow.full(&bounds, &self.parties) {
                return Err(full);
            }
            state.young.give_back(&self.parties);
            state.slow.take(&self.parties);
            self.lane = LaneKind::Slow;
        }
        self.of.hand_on();
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.of.lock().give_back(&self.parties, self.lane);
        self.of.hand_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { all: 16, client: 4, host: 4, address: 6 };

    fn parties(client: u64, host: u64, address: u8, issuer: u64) -> Parties {
        let address = Party::address([10, 0, 0, address].into());
        [Party::Client(client), Party::Host(host), address, Party::Issuer(issuer), Party::Anchor(0)]
            .into_iter()
            .collect()
    }

    fn all_of(permits: &Arc<Permits>, of: impl Fn(u8) -> Parties) -> (Vec<Permit>, Full) {
        let mut taken = Vec::new();
        for n in 0..=u8::MAX {
            match permits.try_acquire_any([u64::from(n)], of(n)) {
                Ok(permit) => taken.push(permit),
                Err(full) => return (taken, full),
            }
        }
        panic!("no bound");
    }

    #[test]
    fn each_party_has_its_bound_and_others_have_what_is_left() {
        type Of<'o> = &'o dyn Fn(u8) -> Parties;
        let cases: [(usize, Of<'_>, Party); 8] = [
            (4, &|n| parties(1, n.into(), n, n.into()), Party::Client(1)),
            (4, &|n| parties(n.into(), 1, n, n.into()), Party::Host(1)),
            (6, &|n| parties(n.into(), n.into(), 1, n.into()), Party::address([10, 0, 0, 1].into())),
            (8, &|n| parties(n.into(), n.into(), n, 1), Party::Issuer(1)),
            (12, &|n| parties(n.into(), n.into(), n, n.into()), Party::Anchor(0)),
            // A quarter is for those that have no permit.
            (6, &|n| parties((n % 2).into(), n.into(), n, 1), Party::Issuer(1)),
            (5, &|n| parties((n % 2).into(), n.into(), 1, n.into()), Party::address([10, 0, 0, 1].into())),
            (9, &|n| parties((n % 3).into(), n.into(), n, n.into()), Party::Anchor(0)),
        ];
        for (max, of, party) in cases {
            let permits = Permits::new(BOUNDS);
            let (taken, full) = all_of(&permits, of);
            assert_eq!((taken.len(), full), (max, Full::Party(party, max)));
            let other = [Party::Client(999), Party::Issuer(999), Party::Anchor(999)].into_iter().collect();
            assert!(permits.try_acquire_any([999], other).is_ok(), "{party:?}");
        }
        let (taken, full) =
            all_of(&Permits::new(BOUNDS), |n| [Party::Client(n.into())].into_iter().collect());
        assert_eq!((taken.len(), full), (16, Full::All(16)));
        // Of several keys, those count that have no permit.
        let permits = Permits::new(BOUNDS);
        let get = |keys: &[u64]| permits.try_acquire_any(keys.iter().copied(), Parties::new());
        let _first = get(&[1, 2]).expect("room");
        assert_eq!(get(&[2, 1]).map(drop), Err(Full::UnderWay));
        let second = get(&[2, 3]).expect("room");
        assert_eq!(get(&[3]).map(drop), Err(Full::UnderWay));
        drop(second);
        assert!(get(&[3]).is_ok() && get(&[2]).is_err());
    }

    /// A source that is not asked is reported with the limit that was in the way.
    #[test]
    fn bounds_are_reported_by_name() {
        for (full, text) in [
            (Full::All(64), "64 at once are under way"),
            (Full::Party(Party::Client(1), 4), "4 at once for this client are under way"),
            (Full::Party(Party::Host(1), 8), "8 at once from this host are under way"),
            (
                Full::Party(Party::address([10, 0, 0, 1].into()), 16),
                "16 at once from this address are under way",
            ),
            (Full::Party(Party::Issuer(1), 32), "32 at once for clients of this issuer are under way"),
            (Full::Party(Party::Anchor(1), 48), "48 at once for clients below this anchor are under way"),
            (Full::Waiting(4_096), "4096 are waiting already"),
        ] {
            assert_eq!(full.to_string(), text);
        }
    }

    #[test]
    fn what_is_slow_makes_room_and_has_bounds_of_its_own() {
        let permits = Permits::new(BOUNDS);
        let of = |n: u8| [Party::Client(1), Party::Address([10, 0, 0, n].into())].into_iter().collect();
        let mut slow = Vec::new();
        for n in 0..12 {
            let mut permit = permits.try_acquire_any([u64::from(n)], of(n)).expect("room");
            permit.slow_down().expect("room among the slow");
            slow.push(permit);
        }
        let mut last = permits.try_acquire_any([99], of(99)).expect("room");
        assert_eq!(last.slow_down(), Err(Full::Party(Party::Client(1), 12)));
        slow.pop();
        assert_eq!(last.slow_down(), Ok(()));
        drop((slow, last));
        let state = permits.lock();
        assert_eq!((state.young.all, state.slow.all), (0, 0));
        assert!(state.young.taken.is_empty() && state.slow.taken.is_empty());
    }

    /// However many wait, in groups or not, the choice is that of a look at each of them.
    #[test]
    fn the_next_of_groups_is_the_next_of_all() {
        let mut numbers = 0..;
        let mut draw = |below: u64| {
            let number: u64 = numbers.next().unwrap_or_default();
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_right(29) % below
        };
        let mut handed_on = 0;
        for _ in 0..50 {
            let mut state = State::default();
            let mut receivers = Vec::new();
            for _ in 0..draw(8) {
                let taken = parties(draw(6), draw(3), u8::try_from(draw(3)).expect("small"), draw(2));
                state.take(&taken);
            }
            for _ in 0..draw(60) {
                let of = parties(draw(6), draw(3), u8::try_from(draw(3)).expect("small"), draw(2));
                let (sender, receiver) = oneshot::channel();
                state.wait(of, sender).expect("room");
                if draw(5) > 0 {
                    receivers.push(receiver);
                }
            }
            loop {
                let open = state.waiting.values().flatten().filter(|waiter| !waiter.sender.is_closed());
                let has_room = |waiter: &&Waiter| state.full(&BOUNDS, &waiter.parties).is_none();
                let order = |waiter: &&Waiter| (state.young.load(&waiter.parties), waiter.number);
                let expected = open.filter(has_room).min_by_key(order).map(|waiter| waiter.number);
                let next = state.next(&BOUNDS);
                assert_eq!(next.as_ref().map(|waiter| waiter.number), expected);
                let Some(next) = next else { break };
                state.take(&next.parties);
                handed_on += 1;
            }
        }
        assert!(handed_on > 100, "{handed_on}");
    }

    #[tokio::test]
    async fn who_has_fewest_permits_is_next() {
        let permits = Permits::new(Bounds { all: 2, client: 2, ..BOUNDS });
        let of = |client: u64| -> Parties { [Party::Client(client)].into_iter().collect() };
        let first = permits.try_acquire_any([1], of(1)).expect("room");
        let second = permits.try_acquire_any([2], of(1)).expect("room");
        let wait = |client| {
            let permits = Arc::clone(&permits);
            tokio::spawn(async move { permits.acquire(of(client), Duration::from_secs(30)).await })
        };
        let greedy = wait(1);
        tokio::task::yield_now().await;
        let modest = wait(2);
        while permits.lock().number_waiting() < 2 {
            tokio::task::yield_now().await;
        }
        drop(first);
        let modest = modest.await.expect("ends").expect("its turn");
        assert!(!greedy.is_finished());
        // One that gives up is skipped, and takes nothing away.
        greedy.abort();
        drop((second, modest));
        assert_eq!(permits.acquire(of(3), Duration::ZERO).await.map(drop), Ok(()));
        while permits.lock().young.all > 0 {
            tokio::task::yield_now().await;
        }
        let full = Permits::new(Bounds { all: 0, ..BOUNDS }).acquire(of(1), Duration::from_millis(1)).await;
        assert_eq!(full.map(drop), Err(Full::All(0)));
    }
}
