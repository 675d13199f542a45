//! The worth of a source's answer: to each certificate that names it, and for how long.

use std::collections::BTreeMap;

use certcheck_core::Time;
use certcheck_core::revocation::Answer;
use certcheck_core::status::{Cause, Status};

use super::Health;
use super::asked::{Source, Sources};
use crate::flags::magnitude;
use crate::numbers::span;
use crate::sources::{Grounds, Refusal, Subject};
use crate::text::shown;

/// An answer ends soon in the last tenth of its life.
const LAST_PART: i64 = 10;
const SECONDS_AN_HOUR: i64 = 3_600;

/// A state, a stable code, and a message.
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

    /// With the finding about how long this lasts.
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
        // There may be evidence in files, but there is no source.
        let is_unnamed = refusal.code == Cause::NoSource.code();
        Self::new(if is_unnamed { Health::Nothing } else { Health::Bad }, refusal.code, refusal.message)
    }
}

/// The worth of an answer to a certificate.
enum Worth {
    Reported(Finding),
    /// It can be used, and it lists the certificate as revoked.
    Revoked(Revocation),
    /// It can be used, and covers only some reasons of a revocation.
    Partial,
}

/// A revocation that a source reports.
#[derive(Clone)]
pub(super) struct Revocation {
    pub(super) at: Time,
    pub(super) reason: String,
    pub(super) url: String,
}

impl From<&Revocation> for Finding {
    fn from(revocation: &Revocation) -> Self {
        let Revocation { at, reason, url } = revocation;
        let message = format!("revoked since {at} ({reason}), says {}", shown(url));
        Self::new(Health::Bad, "certificate-revoked", message)
    }
}

/// All that was found by asking.
pub(super) struct Classified {
    /// The worst finding of each source, with the subject it is about.
    pub(super) sources: Vec<(Finding, usize)>,
    /// The subjects that a source lists as revoked. That is no fault of the source.
    pub(super) revoked: BTreeMap<usize, Revocation>,
}

pub(super) fn all(sources: &Sources, subjects: &[Subject], by: Grounds<'_>) -> Classified {
    let worth: Vec<Vec<Worth>> = sources
        .all
        .iter()
        .map(|source| source.subjects.iter().map(|at| worth(source, *at, sources, subjects, by)).collect())
        .collect();
    let mut revoked = BTreeMap::new();
    for (source, worth) in sources.all.iter().zip(&worth) {
        for (at, worth) in source.subjects.iter().zip(worth) {
            if let Worth::Revoked(revocation) = worth {
                revoked.entry(*at).or_insert_with(|| revocation.clone());
            }
        }
    }
    // Whether evidence is missing because another source failed.
    let is_let_down = |subject: usize| {
        sources.all.iter().zip(&worth).any(|(source, worth)| {
            source.subjects.iter().zip(worth).any(|(at, worth)| {
                *at == subject && matches!(worth, Worth::Reported(finding) if finding.state == Health::Bad)
            })
        })
    };
    let settled = |at: usize, worth: &Worth| match worth {
        Worth::Reported(finding) => finding.clone(),
        Worth::Revoked(_) => Finding::good(String::new()),
        Worth::Partial => match subjects[at].classify(&sources.answers_for(at), by) {
            Err(refusal) => refusal.into(),
            Ok(Status::Unknown(cause)) if !is_let_down(at) => Finding::bad(cause),
            Ok(_) => Finding::good("covers some reasons"),
        },
    };
    let worst = |(source, worth): (&Source, &Vec<Worth>)| {
        let each = source.subjects.iter().zip(worth).map(|(at, worth)| (settled(*at, worth), *at));
        // The first of equals.
        each.reduce(|worst, next| if next.0.state > worst.0.state { next } else { worst })
    };
    let sources = sources.all.iter().zip(&worth).filter_map(worst).collect();
    Classified { sources, revoked }
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
    let reported = |status: Result<Status, Refusal>| match status {
        Err(refusal) => Worth::Reported(refusal.into()),
        Ok(Status::Good(_) | Status::NoRevAvail) => Worth::Reported(Finding::good(String::new())),
        Ok(Status::Unknown(cause)) => Worth::Reported(Finding::bad(cause)),
        Ok(Status::Revoked(revoked)) => Worth::Revoked(Revocation {
            at: revoked.at,
            reason: revoked.reason.to_string(),
            url: source.need.request.url().to_string(),
        }),
        Ok(other) => {
            let message = "the status of the certificate was not checked";
            Worth::Reported(Finding::new(Health::Bad, other.code(), message))
        }
    };
    if source.brought_delta() {
        return worth_of_delta(source, answer, (subject, at), sources, by, reported);
    }
    let alone = subject.classify(&[answer], by);
    match &alone {
        Ok(Status::Unknown(Cause::OutOfScope))
            if subject.fault(&source.need.request, answer, &[], by).is_none() =>
        {
            Worth::Partial
        }
        // A certificate that was on hold may have been released since.
        Ok(Status::Revoked(_)) => {
            let deltas = sources.deltas_for(at);
            reported(subject.classify(&[&[answer], &deltas[..]].concat(), by))
        }
        _ => reported(alone),
    }
}

/// A delta is evidence only with a CRL that it can be combined with.
fn worth_of_delta(
    source: &Source,
    delta: &Answer,
    (subject, at): (&Subject, usize),
    sources: &Sources,
    by: Grounds<'_>,
    reported: impl Fn(Result<Status, Refusal>) -> Worth,
) -> Worth {
    let out_of_scope =
        |message: &str| Worth::Reported(Finding::new(Health::Bad, Cause::OutOfScope.code(), message));
    let mut bases = sources.answers_for(at);
    bases.retain(|base| matches!(base, Answer::Crl(_)));
    let status = subject.classify(&[&bases[..], &[delta]].concat(), by);
    match &status {
        Ok(Status::Unknown(_)) => out_of_scope("a delta, and there is no usable CRL to combine it with"),
        Ok(Status::Good(_)) => match subject.fault(&source.need.request, delta, &bases, by) {
            Some(cause) => Worth::Reported(Finding::bad(cause)),
            None if bases.iter().any(|base| may_combine(base, delta)) => reported(status),
            None => out_of_scope("a delta of a later CRL than the one that was received"),
        },
        _ => reported(status),
    }
}

/// RFC 5280 5.2.4: the complete CRL is not older than what the delta is a delta of.
fn may_combine(base: &Answer, delta: &Answer) -> bool {
    let (Answer::Crl(base), Answer::Crl(delta)) = (base, delta) else { return false };
    let order = |number| (magnitude(number).len(), magnitude(number));
    matches!((base.number(), delta.base_number()), (Some(own), Some(least)) if order(own) >= order(least))
}

/// From when to when an answer counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) this: Option<Time>,
    pub(super) next: Option<Time>,
    /// By policy too: an answer without nextUpdate has one.
    pub(super) end: Option<Time>,
}

impl Times {
    pub(super) fn of(source: &Source, by: Grounds<'_>) -> Self {
        let (this, next) = source.held().map_or((None, None), certcheck_fetch::CachedEvidence::times);
        Self { this, next, end: this.map(|this| by.policy.freshness.ends(this, next)) }
    }

    /// How long the answer lasts. Checks accept it a little longer, for as long as clocks may differ; here it is stale.
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
