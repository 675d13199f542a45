//! Values that are one of a few words.

use certcheck_rustls::Revocation;
use certcheck_rustls::certcheck_core::policy::{
    CrlSignerUsage, EvidenceOrder, Nonce, RevocationScope, Tolerance,
};

use super::http::{IdentityHeader, ServiceVersion, XfccField};
use super::model::{
    ClientCertificate, EventClass, LogFormat, ProxyTlv, ProxyVersion, TlsVersion, UnknownSni,
};
use super::validation::{CertificateSource, Unauthenticated, ValidationProtocol};

/// A value that is one of a few words.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Every word with its value.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// The word of a value.
    fn word(self) -> Option<&'static str> {
        Self::WORDS.iter().find(|(_, value)| *value == self).map(|(word, _)| *word)
    }
}

macro_rules! words {
    ($of:ty: $($word:literal => $value:expr),+ $(,)?) => {
        impl Word for $of {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),+];
        }
    };
}

words!(UnknownSni: "default" => Self::Default, "refuse" => Self::Refuse);
words!(TlsVersion: "1.2" => Self::V1_2, "1.3" => Self::V1_3);
words!(ClientCertificate: "required" => Self::Required, "optional" => Self::Optional, "none" => Self::None);
words!(ProxyVersion: "none" => Self::None, "v1" => Self::V1, "v2" => Self::V2);
words!(ProxyTlv:
    "alpn" => Self::Alpn,
    "authority" => Self::Authority,
    "version" => Self::Version,
    "cn" => Self::CommonName,
    "cipher" => Self::Cipher,
    "sig-alg" => Self::SignatureAlgorithm,
    "key-alg" => Self::KeyAlgorithm,
    "certificate" => Self::Certificate,
    "crc32c" => Self::Checksum,
);
words!(IdentityHeader:
    "xfcc" => Self::Xfcc,
    "client-cert" => Self::ClientCert,
    "client-cert-chain" => Self::ClientCertChain,
    "x-client" => Self::XClient,
);
words!(XfccField:
    "cert" => Self::Cert,
    "chain" => Self::Chain,
    "subject" => Self::Subject,
    "uri" => Self::Uri,
    "dns" => Self::Dns,
);
words!(ServiceVersion: "1.1" => Self::Http1, "2" => Self::Http2);
words!(ValidationProtocol: "http" => Self::Http, "grpc" => Self::Grpc, "spop" => Self::Spop);
words!(Unauthenticated: "refuse" => Self::Refuse, "memory" => Self::Memory);
words!(CertificateSource:
    "nginx" => Self::Nginx,
    "traefik" => Self::Traefik,
    "xfcc" => Self::Xfcc,
    "rfc9440" => Self::Rfc9440,
    "caddy" => Self::Caddy,
    "apache" => Self::Apache,
    "alb" => Self::Alb,
    "haproxy" => Self::Haproxy,
);
words!(LogFormat: "text" => Self::Text, "json" => Self::Json);
words!(EventClass:
    "connections" => Self::Connections,
    "refusals" => Self::RefusedClients,
    "limits" => Self::Limits,
    "upstream" => Self::Upstream,
    "requests" => Self::Requests,
);
words!(Revocation:
    "hard-fail" => Self::HardFail,
    "if-offered" => Self::IfOffered,
    "soft-fail" => Self::SoftFail,
    "off" => Self::Off,
);
words!(RevocationScope: "chain" => Self::Chain, "leaf" => Self::Leaf);
words!(EvidenceOrder: "ocsp-first" => Self::OcspFirst, "crl-first" => Self::CrlFirst);
words!(Nonce: "off" => Self::Off, "ask" => Self::Ask, "demand" => Self::Demand);
words!(CrlSignerUsage:
    "rfc10007" => Self::Rfc10007,
    "required" => Self::Required,
    "if-present" => Self::IfPresent,
);

/// Whether a cause of an unknown status is tolerated, to be read and to be set.
type Cause = (&'static str, fn(&mut Tolerance) -> &mut bool);

/// The causes of an unknown status that can be tolerated one by one.
pub(super) const CAUSES: [Cause; 6] = [
    ("no-source", |tolerance| &mut tolerance.no_source),
    ("not-tried", |tolerance| &mut tolerance.not_tried),
    ("unreachable", |tolerance| &mut tolerance.unreachable),
    ("unknown-to-responder", |tolerance| &mut tolerance.unknown_to_responder),
    ("stale", |tolerance| &mut tolerance.stale),
    ("unusable", |tolerance| &mut tolerance.unusable),
];
