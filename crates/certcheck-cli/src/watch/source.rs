//! One source: whether it answers, and what its answer is worth.

use std::time::{Duration, Instant};

use certcheck_core::revocation::{Need, Status};
use certcheck_core::{KeyRing, Policy, Time};
use certcheck_fetch::Engine;
use serde::Serialize;

use super::Health;
use crate::flags::WatchArguments;
use crate::html::words::span;
use crate::json::kind_of;
use crate::sources::Subject;

/// Of its life an answer's last tenth is its end.
const LAST_PART: i64 = 10;
const SECONDS_AN_HOUR: i64 = 3_600;

/// What is known of a source.
#[derive(Serialize)]
pub(super) struct SourceState {
    pub(super) state: Health,
    pub(super) kind: &'static str,
    pub(super) url: String,
    /// The certificate in which it is named first.
    pub(super) subject: String,
    /// `good`, `expires-soon`, `revoked`, or why it is of no use: a cause, as `verify` tells it.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) this_update: Option<String>,
    pub(super) next_update: Option<String>,
    #[serde(skip)]
    pub(super) times: (Option<Time>, Option<Time>),
    pub(super) octets: Option<usize>,
    pub(super) elapsed_us: u64,
}

/// What every source is asked with.
pub(super) struct Question<'q> {
    pub(super) engine: &'q Engine,
    pub(super) ring: &'q KeyRing,
    pub(super) policy: &'q Policy,
    pub(super) now: Time,
    pub(super) arguments: &'q WatchArguments,
}

impl Question<'_> {
    /// Asks, and judges what comes.
    pub(super) fn ask(&self, subject: &Subject, need: &Need) -> SourceState {
        let begun = Instant::now();
        let within = Duration::from_secs(self.arguments.network.timeout);
        let came = self.engine.obtain_blocking(need, within);
        let elapsed = begun.elapsed();
        let (times, octets) =
            came.as_ref().map_or(((None, None), None), |held| (held.times(), Some(held.octets())));
        let (state, code, message) = match came {
            Err(failure) => (Health::Bad, failure.cause.code(), failure.detail),
            Ok(held) => self.judge(&subject.judge(held.answer(), self.ring, self.policy, self.now), times),
        };
        let time = |time: Option<Time>| time.map(|time| time.to_string());
        SourceState {
            state,
            kind: kind_of(&need.ask),
            url: need.ask.url().to_string(),
            subject: subject.name.clone(),
            code,
            message,
            this_update: time(times.0),
            next_update: time(times.1),
            times,
            octets,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        }
    }

    fn judge(
        &self,
        status: &Status,
        (this, next): (Option<Time>, Option<Time>),
    ) -> (Health, &'static str, String) {
        match status {
            Status::Unknown(cause) => return (Health::Bad, cause.code(), cause.sentence().to_owned()),
            // That a CA of the ring is revoked is worse than a source that is silent.
            Status::Revoked(revoked) => {
                return (Health::Bad, "revoked", format!("revoked at {}", revoked.at));
            }
            _ => {}
        }
        let Some(next) = next else { return (Health::Good, "good", "without end".to_owned()) };
        let left = next.unix().saturating_sub(self.now.unix());
        let life = this.map_or(0, |this| next.unix().saturating_sub(this.unix()));
        let soon = self.arguments.soon.map_or(life / LAST_PART, |hours| i64::from(hours) * SECONDS_AN_HOUR);
        if left < soon {
            return (Health::Soon, "expires-soon", format!("nextUpdate is in {}", span(left)));
        }
        (Health::Good, "good", format!("for {}", span(left)))
    }
}
