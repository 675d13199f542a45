//! What the errors of a server mean.

use crate::store::remote::{Failed, Trouble};

/// An error that a server reports on its own account, without being asked.
pub(super) enum ErrorLine {
    /// The user may not do something. It gets no answer to that, and the connection stays.
    Rights,
    /// What was published has a subject that is none. The connection stays.
    Subject,
    /// The server ends the connection.
    End(Failed),
}

impl ErrorLine {
    /// The meaning of the text after `-ERR`.
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let has = |word: &str| lower.contains(word);
        if has("permissions violation") {
            return Self::Rights;
        }
        if lower == "invalid subject" {
            return Self::Subject;
        }
        let trouble = if has("authorization") || has("authentication") || has("user jwt") {
            Trouble::Denied
        } else if has("maximum payload") {
            Trouble::Full
        } else if has("stale connection") || has("connections exceeded") || has("shutdown") {
            Trouble::Unreachable
        } else {
            Trouble::Other
        };
        let text: String = text.chars().take(200).collect();
        Self::End(Failed { trouble, detail: format!("the server says: {text}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_trouble() {
        for (text, code) in [
            ("Authorization Violation", "denied"),
            ("Authentication Timeout", "denied"),
            ("User Authentication Expired", "denied"),
            ("Maximum Payload Violation", "full"),
            ("Stale Connection", "unreachable"),
            ("Maximum Connections Exceeded", "unreachable"),
            ("Unknown Protocol Operation", "other"),
            ("", "other"),
        ] {
            let ErrorLine::End(failed) = ErrorLine::of(text) else { panic!("{text}") };
            assert_eq!(failed.trouble.code(), code, "{text}");
        }
        let violation = ErrorLine::of("Permissions Violation for Publish to \"a\"");
        assert!(matches!(violation, ErrorLine::Rights));
        assert!(matches!(ErrorLine::of("Invalid Subject"), ErrorLine::Subject));
    }
}
