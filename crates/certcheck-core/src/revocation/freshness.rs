//! Whether evidence is current: thisUpdate, nextUpdate, and the policy if they are absent (RFC 5280 5.1.2.4, 5.1.2.5;
//! RFC 6960 3.2 (5), (6)).

use crate::policy::Freshness;
use crate::status::Cause;
use crate::time::Time;

impl Freshness {
    /// Checks whether evidence with these times can be used at this time.
    ///
    /// # Errors
    /// [`Cause::NotYetValid`], [`Cause::Stale`]
    ///
    /// RFC 5280 5.1.2.4, RFC 5280 5.1.2.5, RFC 6960 3.2 (5), RFC 6960 3.2 (6).
    #[doc(alias(
        "RFC 5280 section 5.1.2.4",
        "RFC 5280 section 5.1.2.5",
        "RFC 6960 section 3.2(5)",
        "RFC 6960 section 3.2(6)"
    ))]
    pub fn check_current(
        &self,
        this_update: Time,
        next_update: Option<Time>,
        now: Time,
    ) -> Result<(), Cause> {
        let until = self.end(this_update, next_update);
        let (this_update, now) = (this_update.unix(), now.unix());
        if this_update > now.saturating_add(self.skew) {
            return Err(Cause::NotYetValid);
        }
        // A nextUpdate before thisUpdate makes no sense, and such evidence is not used.
        let is_nonsense = next_update.is_some_and(|next| next.unix() < this_update);
        if is_nonsense || now > until.saturating_add(self.skew).saturating_add(self.max_stale) {
            return Err(Cause::Stale);
        }
        Ok(())
    }

    /// The last second for which [`Freshness::check_current`] gives the same result as at this time.
    pub(crate) fn says_so_until(&self, this_update: Time, next_update: Option<Time>, now: Time) -> Time {
        let this = this_update.unix();
        match self.check_current(this_update, next_update, now) {
            Err(Cause::NotYetValid) => Time::from_unix(this.saturating_sub(self.skew).saturating_sub(1)),
            // Evidence that is too old remains too old.
            Err(_) => Time::from_unix(i64::MAX),
            Ok(()) => {
                let until = self.end(this_update, next_update);
                Time::from_unix(until.saturating_add(self.skew).saturating_add(self.max_stale))
            }
        }
    }

    /// The end of evidence with these times, by itself and by policy. It does not include the tolerated difference
    /// between clocks or the time after its end.
    #[must_use]
    pub fn ends(&self, this_update: Time, next_update: Option<Time>) -> Time {
        Time::from_unix(self.end(this_update, next_update))
    }

    /// The end of evidence with these times, in seconds since the epoch.
    ///
    /// RFC 5280 5.1.2.5.
    #[doc(alias = "RFC 5280 section 5.1.2.5")]
    fn end(&self, this_update: Time, next_update: Option<Time>) -> i64 {
        let this = this_update.unix();
        // Without nextUpdate, newer information is available at any time. The policy limits how long it can be used.
        let until = next_update.map_or_else(|| this.saturating_add(self.max_age), Time::unix);
        self.oldest.map_or(until, |oldest| until.min(this.saturating_add(oldest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_ends_what_says_of_no_end() {
        let time = Time::from_unix;
        for (oldest, next, end) in [
            (None, Some(200), 200),
            (None, None, 150),
            (Some(30), Some(200), 130),
            (Some(30), Some(120), 120),
            (Some(70), None, 150),
        ] {
            let freshness = Freshness { skew: 5, max_age: 50, oldest, max_stale: 7 };
            assert_eq!(freshness.ends(time(100), next.map(time)), time(end), "{oldest:?} {next:?}");
        }
    }

    #[test]
    fn what_is_said_is_said_until_then_and_not_longer() {
        let time = Time::from_unix;
        let kinds = [
            Freshness { skew: 5, max_age: 50, oldest: None, max_stale: 0 },
            Freshness { skew: 0, max_age: 50, oldest: Some(30), max_stale: 7 },
        ];
        for freshness in kinds {
            for (this, next) in [(100, Some(200)), (100, None), (100, Some(90)), (100, Some(100))] {
                let say = |now: i64| freshness.check_current(time(this), next.map(time), time(now));
                for now in 80..260 {
                    let until = freshness.says_so_until(time(this), next.map(time), time(now)).unix();
                    assert!(
                        (now..=until.min(300)).all(|later| say(later) == say(now)),
                        "{this} {next:?} {now}"
                    );
                    assert!(until == i64::MAX || say(until + 1) != say(now), "{this} {next:?} {now} {until}");
                }
            }
        }
    }
}
