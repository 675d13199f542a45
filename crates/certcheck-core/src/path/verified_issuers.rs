//! Signatures on CA certificates that have been verified before, so that a new client of a known issuer
//! costs one signature.
//!
//! What is kept is a fact that does not age: this certificate's signature verifies with that key. Time,
//! policy, constraints, strength of keys and hashes are checked again each time. Only certificates of
//! accepted paths enter, so that what a client makes up takes no place.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::RwLock;

/// CA certificates that are kept. A full table is emptied: refilling it costs a signature for each.
const CAPACITY: usize = 4_096;

#[derive(Debug)]
struct Fact {
    certificate: Box<[u8]>,
    issuer_key: Box<[u8]>,
}

/// A bounded table of verified signatures on CA certificates. Shared by reference between checks and threads.
#[derive(Debug, Default)]
pub struct VerifiedIssuers {
    /// Keyed so that nobody outside can make entries collide.
    hasher: RandomState,
    facts: RwLock<HashMap<u64, Fact>>,
}

impl VerifiedIssuers {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The signature is what differs most between certificates; all bytes are compared after.
    fn key(&self, signature: &[u8]) -> u64 {
        self.hasher.hash_one(signature)
    }

    pub(crate) fn has(&self, certificate: &[u8], signature: &[u8], issuer_key: &[u8]) -> bool {
        let Ok(facts) = self.facts.read() else { return false };
        facts
            .get(&self.key(signature))
            .is_some_and(|known| *known.certificate == *certificate && *known.issuer_key == *issuer_key)
    }

    pub(crate) fn add(&self, certificate: &[u8], signature: &[u8], issuer_key: &[u8]) {
        if self.has(certificate, signature, issuer_key) {
            return;
        }
        let Ok(mut facts) = self.facts.write() else { return };
        if facts.len() >= CAPACITY {
            facts.clear();
        }
        facts.insert(
            self.key(signature),
            Fact { certificate: certificate.into(), issuer_key: issuer_key.into() },
        );
    }
}
