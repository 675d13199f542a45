//! Evidence in the cache: its content, origin and size, and when to ask for it again.

use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::revocation::{Answer, EvidenceKind, EvidenceRequest};

use crate::refresh;
use crate::transport::answer::Transport;
use crate::transport::spool::Body;

/// The origin of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// The memory of this process.
    Memory,
    /// The disk store.
    Disk,
    /// A store shared with other processes.
    Shared,
    /// A mirror of the site.
    Mirror,
    /// The network.
    Network,
}

impl Origin {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Shared => "shared",
            Self::Mirror => "mirror",
            Self::Network => "network",
        }
    }
}

/// Evidence and its origin. It is not trusted for being in the cache: see [`EvidenceKey`](crate::EvidenceKey).
#[derive(Debug)]
pub struct CachedEvidence {
    pub(crate) request: EvidenceRequest,
    pub(crate) answer: Answer,
    /// The bytes as they are kept: the DER of a CRL, or certificates one after the other.
    pub(crate) body: Body,
    pub(crate) transport: Transport,
    pub(crate) fetched_at: Time,
    pub(crate) origin: Origin,
}

impl CachedEvidence {
    /// The request that it answers.
    #[must_use]
    pub const fn request(&self) -> &EvidenceRequest {
        &self.request
    }

    /// The evidence.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Where this process got it from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// When it was fetched.
    #[must_use]
    pub const fn fetched_at(&self) -> Time {
        self.fetched_at
    }

    /// The bytes as they are kept: the DER of a CRL or a response, or certificates one after the other.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// What the transport said about them.
    #[must_use]
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// What is said to this kind of place about the evidence that is known. The validators of a mirror mean nothing to a
    /// source: by a false one a mirror could have the source say that an old CRL has not changed. Those of a source mean
    /// nothing to a mirror.
    pub(crate) fn transport_for(&self, place: Origin) -> Transport {
        let is_of_mirror = self.origin == Origin::Mirror;
        if is_of_mirror == (place == Origin::Mirror) {
            return self.transport.clone();
        }
        Transport { fresh_until: self.transport.fresh_until, ..Transport::default() }
    }

    /// Whether a store had it.
    pub(crate) const fn is_from_store(&self) -> bool {
        matches!(self.origin, Origin::Disk | Origin::Shared)
    }

    /// The number of bytes that were received.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.bytes.len()
    }

    /// The number of bytes in this process's own memory. Bytes in a mapped file are not counted.
    pub(crate) fn memory(&self) -> usize {
        let body = if self.body.is_in_file() { 0 } else { self.body.bytes.len() };
        let beside = match &self.answer {
            Answer::Crl(crl) => crl.overhead(),
            _ => self.body.bytes.len(),
        };
        body + beside + self.transport.memory() + self.request.url().len() + 1_024
    }

    /// The times in it: thisUpdate and nextUpdate.
    #[must_use]
    pub fn times(&self) -> (Option<Time>, Option<Time>) {
        match &self.answer {
            Answer::Crl(crl) => (Some(crl.this_update()), crl.next_update()),
            Answer::Ocsp(response) => (response.this_update(), response.next_update()),
            _ => (None, None),
        }
    }

    /// Whether newer evidence is due at this time, whatever the policy tolerates: its nextUpdate has passed, or for
    /// certificates, which have none, an hour.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        match self.times() {
            (_, Some(next)) => next < now,
            (Some(_), None) => false,
            // A time in the future is wrong, so it counts as long ago.
            (None, None) => !(0..=3_600).contains(&now.unix().saturating_sub(self.fetched_at.unix())),
        }
    }

    /// Whether HTTP says that newer evidence may be available (RFC 9111 4.2), by the clock. At most once a minute.
    pub(crate) fn is_stale_by_http(&self, clock: Time) -> bool {
        let until =
            self.transport.fresh_until.map(|until| until.max(self.fetched_at.unix().saturating_add(60)));
        until.is_some_and(|until| until < clock.unix())
    }

    /// The time at which to ask for it again, by [`refresh::due`].
    #[must_use]
    pub fn refresh_at(&self, jitter: f64) -> Time {
        let (this, next) = self.times();
        refresh::due(this.zip(next), self.fetched_at, self.transport.fresh_until.map(Time::from_unix), jitter)
    }

    /// Whether other evidence with the same key is newer, so that this must not replace it.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        match (&self.answer, &other.answer) {
            (Answer::Crl(own), Answer::Crl(other)) => own.is_older_than(other),
            (Answer::Ocsp(own), Answer::Ocsp(other)) => {
                // An OCSP error has no time, so it is not an older answer.
                own.this_update().zip(other.this_update()).is_some_and(|(own, other)| own < other)
            }
            _ => false,
        }
    }

    /// The same evidence after a server has said that it has not changed.
    pub(crate) fn revalidated(&self, transport: Transport, at: Time, origin: Origin) -> Self {
        let Transport { etag, last_modified, fresh_until } = transport;
        Self {
            request: self.request.clone(),
            answer: self.answer.clone(),
            body: self.body.clone(),
            transport: Transport {
                etag: etag.or_else(|| self.transport.etag.clone()),
                last_modified: last_modified.or_else(|| self.transport.last_modified.clone()),
                fresh_until,
            },
            fetched_at: at,
            origin,
        }
    }

    pub(crate) fn kind(&self) -> EvidenceKind {
        self.request.kind()
    }

    /// The keys that are known to have signed it. They are tried first.
    pub(crate) fn signers(&self) -> Vec<Box<[u8]>> {
        match &self.answer {
            Answer::Crl(crl) => crl.known_signers().map(Into::into).collect(),
            _ => Vec::new(),
        }
    }

    /// False for a CRL whose signer is not known yet. Other answers are checked whole or not at all.
    pub(crate) fn is_signed(&self) -> bool {
        self.crl().is_none_or(|crl| crl.known_signers().next().is_some())
    }

    pub(crate) fn crl(&self) -> Option<&Arc<certcheck_core::crl::Crl>> {
        match &self.answer {
            Answer::Crl(crl) => Some(crl),
            _ => None,
        }
    }
}
