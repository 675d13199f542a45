//! The text of a policy as lines of words.

use super::diagnostic::{Code, Diagnostics, Position};

/// The largest policy, in bytes. Large sites have some hundred KiB.
pub const MAX_BYTES: usize = 1 << 20;
/// The longest line, in bytes. What a line says is never longer than a URL of 2,083 characters.
pub const MAX_LINE: usize = 4096;

/// A word, and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Word {
    /// The text.
    pub text: String,
    /// Where it begins.
    pub at: Position,
}

impl Word {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}

/// A line: its words, and the comment behind them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Line {
    /// The number, from 1.
    pub(super) number: usize,
    pub(super) words: Vec<Word>,
    /// The text behind `#`, without blanks around it.
    pub(super) comment: Option<String>,
}

/// The lines of a policy. Nothing if it is too large or is not UTF-8.
pub(super) fn lines(text: &[u8], diagnostics: &mut Diagnostics) -> Vec<Line> {
    let start = Position::new(1, 1);
    if text.len() > MAX_BYTES {
        let message = format!("the policy has {} bytes; at most {MAX_BYTES} are read", text.len());
        diagnostics.error(Code::TooLarge, start, message);
        return Vec::new();
    }
    let text = match core::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good =
                String::from_utf8_lossy(text.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
            let line = good.split('\n').next_back().unwrap_or_default();
            let at = Position::new(good.matches('\n').count() + 1, line.chars().count() + 1);
            let help = "convert the file from EBCDIC or its other code page, for example with \
                        `iconv -f IBM-1047 -t UTF-8`";
            diagnostics.error_with_help(Code::NotText, at, "the policy is not UTF-8", help);
            return Vec::new();
        }
    };
    // A new line of EBCDIC is U+0085 after a conversion.
    text.split(['\n', '\u{85}']).enumerate().map(|(at, text)| line(at + 1, text, diagnostics)).collect()
}

fn line(number: usize, text: &str, diagnostics: &mut Diagnostics) -> Line {
    if text.len() > MAX_LINE {
        let message = format!("the line has {} bytes; at most {MAX_LINE} are read", text.len());
        diagnostics.error(Code::TooLarge, Position::new(number, 1), message);
        return Line { number, ..Line::default() };
    }
    let (text, comment) = match text.split_once('#') {
        Some((text, comment)) => (text, Some(comment.trim().to_owned())),
        None => (text, None),
    };
    let mut words: Vec<Word> = Vec::new();
    let mut is_in_word = false;
    for (at, character) in text.chars().enumerate() {
        let is_space = character.is_whitespace();
        match words.last_mut() {
            _ if is_space => {}
            Some(word) if is_in_word => word.text.push(character),
            _ => words.push(Word { text: character.into(), at: Position::new(number, at + 1) }),
        }
        is_in_word = !is_space;
    }
    Line { number, words, comment }
}
