//! Whether evidence is current: thisUpdate, nextUpdate, and what policy makes of their absence
//! (RFC 5280 5.1.2.4, 5.1.2.5; RFC 6960 3.2 (5), (6)).

use super::Cause;
use crate::policy::Freshness;
use crate::time::Time;

impl Freshness {
    /// Whether evidence of these times may be used at this one.
    ///
    /// # Errors
    /// [`Cause::NotYetValid`], [`Cause::Stale`]
    pub fn admit(&self, this_update: Time, next_update: Option<Time>, now: Time) -> Result<(), Cause> {
        let (this_update, now) = (this_update.unix(), now.unix());
        if this_update > now.saturating_add(self.skew) {
            return Err(Cause::NotYetValid);
        }
        // Without nextUpdate newer information is to be had all the time: it is as good as policy says, never for ever.
        let until = next_update.map_or_else(|| this_update.saturating_add(self.max_age), Time::unix);
        let until = self.oldest.map_or(until, |oldest| until.min(this_update.saturating_add(oldest)));
        // A nextUpdate before thisUpdate is nonsense, and so is what it is said of.
        let is_nonsense = next_update.is_some_and(|next| next.unix() < this_update);
        if is_nonsense || now > until.saturating_add(self.skew).saturating_add(self.max_stale) {
            return Err(Cause::Stale);
        }
        Ok(())
    }
}
