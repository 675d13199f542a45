//! Points in time as in certificates: whole seconds, UTC, years 0000 to 9999.

use core::fmt;

use pki_types::UnixTime;

use crate::der::{Rule, Tlv, ViewFault, tag};

/// A point in time, in seconds since 1970-01-01T00:00:00Z. Earlier times are negative. `Display` writes RFC 3339.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(i64);

impl Time {
    /// The time `99991231235959Z`, which RFC 5280 4.1.2.5 gives to certificates without an expiration date.
    pub const NEVER: Self = Self(253_402_300_799);

    /// The time with this many seconds since the epoch.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Parses a UTCTime or GeneralizedTime in the forms of RFC 5280 4.1.2.5: seconds, `Z`, no fraction.
    ///
    /// Deviation: a GeneralizedTime before 2050 is accepted. The rule is for issuers, PKITS 4.2.4 must validate, and
    /// the instant is the same either way.
    ///
    /// # Errors
    /// [`Rule::BadTime`], or [`Rule::UnexpectedTag`] for any other type.
    #[doc(alias = "RFC 5280 section 4.1.2.5")]
    pub fn parse(tlv: Tlv<'_>, field: &'static str) -> Result<Self, ViewFault> {
        let digits = match tlv.tag {
            tag::UTC_TIME if tlv.value.len() == 13 => tlv.value,
            tag::GENERALIZED_TIME if tlv.value.len() == 15 => tlv.value,
            tag::UTC_TIME | tag::GENERALIZED_TIME => return Err(tlv.fault(field, Rule::BadTime)),
            found => return Err(tlv.fault(field, Rule::UnexpectedTag { want: tag::UTC_TIME, found })),
        };
        from_digits(digits).ok_or_else(|| tlv.fault(field, Rule::BadTime))
    }

    /// Like [`Time::parse`], for revocation evidence: a GeneralizedTime may have a fraction of a second, which is
    /// dropped.
    ///
    /// Deviation: RFC 5280 5.1.2.4 and RFC 6960 4.2.2.1 allow no fraction, but some responders write milliseconds.
    /// Dropping the fraction makes evidence end earlier, never later.
    ///
    /// # Errors
    /// Like [`Time::parse`].
    pub(crate) fn parse_with_fraction(tlv: Tlv<'_>, field: &'static str) -> Result<Self, ViewFault> {
        match tlv.value.split_first_chunk::<14>() {
            Some((digits, [b'.', fraction @ .., b'Z']))
                if tlv.tag == tag::GENERALIZED_TIME
                    && (1..=9).contains(&fraction.len())
                    && fraction.iter().all(u8::is_ascii_digit) =>
            {
                let mut whole = [b'Z'; 15];
                whole[..14].copy_from_slice(digits);
                from_digits(&whole).ok_or_else(|| tlv.fault(field, Rule::BadTime))
            }
            _ => Self::parse(tlv, field),
        }
    }

    /// Parses RFC 3339, such as `2026-11-23T12:00:00Z` or `2026-11-23T12:00:00.5+01:00`. A fraction is dropped.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: core::ops::Range<usize>| decimal(bytes.get(range)?);
        let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|b| wanted.contains(b));
        if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
            return None;
        }
        let local = seconds(
            number(0..4)?,
            number(5..7)?,
            number(8..10)?,
            number(11..13)?,
            number(14..16)?,
            number(17..19)?,
        )?;
        let mut zone = bytes.get(19..)?;
        if let Some(fraction) = zone.strip_prefix(b".") {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            zone = fraction.get(digits..)?;
        }
        let east = match zone {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (decimal(&[*h1, *h2])?, decimal(&[*m1, *m2])?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let span = hours * 3600 + minutes * 60;
                if *sign == b'+' { span } else { -span }
            }
            _ => return None,
        };
        Some(Self(local - east))
    }

    /// The year, month and day, and the seconds since midnight.
    fn civil(self) -> (i64, i64, i64, i64) {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Days are counted from 0000-03-01, so that a leap day is the last of its year.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day, second)
    }
}

impl From<UnixTime> for Time {
    fn from(time: UnixTime) -> Self {
        Self(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, second) = self.civil();
        let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
    }
}

/// Parses `[YY]YYMMDDHHMMSSZ`.
fn from_digits(text: &[u8]) -> Option<Time> {
    let (pairs, rest) = text.as_chunks::<2>();
    if rest != b"Z" {
        return None;
    }
    let (year, [month, day, hour, minute, second]) = match *pairs {
        [year, month, day, hour, minute, second] => {
            let year = pair(year)?;
            // RFC 5280 4.1.2.5.1: 50 to 99 is 19YY, 00 to 49 is 20YY.
            (if year >= 50 { 1900 + year } else { 2000 + year }, [month, day, hour, minute, second])
        }
        [century, year, month, day, hour, minute, second] => {
            (100 * pair(century)? + pair(year)?, [month, day, hour, minute, second])
        }
        _ => return None,
    };
    seconds(year, pair(month)?, pair(day)?, pair(hour)?, pair(minute)?, pair(second)?).map(Time)
}

/// The number of two digits.
fn pair(digits: [u8; 2]) -> Option<i64> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else { return None };
    Some(10 * i64::from(tens - b'0') + i64::from(ones - b'0'))
}

fn decimal(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |n, d| if d.is_ascii_digit() { Some(n * 10 + i64::from(d - b'0')) } else { None })
}

/// The seconds since the epoch. `None` for a date that does not exist. Leap seconds do not exist.
fn seconds(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_reads_back() {
        for days in -719_528..2_932_897 {
            let time = Time(days * 86_400 + 86_399);
            assert_eq!(Time::from_rfc3339(&time.to_string()), Some(time), "{time}");
        }
    }

    #[test]
    fn fixed_points() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("9999-12-31T23:59:59Z", Time::NEVER.unix()),
            ("2026-11-23T13:00:00.999+01:00", 1_795_435_200),
        ] {
            assert_eq!(Time::from_rfc3339(text).map(Time::unix), Some(unix), "{text}");
        }
        for text in [
            "2023-02-29T00:00:00Z",
            "2026-01-01",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
        ] {
            assert_eq!(Time::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn utc_time_is_of_1950_to_2049() {
        assert_eq!(
            from_digits(b"500101000000Z").map(|t| t.to_string()).as_deref(),
            Some("1950-01-01T00:00:00Z")
        );
        assert_eq!(
            from_digits(b"491231235959Z").map(|t| t.to_string()).as_deref(),
            Some("2049-12-31T23:59:59Z")
        );
        for bad in [&b"4912312359Z"[..], b"491231235959+0000", b"4912312359.9Z", b"49123123595 Z", b""] {
            assert_eq!(from_digits(bad), None);
        }
    }
}
