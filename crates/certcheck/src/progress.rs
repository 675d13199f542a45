//! Progress on standard error: on a terminal, after a second, and gone before the answer is printed.

use std::io::{self, IsTerminal as _};
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{output, visible};

/// What is over within this time shows no progress.
const DELAY: Duration = Duration::from_secs(1);

/// A progress bar that appears once the work has taken a second.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: Once,
    is_wanted: bool,
}

impl Progress {
    /// Progress of so many steps, if that is known; `template` may name `{rate}`, `{done}`, `{whole}` and `{speed}`, all
    /// of them whole numbers.
    pub(crate) fn new(length: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(template).map(|style| {
            style
                .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = write!(out, "{:.0} a second", state.per_sec());
                })
                .with_key("done", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = out.write_str(&bytes(state.pos()));
                })
                .with_key("whole", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = out.write_str(&bytes(state.len().unwrap_or_default()));
                })
                .with_key("speed", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = write!(out, "{} a second", bytes(state.per_sec() as u64));
                })
        });
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let is_wanted = io::stderr().is_terminal() && !output::is_quiet();
        Self { bar, begun: Instant::now(), shown: Once::new(), is_wanted }
    }

    /// No progress.
    pub(crate) fn none() -> Self {
        Self { bar: ProgressBar::hidden(), begun: Instant::now(), shown: Once::new(), is_wanted: false }
    }

    /// So much is done.
    pub(crate) fn set(&self, position: u64) {
        self.bar.set_position(position);
        self.show_when_due();
    }

    /// One step more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        self.show_when_due();
    }

    /// There are so many steps.
    pub(crate) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    /// What is being done.
    pub(crate) fn set_message(&self, message: String) {
        self.bar.set_message(message);
        self.show_when_due();
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show_when_due(&self) {
        if self.is_wanted && self.begun.elapsed() >= DELAY {
            self.shown.call_once(|| drop(visible::show(self.bar.clone())));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A number of bytes in whole units.
fn bytes(count: u64) -> String {
    match count {
        ..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn numbers_are_whole() {
        assert_eq!(bytes(9_999), "9999 bytes");
        assert_eq!(bytes(12_345), "12 kB");
        assert_eq!(bytes(231_999_999), "231 MB");
    }
}
