//! Text out of certificates and answers, made safe for a line of a log.

use core::fmt::{self, Write as _};

/// The longest text in characters. What follows is cut off.
const MAX_CHARACTERS: usize = 1_024;

/// Returns a text that stays on its line: control characters, and characters that are invisible or change the direction of
/// a line, are shown as `\u{..}`. A text of more than 1,024 characters is cut and ends with `...`.
///
/// Names and URLs in certificates are chosen by the people who made them. Use this for each one that is logged.
pub fn printable(text: impl fmt::Display) -> impl fmt::Display {
    Printable(text)
}

struct Printable<T>(T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer { f, left: MAX_CHARACTERS };
        match write!(writer, "{}", self.0) {
            // It stopped at the limit.
            Err(_) if writer.left == 0 => f.write_str("..."),
            outcome => outcome,
        }
    }
}

struct Writer<'w, 'f> {
    f: &'w mut fmt::Formatter<'f>,
    left: usize,
}

impl fmt::Write for Writer<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            if is_hidden(character) {
                write!(self.f, "{}", character.escape_unicode())?;
            } else {
                self.f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether a character is a control, invisible, or changes the direction of a line.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_line() {
        for (text, shown) in [
            ("CN=Zoë \\ \"x\"", "CN=Zoë \\ \"x\""),
            ("a\r\nINFO forged", "a\\u{d}\\u{a}INFO forged"),
            ("\u{1b}[31m\0\u{85}\u{2028}", "\\u{1b}[31m\\u{0}\\u{85}\\u{2028}"),
            ("\u{202e}cod", "\\u{202e}cod"),
            ("", ""),
        ] {
            assert_eq!(printable(text).to_string(), shown);
        }
        let long = "ä".repeat(MAX_CHARACTERS);
        assert_eq!(printable(&long).to_string(), long);
        assert_eq!(printable(format!("{long}b")).to_string(), format!("{long}..."));
    }
}
