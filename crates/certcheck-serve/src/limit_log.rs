//! The log of connections that are closed because of a limit: at most one line a second for each address, with how many
//! there were. Anyone can make as many as they like.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;

use crate::admission::{Limit, counted_as};
use crate::events::{self, About};
use crate::metrics as names;

/// The time between two lines about an address.
const PAUSE: Duration = Duration::from_secs(1);
/// Addresses that have lines of their own. All others share one.
const ADDRESSES: usize = 256;

/// What a line is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Key {
    /// `None` for all addresses without a line of their own.
    address: Option<IpAddr>,
    limit: Limit,
}

/// A line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Line {
    /// The last of the clients.
    peer: Option<SocketAddr>,
    limit: Limit,
    max: usize,
    /// Connections since the line before.
    count: u64,
}

/// What was not logged yet about an address.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    line: Line,
}

/// Connections by address.
#[derive(Debug, Default)]
struct Windows(HashMap<Key, Window>);

impl Windows {
    /// Counts a connection. The first of an address is logged at once.
    fn note(&mut self, peer: Option<SocketAddr>, limit: Limit, max: usize, now: Instant) -> Option<Line> {
        let mut key = Key { address: peer.map(|peer| counted_as(peer.ip())), limit };
        if self.0.len() >= ADDRESSES && !self.0.contains_key(&key) {
            key.address = None;
        }
        if let Some(window) = self.0.get_mut(&key) {
            let count = window.line.count.saturating_add(1);
            window.line = Line { peer, limit, max, count };
            return None;
        }
        let line = Line { peer, limit, max, count: 0 };
        self.0.insert(key, Window { since: now, line });
        Some(Line { count: 1, ..line })
    }

    /// The lines whose second is over. An address without a connection in its second is forgotten.
    fn due(&mut self, now: Instant) -> Vec<Line> {
        let mut due = Vec::new();
        self.0.retain(|_, window| {
            if now.saturating_duration_since(window.since) < PAUSE {
                return true;
            }
            let line = window.line;
            *window = Window { since: now, line: Line { count: 0, ..line } };
            due.extend((line.count > 0).then_some(line));
            line.count > 0
        });
        due
    }
}

/// The log of one listener.
#[derive(Debug)]
pub(crate) struct LimitLog {
    listener: Arc<str>,
    windows: Mutex<Windows>,
}

impl LimitLog {
    pub(crate) fn new(listener: &str) -> Arc<Self> {
        Arc::new(Self { listener: listener.into(), windows: Mutex::default() })
    }

    /// Reports a connection that is closed because of a limit.
    pub(crate) fn limited(self: &Arc<Self>, peer: Option<SocketAddr>, limit: Limit, max: usize) {
        counter!(names::LIMITED, "listener" => Arc::clone(&self.listener), "reason" => limit.code())
            .increment(1);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = windows.0.is_empty();
        let line = windows.note(peer, limit, max, Instant::now());
        drop(windows);
        line.into_iter().for_each(|line| self.log(line));
        if is_idle {
            tokio::spawn(Arc::clone(self).write());
        }
    }

    /// Writes the lines that are due, until there is nothing left to write.
    async fn write(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let (due, is_idle) = {
                let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
                (windows.due(Instant::now()), windows.0.is_empty())
            };
            due.into_iter().for_each(|line| self.log(line));
            if is_idle {
                return;
            }
        }
    }

    fn log(&self, Line { peer, limit, max, count }: Line) {
        events::connections_limited(About { listener: &self.listener, peer }, limit.code(), max, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_line_a_second() {
        let mut windows = Windows::default();
        let begun = Instant::now();
        let at = |milliseconds: u64| begun + Duration::from_millis(milliseconds);
        let peer = |text: &str| Some(text.parse::<SocketAddr>().expect("an address"));
        let (one, other) = (peer("192.0.2.1:1"), peer("[2001:db8::1]:1"));
        let limit = Limit::PerAddress;
        let line = |peer, count| Line { peer, limit, max: 3, count };
        assert_eq!(windows.note(one, limit, 3, at(0)), Some(line(one, 1)));
        assert_eq!(windows.note(other, limit, 3, at(10)), Some(line(other, 1)));
        for port in 2..=1_000 {
            let same = Some(SocketAddr::new(one.expect("there").ip(), port));
            assert_eq!(windows.note(same, limit, 3, at(20)), None);
        }
        // An IPv6 host has all addresses of its network.
        assert_eq!(windows.note(peer("[2001:db8::2]:7"), limit, 3, at(30)), None);
        assert_eq!(windows.due(at(999)), []);
        assert_eq!(windows.due(at(1_000)), [line(peer("192.0.2.1:1000"), 999)]);
        assert_eq!(windows.due(at(1_010)), [line(peer("[2001:db8::2]:7"), 1)]);
        // Another limit has lines of its own.
        assert!(windows.note(one, Limit::Connections, 9, at(1_020)).is_some());
        assert_eq!(windows.note(one, limit, 3, at(1_030)), None);
        assert_eq!(windows.due(at(2_000)), [line(one, 1)]);
        // Quiet addresses are forgotten.
        assert_eq!(windows.due(at(4_000)), []);
        assert_eq!(windows.0.len(), 0);
    }

    #[test]
    fn many_addresses_share_a_line() {
        let mut windows = Windows::default();
        let now = Instant::now();
        let note = |windows: &mut Windows, number: u32| {
            let peer = SocketAddr::new(IpAddr::V4(number.into()), 1);
            windows.note(Some(peer), Limit::PerAddress, 1, now)
        };
        let lines = (0..100_000).filter_map(|number| note(&mut windows, number)).count();
        assert_eq!(lines, ADDRESSES + 1);
        let due = windows.due(now + PAUSE);
        assert_eq!(due.iter().map(|line| line.count).sum::<u64>(), 100_000 - lines as u64);
        assert_eq!(due.len(), 1);
    }
}
