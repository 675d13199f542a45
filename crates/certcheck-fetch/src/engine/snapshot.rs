//! Ring and policy as one value. A check keeps the snapshot that it began with, and a new snapshot knows no clients.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use certcheck_core::{Evidence, KeyRing, Policy, VerifiedIssuers};

use crate::basis::Basis;
use crate::cache::known_paths::KnownPaths;
use crate::cache::path_templates::PathTemplates;
use crate::cache::rejections::RejectionCache;
use crate::limits::FetchLimits;
use crate::printable::printable;
use tracing::warn;

/// The ring and policy of checks, and the clients that are known under them.
pub struct Snapshot {
    pub(crate) basis: Arc<Basis>,
    pub(crate) paths: KnownPaths,
    pub(crate) rejections: RejectionCache,
    generation: u64,
    pub(crate) templates: PathTemplates,
}

/// The number of snapshots in this process.
static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// Logs anchors that are anchors only because their issuer is not in the ring. Removing an issuer has this effect
/// too.
fn warn_of_promoted(ring: &KeyRing) {
    for entry in ring.anchors().filter(|entry| entry.is_promoted()) {
        let certificate = entry.certificate();
        warn!(
            name: "anchor-promoted", target: "certcheck::ring",
            source = %printable(entry.source()), subject = %printable(certificate.subject()),
            issuer = %printable(certificate.issuer()),
            "certificate that is not self-signed used as an anchor; its issuer is not in the ring"
        );
    }
}

impl Snapshot {
    pub(crate) fn new(ring: Arc<KeyRing>, policy: Policy, given: Evidence, limits: &FetchLimits) -> Self {
        warn_of_promoted(&ring);
        Self {
            basis: Arc::new(Basis { ring, policy: Arc::new(policy), given, issuers: VerifiedIssuers::new() }),
            paths: KnownPaths::new(limits.known_paths),
            rejections: RejectionCache::new(limits.known_refusals, limits.refusal_seconds),
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            templates: PathTemplates::new(),
        }
    }

    /// The same ring under another policy, with no known clients.
    pub(crate) fn with_policy(&self, policy: Policy, limits: &FetchLimits) -> Self {
        Self::new(Arc::clone(&self.basis.ring), policy, self.basis.given.clone(), limits)
    }

    /// The number of the snapshot. It is unique in the process, for any engine.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The ring.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.basis.ring
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.basis.policy
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("ring", &self.ring().certificates().len()).finish_non_exhaustive()
    }
}
