//! Names of headers that the front sets, and which names of a client's request could be mistaken for them.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// What the front sets about a client's certificate.
pub(crate) const XFCC: &str = "x-forwarded-client-cert";
pub(crate) const CLIENT_CERT: &str = "client-cert";
pub(crate) const CLIENT_CERT_CHAIN: &str = "client-cert-chain";
pub(crate) const SUBJECT: &str = "x-client-subject";
pub(crate) const ISSUER: &str = "x-client-issuer";
pub(crate) const SERIAL: &str = "x-client-serial";
pub(crate) const SAN: &str = "x-client-san";
pub(crate) const USER: &str = "x-client-user";
pub(crate) const VERDICT: &str = "x-client-verdict";
/// What the front sets about a client's connection.
pub(super) const FORWARDED_FOR: &str = "x-forwarded-for";
pub(super) const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Every name that a client must not send, whatever the front sets.
const RESERVED: [&str; 16] = [
    XFCC,
    CLIENT_CERT,
    CLIENT_CERT_CHAIN,
    SUBJECT,
    ISSUER,
    SERIAL,
    SAN,
    USER,
    VERDICT,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-real-ip",
    // A CGI program sees it as the variable that names an HTTP proxy.
    "proxy",
];

/// Whether a service could mistake this name for one that the front sets, or for one of `more`: services see names as
/// variables, in which case does not count and each sign but letters and digits is the same.
pub(super) fn is_reserved(name: &str, more: &[String]) -> bool {
    RESERVED.iter().any(|reserved| folds_to(name, reserved))
        || more.iter().any(|reserved| folds_to(name, reserved))
}

pub(crate) fn folds_to(name: &str, reserved: &str) -> bool {
    let folded = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.len() == reserved.len() && name.bytes().map(folded).eq(reserved.bytes().map(folded))
}

/// Removes every header whose name is reserved.
pub(super) fn strip(headers: &mut HeaderMap, more: &[String]) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| is_reserved(name.as_str(), more)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// The names in lists such as that of `Connection`.
pub(super) fn tokens<'v>(values: impl Iterator<Item = &'v HeaderValue>) -> impl Iterator<Item = &'v str> {
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_services_see_them() {
        for name in [
            "x-client-user",
            "x_client_user",
            "X.Client.User",
            "X-CLIENT-USER",
            "x~client!user",
            "Client_Cert",
        ] {
            assert!(is_reserved(name, &[]), "{name}");
        }
        for name in ["x-client-use", "x-client-user-", "xclientuser", "client-certificate", "host"] {
            assert!(!is_reserved(name, &[]), "{name}");
        }
        assert!(is_reserved("remote_user", &["Remote-User".to_owned()]));
    }
}
