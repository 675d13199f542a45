//! Text out of certificates, and numbers, for people.

use std::fmt::Write as _;

use crate::visible::Visible;
use certcheck_core::Time;
use maud::{Escaper, Markup, Render, html};

/// More characters than this are cut: what is told must not be as large as hostile input.
const MAX_SHOWN: usize = 1000;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 31_556_952;

/// Text from outside: escaped, cut, and with what cannot be seen or turns the direction of writing spelled out.
pub(super) struct Shown<'s>(pub(super) &'s str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        let _infallible = Escaper::new(buffer).write_str(&plain(self.0, MAX_SHOWN));
    }
}

/// Such text, cut to so many characters, for what is not HTML yet.
pub(super) fn plain(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", Visible(text.get(..end).unwrap_or(text))),
        None => Visible(text).to_string(),
    }
}

/// The common name of a name in RFC 4514, or its first part, about so many letters wide.
pub(super) fn short_name(name: &str, wide: usize) -> String {
    let parts = || parts(name);
    let common = parts().find_map(|part| part.strip_prefix("CN="));
    let part = common.or_else(|| parts().next()).filter(|part| !part.is_empty()).unwrap_or("no subject");
    let mut short = String::new();
    let mut room = wide * 10;
    for sign in plain(&unescaped(part), MAX_SHOWN).chars() {
        let takes = width(sign);
        if takes > room {
            short.push('…');
            break;
        }
        room -= takes;
        short.push(sign);
    }
    short
}

/// About how wide a letter is, in tenths of the usual.
const fn width(sign: char) -> usize {
    match sign {
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 15,
        'A'..='Z' => 12,
        '\0'..='~' => 10,
        _ => 20,
    }
}

/// Without the backslashes before signs; bytes in hexadecimal stay, so that nothing hidden comes back.
fn unescaped(part: &str) -> String {
    let mut signs = part.chars().peekable();
    let mut plain = String::new();
    while let Some(sign) = signs.next() {
        let keeps = sign != '\\' || signs.peek().is_none_or(char::is_ascii_hexdigit);
        plain.extend(if keeps { Some(sign) } else { signs.next() });
    }
    plain
}

/// The parts of a name between commas that are not escaped.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    name.split(move |sign| {
        let splits = sign == ',' && !is_escaped;
        is_escaped = sign == '\\' && !is_escaped;
        splits
    })
}

/// A subject, or what to call a certificate that has none.
pub(super) fn subject(name: &str) -> &str {
    if name.is_empty() { "(no subject)" } else { name }
}

/// An instant, to read and for machines.
pub(super) fn instant(time: &str) -> Markup {
    html! { time datetime=(time) { (time.replace('T', " ").replace('Z', " UTC")) } }
}

/// How long, in the largest unit that fits.
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

/// `1 input`, `2 inputs`.
pub(crate) fn counted(count: impl TryInto<i64>, word: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {word}{plural}", grouped(count))
}

/// With thin spaces between thousands.
pub(super) fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut reported = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            reported.push('\u{2009}');
        }
        reported.push(digit);
    }
    reported
}

/// How long something took.
pub(super) fn took(microseconds: u64) -> String {
    match microseconds {
        0..1000 => format!("{microseconds} µs"),
        1000..1_000_000 => format!("{}.{} ms", microseconds / 1000, microseconds / 100 % 10),
        _ => format!("{}.{} s", microseconds / 1_000_000, microseconds / 100_000 % 10),
    }
}

/// `in 3 days`, `2 hours ago`.
pub(super) fn from_now(time: Time, now: Time) -> String {
    let ahead = time.unix().saturating_sub(now.unix());
    if ahead >= 0 { format!("in {}", span(ahead)) } else { format!("{} ago", span(ahead)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_seen_and_does_nothing() {
        let shown = html! { (Shown("<b>\"x\"&\u{202e}gpj\u{0}\u{200b}")) }.into_string();
        assert_eq!(shown, "&lt;b&gt;&quot;x&quot;&amp;\\u{202e}gpj\\u{0}\\u{200b}");
        assert_eq!(plain(&"x".repeat(5000), 1000).chars().count(), 1001);
    }

    #[test]
    fn names_are_cut_to_what_distinguishes_them() {
        assert_eq!(short_name("CN=device-9,O=Acme", 20), "device-9");
        assert_eq!(short_name("O=Acme\\, Inc,CN=a\\,b,C=US", 20), "a,b");
        assert_eq!(short_name("CN=\\<b\\>\\\\\\e2\\80\\ae\\", 20), "<b>\\\\e2\\80\\ae\\");
        assert_eq!(short_name("O=Acme,C=US", 20), "O=Acme");
        assert_eq!(short_name("", 20), "no subject");
        assert_eq!(short_name("CN=0123456789", 4), "0123…");
        assert_eq!(short_name("CN=wwww", 4), "ww…");
        assert_eq!(short_name("CN=日本語", 4), "日本…");
    }

    #[test]
    fn numbers_are_written_in_words() {
        let spans = [(1, "1 second"), (-120, "2 minutes"), (7200, "2 hours"), (365 * DAY, "365 days")];
        for (seconds, reported) in spans {
            assert_eq!(span(seconds), reported);
        }
        assert_eq!(span(98 * YEAR + 5), "98 years");
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!((took(812), took(1450), took(2_150_000)), {
            ("812 µs".to_owned(), "1.4 ms".to_owned(), "2.1 s".to_owned())
        });
    }
}
