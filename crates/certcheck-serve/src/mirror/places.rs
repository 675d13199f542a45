//! Sources that are asked for clients at once: in all, on one host, and for one client, so that a host that does not answer
//! and a client that asks for much leave places for others.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The most in all, and on one host.
const ALL: usize = 128;
const ON_HOST: usize = 16;
/// The most for one client, of these.
const OF_CLIENT: usize = ALL / 2;
const OF_CLIENT_ON_HOST: usize = ON_HOST / 2;

/// The hosts that are asked, and the clients that they are asked for.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    hosts: HashMap<String, usize>,
    clients: HashMap<IpAddr, usize>,
    pairs: HashMap<(IpAddr, String), usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    host: String,
    client: IpAddr,
}

impl Places {
    /// A place for a request to this host on behalf of this client, unless there are too many.
    pub(super) fn enter(self: &Arc<Self>, host: String, client: IpAddr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (client, host.clone());
        if taken.all >= ALL
            || of(&taken.hosts, &host) >= ON_HOST
            || of(&taken.clients, &client) >= OF_CLIENT
            || of(&taken.pairs, &pair) >= OF_CLIENT_ON_HOST
        {
            return None;
        }
        taken.all += 1;
        *taken.hosts.entry(host.clone()).or_default() += 1;
        *taken.clients.entry(client).or_default() += 1;
        *taken.pairs.entry(pair).or_default() += 1;
        Some(Place { places: Arc::clone(self), host, client })
    }
}

fn of<K: Eq + Hash>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    match counts.get_mut(key) {
        Some(number) if *number > 1 => *number -= 1,
        _ => drop(counts.remove(key)),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        give_back(&mut taken.hosts, &self.host);
        give_back(&mut taken.clients, &self.client);
        give_back(&mut taken.pairs, &(self.client, self.host.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_client_leave_places_for_others() {
        let places = Arc::new(Places::default());
        let client = |number: u8| IpAddr::from([192, 0, 2, number]);
        let take = |number: usize, of: &dyn Fn(usize) -> (String, IpAddr)| -> Vec<Place> {
            let taken = (0..number).map(of).filter_map(|(host, client)| places.enter(host, client));
            taken.collect()
        };
        // One client on one host, then others there.
        let slow = take(20, &|_| ("slow".into(), client(1)));
        assert_eq!(slow.len(), OF_CLIENT_ON_HOST);
        let more = take(20, &|number| ("slow".into(), client(u8::try_from(number).expect("small") + 2)));
        assert_eq!(more.len(), ON_HOST - OF_CLIENT_ON_HOST);
        // The same client on other hosts, then others there.
        let others = take(200, &|number| (format!("host-{number}"), client(1)));
        assert_eq!(others.len(), OF_CLIENT - OF_CLIENT_ON_HOST);
        let rest = take(200, &|number| {
            (format!("host-{number}"), client(u8::try_from(number % 50).expect("small") + 2))
        });
        assert_eq!(slow.len() + more.len() + others.len() + rest.len(), ALL);
        assert!(places.enter("another".into(), client(99)).is_none());
        drop((slow, more));
        assert!(places.enter("slow".into(), client(99)).is_some());
        drop((others, rest));
        let taken = places.0.lock().expect("no panic");
        assert_eq!((taken.all, taken.hosts.len(), taken.clients.len(), taken.pairs.len()), (0, 0, 0, 0));
    }
}
