//! One URL for what RFC 3986 6.2.2 calls the same, so that a source has one place however it is written.

use url::Url;

/// The URL as it is written here: host in lower case, no usual port, no fragment, no escape that stands for a letter, a
/// digit or one of `-._~`, and other escapes in upper case. What cannot be parsed stays as it is.
pub(super) fn canonical(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    url.set_fragment(None);
    unescaped(url.as_str())
}

/// The URL up to its query.
pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(before, _)| before)
}

/// The same with escapes as they are written here.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let Some((escape, after)) = behind.split_at_checked(2) else {
            out.push('%');
            rest = behind;
            continue;
        };
        rest = after;
        match u8::from_str_radix(escape, 16).map(char::from) {
            Ok(sign) if sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '_' | '~') => {
                out.push(sign)
            }
            _ => {
                out.push('%');
                out.push_str(&escape.to_ascii_uppercase());
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_the_same_are_written_the_same() {
        for (text, expected) in [
            ("http://crl.example/ca.crl", "http://crl.example/ca.crl"),
            ("HTTP://CRL.example:80/ca.crl", "http://crl.example/ca.crl"),
            ("https://crl.example:443/ca.crl#part", "https://crl.example/ca.crl"),
            ("http://crl.example/c%61.cr%6C", "http://crl.example/ca.crl"),
            ("http://crl.example/a/../%7eca%2fb.crl", "http://crl.example/~ca%2Fb.crl"),
            ("http://crl.example/ca.crl?x=%3d%41", "http://crl.example/ca.crl?x=%3DA"),
            // What may differ for the source stays apart.
            ("http://crl.example/CA.crl", "http://crl.example/CA.crl"),
            ("http://crl.example/ca.crl?1", "http://crl.example/ca.crl?1"),
            ("http://crl.example/ca.crl?", "http://crl.example/ca.crl?"),
            ("https://crl.example:80/ca.crl", "https://crl.example:80/ca.crl"),
            // Nothing is cut short.
            ("http://crl.example/100%", "http://crl.example/100%"),
            ("http://crl.example/%zz%4", "http://crl.example/%ZZ%4"),
            ("no URL", "no URL"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
            assert_eq!(canonical(&canonical(text)), expected, "{text}");
        }
    }
}
