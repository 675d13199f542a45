//! Numbers for names, so that code that stores certificates or CRLs by name compares numbers.

use std::collections::{BTreeMap, HashMap};

use crate::x509::Name;

/// The number of a name. Names that match (RFC 5280 7.1) have the same number.
pub(crate) type NameId = u32;

/// Numbers for names. A hash of its plain form rules most names out. A name is found by its bytes, or else by
/// its normalized form.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameInterner {
    by_bytes: HashMap<Box<[u8]>, NameId>,
    by_form: HashMap<Vec<u8>, NameId>,
    /// The names that have a plain form, by its hash: one encoding of each, which nearly all certificates use. A hash
    /// only decides how the search goes on.
    plain: BTreeMap<u64, (Box<[u8]>, NameId)>,
    /// Whether some name has no plain form, so that a plain name may match it.
    has_others: bool,
    count: NameId,
}

impl NameInterner {
    /// How many numbers are in use.
    pub(crate) const fn count(&self) -> NameId {
        self.count
    }

    /// The number of a name, if it has one. Allocates only for a name that is encoded in a new way.
    pub(crate) fn find(&self, name: Name<'_>) -> Option<NameId> {
        self.find_hashed(name, name.plain_hash())
    }

    /// Like [`NameInterner::find`], for a name whose [`Name::plain_hash`] is known.
    pub(crate) fn find_hashed(&self, name: Name<'_>, plain_hash: Option<u64>) -> Option<NameId> {
        if self.count == 0 {
            return None;
        }
        if let Some(hash) = plain_hash {
            match self.plain.get(&hash) {
                Some((raw, id)) if **raw == *name.raw() => return Some(*id),
                None if !self.has_others => return None,
                _ => {}
            }
        }
        let known = self.by_bytes.get(name.raw());
        known.or_else(|| self.by_form.get(&name.normalized())).copied()
    }

    /// Like [`NameInterner::find`], for a name whose normalized form is known.
    pub(crate) fn find_form(&self, name: Name<'_>, form: &[u8]) -> Option<NameId> {
        self.by_bytes.get(name.raw()).or_else(|| self.by_form.get(form)).copied()
    }

    /// The number of a name. A name without one gets a new number.
    pub(crate) fn add(&mut self, name: Name<'_>) -> NameId {
        if let Some(id) = self.by_bytes.get(name.raw()) {
            return *id;
        }
        let id = *self.by_form.entry(name.normalized()).or_insert(self.count);
        if id == self.count {
            self.count += 1;
        }
        match name.plain_hash() {
            Some(hash) => _ = self.plain.entry(hash).or_insert_with(|| (name.raw().into(), id)),
            None => self.has_others = true,
        }
        self.by_bytes.insert(name.raw().into(), id);
        id
    }
}
