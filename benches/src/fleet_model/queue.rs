//! Virtual time: what happens next, and a trace of what has happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::evidence::Answer;

/// The events that are kept for a report.
const KEPT: usize = 40;

/// Why a node asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Why {
    /// What it has ends soon, or HTTP says that there may be something newer.
    Due,
    /// It was told that there is something newer.
    News,
    /// A client waits for the decision. Number of the first certificate that the CRL does not revoke.
    Client(u32),
}

/// Where a node asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Hub,
    Origin,
}

/// A question of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) node: u32,
    pub(super) crl: u16,
    pub(super) why: Why,
    pub(super) place: Place,
    /// Questions about the same before it.
    pub(super) tries: u8,
    /// Whether the node has the lease.
    pub(super) has_lease: bool,
    /// Whether a message or the other side failed.
    pub(super) was_hurt: bool,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The issuer has a new version; whether it is a regular one.
    Publish(u16, bool),
    /// The mirror looks at a source.
    Look(u16),
    /// The mirror gets an answer.
    Looked(u16, Answer),
    /// The evidence of a node may be due.
    Due(u32, u16),
    /// News reach a node.
    News(u32, u16),
    /// A node listens again.
    Reconnect(u32),
    /// A node reads the heads of its entries.
    Poll(u32),
    /// A question begins, again.
    Again(Ask),
    /// A question arrives.
    Arrive(Ask),
    /// An answer arrives.
    Answered(Ask, Answer),
    /// A node writes to the store; whether it gives back a lease.
    Write {
        node: u32,
        crl: u16,
        version: u32,
        at: i64,
        has_lease: bool,
    },
    /// A client comes.
    Decide(u32),
    FaultBegins(u16),
    FaultEnds(u16),
    /// All nodes must have this version.
    Bound(u16, u32),
}

#[derive(Debug)]
struct Entry {
    at: u64,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What is to happen, in the order of virtual time.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: BinaryHeap<Reverse<Entry>>,
    number: u64,
    /// Milliseconds since the beginning.
    pub(super) now: u64,
    /// A digest of all events so far.
    pub(super) digest: u64,
    last: VecDeque<(u64, Event)>,
}

impl Queue {
    /// Adds an event so many milliseconds from now.
    pub(super) fn after(&mut self, wait: u64, event: Event) {
        self.at(self.now.saturating_add(wait), event);
    }

    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.entries.push(Reverse(Entry { at: at.max(self.now), number: self.number, event }));
    }

    /// The next event, if it is before this time.
    pub(super) fn next(&mut self, end: u64) -> Option<Event> {
        let Reverse(Entry { at, number, event }) =
            self.entries.pop().filter(|Reverse(entry)| entry.at < end)?;
        self.now = at;
        // Each event has a number of its own: the same numbers at the same times are the same run.
        for part in [at, number] {
            self.digest = (self.digest ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((at, event));
        Some(event)
    }

    /// The last events, one a line.
    pub(super) fn last(&self) -> Vec<String> {
        self.last.iter().map(|(at, event)| format!("{at} ms: {event:?}")).collect()
    }
}
