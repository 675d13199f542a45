//! Text out of certificates, and numbers, for people.

use std::borrow::Cow;
use std::fmt::Write as _;

use certcheck_core::Time;
use maud::{Escaper, Markup, Render, html};

use super::svg::float;
use crate::numbers::{noun, span};
use crate::sentence::capitalized;
use crate::visible::Visible;

/// Longer text is cut: a page must not grow with hostile input.
const MAX_SHOWN: usize = 1000;

/// Text from outside: escaped, cut, and with invisible characters and direction marks spelled out.
pub(super) struct Shown<'s>(pub(super) &'s str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        let _infallible = Escaper::new(buffer).write_str(&plain(self.0, MAX_SHOWN));
    }
}

/// A message of the library: as [`Shown`], and with times as the page writes them.
pub(super) struct Sentence<'s>(pub(super) &'s str);

impl Render for Sentence<'_> {
    fn render_to(&self, buffer: &mut String) {
        let words = self.0.split_inclusive(' ').map(|word| {
            let bare = word.trim_matches([' ', ',', ';', ':', '.', '(', ')']);
            match Time::from_rfc3339(bare) {
                Some(_) => Cow::Owned(word.replace(bare, &readable(bare))),
                None => Cow::Borrowed(word),
            }
        });
        Shown(&words.collect::<String>()).render_to(buffer);
    }
}

/// An RFC 3339 time as the page writes it.
fn readable(time: &str) -> String {
    time.replace('T', " ").replace('Z', " UTC")
}

/// Such text, cut to so many characters, before it is HTML.
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

/// A subject, or a word for a certificate that has none.
pub(super) fn subject(name: &str) -> &str {
    if name.is_empty() { "(no subject)" } else { name }
}

/// An instant, for people and for machines.
pub(super) fn instant(time: &str) -> Markup {
    html! { time datetime=(time) { (readable(time)) } }
}

/// `1 input`, `2 000 inputs`.
pub(super) fn counted(count: impl TryInto<i64>, word: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    format!("{} {}", grouped(count), noun(count, word))
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

/// A measured time of so many microseconds.
pub(super) fn took(microseconds: f64) -> String {
    match microseconds {
        us if us < 10.0 => format!("{us:.2} µs"),
        us if us < 100.0 => format!("{us:.1} µs"),
        us if us < 1e3 => format!("{us:.0} µs"),
        us if us < 1e4 => format!("{:.2} ms", us / 1e3),
        us if us < 1e5 => format!("{:.1} ms", us / 1e3),
        us if us < 1e6 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

/// The same of whole microseconds.
pub(super) fn took_whole(microseconds: u64) -> String {
    i64::try_from(microseconds).map_or_else(|_| "very long".to_owned(), |whole| took(float(whole)))
}

/// A stable code in words, with the code itself after it: `certificate-revoked` is "Certificate revoked".
pub(super) fn code(code: &str) -> Markup {
    html! { (in_words(code)) " " code.code { (code) } }
}

/// The same in the middle of a sentence.
pub(super) fn code_within(code: &str) -> Markup {
    let words = in_words(code);
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    // An abbreviation stays as it is.
    let keeps = letters.clone().next().is_some_and(char::is_uppercase);
    html! { @if keeps { (words) } @else { (first) (letters.as_str()) } " " code.code { (code) } }
}

/// A stable code in words.
pub(super) fn in_words(code: &str) -> String {
    let words: Vec<String> = code
        .split('-')
        .enumerate()
        .map(|(at, word)| match word {
            "ca" | "crl" | "ocsp" | "rsa" | "ec" => word.to_uppercase(),
            _ if at == 0 => capitalized(word),
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// Where an answer came from.
pub(super) fn origin(from: &str) -> &str {
    match from {
        "file" => "from a file",
        "network" => "from the network",
        "memory" => "from memory",
        "disk" => "from the disk cache",
        "shared" => "from a store that several hosts share",
        "mirror" => "from a mirror",
        other => other,
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
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
        let times = [(5.25, "5.25 µs"), (812.0, "812 µs"), (1450.0, "1.45 ms"), (25_500.0, "25.5 ms")];
        for (microseconds, shown) in times.into_iter().chain([(2_150_000.0, "2.15 s")]) {
            assert_eq!(took(microseconds), shown);
        }
        assert_eq!(took_whole(1450), "1.45 ms");
    }

    #[test]
    fn codes_have_words() {
        for (code, words) in [
            ("certificate-revoked", "Certificate revoked"),
            ("no-source", "No source"),
            ("not-a-ca", "Not a CA"),
            ("expired", "Expired"),
            ("", ""),
        ] {
            assert_eq!(in_words(code), words);
        }
        assert_eq!(code_within("no-source").into_string(), "no source <code class=\"code\">no-source</code>");
        assert!(code_within("crl-of-another").into_string().starts_with("CRL of another <"));
    }

    #[test]
    fn times_in_messages_are_written_as_elsewhere() {
        let sentence = Sentence("revoked at 2026-12-31T22:10:00Z (keyCompromise), <b>");
        let shown = "revoked at 2026-12-31 22:10:00 UTC (keyCompromise), &lt;b&gt;";
        assert_eq!(html! { (sentence) }.into_string(), shown);
    }
}
