//! What a validation listener is configured with: it answers other proxies and programs about certificates.

use std::path::PathBuf;
use std::time::Duration;

use super::address::ListenAddress;
use super::check::CheckConfig;
use super::model::{CertificateFiles, ProxyPeers};
use crate::identity::{AccessRules, AllowRule};

/// A validation listener: who may ask, and what certificates are checked by.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ValidationConfig {
    /// Its name, for logs and metrics.
    pub name: String,
    /// The protocol that peers speak.
    pub protocol: ValidationProtocol,
    /// The addresses.
    pub listen: Vec<ListenAddress>,
    /// Whether it may listen on addresses other than loopback. Without TLS the secret then travels in the clear.
    pub allow_remote: bool,
    /// Who may connect. Others get nothing.
    pub peers: ProxyPeers,
    /// The file of the secret that peers send with each request. `None`: they have certificates.
    pub secret_file: Option<PathBuf>,
    /// TLS with certificates of peers. `None`: no TLS.
    pub tls: Option<PeerTls>,
    /// What happens to requests without the secret.
    pub unauthenticated: Unauthenticated,
    /// The policies. The first is the one that is used where none is named.
    pub policies: Vec<ValidationPolicy>,
    /// The routes of `/v1/auth/NAME`.
    pub routes: Vec<RouteConfig>,
    /// Which clients with good certificates are accepted, and who their users are.
    pub access: AccessRules,
    /// The limits.
    pub limits: ValidationLimits,
}

/// TLS between peers and a validation listener.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct PeerTls {
    /// The listener's own certificates.
    pub certificates: Vec<CertificateFiles>,
    /// What certificates of peers are checked by.
    pub check: CheckConfig,
    /// A peer's certificate must match one of them. Empty: every good certificate will do.
    pub allow: Vec<AllowRule>,
}

/// What a validation listener checks certificates by, under a name.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ValidationPolicy {
    /// The name, by which requests and routes choose it.
    pub name: String,
    /// What certificates are checked by.
    pub check: CheckConfig,
}

/// The protocol that peers of a validation listener speak.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValidationProtocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// gRPC over HTTP/2: `envoy.service.auth.v3.Authorization/Check`.
    Grpc,
    /// SPOP 2.0 of HAProxy's stream processing offload engine.
    Spop,
}

/// What happens to requests without the secret.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unauthenticated {
    /// They are refused.
    #[default]
    Refuse,
    /// They are answered by what is in memory. Nothing is fetched for them.
    Memory,
}

/// A route of `/v1/auth/NAME`: which header certificates come from, and in which form.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct RouteConfig {
    /// The last part of its path.
    pub name: String,
    /// What writes the header.
    pub source: CertificateSource,
    /// The name of the header with the certificate.
    pub header: String,
    /// The name of the header with the certificates above it, if there is one.
    pub chain_header: Option<String>,
    /// Whether a request is refused that has any other header about a client.
    pub strict: bool,
    /// The name of the policy. `None`: the first.
    pub policy: Option<String>,
}

impl RouteConfig {
    /// A strict route, named like its source, with the headers that are usual for it.
    #[must_use]
    pub fn new(source: CertificateSource) -> Self {
        let (header, chain_header) = source.usual_headers();
        Self {
            name: source.name().to_owned(),
            source,
            header: header.to_owned(),
            chain_header: chain_header.map(str::to_owned),
            strict: true,
            policy: None,
        }
    }
}

/// What writes a header with a certificate, and so its form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CertificateSource {
    /// nginx, `$ssl_client_escaped_cert`: percent-encoded PEM of one certificate.
    Nginx,
    /// Traefik, `passTLSClientCert`: Base64 of each certificate, with commas between them.
    Traefik,
    /// `X-Forwarded-Client-Cert` of Envoy, with `Cert` or `Chain`.
    Xfcc,
    /// `Client-Cert` and `Client-Cert-Chain` of RFC 9440.
    Rfc9440,
    /// Caddy, `certificate_der_base64`: Base64 of one certificate, with or without colons around it.
    Caddy,
    /// Apache httpd, `SSL_CLIENT_CERT`: PEM of one certificate, percent-encoded or with blanks for line ends.
    Apache,
    /// The application load balancer of AWS in passthrough mode: percent-encoded PEM of the chain.
    Alb,
    /// HAProxy, `ssl_c_der,base64` and `ssl_c_chain_der,base64`: Base64 of one certificate, and of those above it
    /// in one piece.
    Haproxy,
}

impl CertificateSource {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Nginx,
        Self::Traefik,
        Self::Xfcc,
        Self::Rfc9440,
        Self::Caddy,
        Self::Apache,
        Self::Alb,
        Self::Haproxy,
    ];

    /// Its word in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Xfcc => "xfcc",
            Self::Rfc9440 => "rfc9440",
            Self::Caddy => "caddy",
            Self::Apache => "apache",
            Self::Alb => "alb",
            Self::Haproxy => "haproxy",
        }
    }

    /// Whether certificates above the client's own come in a header of their own.
    #[must_use]
    pub const fn has_chain_header(self) -> bool {
        matches!(self, Self::Rfc9440 | Self::Haproxy)
    }

    /// The header with the certificate, and the one with those above it, where nothing else is configured.
    const fn usual_headers(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Nginx | Self::Caddy | Self::Apache => ("X-Client-Cert", None),
            Self::Traefik => ("X-Forwarded-Tls-Client-Cert", None),
            Self::Xfcc => ("X-Forwarded-Client-Cert", None),
            Self::Rfc9440 => ("Client-Cert", Some("Client-Cert-Chain")),
            Self::Alb => ("X-Amzn-Mtls-Clientcert", None),
            Self::Haproxy => ("X-SSL-Client-Cert", Some("X-SSL-Client-Chain")),
        }
    }
}

/// The limits of a validation listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct ValidationLimits {
    /// The longest that a check may wait for evidence. A proxy should wait longer.
    pub check_timeout: Duration,
    /// Checks at once that wait for evidence.
    pub max_checks: usize,
    /// The same for one peer, by its address. All Unix sockets are one.
    pub max_checks_per_peer: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// The same from one address. All Unix sockets are one.
    pub max_connections_per_address: usize,
    /// Bytes of requests that are not answered yet.
    pub max_request_bytes: usize,
    /// The same of one peer, by its address.
    pub max_request_bytes_per_peer: usize,
    /// The bytes of certificates that are remembered.
    pub max_remembered_bytes: usize,
    /// Watches at once.
    pub max_watches: usize,
}

impl Default for ValidationLimits {
    fn default() -> Self {
        Self {
            // HAProxy and Envoy usually give up after 2 s.
            check_timeout: Duration::from_millis(1_500),
            max_checks: 1_000,
            max_checks_per_peer: 500,
            max_connections: 1_000,
            max_connections_per_address: 500,
            max_request_bytes: 64 << 20,
            max_request_bytes_per_peer: 32 << 20,
            max_remembered_bytes: 16 << 20,
            max_watches: 1_000,
        }
    }
}
