//! Chains that were refused a moment ago.

use std::hash::RandomState;
use std::sync::Arc;

use certcheck_core::Time;
use certcheck_core::report::OwnedReport;
use pki_types::CertificateDer;
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use crate::chain::bytes_of;

/// Chains that were refused a moment ago. They are separate from good ones, so that invalid chains do not displace
/// those.
#[derive(Debug)]
pub(crate) struct RejectionCache {
    kept: Cache<Vec<u8>, (Time, Arc<OwnedReport>), UnitWeighter, RandomState>,
    seconds: i64,
}

/// The largest chain in bytes whose refusal is kept. Larger ones are checked again.
const MAX_REJECTED: usize = 16 << 10;

impl RejectionCache {
    pub(crate) fn new(max: usize, seconds: i64) -> Self {
        let capacity = u64::try_from(max).unwrap_or(u64::MAX);
        let kept = Cache::with(
            max,
            capacity,
            UnitWeighter,
            RandomState::new(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self { kept, seconds }
    }

    fn key(chain: &[CertificateDer<'_>]) -> Option<Vec<u8>> {
        // With lengths, so that the same bytes in other pieces are another chain.
        let one = |der: &CertificateDer<'_>| [&der.len().to_be_bytes()[..], der].concat();
        (bytes_of(chain) <= MAX_REJECTED).then(|| chain.iter().flat_map(one).collect())
    }

    /// The refusal of the same chain at nearly the same time.
    pub(crate) fn get(&self, chain: &[CertificateDer<'_>], now: Time) -> Option<Arc<OwnedReport>> {
        if self.kept.is_empty() {
            return None;
        }
        let (since, report) = self.kept.get(&Self::key(chain)?)?;
        let age = now.unix().saturating_sub(since.unix());
        (0..=self.seconds).contains(&age).then_some(report)
    }

    pub(crate) fn insert(&self, chain: &[CertificateDer<'_>], now: Time, report: Arc<OwnedReport>) {
        if let Some(key) = Self::key(chain) {
            self.kept.insert(key, (now, report));
        }
    }
}
