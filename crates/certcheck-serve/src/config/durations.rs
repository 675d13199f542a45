//! Durations as people write them.

use std::time::Duration;

use toml::de::DeValue;

use super::document::Value;
use super::values::{Parsed, flaw};

/// The longest duration.
const LONGEST: Duration = Duration::from_secs(86_400);
/// The longest age of evidence.
const LONGEST_AGE: Duration = Duration::from_secs(3_650 * 86_400);

/// A duration such as `500ms`, `5s`, `1m`, `1h`, `1d`, or a number of seconds, from `least` to a day.
pub(super) fn duration(least: Duration) -> impl Fn(&Value<'_>) -> Parsed<Duration> {
    move |value| match duration_of(value).filter(|duration| (least..=LONGEST).contains(duration)) {
        Some(duration) => Ok(duration),
        None => flaw(
            value,
            format_args!(
                "is not a duration from {} to 1d, such as \"500ms\", \"30s\" or \"5m\"",
                duration_text(least)
            ),
        ),
    }
}

/// As [`duration`], or `off`.
pub(super) fn duration_or_off(least: Duration) -> impl Fn(&Value<'_>) -> Parsed<Option<Duration>> {
    move |value| match value.get_ref() {
        DeValue::String(text) if text == "off" => Ok(None),
        _ => match duration_of(value).filter(|duration| (least..=LONGEST).contains(duration)) {
            Some(duration) => Ok(Some(duration)),
            None => flaw(
                value,
                format_args!(
                    "is neither a duration from {} to 1d, such as \"30s\" or \"5m\", nor \"off\"",
                    duration_text(least)
                ),
            ),
        },
    }
}

fn duration_of(value: &Value<'_>) -> Option<Duration> {
    let text = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::String(text) => text.as_ref(),
        _ => return None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).map(Duration::from_millis)
}

/// A duration as it is written.
pub(super) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (unit, word) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if milliseconds > 0 && milliseconds.is_multiple_of(unit) {
            return format!("{}{word}", milliseconds / unit);
        }
    }
    if milliseconds == 0 { "0s".to_owned() } else { format!("{milliseconds}ms") }
}

/// As [`duration`], in whole seconds.
pub(super) fn seconds(value: &Value<'_>) -> Parsed<i64> {
    let whole =
        duration_of(value).filter(|duration| duration.subsec_nanos() == 0 && *duration <= LONGEST_AGE);
    match whole.and_then(|duration| i64::try_from(duration.as_secs()).ok()) {
        Some(seconds) => Ok(seconds),
        None => flaw(value, "is not a duration from 0s to 3650d in whole seconds, such as \"5m\" or \"7d\""),
    }
}

/// As [`seconds`], or `off`.
pub(super) fn seconds_or_off(value: &Value<'_>) -> Parsed<Option<i64>> {
    match value.get_ref() {
        DeValue::String(text) if text == "off" => Ok(None),
        _ => seconds(value).map(Some).map_err(|mut flaws| {
            for flaw in &mut flaws {
                flaw.text = flaw.text.replace("is not a", "is neither a") + ", nor \"off\"";
            }
            flaws
        }),
    }
}
