//! Headers about a client besides those of a route: a client may have sent them itself.

use crate::config::RouteConfig;
use crate::http::names;

/// Headers in which proxies, and services behind them, have certificates.
const KNOWN: [&str; 20] = [
    names::XFCC,
    names::CLIENT_CERT,
    names::CLIENT_CERT_CHAIN,
    names::SUBJECT,
    names::ISSUER,
    names::SERIAL,
    names::SAN,
    names::USER,
    names::VERDICT,
    "x-client-cert",
    "x-client-certificate",
    "x-ssl-client-cert",
    "x-ssl-client-chain",
    "ssl-client-cert",
    "x-forwarded-tls-client-cert",
    "x-forwarded-ssl-client-cert",
    "x-amzn-mtls-clientcert",
    "x-amzn-mtls-clientcert-leaf",
    "x-arr-clientcert",
    "x-goog-client-cert",
];

/// The first header that is about a client and is not one of the route. Names are compared as services see them: case does
/// not count, and each sign but letters and digits is the same.
pub(crate) fn other_header<'h>(
    route: &RouteConfig,
    mut names_of_request: impl Iterator<Item = &'h str>,
) -> Option<&'h str> {
    let own = [Some(&route.header), route.chain_header.as_ref()].into_iter().flatten();
    let is_read = |name: &str| own.clone().any(|read| read.eq_ignore_ascii_case(name));
    let is_about_client = |name: &str| {
        KNOWN.iter().any(|known| names::folds_to(name, known))
            || own.clone().any(|known| names::folds_to(name, known))
    };
    names_of_request.find(|name| !is_read(name) && is_about_client(name))
}
