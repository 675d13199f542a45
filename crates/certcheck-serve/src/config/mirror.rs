//! What a mirror is configured with.

use std::path::PathBuf;
use std::time::Duration;

use certcheck_rustls::Purpose;
use ipnet::IpNet;
use url::Url;

use super::address::ListenAddress;
use super::check::CheckConfig;

/// A mirror: what it has, and which clients may ask for it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct MirrorConfig {
    /// The addresses. What is served is public and signed: there is no TLS.
    pub listen: Vec<ListenAddress>,
    /// The networks of clients that may connect. Empty: all.
    pub clients: Vec<IpNet>,
    /// CRLs that are kept from the start, in addition to those that the CAs of the ring name.
    pub sources: Vec<Url>,
    /// Hosts, as `host` or `host:port`, whose CRLs and responders clients may ask for, in addition to those of `sources`
    /// and of the CAs of the ring.
    pub hosts: Vec<String>,
    /// A tree of files that CRLs are read from instead of the network.
    pub tree: Option<PathBuf>,
    /// The longest time between two looks at a source.
    pub refresh: Duration,
    /// The ring whose CAs sign what is served, and how it is fetched and kept.
    pub check: CheckConfig,
    /// The limits.
    pub limits: MirrorLimits,
}

/// The limits of a mirror.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct MirrorLimits {
    /// CRLs, and as many OCSP responses.
    pub max_sources: usize,
    /// Bytes of all evidence.
    pub max_bytes: u64,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one address.
    pub max_connections_per_address: usize,
}

impl Default for MirrorConfig {
    fn default() -> Self {
        // The CAs of the ring are asked about whatever they are for.
        let check = CheckConfig { purpose: Purpose::Any, ..CheckConfig::default() };
        Self {
            listen: Vec::new(),
            clients: Vec::new(),
            sources: Vec::new(),
            hosts: Vec::new(),
            tree: None,
            refresh: Duration::from_secs(60),
            check,
            limits: MirrorLimits::default(),
        }
    }
}

impl Default for MirrorLimits {
    fn default() -> Self {
        Self {
            max_sources: 10_000,
            max_bytes: 4 << 30,
            max_connections: 4_096,
            max_connections_per_address: 256,
        }
    }
}
