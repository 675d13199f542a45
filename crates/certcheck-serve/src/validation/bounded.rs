//! Chains by a hash, bounded in bytes and fair between peers.
//!
//! What is used again stays. Where there is no room, the peer that has the most loses what was not used for the longest time:
//! one that brings many cannot displace what others have brought.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use certcheck_rustls::pki_types::CertificateDer;

/// What an entry takes in addition to its certificates, in bytes.
const OVERHEAD: usize = 256;

pub(super) type Digest = [u8; 32];
pub(super) type Chain = Arc<[CertificateDer<'static>]>;

/// Chains by a hash.
#[derive(Debug, Default)]
pub(super) struct Bounded {
    entries: HashMap<Digest, Entry>,
    shares: HashMap<IpAddr, Share>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    used: u64,
    /// The peer that brought it last.
    peer: IpAddr,
    chain: Chain,
}

/// What a peer has brought.
#[derive(Debug, Default)]
struct Share {
    by_use: BTreeMap<u64, Digest>,
    bytes: usize,
}

impl Bounded {
    /// A chain, which is thereby used.
    pub(super) fn get(&mut self, key: &Digest) -> Option<Chain> {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        let share = self.shares.get_mut(&entry.peer)?;
        share.by_use.remove(&entry.used);
        entry.used = self.uses;
        share.by_use.insert(self.uses, *key);
        Some(Arc::clone(&entry.chain))
    }

    /// Whether it is there, and the peer that brought it: this order is from the longest unused one on.
    pub(super) fn last_use(&self, key: &Digest) -> Option<(u64, IpAddr)> {
        self.entries.get(key).map(|entry| (entry.used, entry.peer))
    }

    pub(super) fn put(&mut self, key: Digest, chain: Chain, peer: IpAddr) {
        let _before = self.remove(&key);
        self.uses += 1;
        let bytes = bytes_of(&chain);
        self.bytes += bytes;
        let share = self.shares.entry(peer).or_default();
        share.bytes += bytes;
        share.by_use.insert(self.uses, key);
        self.entries.insert(key, Entry { used: self.uses, peer, chain });
    }

    pub(super) fn remove(&mut self, key: &Digest) -> Option<Chain> {
        let Entry { used, peer, chain } = self.entries.remove(key)?;
        let bytes = bytes_of(&chain);
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(share) = self.shares.get_mut(&peer) {
            share.bytes = share.bytes.saturating_sub(bytes);
            share.by_use.remove(&used);
            if share.by_use.is_empty() {
                self.shares.remove(&peer);
            }
        }
        Some(chain)
    }

    /// Keeps to a limit, which may be another one since a reload. What is given up, one by one: of the peer with the most, and
    /// of several of them rather of this one.
    pub(super) fn shrink(&mut self, max: usize, rather: IpAddr) -> Option<Chain> {
        if self.bytes <= max {
            return None;
        }
        let (_, largest) = self.shares.iter().max_by_key(|(peer, share)| (share.bytes, **peer == rather))?;
        let (_, key) = largest.by_use.first_key_value()?;
        let key = *key;
        self.remove(&key)
    }
}

fn bytes_of(chain: &Chain) -> usize {
    OVERHEAD + chain.iter().map(|der| der.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(fill: u8) -> Chain {
        vec![CertificateDer::from(vec![fill; 1_000])].into()
    }

    fn peer(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    fn put(bounded: &mut Bounded, key: u8, of: u8, max: usize) {
        bounded.put([key; 32], chain(key), peer(of));
        while bounded.shrink(max, peer(of)).is_some() {}
    }

    fn has(bounded: &mut Bounded, keys: &[u8]) -> Vec<bool> {
        keys.iter().map(|key| bounded.last_use(&[*key; 32]).is_some()).collect()
    }

    #[test]
    fn the_one_not_used_for_longest_goes_first() {
        let mut bounded = Bounded::default();
        let max = 3 * bytes_of(&chain(0));
        for key in 0..3 {
            put(&mut bounded, key, 1, max);
        }
        assert_eq!(bounded.get(&[0; 32]), Some(chain(0)));
        put(&mut bounded, 3, 1, max);
        assert_eq!(has(&mut bounded, &[0, 1, 2, 3]), [true, false, true, true]);
        bounded.put([3; 32], chain(4), peer(1));
        assert_eq!(
            (bounded.bytes, bounded.entries.len(), bounded.shares[&peer(1)].by_use.len()),
            (max, 3, 3)
        );
        while bounded.shrink(0, peer(1)).is_some() {}
        assert_eq!((bounded.bytes, bounded.entries.len(), bounded.shares.len()), (0, 0, 0));
    }

    #[test]
    fn a_peer_that_brings_many_displaces_its_own() {
        let mut bounded = Bounded::default();
        let max = 4 * bytes_of(&chain(0));
        put(&mut bounded, 0, 1, max);
        put(&mut bounded, 1, 1, max);
        for key in 2..100 {
            put(&mut bounded, key, 2, max);
        }
        assert_eq!(has(&mut bounded, &[0, 1, 97, 98, 99]), [true, true, false, true, true]);
        // What another peer brings too is its own from then on.
        put(&mut bounded, 0, 3, max);
        assert_eq!(bounded.shares[&peer(3)].bytes, bytes_of(&chain(0)));
        assert_eq!(bounded.shares[&peer(1)].bytes, bytes_of(&chain(0)));
        put(&mut bounded, 100, 3, max);
        assert_eq!(has(&mut bounded, &[0, 1, 98, 99, 100]), [false, true, true, true, true]);
    }
}
