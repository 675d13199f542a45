//! A file or URL as a URI reference (RFC 3986).

use std::fmt::Write as _;
use std::path::Path;

use url::Url;

/// The URI of a URL or an absolute path; a relative path as a relative reference.
pub(super) fn uri(place: &str) -> String {
    if place == "-" {
        return "stdin".to_owned();
    }
    if let Some(url) = Url::parse(place).ok().filter(Url::has_authority) {
        return url.into();
    }
    if let Ok(url) = Url::from_file_path(Path::new(place)) {
        return url.into();
    }
    let mut reference = String::new();
    for byte in place.bytes() {
        match byte {
            b'\\' if cfg!(windows) => reference.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                reference.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(reference, "%{byte:02X}");
            }
        }
    }
    // Two slashes in front would name a host.
    if reference.starts_with("//") { format!("/.{reference}") } else { reference }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_and_urls_are_uris() {
        for (place, expected) in [
            ("clients/a b.pem", "clients/a%20b.pem"),
            ("a:b#c?%\u{e9}.pem", "a%3Ab%23c%3F%25%C3%A9.pem"),
            ("../x.pem", "../x.pem"),
            ("-", "stdin"),
            ("http://crl.example/a b.crl", "http://crl.example/a%20b.crl"),
        ] {
            assert_eq!(uri(place), expected);
        }
        #[cfg(unix)]
        assert_eq!(uri("/etc/a b.pem"), "file:///etc/a%20b.pem");
    }
}
