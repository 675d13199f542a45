//! All of a run, and what each event does.

use certcheck_core::policy::Freshness;
use fastrand::Rng;

use super::evidence::{BEGIN, Evidence};
use super::figures::{Counts, Figures};
use super::hub::Kept;
use super::laws::{Broken, Law, Laws};
use super::network::{Fault, GROUPS, Network};
use super::node::Slot;
use super::queue::{Event, Queue};
use super::setup::{Mode, Setup};

/// Nodes start within this time, in milliseconds.
const START: u64 = 600_000;

#[derive(Debug)]
pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) random: Rng,
    pub(super) queue: Queue,
    pub(super) network: Network,
    pub(super) freshness: Freshness,
    /// All versions of each CRL.
    pub(super) origin: Vec<Vec<Evidence>>,
    /// What the hub has of each CRL.
    pub(super) hub: Vec<Kept>,
    /// What each node has of each CRL.
    pub(super) slots: Vec<Slot>,
    /// Seconds by which the clock of each node is wrong.
    pub(super) skews: Vec<i64>,
    pub(super) counts: Counts,
    pub(super) laws: Laws,
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let mut random = Rng::with_seed(setup.seed);
        let network = Network::new(&setup, &mut random);
        let skew = |_| match setup.has_faults.then(|| random.u32(..20)) {
            None => 0,
            Some(0) => random.i64(-900..900),
            Some(_) => random.i64(-250..250),
        };
        let skews = (0..setup.nodes).map(skew).collect();
        Self {
            network,
            skews,
            queue: Queue::default(),
            freshness: Freshness::default(),
            origin: Vec::new(),
            hub: vec![Kept::default(); usize::from(setup.crls)],
            slots: vec![Slot::default(); setup.nodes as usize * usize::from(setup.crls)],
            counts: Counts::new(setup.nodes, setup.crls),
            laws: Laws::new(setup.nodes, setup.crls),
            random,
            setup,
        }
    }

    /// The true time, in seconds since 1970.
    pub(super) const fn time(&self) -> i64 {
        BEGIN + (self.queue.now / 1_000) as i64
    }

    pub(super) fn run(mut self) -> Result<Figures, Broken> {
        self.begin();
        while let Some(event) = self.queue.next(self.setup.end()) {
            if let Err(law) = self.handle(event) {
                let (seed, last) = (self.setup.seed, self.queue.last());
                let detail = format!("{} at {} ms: {event:?}", self.setup.mode.name(), self.queue.now);
                return Err(Broken { law, seed, detail, last });
            }
        }
        Ok(self.counts.finish(self.setup.end(), self.queue.digest))
    }

    fn begin(&mut self) {
        self.begin_origin();
        if self.setup.mode == Mode::Mirror {
            (0..self.setup.crls).for_each(|crl| self.queue.after(0, Event::Look(crl)));
        }
        for node in 0..self.setup.nodes {
            let at = 10_000 + self.random.u64(..START);
            for crl in 0..self.setup.crls {
                self.start_slot(node, crl, at);
            }
            self.queue.at(at + 30_000, Event::Decide(node));
            if self.setup.mode == Mode::Store {
                self.queue.at(at, Event::Poll(node));
            }
        }
        for (number, window) in self.network.windows.iter().enumerate() {
            self.queue.at(window.from, Event::FaultBegins(number as u16));
            self.queue.at(window.until, Event::FaultEnds(number as u16));
        }
    }

    fn start_slot(&mut self, node: u32, crl: u16, at: u64) {
        let slot = &mut self.slots[node as usize * usize::from(self.setup.crls) + usize::from(crl)];
        slot.due = at;
        self.queue.at(at, Event::Due(node, crl));
    }

    fn handle(&mut self, event: Event) -> Result<(), Law> {
        match event {
            Event::Publish(crl, is_regular) => self.publish(crl, is_regular),
            Event::Look(crl) => self.look(crl),
            Event::Looked(crl, answer) => self.looked(crl, answer),
            Event::Due(node, crl) => self.due(node, crl),
            Event::News(node, crl) => self.news(node, crl),
            Event::Reconnect(node) => self.reconnect(node),
            Event::Poll(node) => self.poll(node),
            Event::Again(ask) => self.ask(ask),
            Event::Arrive(ask) => self.arrive(ask),
            Event::Answered(ask, answer) => return self.answered(ask, answer),
            Event::Write { node, crl, version, at, has_lease } => {
                if self.network.reaches_hub(node) {
                    self.write(node, crl, version, at, has_lease);
                }
            }
            Event::Decide(node) => return self.decide(node),
            Event::FaultBegins(number) => {
                if self.network.begin(number) == Fault::HubLoses {
                    self.lose_writes();
                }
            }
            Event::FaultEnds(number) => self.fault_ends(number),
            Event::Bound(crl, version) => return self.check_bound(crl, version),
        }
        Ok(())
    }

    fn fault_ends(&mut self, number: u16) {
        let fault = self.network.end(number);
        if self.network.is(fault) {
            return;
        }
        match fault {
            Fault::HubDead => {
                if self.setup.mode == Mode::Mirror {
                    (0..self.setup.crls).for_each(|crl| self.queue.after(0, Event::Look(crl)));
                }
                self.reconnect_all(|_| true);
            }
            Fault::GroupFromHub(group) => self.reconnect_all(|node| node % GROUPS == group),
            Fault::Restart(node) => self.start(node),
            _ => {}
        }
    }

    fn reconnect_all(&mut self, is_meant: impl Fn(u32) -> bool) {
        for node in (0..self.setup.nodes).filter(|node| is_meant(*node)) {
            let wait = self.random.u64(100..10_000);
            self.queue.after(wait, Event::Reconnect(node));
        }
    }

    /// Milliseconds after which each node has a new version, or a newer one, if nothing fails: the mirror looks every
    /// minute, and others when evidence is due. An answer of each hundred gets lost, and is asked for again.
    pub(super) fn bound(&self) -> u64 {
        let validity = u64::from(self.setup.validity_hours) * 3_600_000;
        let life = self.setup.max_age.map_or(validity, |age| validity.min(u64::from(age) * 1_000));
        match self.setup.mode {
            Mode::Mirror => 20 * 60_000,
            Mode::Every4h => 5 * 3_600_000,
            Mode::HttpCache => 6 * 3_600_000,
            Mode::Alone | Mode::Store => life + 3_600_000,
        }
    }

    /// All nodes must have this version, unless something failed meanwhile: then some time after that.
    fn check_bound(&mut self, crl: u16, version: u32) -> Result<(), Law> {
        let now = self.queue.now;
        if let Some(end) = self.network.last_fault(now - self.bound(), now) {
            self.queue.at(end + self.bound(), Event::Bound(crl, version));
            return Ok(());
        }
        let mut nodes = (0..self.setup.nodes).filter(|node| self.has_good_clock(*node));
        if nodes.all(|node| self.has(node, crl, version)) { Ok(()) } else { Err(Law::ReachesAll) }
    }
}
