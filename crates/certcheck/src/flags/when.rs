//! Times and durations as people write them.

use std::time::Duration;

use certcheck_core::Time;

use crate::setup;

/// The longest that anything may take.
const LONGEST: Duration = Duration::from_secs(3600);
/// The bounds of an interval between rounds.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(7 * 86_400);
/// The farthest from now that a relative time may lie: a hundred years.
const FARTHEST: u64 = 100 * 366 * 86_400;

/// A time: RFC 3339, a date, `now`, or a distance from now such as `now+1d` or `-2h`.
pub(crate) fn parse_time(text: &str) -> Result<Time, String> {
    let fault = || {
        "not a time: use 2027-01-01T00:00:00Z, 2027-01-01 (midnight UTC), now, now+1d, +1d or -2h".to_owned()
    };
    if text == "now" {
        return Ok(setup::time(None));
    }
    // `now+1d` is `+1d`.
    let relative = text.strip_prefix("now").unwrap_or(text);
    let (sign, distance) = match relative.split_at_checked(1) {
        Some(("+", distance)) => (1, distance),
        Some(("-", distance)) => (-1, distance),
        _ => {
            let midnight = || Time::from_rfc3339(&format!("{text}T00:00:00Z"));
            return Time::from_rfc3339(text).or_else(midnight).ok_or_else(fault);
        }
    };
    let (number, unit) = number_and_unit(distance).ok_or_else(fault)?;
    let seconds = unit_in_milliseconds(unit).filter(|unit| unit % 1_000 == 0).ok_or_else(fault)? / 1_000;
    let distance = number.checked_mul(seconds).filter(|seconds| *seconds <= FARTHEST);
    let distance = distance.and_then(|seconds| i64::try_from(seconds).ok());
    let distance = distance.ok_or("more than a hundred years from now")?;
    Ok(Time::from_unix(setup::time(None).unix().saturating_add(sign * distance)))
}

/// A duration: `5s`, `500ms`, `1m`, `1h`, or a bare number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    duration(text, "s")
        .filter(|duration| !duration.is_zero() && *duration <= LONGEST)
        .ok_or_else(|| "not a duration from 1ms to 1h: use 500ms, 5s, 1m or a number of seconds".to_owned())
}

/// An interval between rounds: `30s`, `5m`, `1h`, `1d`, or a bare number of seconds.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    duration(text, "s")
        .filter(|interval| (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(interval))
        .ok_or_else(|| {
            "not an interval from 1s to 7d: use 30s, 5m, 1h, 1d or a bare number of seconds".to_owned()
        })
}

/// A pause, up to a minute: as [`parse_duration`], a bare number is of milliseconds.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, String> {
    duration(text, "ms")
        .filter(|pause| *pause <= Duration::from_secs(60))
        .ok_or_else(|| "not a duration from 0 to 1m: use 200ms, 1s or a number of milliseconds".to_owned())
}

/// Whole hours: `12`, `12h` or `2d`.
pub(crate) fn parse_hours(text: &str) -> Result<u32, String> {
    whole(text, "h").ok_or_else(|| "not a number of hours: use 12, 12h or 2d".to_owned())
}

/// Whole days: `60`, `60d` or `8w`.
pub(crate) fn parse_days(text: &str) -> Result<u32, String> {
    whole(text, "d").ok_or_else(|| "not a number of days: use 60, 60d or 8w".to_owned())
}

/// How many of a unit, if it is a whole number of them.
fn whole(text: &str, unit: &str) -> Option<u32> {
    let (number, given) = number_and_unit(text)?;
    let milliseconds =
        number.checked_mul(unit_in_milliseconds(if given.is_empty() { unit } else { given })?)?;
    let unit = unit_in_milliseconds(unit)?;
    if milliseconds % unit != 0 {
        return None;
    }
    u32::try_from(milliseconds / unit).ok()
}

fn duration(text: &str, bare: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let unit = unit_in_milliseconds(if unit.is_empty() { bare } else { unit })?;
    number.checked_mul(unit).map(Duration::from_millis)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit))
}

fn unit_in_milliseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, milliseconds) in
            [("5s", 5_000), ("500ms", 500), ("1m", 60_000), ("15", 15_000), ("1h", 3_600_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "0", "0ms", "-5s", "5 s", "5x", "1.5s", "61m", "99999999999999999999s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(parse_interval("5m"), Ok(Duration::from_secs(300)));
        assert_eq!((parse_interval("1s").is_ok(), parse_interval("7d").is_ok()), (true, true));
        assert_eq!((parse_interval("999ms").is_err(), parse_interval("169h").is_err()), (true, true));
        assert_eq!(parse_pause("200"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_pause("0"), Ok(Duration::ZERO));
        assert_eq!((parse_hours("12"), parse_hours("2d")), (Ok(12), Ok(48)));
        assert_eq!((parse_days("60"), parse_days("8w"), parse_days("48h")), (Ok(60), Ok(56), Ok(2)));
        assert!(parse_days("5h").is_err());
    }

    #[test]
    fn times_as_people_write_them() {
        let midnight = Time::from_rfc3339("2027-01-01T00:00:00Z").unwrap();
        assert_eq!(parse_time("2027-01-01T00:00:00Z"), Ok(midnight));
        assert_eq!(parse_time("2027-01-01"), Ok(midnight));
        let now = setup::time(None).unix();
        for (text, distance) in [
            ("now", 0),
            ("+1d", 86_400),
            ("-2h", -7_200),
            ("+90s", 90),
            ("-1w", -604_800),
            ("now+1d", 86_400),
            ("now-2h", -7_200),
        ] {
            let time = parse_time(text).unwrap().unix();
            assert!((time - now - distance).abs() <= 5, "{text}");
        }
        for text in [
            "",
            "+",
            "-",
            "+1",
            "1d",
            "now+",
            "now1d",
            "now+1",
            "now now",
            "nowT00:00:00Z",
            "+5ms",
            "tomorrow",
            "2027-13-01",
            "+-1d",
            "+99999999d",
            "é",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
