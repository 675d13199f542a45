//! Which certificates a server would take: the names of its anchors (RFC 8446 4.2.4, RFC 5246 7.4.4).

use std::collections::HashSet;

use certcheck_core::KeyRing;
use certcheck_core::key_ring::Role;
use rustls::DistinguishedName;

/// Bytes of names that are sent. A ring with more has none sent: clients choose by themselves then, and a flight of a
/// server must not be blown up by its ring.
pub const MAX_HINTS: usize = 16 << 10;

/// The subjects of a ring's anchors, each once.
///
/// RFC 8446 4.2.4.
#[doc(alias = "RFC 8446 section 4.2.4")]
pub(crate) fn hints_of(ring: &KeyRing) -> Vec<DistinguishedName> {
    let anchors = ring.certificates().iter().filter(|entry| entry.role() == Role::Anchor);
    let mut seen = HashSet::new();
    let names: Vec<&[u8]> = anchors
        .map(|anchor| anchor.certificate().subject())
        .filter(|subject| !subject.is_empty() && seen.insert(subject.raw()))
        .map(|subject| subject.raw())
        .collect();
    if names.iter().map(|name| name.len() + 2).sum::<usize>() > MAX_HINTS {
        return Vec::new();
    }
    names.into_iter().map(|name| DistinguishedName::from(name.to_vec())).collect()
}
