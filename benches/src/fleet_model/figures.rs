//! What a run has cost, and how soon new versions were everywhere.

use std::collections::VecDeque;

/// Bytes and versions of the first hour are not counted: nodes start, and each gets everything once.
pub(super) const WARM: u64 = 3_600_000;

/// Decisions by kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Decisions {
    /// Good.
    pub good: u64,
    /// Good by evidence that has not ended, although the issuer has revoked meanwhile.
    pub late: u64,
    /// Revoked.
    pub revoked: u64,
    /// Not decided: refused.
    pub unknown: u64,
}

/// Milliseconds, in the middle and at the end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Spread {
    /// Half are at most this.
    pub median: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// All are at most this.
    pub max: u64,
}

/// The figures of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// Bytes that the origin sent a day.
    pub origin_bytes: u64,
    /// Bytes that were sent within the site a day.
    pub inside_bytes: u64,
    /// From publication to the last node.
    pub to_last: Spread,
    /// From the first node to the last one.
    pub first_to_last: Spread,
    /// Versions after the first hour that all nodes had, or newer ones, at the end.
    pub complete: usize,
    /// Versions that were published after the first hour.
    pub published: usize,
    /// Decisions while nothing failed.
    pub whole: Decisions,
    /// Decisions while something failed.
    pub split: Decisions,
    /// A digest of all events.
    pub digest: u64,
}

/// A version on its way to all nodes.
#[derive(Clone, Copy, Debug)]
struct Spreading {
    published: u64,
    first: u64,
    nodes: u32,
}

/// Counts while a run goes on.
#[derive(Debug)]
pub(super) struct Counts {
    nodes: u32,
    /// For each CRL the version of the first one that has not reached all nodes, and it and those after it.
    spreading: Vec<(u32, VecDeque<Spreading>)>,
    to_last: Vec<u64>,
    first_to_last: Vec<u64>,
    published: usize,
    origin: u64,
    inside: u64,
    pub(super) whole: Decisions,
    pub(super) split: Decisions,
}

impl Counts {
    pub(super) fn new(nodes: u32, crls: u16) -> Self {
        Self {
            nodes,
            spreading: vec![(2, VecDeque::new()); usize::from(crls)],
            to_last: Vec::new(),
            first_to_last: Vec::new(),
            published: 0,
            origin: 0,
            inside: 0,
            whole: Decisions::default(),
            split: Decisions::default(),
        }
    }

    pub(super) fn origin_sent(&mut self, bytes: u64, now: u64) {
        self.origin += if now < WARM { 0 } else { bytes };
    }

    pub(super) fn inside_sent(&mut self, bytes: u64, now: u64) {
        self.inside += if now < WARM { 0 } else { bytes };
    }

    pub(super) fn published(&mut self, crl: u16, now: u64) {
        self.published += usize::from(now >= WARM);
        let (_, spreading) = &mut self.spreading[usize::from(crl)];
        spreading.push_back(Spreading { published: now, first: now, nodes: 0 });
    }

    /// A node has this version, and had that one before.
    pub(super) fn adopted(&mut self, crl: u16, before: u32, version: u32, now: u64) {
        let (begin, spreading) = &mut self.spreading[usize::from(crl)];
        for number in before.saturating_add(1).max(*begin)..=version {
            let Some(one) = spreading.get_mut((number - *begin) as usize) else { break };
            if one.nodes == 0 {
                one.first = now;
            }
            one.nodes += 1;
        }
        while spreading.front().is_some_and(|one| one.nodes >= self.nodes) {
            if let Some(one) = spreading.pop_front() {
                *begin += 1;
                if one.published >= WARM {
                    self.to_last.push(now - one.published);
                    self.first_to_last.push(now - one.first);
                }
            }
        }
    }

    pub(super) fn finish(mut self, end: u64, digest: u64) -> Figures {
        let a_day = |bytes: u64| (bytes as f64 / (end - WARM) as f64 * 86_400_000.0) as u64;
        Figures {
            origin_bytes: a_day(self.origin),
            inside_bytes: a_day(self.inside),
            complete: self.to_last.len(),
            published: self.published,
            to_last: spread(&mut self.to_last),
            first_to_last: spread(&mut self.first_to_last),
            whole: self.whole,
            split: self.split,
            digest,
        }
    }
}

fn spread(times: &mut [u64]) -> Spread {
    times.sort_unstable();
    let at = |part: f64| {
        let rank = (times.len() as f64 * part).ceil() as usize;
        times.get(rank.max(1) - 1).copied().unwrap_or_default()
    };
    Spread { median: at(0.5), p99: at(0.99), max: at(1.0) }
}
