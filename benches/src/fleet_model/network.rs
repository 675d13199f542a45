//! Messages between nodes, the site's hub (mirror, store or cache) and the origin, and what fails on the way.

use fastrand::Rng;

use super::setup::Setup;

/// The groups of nodes that are cut off together.
pub(super) const GROUPS: u32 = 4;
/// A message of a hundred gets lost while there are faults.
const LOSS: f64 = 0.01;
/// Bytes of an answer without a body, and of a message.
pub(super) const SMALL: u64 = 300;

/// What fails for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The origin does not answer.
    OriginDead,
    /// The origin answers with the version before.
    OriginOlder,
    /// The origin answers with a page of HTML.
    OriginJunk,
    /// The hub does not answer.
    HubDead,
    /// The hub does not reach the origin.
    HubCut,
    /// The store loses its last writes: a failover.
    HubLoses,
    /// A group of nodes does not reach the hub.
    GroupFromHub(u32),
    /// A group of nodes does not reach the origin.
    GroupFromOrigin(u32),
    /// A node is started again.
    Restart(u32),
}

/// A fault, from and until when in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) fault: Fault,
    pub(super) from: u64,
    pub(super) until: u64,
}

/// The faults of a run: about twelve a day, and as many restarts, none in the first hour.
pub(super) fn plan(setup: &Setup, random: &mut Rng) -> Vec<Window> {
    if !setup.has_faults {
        return Vec::new();
    }
    let mut windows = Vec::new();
    for _ in 0..setup.days * 12 {
        let group = random.u32(..GROUPS);
        let fault = match random.u32(..8) {
            0 => Fault::OriginDead,
            1 => Fault::OriginOlder,
            2 => Fault::OriginJunk,
            3 => Fault::HubDead,
            4 => Fault::HubCut,
            5 => Fault::HubLoses,
            6 => Fault::GroupFromHub(group),
            _ => Fault::GroupFromOrigin(group),
        };
        let from = random.u64(3_600_000..setup.end());
        windows.push(Window { fault, from, until: from + random.u64(60_000..5_400_000) });
        let from = random.u64(3_600_000..setup.end());
        let fault = Fault::Restart(random.u32(..setup.nodes));
        windows.push(Window { fault, from, until: from + random.u64(1_000..60_000) });
    }
    windows
}

/// What is wrong now.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) windows: Vec<Window>,
    active: Vec<Fault>,
    has_loss: bool,
    /// When the links of the origin and of the hub have sent what they have.
    free: [u64; 2],
}

/// A link whose bodies wait for each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Link {
    Origin,
    Hub,
}

impl Network {
    pub(super) fn new(setup: &Setup, random: &mut Rng) -> Self {
        let windows = plan(setup, random);
        Self { windows, active: Vec::new(), has_loss: setup.has_faults, free: [0; 2] }
    }

    pub(super) fn begin(&mut self, number: u16) -> Fault {
        let fault = self.windows[usize::from(number)].fault;
        self.active.push(fault);
        fault
    }

    pub(super) fn end(&mut self, number: u16) -> Fault {
        let fault = self.windows[usize::from(number)].fault;
        if let Some(at) = self.active.iter().position(|active| *active == fault) {
            self.active.swap_remove(at);
        }
        fault
    }

    pub(super) fn is(&self, fault: Fault) -> bool {
        self.active.contains(&fault)
    }

    /// Whether anything fails but single nodes.
    pub(super) fn is_split(&self) -> bool {
        self.active.iter().any(|fault| !matches!(fault, Fault::Restart(_)))
    }

    /// Whether nothing but the last restarts failed since this time, or when the last fault ends.
    pub(super) fn last_fault(&self, from: u64, now: u64) -> Option<u64> {
        let meets = self.windows.iter().filter(|window| window.from <= now && window.until > from);
        meets.map(|window| window.until).max()
    }

    pub(super) fn reaches_hub(&self, node: u32) -> bool {
        !self.is(Fault::HubDead) && !self.is(Fault::GroupFromHub(node % GROUPS))
    }

    pub(super) fn reaches_origin(&self, node: u32) -> bool {
        !self.is(Fault::OriginDead) && !self.is(Fault::GroupFromOrigin(node % GROUPS))
    }

    pub(super) fn hub_reaches_origin(&self) -> bool {
        !self.is(Fault::OriginDead) && !self.is(Fault::HubCut)
    }

    pub(super) fn loses(&self, random: &mut Rng) -> bool {
        self.has_loss && random.f64() < LOSS
    }

    /// Milliseconds for a body of this size: it waits for those before it. The origin sends 10 Gbit/s in all and at most
    /// 1 Gbit/s to one, a mirror the same, and a store 300 MiB/s in all.
    pub(super) fn transfer(&mut self, link: Link, bytes: u64, a_millisecond: u64, now: u64) -> u64 {
        let free = &mut self.free[link as usize];
        // Microseconds.
        let begin = (*free).max(now * 1_000);
        *free = begin + bytes * 1_000 / a_millisecond;
        (*free / 1_000).saturating_sub(now) + bytes / 125_000
    }
}
