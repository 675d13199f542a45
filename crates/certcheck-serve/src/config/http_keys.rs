//! The keys of `[listener.http]`.

use std::time::Duration;

use super::document::{Reading, Scope, Value};
use super::http::HttpConfig;
use super::values::{Parsed, flaw};
use super::{durations, values};

const KEYS: &[&str] = &[
    "headers",
    "xfcc",
    "strip",
    "service_version",
    "upgrades",
    "max_header_bytes",
    "max_headers",
    "max_body",
    "max_streams",
    "header_timeout",
    "response_timeout",
];

/// Protocols that would let a client send requests past the front.
const NEVER: [&str; 3] = ["h2c", "http/1.1", "tls/1.0"];
/// The shortest time limit.
const SHORTEST: Duration = Duration::from_millis(100);
/// The largest body that can be a limit: a PiB.
const MAX_BODY: u64 = 1 << 50;

/// How HTTP is spoken. `None` if the listener has no such table, and passes bytes.
pub(super) fn http<'d>(reading: &mut Reading<'d>, listener: Scope<'d>, title: &str) -> Option<HttpConfig> {
    let scope = reading.table_of(listener, "http", "http.")?;
    reading.refuse_unknown(scope.own, &format!("{title}http: "), &[KEYS], &[]);
    let usual = HttpConfig::default();
    Some(HttpConfig {
        headers: reading.value(scope, "headers", usual.headers, values::list(values::word)),
        xfcc: reading.value(scope, "xfcc", usual.xfcc, values::list(values::word)),
        strip: reading.value(scope, "strip", usual.strip, values::list(header)),
        service_version: reading.value(scope, "service_version", usual.service_version, values::word),
        upgrades: reading.value(scope, "upgrades", usual.upgrades, values::list(upgrade)),
        max_header_bytes: reading.value(
            scope,
            "max_header_bytes",
            usual.max_header_bytes,
            values::count(8_192, 1 << 20),
        ),
        max_headers: reading.value(scope, "max_headers", usual.max_headers, values::count(1, 1_000)),
        max_body: reading.value(scope, "max_body", usual.max_body, number_or_off),
        max_streams: reading.value(scope, "max_streams", usual.max_streams, values::small(1, 10_000)),
        header_timeout: reading.value(
            scope,
            "header_timeout",
            usual.header_timeout,
            durations::duration(SHORTEST),
        ),
        response_timeout: reading.value(
            scope,
            "response_timeout",
            usual.response_timeout,
            durations::duration(SHORTEST),
        ),
    })
}

fn is_token(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_sign)
}

fn header(value: &Value<'_>) -> Parsed<String> {
    match value.get_ref().as_str() {
        Some(text) if is_token(text) => Ok(text.to_owned()),
        _ => flaw(value, "is not the name of a header, such as \"Remote-User\""),
    }
}

fn upgrade(value: &Value<'_>) -> Parsed<String> {
    match value.get_ref().as_str() {
        Some(text) if NEVER.iter().any(|never| text.eq_ignore_ascii_case(never)) => {
            flaw(value, "would let clients send requests whose headers are not checked")
        }
        Some(text) if text.split('/').all(is_token) => Ok(text.to_owned()),
        _ => flaw(value, "is not the name of a protocol, such as \"websocket\""),
    }
}

fn number_or_off(value: &Value<'_>) -> Parsed<Option<u64>> {
    match value.get_ref().as_str() {
        Some("off") => Ok(None),
        _ => match values::number(0, MAX_BODY)(value) {
            Ok(number) => Ok(Some(number)),
            Err(_) => flaw(value, format_args!("is neither a whole number from 0 to {MAX_BODY} nor \"off\"")),
        },
    }
}
