//! The names of a server's anchors, which tell clients what certificates it accepts (RFC 8446 4.2.4, RFC 5246 7.4.4).

use std::collections::HashSet;

use certcheck_core::KeyRing;
use certcheck_core::key_ring::Role;
use rustls::DistinguishedName;

/// The limit in bytes of the names that are sent. For a ring with more, none are sent, and clients choose a
/// certificate by themselves: a ring must not make the server's messages very large.
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
