//! Revocation evidence from where certificates say it is: CDP, AIA and OCSP responders, cached, guarded, never fetched
//! twice.
//!
//! [`Engine`] is where to begin. It drives the core's checks and answers what they are missing:
//!
//! ```text
//! check -> known path -> memory -> store -> network (guard -> HTTP, LDAP) -> read -> checked by the core -> kept
//! ```
//! Whether evidence is good is the core's decision, whatever layer it comes from; a layer whose copy is of no use is
//! passed over for the next.
//!
//! Types of these crates are part of the API, beside those of `certcheck_core`. A new major version of one of them is one of
//! this crate.
//!
//! | type | where |
//! |---|---|
//! | `bytes::Bytes` | [`Body`], [`store::Stored`]: bytes that may be in a file |
//! | `futures_util::future::BoxFuture` | [`store::Store`], [`Resolve`]: what is asynchronous in a trait |
//! | `ipnet::IpNet`, `ipnet::Ipv6Net` | [`Guard`]: networks |
//! | `pki_types::CertificateDer` | chains, as rustls has them |
//! | `serde::Serialize`, `serde::Deserialize` | [`Transport`]: stores of others keep it |
//! | `url::Url` | [`EngineBuilder::proxy`] |
#![deny(unsafe_code)]

mod basis;
mod cache;
mod chain;
mod clock;
mod engine;
mod failure;
mod fetcher;
#[cfg(feature = "ldap")]
mod ldap;
mod limits;
mod mapped;
mod metrics;
mod printable;
pub mod store;
mod transport;

pub use cache::evidence::{CachedEvidence, Origin};
pub use cache::key::EvidenceKey;
pub use engine::Engine;
pub use engine::builder::{EngineBuilder, EngineError};
pub use engine::measure;
pub use engine::report::{CheckReport, Details, SourceTried};
pub use engine::snapshot::Snapshot;
pub use engine::summary::Summary;
pub use engine::watch::{Ended, Watch};
pub use failure::Failure;
pub use fetcher::Observer;
pub use limits::FetchLimits;
pub use printable::printable;
pub use transport::answer::Transport;
pub use transport::guard::{BlockedUrl, Guard, MAX_URL, Scheme};
pub use transport::http::goes_with_get;
pub use transport::refusal::Refusal;
pub use transport::resolve::{Resolve, SystemResolver};
pub use transport::spool::{Body, Spool, SpoolError};
pub use transport::timings::FetchTimings;

/// Entry points for fuzzers: what reads hostile bytes and is not public.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// A URL out of a certificate: what passes leads to no guarded literal.
    pub fn url(text: &str) {
        let guard = crate::Guard::new().deny_private(true);
        let Ok(target) = guard.validate_url(text) else { return };
        assert!(target.url.username().is_empty() && target.url.password().is_none());
        if let Some(host) = target.url.host_str()
            && let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse()
        {
            assert!(guard.validate_address(address).is_ok(), "{host}");
        }
        // What a directory is asked for is of the very host that was validated.
        #[cfg(feature = "ldap")]
        if let Ok(asked) = crate::ldap::LdapUrl::of(&target) {
            // An address has several spellings.
            let host = |name: &str| match name.trim_start_matches('[').trim_end_matches(']').parse() {
                Ok(address) => Ok::<std::net::IpAddr, String>(address),
                Err(_) => Err(name.to_ascii_lowercase()),
            };
            assert_eq!(asked.host.as_deref().map(host), target.name().map(host), "{text}");
            assert_eq!(asked.port, target.port(), "{text}");
        }
        // What is sent is validated like what was written.
        assert!(guard.validate_url(target.url.as_str()).is_ok(), "{text}");
    }

    /// A record of the store.
    pub fn record(bytes: &[u8]) {
        crate::store::read_record(bytes);
    }

    /// A body, in pieces of any size.
    pub fn body(bytes: &[u8], piece: usize) {
        let mut sniffer = crate::transport::sniff::BodySniffer::new(
            1 << 20,
            certcheck_core::revocation::EvidenceKind::Issuers,
        );
        let in_pieces = bytes.chunks(piece.max(1)).try_for_each(|some| sniffer.push(some));
        let mut whole = crate::transport::sniff::BodySniffer::new(
            1 << 20,
            certcheck_core::revocation::EvidenceKind::Issuers,
        );
        let at_once = whole.push(bytes);
        assert_eq!(
            in_pieces.and_then(|()| sniffer.finish()).is_ok(),
            at_once.and_then(|()| whole.finish()).is_ok()
        );
    }

    /// What a directory answers.
    #[cfg(feature = "ldap")]
    pub fn directory(bytes: &[u8]) {
        let Ok(url) = crate::ldap::validated("ldap://h/cn=a?certificateRevocationList;binary") else {
            return;
        };
        let stream = tokio::io::join(bytes, tokio::io::sink());
        if let Some(Ok(values)) = futures_util::FutureExt::now_or_never(crate::ldap::ask(stream, &url, 4_096))
        {
            assert!(values.iter().map(bytes::Bytes::len).sum::<usize>() <= 4_096);
        }
    }
}

/// The README, whose quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
