//! The limits of connections: in all, and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Gauge, gauge};
use tokio::sync::watch;

use crate::listener::Peer;
use crate::metrics as names;

/// The connections of a listener.
pub(crate) struct Connections {
    counts: Mutex<Counts>,
    number: watch::Sender<usize>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The limit that a connection or a request would go beyond.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Limit {
    Connections,
    PerAddress,
    /// Bytes of requests to a validation listener.
    RequestBytes,
    RequestBytesPerPeer,
}

impl Limit {
    /// Its code, for logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Connections => "max-connections",
            Self::PerAddress => "max-connections-per-address",
            Self::RequestBytes => "max-request-bytes",
            Self::RequestBytesPerPeer => "max-request-bytes-per-peer",
        }
    }
}

/// A connection that counts until it is dropped.
pub(crate) struct Counted {
    connections: Arc<Connections>,
    address: Option<IpAddr>,
}

impl Connections {
    pub(crate) fn new(listener: &str) -> Arc<Self> {
        Self::counted_by(gauge!(names::CONNECTIONS, "listener" => listener.to_owned()))
    }

    /// Whatever this gauge counts.
    pub(crate) fn counted_by(gauge: Gauge) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), number: watch::Sender::new(0), gauge })
    }

    /// Counts a connection, unless there are too many.
    pub(crate) fn enter(self: &Arc<Self>, max: usize) -> Result<Counted, Limit> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= max {
            return Err(Limit::Connections);
        }
        counts.all += 1;
        self.gauge.increment(1.0);
        self.number.send_replace(counts.all);
        Ok(Counted { connections: Arc::clone(self), address: None })
    }

    /// The number of connections.
    pub(crate) fn number(&self) -> usize {
        *self.number.borrow()
    }

    /// Waits until there is none.
    pub(crate) async fn none_left(&self) {
        // The sender is ours, so it is not gone.
        let mut number = self.number.subscribe();
        let _none = number.wait_for(|number| *number == 0).await;
    }
}

impl Counted {
    /// Counts the connection as one from this address, unless there are too many.
    pub(crate) fn of_address(&mut self, address: IpAddr, max: usize) -> Result<(), Limit> {
        let address = counted_as(address);
        let mut counts = self.connections.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let number = counts.by_address.entry(address).or_default();
        if *number >= max {
            return Err(Limit::PerAddress);
        }
        *number += 1;
        self.address = Some(address);
        Ok(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.connections.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        self.connections.gauge.decrement(1.0);
        if let Some(address) = self.address
            && let Some(number) = counts.by_address.get_mut(&address)
        {
            *number = number.saturating_sub(1);
            if *number == 0 {
                counts.by_address.remove(&address);
            }
        }
        self.connections.number.send_replace(counts.all);
    }
}

/// The address that a peer counts under. All Unix sockets are one peer.
pub(crate) fn address_of(peer: Peer) -> IpAddr {
    peer.address().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| counted_as(address.ip()))
}

/// What counts as one address: of IPv6 the first 64 bits, because a host has all addresses below them.
pub(crate) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_count_until_they_end() {
        let connections = Connections::new("test");
        let address = |text: &str| text.parse().expect("an address");
        let mut one = connections.enter(3).expect("the first");
        let mut two = connections.enter(3).expect("the second");
        let mut three = connections.enter(3).expect("the third");
        assert_eq!(connections.enter(3).err(), Some(Limit::Connections));
        assert_eq!(one.of_address(address("2001:db8::1"), 1), Ok(()));
        assert_eq!(two.of_address(address("2001:db8::2"), 1), Err(Limit::PerAddress));
        assert_eq!(two.of_address(address("2001:db8:0:1::2"), 1), Ok(()));
        assert_eq!(three.of_address(address("::ffff:192.0.2.1"), 1), Ok(()));
        let mut next = {
            drop(three);
            connections.enter(3).expect("room again")
        };
        assert_eq!(next.of_address(address("192.0.2.1"), 1), Ok(()));
        drop((one, two, next));
        connections.none_left().await;
        assert!(connections.counts.lock().expect("no panic").by_address.is_empty());
    }
}
