//! The certificates of a path search.

use crate::key_ring::NameId;
use crate::x509::Certificate;

/// A certificate of the search, by where it is stored.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum CertificateRef {
    /// The certificate to check.
    Target,
    /// A certificate of the ring.
    Ring(u32),
    /// A certificate that was presented with the target.
    Presented(u32),
}

/// What a search compares of a certificate. The certificate itself is only needed once a path has reached an anchor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) reference: CertificateRef,
    /// The SubjectPublicKeyInfo.
    pub(crate) key: &'a [u8],
    /// The number of its subject's name. `NameId::MAX` for a target, whose number the pool finds on demand.
    pub(crate) subject: NameId,
    /// The number of its issuer's name.
    pub(crate) issuer: NameId,
    /// Whether subject and issuer are the same name (RFC 5280 3.2). `false` for a target: no rule asks that of the last
    /// certificate of a path.
    pub(crate) is_self_issued: bool,
}

/// A certificate below the anchor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    pub(crate) reference: CertificateRef,
    pub(crate) certificate: Certificate<'a>,
    /// Whether subject and issuer are the same name (RFC 5280 3.2). `false` for a target: no rule asks that of the last
    /// certificate of a path.
    pub(crate) is_self_issued: bool,
}
