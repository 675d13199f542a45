//! The live log: one line an event, written by a thread of its own.
//!
//! Recording an event never waits. If there are more events than can be written, the rest is counted and reported.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;
use tokio::sync::Notify;

use crate::json;
use crate::setup;
use crate::text::{BAD, GOOD, QUIET, UNSURE};

/// Events that wait to be written.
const WAITING: usize = 1_024;

/// Something that happened.
#[derive(Debug, Serialize)]
pub(super) struct Event {
    at: String,
    /// Where: `cdp`, `ocsp`, `echo` or `control`.
    place: &'static str,
    /// A client, a CRL, a source.
    subject: String,
    /// In a stable word.
    outcome: &'static str,
    /// The code of the reason, and more about it.
    message: Option<String>,
    /// The program that asked.
    peer: Option<String>,
    elapsed_us: Option<u64>,
}

impl json::Document for Event {
    const TYPE: &'static str = "lab-event";
}

impl Event {
    pub(super) fn new(place: &'static str, subject: impl Into<String>, outcome: &'static str) -> Self {
        Self {
            at: setup::time(None).to_string(),
            place,
            subject: subject.into(),
            outcome,
            message: None,
            peer: None,
            elapsed_us: None,
        }
    }

    /// The place and the name.
    pub(super) fn subject(&self) -> (&'static str, String) {
        (self.place, self.subject.clone())
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.message = Some(detail.into());
        self
    }

    pub(super) fn by(mut self, by: impl Into<String>) -> Self {
        self.peer = Some(by.into());
        self
    }

    pub(super) fn took(mut self, elapsed: Duration) -> Self {
        self.elapsed_us = Some(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        self
    }

    fn style(&self) -> Style {
        match self.outcome {
            "accepted" | "good" | "released" | "repaired" => GOOD,
            "refused" | "revoked" | "cut-off" => BAD,
            "broken" | "on-hold" | "stopped" => UNSURE,
            _ => Style::new(),
        }
    }

    fn print(&self) -> io::Result<()> {
        let Self { at, place, subject, outcome, message, peer, elapsed_us } = self;
        let style = self.style();
        let time = at.get(11..19).unwrap_or_default();
        let mut out = crate::output::text();
        write!(out, "{QUIET}{time}{QUIET:#}  {place:<7}  {subject:<13}  {style}{outcome}{style:#}")?;
        if let Some(message) = message {
            write!(out, ": {message}")?;
        }
        if let Some(peer) = peer {
            write!(out, "  {QUIET}to {peer}{QUIET:#}")?;
        }
        if let Some(micros) = elapsed_us {
            let millis = Duration::from_micros(*micros).as_secs_f64() * 1e3;
            write!(out, "  {QUIET}{millis:.1} ms{QUIET:#}")?;
        }
        writeln!(out)?;
        out.flush()
    }
}

/// Takes events. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Log {
    events: SyncSender<Event>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Begins to write once the second value is dropped, so that nothing comes before the addresses; `closed` is notified
    /// if standard output is closed.
    pub(super) fn start(is_json: bool, closed: Arc<Notify>) -> io::Result<(Self, SyncSender<()>)> {
        let (events, waiting) = sync_channel(WAITING);
        let (ready, is_ready) = sync_channel(0);
        let lost = Arc::<AtomicU64>::default();
        let log = Self { events, lost: Arc::clone(&lost) };
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            // It is never sent to: this waits until it is dropped.
            let _dropped = is_ready.recv();
            if write_all(&waiting, &lost, is_json).is_err() {
                closed.notify_one();
            }
        })?;
        Ok((log, ready))
    }

    pub(super) fn record(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(waiting: &Receiver<Event>, lost: &AtomicU64, is_json: bool) -> io::Result<()> {
    let write = |event: &Event| if is_json { json::print(event) } else { event.print() };
    for event in waiting {
        write(&event)?;
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            write(&Event::new("lab", "log", "untold").detail(format!("{lost} events")))?;
        }
    }
    Ok(())
}
