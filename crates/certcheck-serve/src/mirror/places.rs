//! Sources that are asked for clients at once: in all, and on one host, so that a host that does not answer leaves places
//! for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most in all, and on one host.
const ALL: usize = 128;
const ON_HOST: usize = 16;

/// The hosts that are asked, and how often.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<String, usize>>);

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    host: String,
}

impl Places {
    /// A place for a request to this host, unless there are too many.
    pub(super) fn enter(self: &Arc<Self>, host: String) -> Option<Place> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let on_host = asked.get(&host).copied().unwrap_or_default();
        if on_host >= ON_HOST || asked.values().sum::<usize>() >= ALL {
            return None;
        }
        asked.insert(host.clone(), on_host + 1);
        Some(Place { places: Arc::clone(self), host })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut asked = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.get_mut(&self.host) {
            Some(number) if *number > 1 => *number -= 1,
            _ => drop(asked.remove(&self.host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_leaves_places_for_others() {
        let places = Arc::new(Places::default());
        let slow: Vec<_> = (0..20).filter_map(|_| places.enter("slow".into())).collect();
        assert_eq!(slow.len(), ON_HOST);
        let others: Vec<_> = (0..200).filter_map(|host| places.enter(format!("host-{host}"))).collect();
        assert_eq!(others.len(), ALL - ON_HOST);
        assert!(places.enter("another".into()).is_none());
        drop(slow);
        assert!(places.enter("slow".into()).is_some());
        drop(others);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
