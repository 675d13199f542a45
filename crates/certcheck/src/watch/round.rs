//! One round: every source is asked once, and what it says is classified.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use certcheck_core::{KeyRing, Policy, Time};

use super::classify::{self, Classified, Times};
use super::named::{self, Named};
use super::sample::SampleState;
use super::source::SourceState;
use super::{Found, Health, certificates};
use crate::flags::WatchArguments;
use crate::json::CertificateObject;
use crate::network;
use crate::sources::{self, Grounds};

/// The ring and policy of rounds.
pub(super) struct Round {
    ring: KeyRing,
    policy: Policy,
}

impl Round {
    pub(super) fn new(arguments: &WatchArguments, ring: KeyRing) -> Self {
        Self { ring, policy: sources::policy(arguments.asked.allow_sha1) }
    }

    /// Asks every source and reports.
    ///
    /// # Errors
    /// The system refused a thread or a socket.
    pub(super) fn look(&self, arguments: &WatchArguments, now: Time) -> anyhow::Result<Found> {
        let begun = Instant::now();
        let by = Grounds { ring: &self.ring, policy: &self.policy, now };
        // A new engine for each round: nothing that is kept, and no pause after failures, may answer for a source.
        let engine = network::live(&arguments.network.reach, self.ring.clone(), self.policy.clone())?;
        let engine = Arc::new(engine);
        let Named { subjects, mut sources, refused, samples } = named::all(&arguments.inputs, &engine, by);
        sources.ask(&engine, &subjects, &self.policy, arguments.network.timeout)?;
        let Classified { sources: worst, revoked } = classify::all(&sources, &subjects, by);
        let reported = sources.all.iter().zip(worst).map(|(source, (finding, at))| {
            let times = Times::of(source, by);
            let finding = finding.and(times.finding(arguments.soon, now));
            let certificate = subjects[at].certificate().map(|own| CertificateObject::of(&own));
            certificate.map(|certificate| SourceState::new(source, finding, certificate, times))
        });
        let by_fingerprint: BTreeMap<_, _> =
            revoked.iter().map(|(at, revocation)| (&*subjects[*at].sha256, revocation)).collect();
        let samples = samples.into_iter().map(|sample| SampleState::new(sample, &subjects, &revoked));
        let mut found = Found {
            at: now.to_string(),
            state: Health::Good,
            sources: reported.collect::<Option<_>>().context("a certificate that was parsed before")?,
            certificates: certificates::of_ring(by, arguments.expires_within, &refused, &by_fingerprint),
            samples: samples.collect(),
            now,
            took: begun.elapsed(),
        };
        found.state = found.worst();
        Ok(found)
    }
}
