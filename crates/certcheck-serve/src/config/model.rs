//! What a front is configured with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_rustls::rustls::CipherSuite;
use ipnet::IpNet;

use super::address::{ListenAddress, Upstream};
use super::check::CheckConfig;
use super::http::HttpConfig;
use super::mirror::MirrorConfig;
use super::validation::ValidationConfig;
use crate::identity::AccessRules;

/// The whole configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ServeConfig {
    /// The listeners, each with a name of its own.
    pub listeners: Vec<ListenerConfig>,
    /// The validation listeners, each with a name of its own.
    pub validations: Vec<ValidationConfig>,
    /// The mirror of CRLs and OCSP responses, if there is one.
    pub mirror: Option<MirrorConfig>,
    /// Where operators look.
    pub admin: AdminConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// How long connections may go on after the front was asked to end.
    pub drain_timeout: Duration,
    /// How often files are looked at for changes. `None`: only when a reload is asked for.
    pub watch_files: Option<Duration>,
    /// Whether the program restricts itself to the folders of its configuration, where the kernel can.
    pub sandbox: bool,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            validations: Vec::new(),
            mirror: None,
            admin: AdminConfig::default(),
            log: LogConfig::default(),
            drain_timeout: Duration::from_secs(30),
            watch_files: Some(Duration::from_secs(5)),
            sandbox: true,
        }
    }
}

impl ServeConfig {
    /// What the clients of listeners, of other proxies, and those proxies are checked by.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &CheckConfig> {
        let listeners = self.listeners.iter().map(|listener| &listener.check);
        let peers = self.validations.iter().flat_map(|validation| &validation.tls).map(|tls| &tls.check);
        let policies = self.validations.iter().flat_map(|validation| &validation.policies);
        let mirror = self.mirror.iter().map(|mirror| &mirror.check);
        listeners.chain(peers).chain(policies.map(|policy| &policy.check)).chain(mirror)
    }

    /// The files that are no evidence and no part of a ring: certificates of servers with their keys, and secrets.
    pub(crate) fn own_files(&self) -> impl Iterator<Item = &Path> {
        let listeners = self.listeners.iter().flat_map(|listener| &listener.tls.certificates);
        let validations = self.validations.iter().flat_map(|validation| &validation.tls);
        let certificates = listeners.chain(validations.flat_map(|tls| &tls.certificates));
        let secrets = self.validations.iter().filter_map(|validation| validation.secret_file.as_deref());
        certificates.flat_map(|files| [&*files.chain, &*files.key]).chain(secrets)
    }
}

/// One listener: where it listens, who is accepted, and where plain bytes are sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ListenerConfig {
    /// Its name, for logs and metrics.
    pub name: String,
    /// The addresses.
    pub listen: Vec<ListenAddress>,
    /// The service behind it.
    pub upstream: Upstream,
    /// Whether the service may be on another machine, which plain bytes then travel to.
    pub allow_remote_upstream: bool,
    /// The server's own side of TLS.
    pub tls: TlsConfig,
    /// The networks of clients that may connect. Empty: all.
    pub clients: Vec<IpNet>,
    /// Whether clients send a certificate.
    pub client_auth: ClientCertificate,
    /// What client certificates are checked by.
    pub check: CheckConfig,
    /// Which clients with good certificates are accepted, and who their users are.
    pub access: AccessRules,
    /// How HTTP is spoken. `None`: bytes are passed on, whatever the protocol.
    pub http: Option<HttpConfig>,
    /// The limits of connections.
    pub limits: ListenerLimits,
    /// The PROXY protocol header that the service is sent.
    pub proxy_protocol: ProxyProtocol,
    /// The proxies in front that send a PROXY protocol header.
    pub accept_proxy_from: ProxyPeers,
}

impl ListenerConfig {
    /// A listener with this name and upstream, and defaults for the rest. It has no address and no certificate yet.
    #[must_use]
    pub fn new(name: impl Into<String>, upstream: Upstream) -> Self {
        Self {
            name: name.into(),
            listen: Vec::new(),
            upstream,
            allow_remote_upstream: false,
            tls: TlsConfig::default(),
            clients: Vec::new(),
            client_auth: ClientCertificate::default(),
            check: CheckConfig::default(),
            access: AccessRules::default(),
            http: None,
            limits: ListenerLimits::default(),
            proxy_protocol: ProxyProtocol::default(),
            accept_proxy_from: ProxyPeers::default(),
        }
    }
}

/// The server's own side of TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct TlsConfig {
    /// The server's certificates. The name that the client asks for and the signatures that it can verify decide which
    /// is used. The first is the default one.
    pub certificates: Vec<CertificateFiles>,
    /// What happens to a client that asks for a name that no certificate has.
    pub unknown_sni: UnknownSni,
    /// The versions that are offered.
    pub versions: Vec<TlsVersion>,
    /// The cipher suites that are offered, best first. Empty: all that are supported.
    pub suites: Vec<CipherSuite>,
    /// The application protocols that are offered, best first. Empty: none.
    pub alpn: Vec<String>,
    /// How long after its full handshake a session may resume. Zero: none resumes.
    pub session_max_age: Duration,
    /// How many sessions are kept.
    pub max_sessions: usize,
    /// Whether clients are sent the names of the CAs in the ring.
    pub send_ca_names: bool,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            unknown_sni: UnknownSni::default(),
            versions: vec![TlsVersion::V1_2, TlsVersion::V1_3],
            suites: Vec::new(),
            alpn: Vec::new(),
            session_max_age: Duration::from_secs(300),
            max_sessions: 16_384,
            send_ca_names: true,
        }
    }
}

/// The files of a certificate chain and its private key, in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of paths")]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What happens to a client that asks for a name that no certificate has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnknownSni {
    /// It gets the default certificate.
    #[default]
    Default,
    /// It is refused with the alert unrecognized_name or handshake_failure. A client that asks for no name gets the
    /// default certificate.
    Refuse,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Whether clients send a certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientCertificate {
    /// Asked for and required.
    #[default]
    Required,
    /// Asked for. One that is sent is checked, and a client without one is accepted.
    Optional,
    /// Not asked for.
    None,
}

/// The limits of one listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ListenerLimits {
    /// Connections at once, handshakes included.
    pub max_connections: usize,
    /// Connections at once from one address.
    pub max_connections_per_address: usize,
    /// Handshakes at once.
    pub max_handshakes: usize,
    /// The time from the first byte to the verdict: PROXY protocol header, handshake, and check.
    pub handshake_timeout: Duration,
    /// The time to connect to the service, and to send it the PROXY protocol header.
    pub connect_timeout: Duration,
    /// The time without a byte in either direction after which a connection ends. `None`: no limit.
    pub idle_timeout: Option<Duration>,
    /// The longest that a connection may last. `None`: no limit.
    pub max_lifetime: Option<Duration>,
    /// How long no connection to the service was tried until the front tries one. `None`: it tries none, and readiness
    /// does not depend on the service.
    pub upstream_probe: Option<Duration>,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            // Several addresses at their limit leave room for others.
            max_handshakes: 4_000,
            handshake_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Some(Duration::from_secs(3_600)),
            max_lifetime: None,
            upstream_probe: Some(Duration::from_secs(10)),
        }
    }
}

/// The PROXY protocol header that the service is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ProxyProtocol {
    /// The version, or none.
    pub version: ProxyVersion,
    /// What version 2 says besides addresses.
    pub tlvs: Vec<ProxyTlv>,
}

impl Default for ProxyProtocol {
    /// None; with version 2, everything that fits into the small buffers of common receivers.
    fn default() -> Self {
        use ProxyTlv::{Alpn, Authority, Cipher, CommonName, KeyAlgorithm, SignatureAlgorithm, Version};
        let tlvs = vec![Alpn, Authority, Version, CommonName, Cipher, SignatureAlgorithm, KeyAlgorithm];
        Self { version: ProxyVersion::None, tlvs }
    }
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProxyVersion {
    /// No header.
    #[default]
    None,
    /// The text header: addresses alone.
    V1,
    /// The binary header.
    V2,
}

/// A piece of information in a PROXY protocol header of version 2.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ProxyTlv {
    /// The application protocol that was agreed on.
    Alpn,
    /// The name that the client asked for (SNI).
    Authority,
    /// The version of TLS.
    Version,
    /// The client's common name, its first 64 bytes.
    CommonName,
    /// The cipher suite.
    Cipher,
    /// The algorithm of the signature in the server's certificate.
    SignatureAlgorithm,
    /// The algorithm of the key in the server's certificate.
    KeyAlgorithm,
    /// The client's certificate in DER. Many receivers refuse a header of that size.
    Certificate,
    /// A checksum of the header.
    Checksum,
}

/// The proxies in front that send a PROXY protocol header of version 1 or 2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ProxyPeers {
    /// Their networks. A connection from one of them must begin with a header, and one from elsewhere must not.
    pub nets: Vec<IpNet>,
    /// Whether each connection to a Unix socket begins with a header.
    pub unix: bool,
}

/// Where operators look.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct AdminConfig {
    /// The addresses of the admin listener. Empty: none.
    pub listen: Vec<ListenAddress>,
    /// Whether it may listen on addresses other than loopback.
    pub allow_remote: bool,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct LogConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// Classes of events that are not logged.
    pub quiet: Vec<EventClass>,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LogFormat {
    /// Text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A class of events.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum EventClass {
    /// The end of each connection that was accepted.
    Connections,
    /// Clients that were refused.
    RefusedClients,
    /// Connections that were closed because of a limit.
    Limits,
    /// Services that cannot be reached.
    Upstream,
    /// Each request over HTTP.
    Requests,
}
