//! Extensions, one function each.

use crate::der;
use crate::key::Key;
use crate::name::{general_name, general_names, rdn};

/// An extension before it is encoded.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Ext {
    /// The dotted identifier.
    pub oid: String,
    /// Whether it is marked critical.
    pub critical: bool,
    /// The content of extnValue.
    pub value: Vec<u8>,
}

impl Ext {
    /// Any extension.
    #[must_use]
    pub fn new(oid: &str, critical: bool, value: Vec<u8>) -> Self {
        Self { oid: oid.to_owned(), critical, value }
    }

    /// The extension as DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        let critical = if self.critical { der::boolean(true) } else { Vec::new() };
        der::seq(&[der::oid(&self.oid), critical, der::bytes(&self.value)])
    }
}

/// The basicConstraints extension (RFC 5280 4.2.1.9).
#[must_use]
pub fn basic_constraints(ca: bool, path_len: Option<i64>) -> Ext {
    let ca = if ca { der::boolean(true) } else { Vec::new() };
    Ext::new("2.5.29.19", true, der::seq(&[ca, path_len.map_or_else(Vec::new, der::int)]))
}

/// The keyUsage extension, by the names of the bits (RFC 5280 4.2.1.3).
#[must_use]
pub fn key_usage<S: AsRef<str>>(names: &[S]) -> Ext {
    const BITS: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    let bit = |name: &S| u8::try_from(BITS.iter().position(|bit| *bit == name.as_ref()).unwrap()).unwrap();
    Ext::new("2.5.29.15", true, der::named_bits(&names.iter().map(bit).collect::<Vec<_>>()))
}

/// The extKeyUsage extension: `client`, `server`, `ocsp`, `any`, or a dotted identifier (RFC 5280 4.2.1.12).
#[must_use]
pub fn eku<S: AsRef<str>>(purposes: &[S]) -> Ext {
    let oid = |purpose: &S| match purpose.as_ref() {
        "client" => der::oid("1.3.6.1.5.5.7.3.2"),
        "server" => der::oid("1.3.6.1.5.5.7.3.1"),
        "ocsp" => der::oid("1.3.6.1.5.5.7.3.9"),
        "any" => der::oid("2.5.29.37.0"),
        dotted => der::oid(dotted),
    };
    Ext::new("2.5.29.37", false, der::seq(&purposes.iter().map(oid).collect::<Vec<_>>()))
}

/// The subjectAltName extension (RFC 5280 4.2.1.6).
#[must_use]
pub fn san<S: AsRef<str>>(names: &[S]) -> Ext {
    Ext::new("2.5.29.17", false, general_names(names))
}

/// The nameConstraints extension (RFC 5280 4.2.1.10).
#[must_use]
pub fn name_constraints<S: AsRef<str>>(permitted: &[S], excluded: &[S]) -> Ext {
    let list = |n, names: &[S]| {
        if names.is_empty() {
            return Vec::new();
        }
        let subtrees: Vec<_> = names.iter().map(|name| der::seq(&[general_name(name.as_ref())])).collect();
        der::ctx_c(n, &der::concat(&subtrees))
    };
    Ext::new("2.5.29.30", true, der::seq(&[list(0, permitted), list(1, excluded)]))
}

/// The certificatePolicies extension, without qualifiers (RFC 5280 4.2.1.4).
#[must_use]
pub fn policies<S: AsRef<str>>(policies: &[S]) -> Ext {
    let information = |policy: &S| der::seq(&[der::oid(policy.as_ref())]);
    Ext::new("2.5.29.32", false, der::seq(&policies.iter().map(information).collect::<Vec<_>>()))
}

/// The policyMappings extension (RFC 5280 4.2.1.5).
#[must_use]
pub fn policy_mappings<S: AsRef<str>>(pairs: &[(S, S)]) -> Ext {
    let pair = |(a, b): &(S, S)| der::seq(&[der::oid(a.as_ref()), der::oid(b.as_ref())]);
    Ext::new("2.5.29.33", true, der::seq(&pairs.iter().map(pair).collect::<Vec<_>>()))
}

/// The policyConstraints extension (RFC 5280 4.2.1.11).
#[must_use]
pub fn policy_constraints(require_explicit: Option<i64>, inhibit_mapping: Option<i64>) -> Ext {
    let field =
        |n, value: Option<i64>| value.map_or_else(Vec::new, |value| der::ctx(n, &der::int_content(value)));
    Ext::new("2.5.29.36", true, der::seq(&[field(0, require_explicit), field(1, inhibit_mapping)]))
}

/// The inhibitAnyPolicy extension (RFC 5280 4.2.1.14).
#[must_use]
pub fn inhibit_any_policy(skip: i64) -> Ext {
    Ext::new("2.5.29.54", true, der::int(skip))
}

/// The authorityKeyIdentifier extension, with the key identifier (RFC 5280 4.2.1.1).
#[must_use]
pub fn aki(issuer: &Key) -> Ext {
    Ext::new("2.5.29.35", false, der::seq(&[der::ctx(0, &issuer.id())]))
}

/// The subjectKeyIdentifier extension (RFC 5280 4.2.1.2).
#[must_use]
pub fn ski(key: &Key) -> Ext {
    Ext::new("2.5.29.14", false, der::bytes(&key.id()))
}

/// A distribution point, or the name of one, before it is encoded.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Point {
    /// The fullName, as texts of general names.
    pub full: Vec<String>,
    /// The nameRelativeToCRLIssuer, as the text of an RDN.
    pub relative: Option<String>,
    /// The ReasonFlags, by bit.
    pub reasons: Vec<u8>,
    /// The cRLIssuer, as texts of general names.
    pub crl_issuer: Vec<String>,
}

impl Point {
    /// A point with URLs for one CRL.
    #[must_use]
    pub fn urls<S: AsRef<str>>(urls: &[S]) -> Self {
        Self { full: urls.iter().map(|url| format!("uri:{}", url.as_ref())).collect(), ..Self::default() }
    }

    /// The `[0] DistributionPointName`, or nothing.
    #[must_use]
    pub fn name(&self) -> Vec<u8> {
        if let Some(relative) = &self.relative {
            return der::ctx_c(0, &der::ctx_c(1, &rdn(relative)[2..]));
        }
        if self.full.is_empty() {
            return Vec::new();
        }
        let names: Vec<_> = self.full.iter().map(|name| general_name(name)).collect();
        der::ctx_c(0, &der::ctx_c(0, &der::concat(&names)))
    }

    fn der(&self) -> Vec<u8> {
        let reasons = if self.reasons.is_empty() {
            Vec::new()
        } else {
            der::ctx(1, &der::named_bits(&self.reasons)[2..])
        };
        let issuer: Vec<_> = self.crl_issuer.iter().map(|name| general_name(name)).collect();
        let issuer = if issuer.is_empty() { Vec::new() } else { der::ctx_c(2, &der::concat(&issuer)) };
        der::seq(&[self.name(), reasons, issuer])
    }
}

/// The cRLDistributionPoints extension (RFC 5280 4.2.1.13).
#[must_use]
pub fn cdp(points: &[Point]) -> Ext {
    Ext::new("2.5.29.31", false, der::seq(&points.iter().map(Point::der).collect::<Vec<_>>()))
}

/// The freshestCRL extension (RFC 5280 4.2.1.15).
#[must_use]
pub fn freshest_crl(points: &[Point]) -> Ext {
    Ext { oid: "2.5.29.46".to_owned(), ..cdp(points) }
}

/// The authorityInfoAccess extension (RFC 5280 4.2.2.1).
#[must_use]
pub fn aia<S: AsRef<str>>(ocsp: &[S], ca_issuers: &[S]) -> Ext {
    let description =
        |method: &str, url: &S| der::seq(&[der::oid(method), general_name(&format!("uri:{}", url.as_ref()))]);
    let ocsp = ocsp.iter().map(|url| description("1.3.6.1.5.5.7.48.1", url));
    let issuers = ca_issuers.iter().map(|url| description("1.3.6.1.5.5.7.48.2", url));
    Ext::new("1.3.6.1.5.5.7.1.1", false, der::seq(&ocsp.chain(issuers).collect::<Vec<_>>()))
}

/// The noRevAvail extension (RFC 9608).
#[must_use]
pub fn no_rev_avail() -> Ext {
    Ext::new("2.5.29.56", false, der::null())
}

/// The id-pkix-ocsp-nocheck extension (RFC 6960 4.2.2.2.1).
#[must_use]
pub fn ocsp_nocheck() -> Ext {
    Ext::new("1.3.6.1.5.5.7.48.1.5", false, der::null())
}

/// An extension that no software knows.
#[must_use]
pub fn unknown(critical: bool) -> Ext {
    Ext::new("1.3.6.1.4.1.99999.2", critical, der::null())
}
