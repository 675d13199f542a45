//! `certcheck watch`: whether the evidence that a ring will need is there, and for how long.
//!
//! ```text
//! round (ask, classify) -> Found -> text, JSON, metrics     once
//! daemon: rounds, signals, endpoint                         --interval
//! ```

mod asked;
mod certificates;
mod classify;
mod daemon;
mod endpoint;
mod metrics;
mod named;
mod results;
mod round;
mod sample;
mod source;
mod text;

use std::io::Write as _;
use std::time::Duration;

use anyhow::bail;
use certcheck_core::Time;
use serde::Serialize;

use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::WatchArguments;
use crate::{json, ring_files, setup, visible};
use certificates::CertificateState;
use round::Round;
use sample::SampleState;
use source::SourceState;

/// Why there is nothing to watch.
const NOTHING: &str = "no certificate below the anchors that has a good path names a source";

/// The health of a source or a certificate.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    #[default]
    Good,
    /// There is no source to ask.
    Nothing,
    /// It will end soon.
    Soon,
    Bad,
}

/// What a round found.
#[derive(Serialize)]
struct Found {
    at: String,
    /// The worst of the sources, the certificates of the ring, and samples that are not watched.
    state: Health,
    sources: Vec<SourceState>,
    /// Of the ring.
    certificates: Vec<CertificateState>,
    /// The certificates that were given. Their own status is not part of `state`.
    samples: Vec<SampleState>,
    #[serde(skip)]
    now: Time,
    #[serde(skip)]
    took: Duration,
}

impl json::Document for Found {
    const TYPE: &'static str = "watch";
}

impl Found {
    fn worst(&self) -> Health {
        let states = self.sources.iter().map(|one| one.state);
        let states = states.chain(self.certificates.iter().map(|one| one.state));
        let unwatched = self.samples.iter().any(|one| !one.is_watched);
        let is_nothing = unwatched || self.sources.is_empty();
        states.fold(if is_nothing { Health::Nothing } else { Health::Good }, Health::max)
    }

    fn exit(&self) -> Exit {
        match self.state {
            _ if self.samples.iter().any(SampleState::is_unreadable) => Exit::Unusable,
            Health::Good => Exit::Accepted,
            Health::Nothing | Health::Soon => Exit::Undetermined,
            Health::Bad => Exit::Rejected,
        }
    }

    /// The codes of everything: two rounds with the same ones have the same news.
    fn codes(&self) -> Vec<(String, &'static str)> {
        let sources = self.sources.iter().map(|one| (format!("{} {}", one.kind, one.url), one.code));
        let certificates = self.certificates.iter().map(|one| (one.certificate.sha256.clone(), one.code));
        let samples = self.samples.iter().map(|one| (one.input.clone(), one.code));
        sources.chain(certificates).chain(samples).collect()
    }

    fn print(&self, as_json: bool) -> std::io::Result<()> {
        if as_json { json::print(self) } else { text::print(self) }
    }
}

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<Exit> {
    if arguments.output.is_document() && arguments.interval.is_some() {
        bail!("--format sarif and junit are for one round: use text or json with --interval");
    }
    let ring = ring_files::load(&arguments.ring, arguments.ring_skip_unreadable)?;
    ring_files::warn_of_skipped(&ring)?;
    // A path that cannot be written to is reported before the work.
    let draft = arguments.prometheus.as_deref().map(Draft::create).transpose()?;
    let round = Round::new(arguments, ring);
    if let Some(interval) = arguments.interval {
        drop(draft);
        return daemon::run(arguments, round, interval);
    }
    let found = round.look(arguments, setup::time(arguments.asked.at))?;
    let output = arguments.output;
    if output.is_document() {
        let mut out = std::io::BufWriter::new(crate::output::data());
        results::write(&found, arguments, output.format(), &mut out)?;
        out.flush()?;
    } else {
        found.print(output.is_json())?;
    }
    if let Some(draft) = draft {
        draft.finish(metrics::render(Some(&found), None).as_bytes())?;
    }
    if found.sources.is_empty() {
        visible::note(format_args!("nothing to watch: {NOTHING}; give a certificate that names one"))?;
    }
    Ok(found.exit())
}
