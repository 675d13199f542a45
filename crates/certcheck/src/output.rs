//! How the program writes: colours, and what `--quiet` leaves out. Decided once, from the flags.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};

use crate::flags::{ColorFlag, GlobalArguments};

/// Whether `--quiet` was given.
static QUIET: OnceLock<bool> = OnceLock::new();

/// Sets how the program writes. The first call counts.
pub(crate) fn configure(arguments: &GlobalArguments) {
    match arguments.color {
        ColorFlag::Auto => ColorChoice::Auto,
        ColorFlag::Always => ColorChoice::Always,
        ColorFlag::Never => ColorChoice::Never,
    }
    .write_global();
    QUIET.get_or_init(|| arguments.quiet);
}

/// Whether only errors and what was asked for by name are written.
pub(crate) fn is_quiet() -> bool {
    QUIET.get().copied().unwrap_or_default()
}

/// Standard output for text: with colours where they are wanted, and closed by `--quiet`.
pub(crate) fn text() -> TextOut {
    if is_quiet() { TextOut::Closed } else { TextOut::Open(AutoStream::auto(io::stdout().lock())) }
}

/// Standard output for what programs read.
pub(crate) fn data() -> TextOut {
    TextOut::Open(AutoStream::always_ansi(io::stdout().lock()))
}

/// Standard output for text, or nothing.
pub(crate) enum TextOut {
    Open(AutoStream<io::StdoutLock<'static>>),
    Closed,
}

impl Write for TextOut {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(out) => out.write(text),
            Self::Closed => Ok(text.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(out) => out.flush(),
            Self::Closed => Ok(()),
        }
    }
}

/// Whether standard error takes colours.
pub(crate) fn has_colors_on_stderr() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}
