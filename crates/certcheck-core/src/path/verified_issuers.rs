//! Verified signatures on CA certificates, so that a new client of a known issuer costs one signature.
//!
//! An entry is a fact that does not change: the signature of this certificate verifies with that key. Time, policy,
//! constraints, and the strength of keys and hashes are checked again each time. Only certificates of accepted paths
//! are added, so that clients cannot fill the table with made-up certificates.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::RwLock;

/// The most CA certificates. A full table is emptied, which costs one signature for each to refill.
const CAPACITY: usize = 4_096;

#[derive(Debug)]
struct Fact {
    certificate: Box<[u8]>,
    issuer_key: Box<[u8]>,
}

/// A bounded table of verified signatures on CA certificates, shared by reference between checks and threads.
#[derive(Debug, Default)]
pub struct VerifiedIssuers {
    /// Keyed at random, so that nobody can make entries collide on purpose.
    hasher: RandomState,
    facts: RwLock<HashMap<u64, Fact>>,
}

impl VerifiedIssuers {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A hash of the signature, the part in which certificates differ most. All bytes are compared afterwards.
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
