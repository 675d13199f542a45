//! Text of others before it gets to a terminal: names of files may hold anything, and what has no shape is spelled out.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar};

use crate::output;

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

/// An error on standard error, in the program's name. It is written at once: lines of several threads do not mix.
pub(crate) fn remark(what: impl fmt::Display) -> io::Result<()> {
    let line = format!("certcheck: {}\n", Visible(what));
    BARS.suspend(|| io::stderr().write_all(line.as_bytes()))
}

/// A line on standard error that is no error, in the program's name, unless `--quiet` was given.
pub(crate) fn note(what: impl fmt::Display) -> io::Result<()> {
    if output::is_quiet() { Ok(()) } else { remark(what) }
}

/// A warning on standard error, in the program's name, unless `--quiet` was given.
pub(crate) fn warn(what: impl fmt::Display) -> io::Result<()> {
    note(format_args!("warning: {what}"))
}

/// Writes to a terminal while no progress bar is on it.
pub(crate) fn between_bars<T>(write: impl FnOnce() -> T) -> T {
    BARS.suspend(write)
}

/// The progress bars on standard error: they are cleared while a line is written.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Puts a progress bar on standard error, where [`remark`] clears it before it writes.
pub(crate) fn show(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Text with colours on standard error, in one write, unless `--quiet` was given; without colours where they are not wanted.
pub(crate) fn write_text(text: &[u8]) -> io::Result<()> {
    if output::is_quiet() {
        return Ok(());
    }
    if !output::has_colors_on_stderr() {
        return WholeLines.write_all(&anstream::adapter::strip_bytes(text).into_vec());
    }
    WholeLines.write_all(text)
}

/// Standard error for whole pieces of text: progress bars are cleared before one is written.
pub(crate) struct WholeLines;

impl io::Write for WholeLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write_all(text)).map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_ends_the_line() {
        let name = "a\u{1b}]0;x\u{7}\n\u{202e}gpj\u{9b}2J \u{e9}\u{65e5}";
        let reported = "a\\u{1b}]0;x\\u{7}\\u{a}\\u{202e}gpj\\u{9b}2J \u{e9}\u{65e5}";
        assert_eq!(path(Path::new(name)).to_string(), reported);
    }
}
