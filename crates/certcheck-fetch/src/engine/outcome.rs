//! The result of a check, and the evidence that it used.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Time;
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::EvidenceKind;

use crate::cache::entry::CacheSlot;
use crate::cache::evidence::Origin;
use crate::cache::lookup::Found;
use crate::engine::report::SourceTried;
use crate::fetcher::parties::Names;
use crate::metrics as names;

/// The result of a check.
pub(crate) struct CheckOutcome {
    pub(crate) report: OwnedReport,
    pub(crate) sources: Vec<SourceTried>,
    /// The slots of all evidence that was asked for about the path.
    pub(crate) slots: Vec<Arc<CacheSlot>>,
    /// When evidence that has no slot is to be fetched again: an answer with a nonce is for one client alone.
    pub(crate) unkept_until: Option<Time>,
    /// Evidence that is still being fetched and that this check did not wait for.
    pub(crate) unfinished: Names,
    /// Evidence that was not in memory, for a check that looks nowhere else.
    pub(crate) missing: Names,
    pub(crate) evaluations: u32,
}

impl CheckOutcome {
    /// The result of a check that was accepted at once, by evidence in memory.
    pub(crate) fn of_memory(report: OwnedReport, used: Used) -> Self {
        let Used { sources, slots, .. } = used;
        Self {
            report,
            sources,
            slots,
            unkept_until: None,
            unfinished: Names::new(),
            missing: Names::new(),
            evaluations: 1,
        }
    }
}

/// The evidence from memory that was used, and how a report shows it.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) found: Vec<Found>,
    pub(crate) sources: Vec<SourceTried>,
    pub(crate) slots: Vec<Arc<CacheSlot>>,
}

impl Used {
    /// Nothing yet, with room for this many pieces.
    pub(crate) fn with_capacity(pieces: usize) -> Self {
        Self { found: Vec::new(), sources: Vec::with_capacity(pieces), slots: Vec::with_capacity(pieces) }
    }

    /// Notes evidence that was used for the certificate at this position of the path. False if it was noted before.
    pub(crate) fn note(&mut self, at: usize, one: &Found, now: Time) -> bool {
        if self.slots.iter().any(|known| known.key == one.slot.key) {
            return false;
        }
        one.slot.touch(now);
        let kind = one.cached.kind();
        names::count(match kind {
            EvidenceKind::Ocsp => &names::OCSP_FROM_MEMORY,
            _ => &names::CRL_FROM_MEMORY,
        });
        self.sources.push(SourceTried {
            at,
            kind,
            url: Arc::clone(one.request.url()),
            from: Some(Origin::Memory),
            elapsed: Duration::ZERO,
            bytes: one.cached.bytes(),
            failure: None,
            refusal: None,
        });
        self.slots.push(Arc::clone(&one.slot));
        true
    }
}
