//! `certcheck watch`: whether the evidence that a ring will need is there, and for how long it is good.

mod certificates;
mod prometheus;
mod source;
mod text;

use std::collections::BTreeSet;
use std::error::Error;
use std::io;

use certcheck_core::KeyRing;
use serde::Serialize;

use crate::exit::Exit;
use crate::file::Draft;
use crate::flags::WatchArguments;
use crate::sources::{self, Subject};
use crate::{input, json, network, pool, setup};
use certificates::CertificateState;
use source::SourceState;

/// How many sources are asked at once.
const AT_ONCE: usize = 8;

/// How something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    Good,
    /// It will not be for long.
    Soon,
    Bad,
}

/// What was found.
#[derive(Serialize)]
struct Found {
    schema: u32,
    at: String,
    state: Health,
    sources: Vec<SourceState>,
    certificates: Vec<CertificateState>,
}

pub(crate) fn run(arguments: &WatchArguments) -> Result<Exit, Box<dyn Error>> {
    let now = setup::time(arguments.asked.at);
    let policy = sources::policy(arguments.asked.allow_sha1);
    let ring = || KeyRing::from_paths(&arguments.ring);
    let judging = ring()?;
    let mut subjects = sources::of_ring(&judging);
    for path in &arguments.inputs {
        let told = |error: String| format!("{}: {error}", path.display());
        let chain = input::certificates(path).map_err(|error| told(error.to_string()))?;
        subjects.append(&mut sources::of_chain(&chain, &judging, now).map_err(told)?);
    }
    // Whether a source answers now is the question: nothing kept answers for it.
    let engine =
        network::engine(&arguments.network, false, ring()?, policy.clone(), certcheck_core::Evidence::new())?;
    let question = source::Question { engine: &engine, ring: &judging, policy: &policy, now, arguments };
    let mut asked = BTreeSet::new();
    let mut tasks: Vec<(&Subject, _)> = Vec::new();
    for subject in &subjects {
        for need in subject.needs(&engine, now) {
            let key = certcheck_fetch::Key::of(&need.ask);
            // One CRL tells of all that an issuer issued.
            if key.is_none_or(|key| asked.insert((key, need.signer.clone()))) {
                tasks.push((subject, need));
            }
        }
    }
    let mut found = Vec::new();
    let ask = |(subject, need): (&Subject, _)| question.ask(subject, &need);
    pool::in_order(tasks.into_iter(), AT_ONCE, ask, |state, _| {
        found.push(state);
        Ok::<(), io::Error>(())
    })?;
    let certificates = certificates::of_ring(&judging, now, arguments.expires_within);
    let states = found.iter().map(|source| source.state);
    let state = states.chain(certificates.iter().map(|one| one.state)).max().unwrap_or(Health::Good);
    let found = Found { schema: 1, at: now.to_string(), state, sources: found, certificates };
    if let Some(path) = &arguments.prometheus {
        Draft::create(path)?.finish(prometheus::render(&found, now).as_bytes())?;
    }
    if arguments.json {
        json::print(&found)?;
    } else {
        text::print(&found)?;
    }
    Ok(match state {
        Health::Good => Exit::Accepted,
        Health::Soon => Exit::Undetermined,
        Health::Bad => Exit::Rejected,
    })
}
