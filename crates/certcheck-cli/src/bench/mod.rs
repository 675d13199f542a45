//! `certcheck bench`: how long revocation takes for this certificate, here, now.

mod decision;
mod handshake;
mod source;
mod stats;
mod text;

use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use certcheck_core::{KeyRing, Policy, Time};
use certcheck_fetch::Engine;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pki_types::CertificateDer;
use serde::Serialize;

use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::BenchArguments;
use crate::sources::{Grounds, Refusal};
use crate::{html, input, json, network, setup, sources};
pub(crate) use decision::DecisionFigures;
pub(crate) use handshake::HandshakeFigures;
pub(crate) use source::{PARTS, Parts, SourceFigures};
pub(crate) use stats::{Summary, shown};

/// All that was measured.
#[derive(Serialize)]
pub(crate) struct Figures {
    schema: u32,
    pub(crate) input: String,
    pub(crate) at: String,
    pub(crate) rounds: u32,
    pub(crate) concurrency: u32,
    pub(crate) sources: Vec<SourceFigures>,
    pub(crate) decision: Vec<DecisionFigures>,
    pub(crate) handshake: Vec<HandshakeFigures>,
}

/// What everything is measured with.
struct Bench<'b> {
    arguments: &'b BenchArguments,
    chain: Vec<CertificateDer<'static>>,
    /// Of one source at a time.
    policy: Policy,
    now: Time,
    within: Duration,
    bar: ProgressBar,
}

impl Bench<'_> {
    /// An engine that has asked nobody yet.
    fn engine(&self, uses_get: bool) -> Result<Engine, Box<dyn Error>> {
        let ring = KeyRing::from_paths(&self.arguments.ring)?;
        let builder = network::builder(&self.arguments.network.reach, ring, self.policy.clone());
        Ok(builder.ocsp_get(uses_get).build()?)
    }

    fn tick(&self) {
        self.bar.inc(1);
    }
}

pub(crate) fn run(arguments: &BenchArguments) -> Result<Exit, Box<dyn Error>> {
    network::tell_events(arguments.network.reach.verbose);
    let now = setup::time(arguments.asked.at);
    let path = arguments.input.display();
    let chain = input::certificates(&arguments.input).map_err(|error| format!("{path}: {error}"))?;
    let ring = KeyRing::from_paths(&arguments.ring)?;
    let policy = sources::policy(arguments.asked.allow_sha1);
    let subjects = match sources::of_chain(&chain, Grounds { ring: &ring, policy: &policy, now }) {
        Ok(subjects) => subjects,
        Err(refusal) => return refused(arguments, &refusal),
    };
    let within = Duration::from_secs(arguments.network.timeout);
    let bench = Bench { arguments, chain, policy, now, within, bar: bar() };
    let draft = arguments.report.as_deref().map(Draft::create).transpose()?;
    let planning = bench.engine(true)?;
    let mut asks = Vec::new();
    for subject in &subjects {
        let needs = match subject.needs(&planning, now) {
            Ok(needs) => needs,
            Err(refusal) => return refused(arguments, &refusal),
        };
        for need in needs {
            asks.extend(source::methods(&need).iter().map(|method| (subject, need.clone(), *method)));
        }
    }
    let parts = asks.len() + 1 + usize::from(arguments.handshake);
    bench.bar.set_length((parts as u64) * u64::from(arguments.rounds));
    let mut measured = Vec::new();
    for (subject, need, method) in &asks {
        bench.bar.set_message(need.ask.url().chars().take(60).collect::<String>());
        measured.push(bench.measure(subject, need, method)?);
    }
    bench.bar.set_message("decision");
    let decision = bench.decide()?;
    let handshake = match &arguments.key {
        Some(key) if arguments.handshake => {
            bench.bar.set_message("handshakes");
            bench.handshakes(key)?
        }
        _ => Vec::new(),
    };
    bench.bar.finish_and_clear();
    let figures = Figures {
        schema: 1,
        input: path.to_string(),
        at: now.to_string(),
        rounds: arguments.rounds,
        concurrency: arguments.concurrency,
        sources: measured,
        decision,
        handshake,
    };
    if arguments.json {
        json::print(&figures)?;
    } else {
        text::print(&figures)?;
    }
    if let Some(draft) = draft {
        draft.finish(html::bench::page(&figures, now).into_string().as_bytes())?;
    }
    let has_failed = figures.sources.iter().any(|source| source.failures > 0);
    Ok(if has_failed { Exit::Undetermined } else { Exit::Accepted })
}

fn refused(arguments: &BenchArguments, refusal: &Refusal) -> Result<Exit, Box<dyn Error>> {
    let path = arguments.input.display();
    writeln!(io::stderr(), "certcheck: {path}: {refusal}: nothing is measured of a path that is not good")?;
    Ok(Exit::Rejected)
}

/// How far it is, on a terminal.
fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:30} {pos} of {len}, {eta} left  {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
