//! The limits of fetching.

use std::time::Duration;

use certcheck_core::revocation::EvidenceKind;

/// The limits of fetching and caching.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchLimits {
    /// Bytes of a CRL after decompression. The largest ones in use have tens of MiB.
    pub crl_bytes: u64,
    /// Bytes of an OCSP response. AT-TLS allows 20 KiB.
    pub ocsp_bytes: u64,
    /// Bytes of an answer for caIssuers.
    pub issuers_bytes: u64,
    /// Time until a connection is made.
    pub connect: Duration,
    /// Time from the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Time between two bytes.
    pub idle: Duration,
    /// Time for a whole CRL. A check that cannot wait so long goes on without it. Later checks find it.
    pub crl_whole: Duration,
    /// Time for a whole OCSP response, or for certificates.
    pub small_whole: Duration,
    /// Redirects that are followed.
    pub redirects: u32,
    /// The lowest rate of a body in bytes per second, as received, once [`min_rate_after`](Self::min_rate_after) has
    /// passed. A slower source is given up.
    pub min_rate: u64,
    /// Time after which a body must have the lowest rate.
    pub min_rate_after: Duration,
    /// Fetches at once that began within the last half second. Half of them may be for one issuer. Three times as
    /// many may go on for longer.
    pub at_once: usize,
    /// Fetches at once from one host.
    pub at_once_per_host: usize,
    /// Fetches at once from one address (for IPv6 from one network of 64 bits), counted as for
    /// [`at_once`](Self::at_once).
    pub at_once_per_address: usize,
    /// Fetches at once for one client, counted as for [`at_once`](Self::at_once).
    pub at_once_per_client: usize,
    /// Checks that wait for evidence at once, including those in the background.
    pub checks_at_once: usize,
    /// Memory for evidence in KiB.
    pub memory_kib: u64,
    /// Clients whose path is kept.
    pub known_paths: usize,
    /// Chains whose refusal is kept for a short time.
    pub known_refusals: usize,
    /// Seconds for which a refused chain is refused without another check.
    pub refusal_seconds: i64,
    /// The first pause after a failure. Each further failure doubles it.
    pub back_off: Duration,
    /// The longest pause.
    pub back_off_max: Duration,
    /// Consecutive failures of one host after which none of its sources is asked for a while.
    pub breaker_failures: u32,
    /// The length of that pause.
    pub breaker_pause: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            crl_bytes: 512 << 20,
            ocsp_bytes: 64 << 10,
            issuers_bytes: 256 << 10,
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            crl_whole: Duration::from_secs(120),
            small_whole: Duration::from_secs(10),
            redirects: 3,
            min_rate: 1_024,
            min_rate_after: Duration::from_secs(5),
            at_once: 64,
            at_once_per_host: 8,
            at_once_per_address: 16,
            at_once_per_client: 4,
            checks_at_once: 16_384,
            memory_kib: 512 << 10,
            known_paths: 20_000,
            known_refusals: 10_000,
            refusal_seconds: 10,
            back_off: Duration::from_secs(1),
            back_off_max: Duration::from_secs(300),
            breaker_failures: 10,
            breaker_pause: Duration::from_secs(30),
        }
    }
}

impl FetchLimits {
    pub(crate) const fn bytes(&self, kind: EvidenceKind) -> u64 {
        match kind {
            EvidenceKind::Crl => self.crl_bytes,
            EvidenceKind::Ocsp => self.ocsp_bytes,
            EvidenceKind::Issuers => self.issuers_bytes,
        }
    }

    pub(crate) const fn whole(&self, kind: EvidenceKind) -> Duration {
        match kind {
            EvidenceKind::Crl => self.crl_whole,
            EvidenceKind::Ocsp | EvidenceKind::Issuers => self.small_whole,
        }
    }
}
