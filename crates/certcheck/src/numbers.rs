//! Numbers with their nouns, and spans of time, for people.

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The mean year of the Gregorian calendar.
const YEAR: i64 = 31_556_952;

/// `1 entry`, `2 entries`.
pub(crate) fn counted(count: impl TryInto<i64>, word: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    format!("{count} {}", noun(count, word))
}

/// The noun in the number that a count needs.
pub(crate) fn noun(count: i64, word: &str) -> String {
    match word.strip_suffix('y') {
        _ if count == 1 => word.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{word}s"),
    }
}

/// A span of time, in the largest unit that fits.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.saturating_abs();
    let (unit, word) = match seconds {
        0..MINUTE => (1, "second"),
        MINUTE..HOUR => (MINUTE, "minute"),
        // Up to two days in hours, up to two years in days: the finer word says more.
        HOUR..=172_800 => (HOUR, "hour"),
        _ if seconds < 2 * YEAR => (DAY, "day"),
        _ => (YEAR, "year"),
    };
    counted(seconds / unit, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_have_the_number_of_their_count() {
        for (count, word, reported) in
            [(0, "entry", "0 entries"), (1, "entry", "1 entry"), (2, "name comparison", "2 name comparisons")]
        {
            assert_eq!(counted(count, word), reported);
        }
        assert_eq!(counted(u64::MAX, "byte"), format!("{} bytes", i64::MAX));
    }

    #[test]
    fn spans_have_the_largest_unit() {
        let spans = [(1, "1 second"), (-120, "2 minutes"), (7200, "2 hours"), (365 * DAY, "365 days")];
        for (seconds, reported) in spans.into_iter().chain([(98 * YEAR + 5, "98 years")]) {
            assert_eq!(span(seconds), reported);
        }
    }
}
