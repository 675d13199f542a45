//! The names of keys.

use crate::cache::key::EvidenceKey;

/// The beginning of all names, unless a site has several stores on one engine. The number is that of the format.
pub(super) const PREFIX: &str = "cc1";
/// The digits of a key that are in a name.
const DIGITS: usize = 32;

/// The names of one entry.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `cc1:{K}`
    stem: String,
}

impl Names {
    pub(super) fn new(prefix: &str, key: &EvidenceKey) -> Self {
        Self { stem: format!("{prefix}:{{{}}}", short(key)) }
    }

    pub(super) fn head(&self) -> String {
        format!("{}:h", self.stem)
    }

    pub(super) fn chunk(&self, sha: &str, number: u64) -> String {
        format!("{}:c:{sha}:{number}", self.stem)
    }

    pub(super) fn lease(&self) -> String {
        format!("{}:l", self.stem)
    }
}

/// The channel for news.
pub(super) fn channel(prefix: &str) -> String {
    format!("{prefix}:news")
}

/// The part of a key that is in names and in news.
pub(super) fn short(key: &EvidenceKey) -> String {
    let mut hex = key.to_hex();
    hex.truncate(DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_entry_share_their_slot() {
        let key = EvidenceKey::from_hex(&"0123456789abcdef".repeat(4)).expect("a key");
        let names = Names::new(PREFIX, &key);
        assert_eq!(names.head(), "cc1:{0123456789abcdef0123456789abcdef}:h");
        assert_eq!(names.chunk("ff", 2), "cc1:{0123456789abcdef0123456789abcdef}:c:ff:2");
        assert_eq!(names.lease(), "cc1:{0123456789abcdef0123456789abcdef}:l");
        assert_eq!(channel("site"), "site:news");
    }
}
