//! Mutual TLS with full revocation checking in front of any service.
//!
//! A front ends TLS connections whose clients have good certificates, and passes plain bytes on to a service that knows
//! nothing of TLS. [`config`] is what it is configured with, [`Front`] is one that runs.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use certcheck_serve::{Front, config};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let path = Path::new("serve.toml");
//! let front = Front::start(config::read_file(path)?)?;
//! // The file was changed: what cannot be used changes nothing.
//! if let Err(error) = front.reload(config::read_file(path)?) {
//!     eprintln!("{error}");
//! }
//! front.drain(Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! config     what is configured            run       Front: start, reload, drain
//! checks     engines, rings, evidence      active    what a listener does at present
//! listener   sockets that listen           sockets   all of them, and accepting
//! admission  limits of connections         service   one connection
//! proxy      bytes both ways               session   why it ends
//! board      what operators look at        admin    health, metrics, status page
//! identity   users, and who is accepted    http      requests with headers about clients
//! mirror     CRLs and OCSP responses for others
//! validation answers about clients of others         verification  the same as JSON
//! ```
#![forbid(unsafe_code)]

mod access;
mod active;
mod admin;
mod admission;
pub mod at_tls;
mod board;
mod certificates;
mod checks;
pub mod config;
mod cut;
mod events;
pub mod exposition;
mod files;
mod http;
pub mod identity;
mod incoming;
mod inspect;
mod limit_log;
mod listener;
mod metrics;
mod mirror;
mod observer;
mod phase;
pub mod policy_file;
mod provider;
mod proxy;
mod proxy_protocol;
mod reload;
pub mod ring_folders;
mod run;
pub mod sandbox;
mod service;
mod session;
mod sockets;
mod state;
pub mod status;
mod stream;
pub mod style;
mod validation;
pub mod verification;
mod write_timeout;

pub use observer::ClientObserver;
pub use reload::{ReloadError, Reread};
pub use run::{Drained, Front};

/// Entry points for fuzzers.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    use hyper::header::{HeaderMap, HeaderName, HeaderValue};

    use crate::config::{CertificateSource, RouteConfig};
    use crate::proxy_protocol::{Progress, parse};
    use crate::validation::header::{self, MAX_CHAIN, Presented};

    /// Reads a header in the form of each source: the first byte says which. A second header is behind a line end.
    ///
    /// # Panics
    /// If a header has more certificates than are allowed.
    pub fn client_header(bytes: &[u8]) {
        let Some((which, value)) = bytes.split_first() else { return };
        let sources = CertificateSource::ALL;
        let Some(source) = sources.get(usize::from(*which) % sources.len()) else { return };
        let route = RouteConfig::new(*source);
        let names = [Some(&route.header), route.chain_header.as_ref()];
        let mut headers = HeaderMap::new();
        for (name, value) in names.into_iter().flatten().zip(value.splitn(2, |byte| *byte == b'\n')) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
            {
                headers.insert(name, value);
            }
        }
        if let Ok(Presented::Chain(chain)) = header::read(&route, &headers) {
            assert!((1..=MAX_CHAIN).contains(&chain.len()), "{} certificates", chain.len());
        }
    }

    /// Reads a request to a mirror: its target, and behind a line end its host.
    ///
    /// # Panics
    /// If it names a source with a user, or one that is not on HTTP.
    pub fn mirror_question(text: &str) {
        crate::mirror::exercise(text);
    }

    /// Reads a frame of HAProxy, without its length.
    pub fn spop(frame: &[u8]) {
        crate::validation::spop::exercise(frame);
    }

    /// Reads a header as a connection does: it ends, and never needs a byte that is behind it.
    ///
    /// # Panics
    /// If a header is incomplete and nothing is needed.
    pub fn proxy_protocol(bytes: &[u8]) {
        let mut came = 0;
        while let Some(beginning) = bytes.get(..came) {
            match parse(beginning) {
                Ok(Progress::Need(more)) => {
                    assert!(more > 0, "nothing is needed");
                    came += more;
                }
                Ok(Progress::Done(_)) | Err(_) => return,
            }
        }
    }
}
