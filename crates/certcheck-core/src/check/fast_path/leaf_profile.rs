//! The profile of a leaf: everything that path validation uses of a leaf, except its serial number, names, validity and
//! key.

use core::hash::Hasher;

use pki_types::CertificateDer;

use crate::der::Reader;
use crate::x509::{Certificate, Extension, KnownExtension, Version};

/// A run of extensions with the same bytes in all leaves with one profile, or an extension that each leaf has of its
/// own.
#[derive(Clone, Debug)]
enum Piece {
    Same(Box<[u8]>),
    Own { known: KnownExtension, critical: bool },
}

/// The profile of a leaf, and the certificates that are presented with it.
#[derive(Debug)]
pub(super) struct LeafProfile {
    version: Version,
    algorithm: Box<[u8]>,
    issuer: Box<[u8]>,
    points: Box<[u8]>,
    pieces: Vec<Piece>,
    pub(super) presented: Box<[CertificateDer<'static>]>,
}

impl LeafProfile {
    /// The profile of this leaf. `None` if its extensions cannot be parsed.
    pub(super) fn of(leaf: &Certificate<'_>, presented: &[CertificateDer<'_>]) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut same: Vec<u8> = Vec::new();
        let mut rest = Reader::new(leaf.extension_list());
        while !rest.is_empty() {
            let before = rest.rest();
            let extension = Extension::parse(&mut rest).ok()?;
            match own(&extension) {
                Some(known) => {
                    if !same.is_empty() {
                        pieces.push(Piece::Same(core::mem::take(&mut same).into()));
                    }
                    pieces.push(Piece::Own { known, critical: extension.critical });
                }
                None => same.extend_from_slice(before.get(..before.len() - rest.rest().len())?),
            }
        }
        if !same.is_empty() {
            pieces.push(Piece::Same(same.into()));
        }
        let owned = |der: &CertificateDer<'_>| CertificateDer::from(der.to_vec());
        Some(Self {
            version: leaf.version(),
            algorithm: leaf.signature_algorithm().content.into(),
            issuer: leaf.issuer().raw().into(),
            points: points(leaf).into(),
            pieces,
            presented: presented.iter().map(owned).collect(),
        })
    }

    /// Whether this leaf, with what is presented with it, has this profile.
    pub(super) fn has(&self, leaf: &Certificate<'_>, presented: &[CertificateDer<'_>]) -> bool {
        *self.issuer == *leaf.issuer().raw()
            && self.version == leaf.version()
            && *self.algorithm == *leaf.signature_algorithm().content
            && self.has_extensions(leaf.extension_list())
            && self.presented.len() == presented.len()
            && self.presented.iter().zip(presented).all(|(own, other)| **own == **other)
    }

    fn has_extensions(&self, list: &[u8]) -> bool {
        let mut rest = list;
        for piece in &self.pieces {
            rest = match piece {
                Piece::Same(bytes) => match rest.strip_prefix(&**bytes) {
                    Some(rest) => rest,
                    None => return false,
                },
                Piece::Own { known, critical } => {
                    let mut reader = Reader::new(rest);
                    match Extension::parse(&mut reader) {
                        Ok(extension)
                            if own(&extension) == Some(*known) && extension.critical == *critical =>
                        {
                            reader.rest()
                        }
                        _ => return false,
                    }
                }
            };
        }
        rest.is_empty()
    }

    /// The hash that [`hash`] computes for every leaf with this profile.
    pub(super) fn hash<H: Hasher>(&self, state: &mut H) {
        hash_parts([&self.issuer, &self.points], self.presented.len(), state);
    }
}

/// Hashes the profile of a leaf: the hash is the same for all leaves with one profile.
pub(super) fn hash<H: Hasher>(leaf: &Certificate<'_>, presented: &[CertificateDer<'_>], state: &mut H) {
    hash_parts([leaf.issuer().raw(), points(leaf)], presented.len(), state);
}

fn hash_parts<H: Hasher>(parts: [&[u8]; 2], presented: usize, state: &mut H) {
    for part in parts {
        state.write_usize(part.len());
        state.write(part);
    }
    state.write_usize(presented);
}

/// The distribution points, in which the leaves of one CA differ most.
fn points<'c>(leaf: &Certificate<'c>) -> &'c [u8] {
    leaf.extension_body(KnownExtension::CrlDistributionPoints)
}

/// The extension, if every leaf has its own. Names are compared with constraints again, and only the rules of the
/// profile use a leaf's key identifier, and they are checked again too.
fn own(extension: &Extension<'_>) -> Option<KnownExtension> {
    KnownExtension::of(extension.oid).filter(|known| {
        matches!(known, KnownExtension::SubjectAltName | KnownExtension::SubjectKeyIdentifier)
    })
}
