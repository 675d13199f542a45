//! A certificate whose status is checked.

use crate::policy::{Policy, RevocationScope};
use crate::x509::{Certificate, KnownExtension};

/// A certificate whose status is checked, and its issuer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedCertificate<'s, 'a> {
    pub(crate) certificate: &'s Certificate<'a>,
    pub(crate) issuer: &'s Certificate<'a>,
    /// The certificates above the issuer, with the anchor last. Empty if the issuer is the anchor.
    pub(crate) above: &'s [Certificate<'a>],
}

impl<'s, 'a> CheckedCertificate<'s, 'a> {
    /// The certificates of a path whose statuses the policy checks, target first. The path has the anchor last.
    pub(crate) fn of_path(
        path: &'s [Certificate<'a>],
        policy: &Policy,
    ) -> impl Iterator<Item = Self> + use<'s, 'a> {
        let asked = if policy.revocation_scope == RevocationScope::Leaf { 1 } else { path.len() };
        Self::of_each(path).take(asked)
    }

    /// All certificates of a path below its anchor, target first.
    pub(crate) fn of_each(path: &'s [Certificate<'a>]) -> impl Iterator<Item = Self> + use<'s, 'a> {
        (0..path.len()).map_while(move |at| match path.get(at..)? {
            [certificate, issuer, above @ ..] => Some(Self { certificate, issuer, above }),
            _ => None,
        })
    }

    /// Whether the issuer is the anchor of the path.
    pub(crate) const fn issuer_is_anchor(&self) -> bool {
        self.above.is_empty()
    }
}

impl CheckedCertificate<'_, '_> {
    /// Whether the certificate names a source for its status.
    pub(crate) fn names_source(&self) -> bool {
        [
            KnownExtension::CrlDistributionPoints,
            KnownExtension::FreshestCrl,
            KnownExtension::AuthorityInfoAccess,
        ]
        .into_iter()
        .any(|known| self.certificate.has(known))
    }

    /// Whether there will never be a status (RFC 9608 4). Not possible for CAs. Deviation: together with a source of
    /// status it is a contradiction and is ignored. The RFC leaves this case open.
    ///
    /// RFC 9608 3.
    #[doc(alias = "RFC 9608 section 3")]
    pub(super) fn has_no_status(&self) -> bool {
        let is_ca = self.certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
        self.certificate.has(KnownExtension::NoRevAvail) && !self.names_source() && !is_ca
    }
}
