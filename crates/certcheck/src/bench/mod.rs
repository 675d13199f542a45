//! `certcheck bench`: the time that revocation checks of a certificate need, here and now.

mod decision;
mod handshake;
mod source;
mod stats;
mod text;

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::anyhow;
use certcheck_core::{Policy, Time};
use certcheck_fetch::{CachedEvidence, Engine};
use pki_types::CertificateDer;
use serde::Serialize;

use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::BenchArguments;
use crate::progress::Progress;
use crate::sources::{Grounds, Refusal};
use crate::{html, input, json, network, ring_files, setup, sources, visible};
pub(crate) use decision::DecisionFigures;
pub(crate) use handshake::HandshakeFigures;
use source::Asked;
pub(crate) use source::{PARTS, Parts, SourceFigures};
pub(crate) use stats::Summary;

/// All that was measured.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) input: String,
    pub(crate) at: String,
    pub(crate) rounds: u32,
    pub(crate) concurrency: u32,
    pub(crate) sources: Vec<SourceFigures>,
    pub(crate) decisions: Vec<DecisionFigures>,
    pub(crate) handshakes: Vec<HandshakeFigures>,
}

impl json::Document for Figures {
    const TYPE: &'static str = "bench";
}

/// What everything is measured with.
struct Bench<'b> {
    arguments: &'b BenchArguments,
    chain: Vec<CertificateDer<'static>>,
    /// Of one source at a time.
    policy: Policy,
    now: Time,
    within: Duration,
    bar: Progress,
}

impl Bench<'_> {
    /// An engine that has asked nobody yet.
    fn engine(&self, uses_get: bool) -> anyhow::Result<Engine> {
        let ring = ring_files::load(&self.arguments.ring, false)?;
        let builder = network::builder(&self.arguments.network.reach, ring, self.policy.clone());
        let mut limits = network::limits();
        // To wait for a turn here would measure the queue.
        limits.at_once_per_host = limits.at_once_per_host.max(usize::try_from(self.arguments.concurrency)?);
        Ok(builder.limits(limits).ocsp_get(uses_get).build()?)
    }

    /// Every source, by every method, and those of deltas once it is known where they are.
    fn measure_all(&self, mut asked: VecDeque<Asked<'_>>) -> anyhow::Result<Vec<SourceFigures>> {
        let mut measured: Vec<SourceFigures> = Vec::new();
        while let Some(source) = asked.pop_front() {
            let later = asked.iter().map(|later| later.methods().len()).sum::<usize>();
            let own_parts = 1 + usize::from(self.arguments.handshake);
            let parts = measured.len() + source.methods().len() + later + own_parts;
            self.bar.set_length((parts as u64) * u64::from(self.arguments.rounds));
            let url = source.need.request.url();
            self.bar.set_message(url.chars().take(60).collect::<String>());
            for method in source.methods() {
                let (figures, came) = self.measure(&source, method)?;
                measured.push(figures);
                let came = came.as_deref().map(CachedEvidence::answer);
                for delta in source.subject.deltas(&source.need, came, &self.policy) {
                    let url = delta.request.url();
                    let is_known = measured.iter().any(|known| known.url == **url)
                        || asked.iter().any(|known| known.need.request.url() == url);
                    if !is_known {
                        asked.push_back(Asked { kind: "delta", ..Asked::new(source.subject, delta) });
                    }
                }
            }
        }
        Ok(measured)
    }

    fn tick(&self) {
        self.bar.step();
    }
}

pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<Exit> {
    let now = setup::time(arguments.asked.at);
    let path = arguments.input.display();
    let chain = input::certificates(&arguments.input).map_err(|error| anyhow!("{path}: {error}"))?;
    let key = handshake::key(arguments, &chain)?;
    let ring = ring_files::load(&arguments.ring, false)?;
    let policy = sources::policy(arguments.asked.allow_sha1);
    let subjects = match sources::of_chain(&chain, Grounds { ring: &ring, policy: &policy, now }) {
        Ok(subjects) => subjects,
        Err(refusal) => return refused(arguments, &refusal),
    };
    let within = arguments.network.timeout;
    let bench = Bench {
        arguments,
        chain,
        policy,
        now,
        within,
        bar: Progress::new(Some(0), "{bar:30} {pos} of {len}, {eta} left  {msg}"),
    };
    let draft = arguments.report.as_deref().map(Draft::create).transpose()?;
    let planning = bench.engine(true)?;
    let mut asked = VecDeque::new();
    for subject in &subjects {
        match subject.needs(&planning, now) {
            Ok(needs) => asked.extend(needs.into_iter().map(|need| Asked::new(subject, need))),
            Err(refusal) => return refused(arguments, &refusal),
        }
    }
    let measured = bench.measure_all(asked)?;
    bench.bar.set_message("decision".to_owned());
    let decision = bench.decide()?;
    let mut is_handshake_missing = false;
    let handshake = match key {
        Some(key) => {
            bench.bar.set_message("handshakes".to_owned());
            // The other figures are printed all the same.
            bench.handshakes(key).or_else(|error| {
                is_handshake_missing = true;
                visible::remark(error).map(|()| Vec::new())
            })?
        }
        None => Vec::new(),
    };
    bench.bar.clear();
    let figures = Figures {
        input: path.to_string(),
        at: now.to_string(),
        rounds: arguments.rounds,
        concurrency: arguments.concurrency,
        sources: measured,
        decisions: decision,
        handshakes: handshake,
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
    let is_settled = decision::is_settled(&figures.decisions);
    Ok(if has_failed || is_handshake_missing || !is_settled { Exit::Undetermined } else { Exit::Accepted })
}

fn refused(arguments: &BenchArguments, refusal: &Refusal) -> anyhow::Result<Exit> {
    let path = arguments.input.display();
    visible::remark(format_args!("{path}: {refusal}: only a good path is measured"))?;
    Ok(Exit::Rejected)
}
