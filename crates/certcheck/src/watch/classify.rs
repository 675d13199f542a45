//! What the answer of a source is worth: to each certificate that names it, and for how long.

use certcheck_core::Time;
use certcheck_core::revocation::Answer;
use certcheck_core::status::{Cause, Status};

use super::Health;
use super::asked::{Source, Sources};
use crate::flags::magnitude;
use crate::html::words::span;
use crate::sources::{Grounds, Refusal, Subject};

/// Of its life an answer's last tenth is its end.
const LAST_PART: i64 = 10;
const SECONDS_AN_HOUR: i64 = 3_600;

/// What something came to.
#[derive(Clone)]
pub(super) struct Finding {
    pub(super) state: Health,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(state: Health, code: &'static str, message: impl Into<String>) -> Self {
        Self { state, code, message: message.into() }
    }

    fn good(message: impl Into<String>) -> Self {
        Self::new(Health::Good, "good", message)
    }

    /// With what another says of how long that will be so.
    pub(super) fn and(self, later: Self) -> Self {
        if self.state == Health::Bad {
            return self;
        }
        let message = [later.message, self.message].into_iter().filter(|one| !one.is_empty());
        Self { message: message.collect::<Vec<_>>().join(", "), ..later }
    }

    fn bad(cause: Cause) -> Self {
        Self::new(Health::Bad, cause.code(), cause.sentence())
    }
}

impl From<Refusal> for Finding {
    fn from(refusal: Refusal) -> Self {
        // There may be evidence in files; a source is there none.
        let is_unnamed = refusal.code == Cause::NoSource.code();
        Self::new(if is_unnamed { Health::Nothing } else { Health::Bad }, refusal.code, refusal.message)
    }
}

/// What an answer is worth to a certificate.
enum Worth {
    Reported(Finding),
    /// It is of use, and covers some reasons of a revocation alone.
    Partial,
}

/// The worst that each source came to, with the subject for which it did.
pub(super) fn all(sources: &Sources, subjects: &[Subject], by: Grounds<'_>) -> Vec<(Finding, usize)> {
    let worth: Vec<Vec<Worth>> = sources
        .all
        .iter()
        .map(|source| source.subjects.iter().map(|at| worth(source, *at, sources, subjects, by)).collect())
        .collect();
    // What is missing by the fault of another source.
    let is_let_down = |subject: usize| {
        sources.all.iter().zip(&worth).any(|(source, worth)| {
            source.subjects.iter().zip(worth).any(|(at, worth)| {
                *at == subject && matches!(worth, Worth::Reported(finding) if finding.state == Health::Bad)
            })
        })
    };
    let settled = |at: usize, worth: &Worth| match worth {
        Worth::Reported(finding) => finding.clone(),
        Worth::Partial => match subjects[at].classify(&sources.answers_for(at), by) {
            Err(refusal) => refusal.into(),
            Ok(Status::Unknown(cause)) if !is_let_down(at) => Finding::bad(cause),
            Ok(_) => Finding::good("of some reasons"),
        },
    };
    let worst = |(source, worth): (&Source, &Vec<Worth>)| {
        let each = source.subjects.iter().zip(worth).map(|(at, worth)| (settled(*at, worth), *at));
        // Of equals the first.
        each.reduce(|worst, next| if next.0.state > worst.0.state { next } else { worst })
    };
    sources.all.iter().zip(&worth).filter_map(worst).collect()
}

fn worth(source: &Source, at: usize, sources: &Sources, subjects: &[Subject], by: Grounds<'_>) -> Worth {
    let answer = match source.held() {
        Ok(held) => held.answer(),
        Err(Some(failure)) => {
            return Worth::Reported(Finding::new(Health::Bad, failure.cause.code(), failure.detail.clone()));
        }
        Err(None) => return Worth::Reported(Finding::bad(Cause::NotTried)),
    };
    let subject = &subjects[at];
    let fault = |beside: &[&Answer]| subject.fault(&source.need.request, answer, beside, by);
    let reported = |status: Result<Status, Refusal>| match status {
        Err(refusal) => refusal.into(),
        Ok(Status::Good(_) | Status::NoRevAvail) => Finding::good(String::new()),
        Ok(Status::Unknown(cause)) => Finding::bad(cause),
        // That a CA of the ring is revoked is worse than a source that is silent.
        Ok(Status::Revoked(revoked)) => {
            Finding::new(Health::Bad, "revoked", format!("revoked at {}", revoked.at))
        }
        Ok(other) => Finding::new(Health::Bad, other.code(), "the certificate's status was not looked at"),
    };
    if source.brought_delta() {
        // A delta is no evidence but with what it is a delta of.
        let alone = |message: &str| Finding::new(Health::Bad, Cause::OutOfScope.code(), message);
        let mut bases = sources.answers_for(at);
        bases.retain(|base| matches!(base, Answer::Crl(_)));
        let with = [&bases[..], &[answer]].concat();
        return Worth::Reported(match subject.classify(&with, by) {
            Ok(Status::Good(_)) => match fault(&bases) {
                Some(cause) => Finding::bad(cause),
                None if bases.iter().any(|base| may_combine(base, answer)) => Finding::good(String::new()),
                None => alone("a delta of a later CRL than the one that came"),
            },
            Ok(Status::Unknown(_)) => alone("a delta, and no CRL came that is of use with it"),
            status => reported(status),
        });
    }
    let alone = subject.classify(&[answer], by);
    match &alone {
        Ok(Status::Unknown(Cause::OutOfScope)) if fault(&[]).is_none() => Worth::Partial,
        // Who was on hold may have been let go since.
        Ok(Status::Revoked(_)) => {
            let deltas = sources.deltas_for(at);
            Worth::Reported(reported(subject.classify(&[&[answer], &deltas[..]].concat(), by)))
        }
        _ => Worth::Reported(reported(alone)),
    }
}

/// RFC 5280 5.2.4: the complete CRL is not older than what the delta is a delta of.
fn may_combine(base: &Answer, delta: &Answer) -> bool {
    let (Answer::Crl(base), Answer::Crl(delta)) = (base, delta) else { return false };
    let order = |number| (magnitude(number).len(), magnitude(number));
    matches!((base.number(), delta.base_number()), (Some(own), Some(least)) if order(own) >= order(least))
}

/// As of when an answer speaks, and until when.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) this: Option<Time>,
    pub(super) next: Option<Time>,
    /// By policy too: what says of no end has one.
    pub(super) end: Option<Time>,
}

impl Times {
    pub(super) fn of(source: &Source, by: Grounds<'_>) -> Self {
        let (this, next) = source.held().map_or((None, None), certcheck_fetch::CachedEvidence::times);
        Self { this, next, end: this.map(|this| by.policy.freshness.ends(this, next)) }
    }

    /// For how long what is good will be. Policy takes what has ended as long as clocks may differ; who publishes is late.
    pub(super) fn finding(&self, soon: Option<u32>, now: Time) -> Finding {
        let Some(end) = self.end else { return Finding::good("without end") };
        let left = end.unix().saturating_sub(now.unix());
        let life = self.this.map_or(0, |this| end.unix().saturating_sub(this.unix()));
        let soon = soon.map_or(life / LAST_PART, |hours| i64::from(hours) * SECONDS_AN_HOUR);
        let what = if self.next == Some(end) { "nextUpdate" } else { "its end by policy" };
        if left < 0 {
            let message = format!("{what} was {} ago", span(left));
            return Finding::new(Health::Bad, Cause::Stale.code(), message);
        }
        if left < soon {
            return Finding::new(Health::Soon, "expires-soon", format!("{what} is in {}", span(left)));
        }
        let by_policy = if self.next == Some(end) { "" } else { ", by policy" };
        Finding::good(format!("for {}{by_policy}", span(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_reported_as_it_is() {
        let time = |unix: i64| Some(Time::from_unix(unix));
        for (next, end, soon, now, reported) in [
            (time(9_000), time(9_000), None, 0, "good for 2 hours"),
            (time(9_000), time(9_000), None, 8_500, "expires-soon nextUpdate is in 8 minutes"),
            (time(9_000), time(9_000), None, 9_000, "expires-soon nextUpdate is in 0 seconds"),
            (time(9_000), time(9_000), None, 9_120, "stale nextUpdate was 2 minutes ago"),
            (time(9_000), time(9_000), Some(3), 0, "expires-soon nextUpdate is in 2 hours"),
            (None, time(9_000), None, 0, "good for 2 hours, by policy"),
            (None, time(9_000), None, 8_500, "expires-soon its end by policy is in 8 minutes"),
            (time(99_000), time(9_000), None, 9_001, "stale its end by policy was 1 second ago"),
            (None, None, None, 0, "good without end"),
        ] {
            let times = Times { this: time(0), next, end };
            let Finding { code, message, .. } = times.finding(soon, Time::from_unix(now));
            assert_eq!(format!("{code} {message}"), reported);
        }
    }
}
