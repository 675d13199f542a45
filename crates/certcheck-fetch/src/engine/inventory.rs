//! What an engine has at present, for pages that operators look at: the evidence in memory, and the hosts it came from.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use certcheck_core::revocation::{Answer, EvidenceKind};

use crate::cache::evidence::{CachedEvidence, Origin};
use crate::engine::Engine;
use crate::fetcher::HostState;
use crate::printable::printable;

/// A piece of evidence in memory. It counts for a certificate only if a check says so.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EvidenceState {
    /// A CRL, an OCSP response, or certificates of issuers.
    pub kind: EvidenceKind,
    /// Where it comes from.
    pub url: Arc<str>,
    /// The issuer of a CRL, safe to show.
    pub issuer: Option<String>,
    /// The entries of a CRL.
    pub entries: Option<usize>,
    /// Its thisUpdate.
    pub this_update: Option<Time>,
    /// Its nextUpdate.
    pub next_update: Option<Time>,
    /// When it was fetched.
    pub fetched_at: Time,
    /// Where this process got it from.
    pub origin: Origin,
    /// Its size in bytes.
    pub bytes: usize,
}

/// A host that sources are on, and how it answers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HostHealth {
    /// Its name and port.
    pub host: String,
    /// When it was asked last.
    pub asked_at: Time,
    /// How long the last exchange took.
    pub took: Duration,
    /// Why the last exchange brought nothing that can be used, safe to show.
    pub failure: Option<String>,
    /// Requests in a row that it did not answer.
    pub failures: u32,
    /// How long it is not asked, because it has not answered for too many times.
    pub pause: Option<Duration>,
}

impl Engine {
    /// The evidence in memory, by URL. At most `max` pieces: there is one OCSP response for each client.
    #[must_use]
    pub fn evidence(&self, max: usize) -> Vec<EvidenceState> {
        let slots = self.shared.fetcher.memory.all();
        let cached = slots.iter().filter_map(|slot| slot.get());
        let mut states: Vec<EvidenceState> = cached.map(|cached| EvidenceState::of(&cached)).collect();
        // CRLs first: they are about many clients.
        let place =
            |state: &EvidenceState| (state.kind.code(), Arc::clone(&state.url), state.fetched_at.unix());
        states.sort_by_cached_key(place);
        states.truncate(max);
        states
    }

    /// The hosts that were asked, by name.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostHealth> {
        let health = |HostState { name, last, failures, pause }| HostHealth {
            host: name,
            asked_at: last.at,
            took: last.took,
            failure: last.failure.map(|failure| printable(failure).to_string()),
            failures,
            pause,
        };
        self.shared.fetcher.hosts().into_iter().map(health).collect()
    }
}

impl EvidenceState {
    fn of(cached: &CachedEvidence) -> Self {
        let request = cached.request();
        let (issuer, entries) = match cached.answer() {
            Answer::Crl(crl) => (Some(printable(crl.issuer()).to_string()), Some(crl.len())),
            _ => (None, None),
        };
        let (this_update, next_update) = cached.times();
        Self {
            kind: request.kind(),
            url: Arc::clone(request.url()),
            issuer,
            entries,
            this_update,
            next_update,
            fetched_at: cached.fetched_at(),
            origin: cached.origin(),
            bytes: cached.bytes(),
        }
    }
}
