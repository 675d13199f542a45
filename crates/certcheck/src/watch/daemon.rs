//! Rounds at an interval, until a signal ends them.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_core::KeyRing;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use super::Found;
use super::endpoint::{self, Board};
use super::metrics::{self, Counts};
use super::round::Round;
use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::WatchArguments;
use crate::{ring_files, setup, visible};

/// Rounds begin up to this part of the interval late, so that many daemons do not ask at the same time.
const JITTER_PART: u32 = 10;
const MAX_JITTER: Duration = Duration::from_secs(60);
/// How long answers that are being sent have when the daemon ends.
const PARTING: Duration = Duration::from_millis(500);

/// Watches until SIGTERM or SIGINT.
pub(super) fn run(arguments: &WatchArguments, round: Round, interval: Duration) -> anyhow::Result<Exit> {
    let listener = arguments.listen.map(endpoint::bind).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let hangups = signal(SignalKind::hangup())?;
        let board = Arc::new(Board::new(interval));
        let mut daemon = Daemon::new(arguments.clone(), round, interval, Arc::clone(&board));
        if let Some(listener) = listener {
            visible::note(format_args!("metrics at http://{}/metrics", listener.local_addr()?))?;
            daemon.publish()?;
            tokio::spawn(endpoint::serve(listener, board));
        }
        let rounds = pin!(daemon.rounds(hangups));
        tokio::select! {
            ended = rounds => ended,
            _ = interrupts.recv() => Ok(()),
            _ = terminations.recv() => Ok(()),
        }
    });
    // A round may wait for a source: the process does not wait for it.
    runtime.shutdown_timeout(PARTING);
    outcome.map(|()| Exit::Accepted)
}

struct Daemon {
    arguments: Arc<WatchArguments>,
    round: Arc<Round>,
    interval: Duration,
    board: Arc<Board>,
    counts: Counts,
    last: Option<Found>,
}

impl Daemon {
    fn new(arguments: WatchArguments, round: Round, interval: Duration, board: Arc<Board>) -> Self {
        let counts = Counts {
            interval: interval.as_secs_f64(),
            rounds: 0,
            rounds_failed: 0,
            reloads: 0,
            reloads_failed: 0,
            is_ring_current: true,
            ring_loaded: setup::time(None),
        };
        Self { arguments: Arc::new(arguments), round: Arc::new(round), interval, board, counts, last: None }
    }

    /// Round after round. SIGHUP reloads the ring and begins one at once.
    ///
    /// # Errors
    /// Standard output is closed, or the first round failed.
    async fn rounds(&mut self, mut hangups: Signal) -> anyhow::Result<()> {
        loop {
            let begun = Instant::now();
            let (arguments, round) = (Arc::clone(&self.arguments), Arc::clone(&self.round));
            let outcome = spawn_blocking(move || round.look(&arguments, setup::time(None))).await?;
            match outcome {
                Ok(found) => self.finish(found)?,
                // The daemon can do nothing with these flags.
                Err(error) if self.last.is_none() => return Err(error),
                Err(error) => {
                    self.counts.rounds_failed += 1;
                    visible::remark(format_args!("this round failed: {error}"))?;
                }
            }
            self.publish()?;
            let next = begun + pause(self.interval, random()?);
            tokio::select! {
                () = sleep_until(next.into()) => {}
                _ = hangups.recv() => {
                    self.reload().await?;
                    self.publish()?;
                }
            }
        }
    }

    /// Prints what was found: as JSON always, as text if it is news.
    fn finish(&mut self, found: Found) -> anyhow::Result<()> {
        self.counts.rounds += 1;
        let is_news = self.last.as_ref().is_none_or(|last| last.codes() != found.codes());
        let is_json = self.arguments.output.is_json();
        if is_json || is_news {
            found.print(is_json)?;
        }
        self.last = Some(found);
        self.board.finished();
        Ok(())
    }

    /// Puts the metrics on the board and into the file.
    fn publish(&self) -> anyhow::Result<()> {
        let page = metrics::render(self.last.as_ref(), Some(&self.counts));
        if let (Some(path), Some(_)) = (&self.arguments.prometheus, &self.last)
            && let Err(error) = write(path, &page)
        {
            visible::remark(error)?;
        }
        self.board.set(page);
        Ok(())
    }

    /// Takes the ring from its files again. One that cannot be used leaves the old one in use.
    async fn reload(&mut self) -> anyhow::Result<()> {
        let arguments = Arc::clone(&self.arguments);
        let load = move || -> anyhow::Result<KeyRing> {
            let ring = ring_files::load(&arguments.ring, arguments.ring_skip_unreadable)?;
            ring_files::warn_of_skipped(&ring)?;
            Ok(ring)
        };
        match spawn_blocking(load).await? {
            Ok(ring) => {
                visible::note(format_args!("ring reloaded: {} certificates", ring.certificates().len()))?;
                self.round = Arc::new(Round::new(&self.arguments, ring));
                self.counts.reloads += 1;
                self.counts.is_ring_current = true;
                self.counts.ring_loaded = setup::time(None);
            }
            Err(error) => {
                let since = self.counts.ring_loaded;
                visible::remark(format_args!("ring not reloaded, the one of {since} stays in use: {error}"))?;
                self.counts.reloads_failed += 1;
                self.counts.is_ring_current = false;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, page: &str) -> anyhow::Result<()> {
    Draft::create(path)?.finish(page.as_bytes())
}

fn random() -> anyhow::Result<u32> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// The time from the beginning of a round to that of the next.
fn pause(interval: Duration, random: u32) -> Duration {
    let max = (interval / JITTER_PART).min(MAX_JITTER);
    interval + max.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_bounded() {
        let seconds = Duration::from_secs;
        for (interval, max) in [(10, 11), (300, 330), (86_400, 86_460)] {
            assert_eq!(pause(seconds(interval), 0), seconds(interval));
            assert_eq!(pause(seconds(interval), u32::MAX), seconds(max));
            let middle = pause(seconds(interval), u32::MAX / 2);
            assert!(seconds(interval) < middle && middle < seconds(max), "{middle:?}");
        }
    }
}
