//! The certificates that a path search goes through.

use crate::key_ring::NameId;
use crate::x509::Certificate;

/// A certificate of the search, by where it is kept.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum CertificateRef {
    /// The one that is asked about.
    Target,
    /// In the ring.
    Ring(u32),
    /// Presented with the target.
    Presented(u32),
}

/// A certificate below the anchor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    pub(crate) reference: CertificateRef,
    pub(crate) certificate: Certificate<'a>,
    /// The number of its subject's name. Of a target it is `NameId::MAX`: that is asked of the pool.
    pub(crate) subject: NameId,
    /// Subject and issuer are the same name (RFC 5280 3.2).
    pub(crate) is_self_issued: bool,
}
