//! When evidence is asked for again.

use certcheck_core::Time;

/// The time at which to ask for evidence again: a tenth of its life before nextUpdate, between 10 seconds and an hour, so
/// that there is time to retry. `life` is its thisUpdate and its nextUpdate; evidence without them is asked for again an
/// hour after `fetched_at`.
///
/// `jitter`, between 0 and 1, is how much sooner within that time. It is sooner too if HTTP says that newer evidence may be
/// available from `fresh_until` on (RFC 9111 4.2), but not more than once a minute.
#[must_use]
pub fn due(life: Option<(Time, Time)>, fetched_at: Time, fresh_until: Option<Time>, jitter: f64) -> Time {
    let fetched = fetched_at.unix();
    let by_life = match life {
        Some((this, next)) => {
            let lead = (length(this, next).max(0) / 10).clamp(10, 3_600);
            // Servers that started together do not ask at the same time.
            let spread = (lead_f64(lead) * jitter / 2.0).floor();
            next.unix().saturating_sub(lead).saturating_sub(whole(spread))
        }
        None => fetched.saturating_add(3_600),
    };
    let by_http = fresh_until.map(|until| until.unix().max(fetched.saturating_add(60)));
    // Evidence that has just arrived is not asked for again at once, even near its end: the issuer may be late.
    let again = fetched.saturating_add(pause(life));
    Time::from_unix(by_http.map_or(by_life, |http| http.min(by_life)).max(again))
}

/// Seconds between two renewals: a fiftieth of its life, between one second and five minutes.
fn pause(life: Option<(Time, Time)>) -> i64 {
    life.map_or(60, |(this, next)| (length(this, next) / 50).clamp(1, 300))
}

const fn length(this: Time, next: Time) -> i64 {
    next.unix().saturating_sub(this.unix())
}

/// The lead is at most an hour, so the conversion is exact.
fn lead_f64(seconds: i64) -> f64 {
    i32::try_from(seconds).map_or(0.0, f64::from)
}

#[expect(clippy::cast_possible_truncation, reason = "half an hour at most")]
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_due_before_its_end() {
        const DAY: i64 = 86_400;
        let time = Time::from_unix;
        for (life, fetched, fresh, jitter, at) in [
            // An hour before the end of a day, and up to half an hour sooner.
            (Some((0, DAY)), 0, None, 0.0, DAY - 3_600),
            (Some((0, DAY)), 0, None, 1.0, DAY - 5_400),
            // A tenth of a short life, and ten seconds at least.
            (Some((0, 1_000)), 0, None, 0.0, 900),
            (Some((0, 20)), 0, None, 0.0, 10),
            // Sooner by HTTP, after a minute at the soonest.
            (Some((0, DAY)), 0, Some(600), 0.0, 600),
            (Some((0, DAY)), 0, Some(1), 0.0, 300),
            (Some((0, 1_000)), 0, Some(1), 0.0, 60),
            (Some((0, DAY)), 0, Some(2 * DAY), 0.0, DAY - 3_600),
            // Near its end, after it, and with times that make no sense, there is a pause.
            (Some((0, DAY)), DAY - 10, None, 0.0, DAY + 290),
            (Some((0, 100)), 500, None, 0.0, 502),
            (Some((100, 0)), 500, None, 0.0, 501),
            (Some((i64::MIN, i64::MAX)), 500, None, 1.0, i64::MAX - 5_400),
            // Without times, after an hour.
            (None, 7, None, 0.5, 3_607),
            (None, 7, Some(100), 0.5, 100),
        ] {
            let life = life.map(|(this, next)| (time(this), time(next)));
            assert_eq!(
                due(life, time(fetched), fresh.map(time), jitter),
                time(at),
                "{life:?} {fetched} {fresh:?}"
            );
        }
    }
}
