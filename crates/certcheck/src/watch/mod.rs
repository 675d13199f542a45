//! `certcheck watch`: whether the evidence that a ring will need is there, and for how long it is good.

mod asked;
mod certificates;
mod classify;
mod named;
mod prometheus;
mod source;
mod text;

use std::sync::Arc;

use serde::Serialize;

use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::WatchArguments;
use crate::sources::{self, Grounds};
use crate::{json, network, ring_files, setup, visible};
use certificates::CertificateState;
use classify::Times;
use named::{InputState, Named};
use source::SourceState;

/// How something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    Good,
    /// There is no source to look at: of all together, or of one certificate.
    Nothing,
    /// It will not be for long.
    Soon,
    Bad,
}

/// What was found.
#[derive(Serialize)]
struct Found {
    at: String,
    state: Health,
    sources: Vec<SourceState>,
    /// Of the ring.
    certificates: Vec<CertificateState>,
    /// The certificates that were given.
    inputs: Vec<InputState>,
}

impl json::Document for Found {
    const TYPE: &'static str = "watch";
}

impl Found {
    fn worst(&self) -> Health {
        let states = self.sources.iter().map(|one| one.state);
        let states = states.chain(self.certificates.iter().map(|one| one.state));
        let states = states.chain(self.inputs.iter().map(|one| one.state));
        let nothing = if self.sources.is_empty() { Health::Nothing } else { Health::Good };
        states.fold(nothing, Health::max)
    }

    fn exit(&self) -> Exit {
        match self.state {
            // Whatever else there is to tell.
            _ if self.inputs.iter().any(InputState::is_unreadable) => Exit::Unusable,
            Health::Good => Exit::Accepted,
            Health::Nothing | Health::Soon => Exit::Undetermined,
            Health::Bad => Exit::Rejected,
        }
    }
}

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<Exit> {
    let now = setup::time(arguments.asked.at);
    let policy = sources::policy(arguments.asked.allow_sha1);
    let ring = || ring_files::load(&arguments.ring, arguments.ring_skip_unreadable);
    let judging = ring()?;
    ring_files::warn_of_skipped(&judging)?;
    // A path that cannot be written to is told before the work.
    let draft = arguments.prometheus.as_deref().map(Draft::create).transpose()?;
    let by = Grounds { ring: &judging, policy: &policy, now };
    // Whether a source answers now is the question: nothing kept answers for it.
    let engine = Arc::new(network::live(&arguments.network.reach, ring()?, policy.clone())?);
    let Named { subjects, mut sources, refused, inputs } = named::all(&arguments.inputs, &engine, by);
    sources.ask(&engine, &subjects, &policy, arguments.network.timeout)?;
    let worst = classify::all(&sources, &subjects, by);
    let reported = sources.all.iter().zip(worst).map(|(source, (finding, at))| {
        let times = Times::of(source, by);
        SourceState::new(source, finding.and(times.finding(arguments.soon, now)), &subjects[at], times)
    });
    let mut found = Found {
        at: now.to_string(),
        state: Health::Good,
        sources: reported.collect(),
        certificates: certificates::of_ring(by, arguments.expires_within, &refused),
        inputs,
    };
    found.state = found.worst();
    if arguments.json {
        json::print(&found)?;
    } else {
        text::print(&found)?;
    }
    if let Some(draft) = draft {
        draft.finish(prometheus::render(&found, now).as_bytes())?;
    }
    if found.sources.is_empty() {
        visible::remark(
            "nothing to watch: no certificate below the anchors to which a path is good names a source",
        )?;
    }
    Ok(found.exit())
}
