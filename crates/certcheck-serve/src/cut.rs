//! Texts that are cut where they are too long.

/// The beginning of a text, at most this many bytes of it, and no part of a character.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_cut_in_two() {
        for (text, max, expected) in [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "abc"),
            ("a\u{fc}b", 2, "a"),
            ("\u{20ac}", 2, ""),
            ("ab", 0, ""),
        ] {
            assert_eq!(cut(text, max), expected, "{text}");
        }
    }
}
