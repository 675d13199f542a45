//! The bytes of requests that are held: those that have come in, and are not answered yet. They are limited in all and
//! for each peer, so that no peer takes the room of the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Gauge, gauge};

use crate::admission::{Limit, address_of};
use crate::config::ValidationLimits;
use crate::listener::Peer;
use crate::metrics as names;

/// The bytes of requests that a validation listener holds.
pub(super) struct RequestBytes {
    counts: Mutex<Counts>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The limit that further bytes would go beyond.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full {
    pub(super) limit: Limit,
    pub(super) max: usize,
}

/// Bytes that one connection or call of a peer holds, until they are released or this is dropped.
pub(super) struct HeldBytes {
    all: Arc<RequestBytes>,
    address: IpAddr,
    bytes: usize,
}

impl RequestBytes {
    pub(super) fn new(listener: &str) -> Arc<Self> {
        let gauge = gauge!(names::VALIDATION_REQUEST_BYTES, "listener" => listener.to_owned());
        Arc::new(Self { counts: Mutex::default(), gauge })
    }

    /// What a connection or call of this peer holds: nothing yet.
    pub(super) fn of(self: &Arc<Self>, peer: Peer) -> HeldBytes {
        HeldBytes { all: Arc::clone(self), address: address_of(peer), bytes: 0 }
    }

    /// What all of them hold.
    pub(super) fn number(&self) -> usize {
        self.counts().all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBytes {
    /// Counts further bytes, unless there are too many.
    pub(super) fn add(&mut self, bytes: usize, limits: &ValidationLimits) -> Result<(), Full> {
        let mut counts = self.all.counts();
        let of_peer = counts.by_address.get(&self.address).copied().unwrap_or_default();
        let is_beyond = |held: usize, max| held.saturating_add(bytes) > max;
        if is_beyond(counts.all, limits.max_request_bytes) {
            return Err(Full { limit: Limit::RequestBytes, max: limits.max_request_bytes });
        }
        if is_beyond(of_peer, limits.max_request_bytes_per_peer) {
            return Err(Full { limit: Limit::RequestBytesPerPeer, max: limits.max_request_bytes_per_peer });
        }
        counts.all += bytes;
        counts.by_address.insert(self.address, of_peer + bytes);
        self.all.show(&counts);
        drop(counts);
        self.bytes += bytes;
        Ok(())
    }

    /// Counts nothing any more.
    pub(super) fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes == 0 {
            return;
        }
        let mut counts = self.all.counts();
        counts.all = counts.all.saturating_sub(bytes);
        if let Some(of_peer) = counts.by_address.get_mut(&self.address) {
            *of_peer = of_peer.saturating_sub(bytes);
            if *of_peer == 0 {
                counts.by_address.remove(&self.address);
            }
        }
        self.all.show(&counts);
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.release();
    }
}

impl RequestBytes {
    fn show(&self, counts: &Counts) {
        #[expect(clippy::cast_precision_loss, reason = "it is shown")]
        self.gauge.set(counts.all as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_leaves_room_for_the_others_and_bytes_count_until_they_are_released() {
        let limits = ValidationLimits {
            max_request_bytes: 1_000,
            max_request_bytes_per_peer: 600,
            ..ValidationLimits::default()
        };
        let bytes = RequestBytes::new("test");
        let peer = |text: &str| Peer::Tcp(text.parse().expect("an address"));
        let (mut one, mut same) = (bytes.of(peer("192.0.2.1:1")), bytes.of(peer("192.0.2.1:2")));
        let (mut other, mut unix) = (bytes.of(peer("192.0.2.2:1")), bytes.of(Peer::Unix));
        let of_peer = Err(Full { limit: Limit::RequestBytesPerPeer, max: 600 });
        let of_all = Err(Full { limit: Limit::RequestBytes, max: 1_000 });
        assert_eq!(one.add(500, &limits), Ok(()));
        assert_eq!(same.add(101, &limits), of_peer);
        assert_eq!(same.add(100, &limits), Ok(()));
        assert_eq!(one.add(1, &limits), of_peer);
        assert_eq!(other.add(300, &limits), Ok(()));
        assert_eq!(unix.add(101, &limits), of_all);
        assert_eq!(unix.add(usize::MAX, &limits), of_all);
        assert_eq!(unix.add(100, &limits), Ok(()));
        assert_eq!(bytes.number(), 1_000);
        one.release();
        one.release();
        assert_eq!(other.add(300, &limits), Ok(()));
        drop((one, same, other, unix));
        assert_eq!(bytes.number(), 0);
        assert!(bytes.counts().by_address.is_empty());
    }
}
