//! Checks certificates with revocation evidence from the network: CRLs and OCSP responses are fetched, verified and cached.
//!
//! # Quick start
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use certcheck_core::{KeyRing, Policy, Revocation, certificates_of};
//! use certcheck_fetch::Engine;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let ring = KeyRing::from_paths(&["ring"])?;
//!     let engine = Engine::builder(ring, Policy::client(Revocation::HardFail)).build()?;
//!
//!     let chain = certificates_of(&std::fs::read("client.pem")?)?;
//!     // In asynchronous code: engine.check(..).await
//!     let report = engine.check_blocking(&chain, engine.now(), Duration::from_secs(10));
//!     println!("{report}");
//!     Ok(())
//! }
//! ```
//!
//! # Tour
//!
//! An [`Engine`] has a ring and a policy of `certcheck_core`. It drives the checks of the core and looks for the evidence that
//! they need:
//!
//! ```text
//! check -> known path -> memory -> store -> network (guard -> HTTP, LDAP) -> parsed -> checked by the core -> kept
//! ```
//! The core decides whether evidence counts, whatever layer it comes from. If the evidence of one layer cannot be used, the next
//! layer is tried. Evidence in use is fetched again before it ends, so most checks wait for nothing.
//!
//! The [`Guard`] validates each URL before it is asked and each address before it is connected to: certificates must not be able
//! to send requests to this host or its cloud. [`FetchLimits`] bound time, size, rate and number of fetches. A source that fails
//! is not asked for a while, and others are tried.
//!
//! # Which type for which job
//!
//! | job | type |
//! |---|---|
//! | check a chain in asynchronous code | [`Engine::check`] |
//! | check a chain in a thread | [`Engine::check_blocking`] |
//! | check by memory alone, within a microsecond | [`Engine::check_cached`], [`Engine::look_up`] |
//! | know why a certificate was refused, and what to do | [`CheckReport`], [`CheckReport::advice`] |
//! | log a check on one line | [`CheckReport::summary`], [`printable`] |
//! | learn when a client of a live connection is revoked | [`Engine::watch`], [`Watch`] |
//! | replace ring and policy at run time | [`Engine::reload`] |
//! | fetch what will be needed | [`Engine::prefetch_ring`], [`Engine::prefetch`] |
//! | give CRLs or OCSP responses from files | [`EngineBuilder::evidence`] |
//! | keep evidence over a restart | [`store::DiskStore`], [`EngineBuilder::disk_store`] |
//! | share evidence between hosts | `store::RedisStore` with the feature `store-redis`, `store::NatsStore` with `store-nats`, [`store::Layered`], [`store::Store`], [`EngineBuilder::store`] |
//! | allow or deny URLs and addresses | [`Guard`], [`EngineBuilder::guard`] |
//! | use mirrors of the site, or write one | [`EngineBuilder::mirrors`], [`mirror`] |
//! | know when evidence is asked for again | [`refresh::due`] |
//! | use a proxy | [`EngineBuilder::proxy`], [`EngineBuilder::proxy_from_env`] |
//! | bound fetching and memory | [`FetchLimits`] |
//! | measure sources | [`measure`] |
//!
//! For a TLS server use `certcheck-rustls`, which re-exports this crate.
//!
//! # Types of other crates
//!
//! Types of these crates are part of the API, in addition to those of `certcheck_core`. A new major version of one of them is a new
//! major version of this crate.
//!
//! | type | where |
//! |---|---|
//! | `bytes::Bytes` | [`Body`], [`store::Stored`]: bytes that may be in a file |
//! | `futures_util::future::BoxFuture` | [`store::Store`], [`Resolve`]: asynchronous functions of a trait |
//! | `futures_util::stream::BoxStream` | [`store::Store::news`] |
//! | `ipnet::IpNet`, `ipnet::Ipv6Net` | [`Guard`]: networks |
//! | `pki_types::CertificateDer` | chains, as in rustls |
//! | `serde::Serialize`, `serde::Deserialize` | [`Transport`]: stores that you implement keep it |
//! | `url::Url` | [`EngineBuilder::proxy`] |
#![deny(unsafe_code)]

mod basis;
mod cache;
mod chain;
mod clock;
mod engine;
mod failure;
mod fetcher;
mod inputs;
#[cfg(feature = "ldap")]
mod ldap;
mod limits;
mod mapped;
mod metrics;
mod printable;
pub mod refresh;
pub mod store;
mod transport;

pub use cache::evidence::{CachedEvidence, Origin};
pub use cache::key::EvidenceKey;
pub use engine::Engine;
pub use engine::builder::{EngineBuilder, EngineError};
pub use engine::inventory::{EvidenceState, HostHealth};
pub use engine::measure;
pub use engine::mirror;
pub use engine::pending::PendingCheck;
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

/// Entry points for fuzzers: private functions that parse untrusted bytes.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// A URL of a certificate: one that is allowed has no guarded address.
    pub fn url(text: &str) {
        let guard = crate::Guard::new().deny_private(true);
        let Ok(target) = guard.validate_url(text) else { return };
        assert!(target.url.username().is_empty() && target.url.password().is_none());
        if let Some(host) = target.url.host_str()
            && let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse()
        {
            assert!(guard.validate_address(address).is_ok(), "{host}");
        }
        // The directory that is asked is the host that was validated.
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
        // The URL that is sent is validated like the one in the certificate.
        assert!(guard.validate_url(target.url.as_str()).is_ok(), "{text}");
    }

    /// News of a mirror, in pieces of this size.
    pub fn news(bytes: &[u8], piece: usize) {
        crate::transport::events::exercise(bytes, piece);
    }

    /// A record of the store.
    pub fn record(bytes: &[u8]) {
        crate::store::read_record(bytes);
    }

    /// The head of an entry of a shared store, as NATS has it.
    #[cfg(feature = "store-nats")]
    pub fn head(bytes: &[u8]) {
        crate::store::read_head(bytes);
    }

    /// What a server of NATS sends, in pieces of this size.
    #[cfg(feature = "store-nats")]
    pub fn frames(bytes: &[u8], piece: usize) {
        crate::store::read_frames(bytes, piece);
    }

    /// What an engine of Redis sends, in pieces of this size.
    #[cfg(feature = "store-redis")]
    pub fn replies(bytes: &[u8], piece: usize) {
        crate::store::read_replies(bytes, piece);
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

    /// An answer of a directory.
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

/// The README: its quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
