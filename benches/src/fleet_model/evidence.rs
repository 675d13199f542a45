//! Versions of CRLs. Each one revokes one certificate more: version 7 revokes the certificates 1 to 7.

use certcheck_core::Time;
use certcheck_core::policy::Freshness;
use certcheck_fetch::store::EvidenceVersion;

/// The time at which a run begins, in seconds since 1970.
pub(super) const BEGIN: i64 = 1_800_000_000;

/// A version of a CRL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Evidence {
    /// Its number.
    pub(super) version: u32,
    pub(super) this_update: i64,
    pub(super) next_update: i64,
}

impl Evidence {
    pub(super) fn order(&self) -> EvidenceVersion {
        EvidenceVersion::new(self.this_update, Some(&self.version.to_be_bytes()))
    }

    pub(super) fn is_current(&self, freshness: &Freshness, clock: i64) -> bool {
        let (this, next) = self.life();
        freshness.check_current(this, Some(next), Time::from_unix(clock)).is_ok()
    }

    pub(super) const fn life(&self) -> (Time, Time) {
        (Time::from_unix(self.this_update), Time::from_unix(self.next_update))
    }
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// Nothing: the other side is dead, cut off, or has nothing.
    Nothing,
    /// What cannot be parsed.
    Junk,
    /// What the node has is the newest that the other side has. Until when that holds, and since when.
    Same { until: Option<i64>, at: i64 },
    /// A version.
    Body { evidence: Evidence, until: Option<i64>, at: i64 },
    /// The lease to fetch it.
    Lease,
    /// Another node has the lease.
    Wait,
}
