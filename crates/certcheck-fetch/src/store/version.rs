//! Which of two answers to one request is the newer one.

use certcheck_core::Time;

use crate::cache::evidence::CachedEvidence;

/// The longest CRLNumber, in bytes (RFC 5280 5.2.3).
const MAX_NUMBER: usize = 20;

/// The version of evidence. A greater one is newer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EvidenceVersion {
    this_update: i64,
    number: [u8; MAX_NUMBER],
}

impl EvidenceVersion {
    /// The version of evidence of this time, in seconds since 1970, with this CRLNumber. Of a longer number than RFC
    /// 5280 allows, only the last bytes count.
    #[must_use]
    pub fn new(this_update: i64, crl_number: Option<&[u8]>) -> Self {
        let mut number = [0; MAX_NUMBER];
        let given = crl_number.unwrap_or_default().iter().rev();
        number.iter_mut().rev().zip(given).for_each(|(own, given)| *own = *given);
        Self { this_update, number }
    }

    /// The version of this evidence, as a store has it.
    pub(crate) fn of(cached: &CachedEvidence) -> Self {
        let time = cached.times().0.unwrap_or(cached.fetched_at);
        Self::new(time.unix(), cached.crl().and_then(|crl| crl.number()))
    }

    /// The same, with a time that is no later than this one, in seconds since 1970.
    #[must_use]
    pub fn not_after(self, latest: i64) -> Self {
        Self { this_update: self.this_update.min(latest), ..self }
    }

    /// The time.
    #[must_use]
    pub const fn this_update(&self) -> Time {
        Time::from_unix(self.this_update)
    }

    /// The number, with leading zeros.
    #[must_use]
    pub const fn number(&self) -> &[u8; MAX_NUMBER] {
        &self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_decides_and_then_the_number() {
        let of = |time: i64, number: &[u8]| EvidenceVersion::new(time, Some(number));
        assert!(of(2, &[1]) > of(1, &[9]));
        assert!(of(1, &[1, 0]) > of(1, &[9]));
        assert!(of(1, &[0, 9]) == of(1, &[9]));
        assert!(of(1, &[0]) == EvidenceVersion::new(1, None));
        // The sign byte of a number of twenty bytes.
        let long = [&[0][..], &[0xff; 20]].concat();
        assert_eq!(of(1, &long).number(), &[0xff; 20]);
    }
}
