//! The limits of a check. Each number says where it comes from. A limit that is reached is a reason of its own.

use core::fmt;

/// The limits of one check.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Signatures verified, counted separately for certificates and for evidence. 100 is the limit of rustls-webpki and
    /// Go. Real bridges need fewer than 20.
    pub signatures: u32,
    /// The total cost of signatures on certificates, in verifications over P-256 (about 70 µs each). With `ring`, one
    /// over P-384 costs eight of them. 128 are 16 certificates over P-384, or about 10 ms.
    pub signature_cost: u32,
    /// Certificates put into a path during the search. At about 300 ns each, 8 ms.
    pub steps: u32,
    /// Complete paths validated. Each takes about a microsecond in addition to its signatures.
    pub paths: u32,
    /// Certificates in a path, including the anchor and self-issued ones. The Federal PKI needs 8.
    pub path_length: u32,
    /// Names compared with constraints. Go and rustls-webpki allow 250,000.
    pub name_comparisons: u32,
    /// Bytes of the names that are compared, in all comparisons together. A value that must be prepared for it (RFC
    /// 4518) counts [`PREPARED`](crate::x509::PREPARED) times. 9 MiB take about 15 ms, and are 400 hosts under as many
    /// constraints.
    pub name_bytes: u32,
    /// Nodes and edges of the policy graph (RFC 9618), mappings included.
    pub policy_nodes: u32,
    /// Bytes of one certificate. The largest in the Federal PKI has 4 KiB.
    pub certificate_bytes: u32,
    /// Presented certificates in addition to the target.
    pub presented: u32,
    /// Failed paths that a report lists.
    pub attempts: u32,
    /// Pieces of unused evidence that a report lists.
    pub considered: u32,
    /// Distribution points of one certificate that are used. The most that was seen in practice is 3.
    pub distribution_points: u32,
    /// Sources of evidence that are asked for one certificate. AT-TLS has MaxSrcRevExtLocValues, 10 by default.
    pub locations: u32,
    /// Sources of certificates that are asked in a check (caIssuers). Bridges need five to eight.
    pub issuer_locations: u32,
    /// CRL issuers whose own path is built for one certificate.
    pub crl_issuers: u32,
    /// Paths whose revocation is checked, if earlier ones had a CA that is revoked or of unknown status.
    pub revocation_paths: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures: 100,
            signature_cost: 128,
            steps: 25_000,
            paths: 5_000,
            path_length: 20,
            name_comparisons: 200_000,
            name_bytes: 9 << 20,
            policy_nodes: 10_000,
            certificate_bytes: 1 << 20,
            presented: 1_000,
            attempts: 8,
            considered: 16,
            distribution_points: 100,
            locations: 10,
            issuer_locations: 16,
            crl_issuers: 16,
            revocation_paths: 4,
        }
    }
}

/// The name of a limit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::signatures`].
    Signatures,
    /// [`Limits::signature_cost`].
    SignatureCost,
    /// [`Limits::steps`].
    Steps,
    /// [`Limits::paths`].
    Paths,
    /// [`Limits::path_length`].
    PathLength,
    /// [`Limits::name_comparisons`].
    NameComparisons,
    /// [`Limits::name_bytes`].
    NameBytes,
    /// [`Limits::policy_nodes`].
    PolicyNodes,
    /// [`Limits::certificate_bytes`].
    CertificateBytes,
    /// [`Limits::presented`].
    Presented,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signatures => "signatures verified",
            Self::SignatureCost => "units of work on signatures",
            Self::Steps => "steps of path building",
            Self::Paths => "paths validated",
            Self::PathLength => "certificates in a path",
            Self::NameComparisons => "names compared with constraints",
            Self::NameBytes => "bytes of names compared",
            Self::PolicyNodes => "policy nodes",
            Self::CertificateBytes => "bytes of a certificate",
            Self::Presented => "certificates presented",
        })
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LimitHit {
    /// The limit.
    pub limit: Limit,
    /// Its value.
    pub allowed: u32,
}
