//! Requests of this mirror that come back to it, because the name of a source leads to the mirror itself (RFC 9110 7.6.3).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use hyper::header::{self, HeaderMap};

/// The name of the mirror of this process in Via, which no other process has.
pub(crate) static PSEUDONYM: LazyLock<String> = LazyLock::new(|| {
    // Each has a key of its own.
    let number = || RandomState::new().hash_one(0);
    format!("certcheck-{:016x}{:016x}", number(), number())
});

/// Whether a request has come through this mirror.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::VIA).iter().filter_map(|value| value.to_str().ok());
    let mut hops = values.flat_map(|value| value.split(','));
    hops.any(|hop| hop.split_ascii_whitespace().nth(1) == Some(PSEUDONYM.as_str()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn its_own_requests_are_known() {
        let own = &*PSEUDONYM;
        for (values, expected) in [
            (&[][..], false),
            (&[format!("1.1 {own}")], true),
            (&[format!("1.0 fred, 1.1 {own} (comment)")], true),
            (&["1.1 other".to_owned(), format!("1.1 other,HTTP/1.1  {own}")], true),
            (&["1.1 certcheck-0123".to_owned()], false),
            (&[format!("1.1 other ({own})")], false),
        ] {
            let values = values.iter().map(|value| HeaderValue::from_str(value).expect("a value"));
            let headers: HeaderMap = values.map(|value| (header::VIA, value)).fold(
                HeaderMap::new(),
                |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                },
            );
            assert_eq!(is_own(&headers), expected, "{headers:?}");
        }
    }
}
