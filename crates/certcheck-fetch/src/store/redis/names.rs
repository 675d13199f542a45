//! The names of keys.

/// The names of one entry.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `cc1:{K}`
    stem: String,
}

impl Names {
    pub(super) fn new(prefix: &str, name: &str) -> Self {
        Self { stem: format!("{prefix}:{{{name}}}") }
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

/// The pattern of all heads. It has the length of their keys: what others write is listed only if it has that length too.
pub(super) fn pattern(prefix: &str) -> String {
    format!("{prefix}:{{{}}}:h", "?".repeat(32))
}

/// The entry whose head has this key.
pub(super) fn entry_of<'k>(prefix: &str, key: &'k str) -> Option<&'k str> {
    key.strip_prefix(prefix)?.strip_prefix(":{")?.strip_suffix("}:h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_entry_share_their_slot() {
        let names = Names::new("cc1", &"0123456789abcdef".repeat(2));
        assert_eq!(names.head(), "cc1:{0123456789abcdef0123456789abcdef}:h");
        assert_eq!(names.chunk("ff", 2), "cc1:{0123456789abcdef0123456789abcdef}:c:ff:2");
        assert_eq!(names.lease(), "cc1:{0123456789abcdef0123456789abcdef}:l");
        assert_eq!(channel("site"), "site:news");
        assert_eq!(entry_of("cc1", &names.head()), Some("0123456789abcdef0123456789abcdef"));
        assert_eq!(entry_of("cc1", &names.lease()), None);
    }
}
