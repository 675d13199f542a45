//! What a front that speaks HTTP is configured with.

use std::time::Duration;

/// How HTTP is spoken with clients and with the service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made and changed by its users, field by field")]
pub struct HttpConfig {
    /// The headers that say who a client is. All of them are removed from requests, whether they are set or not.
    pub headers: Vec<IdentityHeader>,
    /// What `X-Forwarded-Client-Cert` says besides the hash.
    pub xfcc: Vec<XfccField>,
    /// Other headers that are removed from requests.
    pub strip: Vec<String>,
    /// The version that the service speaks.
    pub service_version: ServiceVersion,
    /// The protocols that a connection may go on in (`Upgrade`). What is said in them is not looked at, so identity
    /// headers within them are not removed.
    pub upgrades: Vec<String>,
    /// The most bytes of the headers of a request or of a response.
    pub max_header_bytes: usize,
    /// The most headers of a request or of a response.
    pub max_headers: usize,
    /// The most bytes of the body of a request. `None`: no limit.
    pub max_body: Option<u64>,
    /// Requests at once over one connection of HTTP/2.
    pub max_streams: u32,
    /// The time for the headers of a request, from the end of the one before.
    pub header_timeout: Duration,
    /// The time for the headers of a response, from the last byte of the request.
    pub response_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            headers: vec![IdentityHeader::XClient],
            xfcc: vec![XfccField::Subject, XfccField::Uri, XfccField::Dns],
            strip: Vec::new(),
            service_version: ServiceVersion::default(),
            upgrades: vec!["websocket".to_owned()],
            max_header_bytes: 64 << 10,
            max_headers: 100,
            max_body: None,
            max_streams: 100,
            header_timeout: Duration::from_secs(60),
            response_timeout: Duration::from_secs(60),
        }
    }
}

/// A header, or a group of headers, that says who a client is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum IdentityHeader {
    /// `X-Forwarded-Client-Cert`, as Envoy writes it.
    Xfcc,
    /// `Client-Cert` (RFC 9440).
    ClientCert,
    /// `Client-Cert-Chain` (RFC 9440): the certificates between the client's and the anchor.
    ClientCertChain,
    /// `X-Client-Subject`, `-Issuer`, `-Serial`, `-SAN`, `-User` and `-Verdict`.
    XClient,
}

/// A field of `X-Forwarded-Client-Cert`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum XfccField {
    /// The certificate in PEM, percent-encoded.
    Cert,
    /// The certificate and those between it and the anchor.
    Chain,
    /// The subject.
    Subject,
    /// The URIs.
    Uri,
    /// The DNS names.
    Dns,
}

impl XfccField {
    /// All, in the order in which they are written.
    pub(crate) const IN_ORDER: [Self; 5] = [Self::Cert, Self::Chain, Self::Subject, Self::Uri, Self::Dns];
}

/// The version of HTTP that a service speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ServiceVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 from the first byte, as gRPC does.
    Http2,
}
