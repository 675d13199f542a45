//! Text of others before it gets to a terminal: names of files may hold anything, and what has no shape is spelled out.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

/// Shows what has no shape of its own as `\u{..}`, all else as it is.
pub(crate) struct Visible<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'e, 'f>(&'e mut fmt::Formatter<'f>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|sign| self.write_char(sign))
    }

    fn write_char(&mut self, sign: char) -> fmt::Result {
        if is_hidden(sign) {
            return write!(self.0, "\\u{{{:x}}}", u32::from(sign));
        }
        self.0.write_char(sign)
    }
}

/// Whether a sign has no shape of its own: controls, marks of direction, what joins or has no width, tags.
fn is_hidden(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(sign, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A path as people see it.
pub(crate) fn path(path: &Path) -> impl fmt::Display {
    Visible(path.display())
}

/// A line on standard error, in the program's name.
pub(crate) fn remark(what: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stderr(), "certcheck: {}", Visible(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_ends_the_line() {
        let name = "a\u{1b}]0;x\u{7}\n\u{202e}gpj\u{9b}2J \u{e9}\u{65e5}";
        let told = "a\\u{1b}]0;x\\u{7}\\u{a}\\u{202e}gpj\\u{9b}2J \u{e9}\u{65e5}";
        assert_eq!(path(Path::new(name)).to_string(), told);
    }
}
