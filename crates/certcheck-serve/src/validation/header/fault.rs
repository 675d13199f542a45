//! Why no certificate can be read out of a header.

use core::fmt;

use super::{MAX_CERTIFICATE, MAX_CHAIN, MAX_VALUE};

/// Why no certificate can be read out of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum HeaderFault {
    /// The header is there several times.
    Twice,
    TooLong(usize),
    /// A byte that no form has.
    NotPrintable,
    /// `%` without two hexadecimal digits behind it.
    BadPercent,
    /// Not PEM of certificates alone.
    NotPem,
    NotBase64,
    /// Not one or several DER elements in one piece.
    NotDer,
    CertificateTooLarge(usize),
    /// More certificates than are allowed.
    TooMany(usize),
    /// Several certificates, where the source sends one.
    Several(usize),
    /// A chain without the certificate that it belongs to.
    ChainAlone,
    /// Not a byte sequence between colons (RFC 9440).
    NotByteSequence,
    /// Quotes or pairs that do not end.
    BadXfcc,
    /// A field that is there twice.
    XfccFieldTwice(&'static str),
    /// Several elements, of which the first may be the client's own.
    XfccElements(usize),
    /// Neither `Cert` nor `Chain`.
    XfccNoCertificate,
    /// Two fields that are about different certificates.
    XfccContradiction(&'static str),
}

impl HeaderFault {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::XfccContradiction(_) => "contradictory-header",
            _ => "malformed-header",
        }
    }
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice => f.write_str("the header is there several times; have the proxy set it, not add it"),
            Self::TooLong(bytes) => write!(f, "{bytes} bytes; {MAX_VALUE} are allowed"),
            Self::NotPrintable => f.write_str("a byte that is not printable ASCII"),
            Self::BadPercent => f.write_str("a `%` without two hexadecimal digits behind it"),
            Self::NotPem => f.write_str("not PEM with nothing but certificates"),
            Self::NotBase64 => f.write_str("not Base64 with padding (RFC 4648 4)"),
            Self::NotDer => f.write_str("not whole DER elements"),
            Self::CertificateTooLarge(bytes) => {
                write!(f, "a certificate of {bytes} bytes; {MAX_CERTIFICATE} are allowed")
            }
            Self::TooMany(count) => write!(f, "{count} certificates; {MAX_CHAIN} are allowed"),
            Self::Several(count) => write!(f, "{count} certificates; this source sends one"),
            Self::ChainAlone => f.write_str("a chain without the certificate of the client"),
            Self::NotByteSequence => {
                f.write_str("not a byte sequence, which is Base64 between two colons (RFC 9440 2.1)")
            }
            Self::BadXfcc => f.write_str("not the pairs of X-Forwarded-Client-Cert"),
            Self::XfccFieldTwice(field) => write!(f, "the field {field} is there twice"),
            Self::XfccElements(count) => write!(
                f,
                "{count} elements, so it passed several proxies; set it with forward_client_cert_details: SANITIZE_SET"
            ),
            Self::XfccNoCertificate => f.write_str(
                "neither Cert nor Chain; ask for them with set_current_client_cert_details: { cert: true, chain: true }",
            ),
            Self::XfccContradiction(field) => write!(f, "{field} is about another certificate than the rest"),
        }
    }
}

impl core::error::Error for HeaderFault {}
