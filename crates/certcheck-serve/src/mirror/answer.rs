//! Evidence as an HTTP response: validators, freshness, ranges and compression (RFC 9110, RFC 9111).

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::revocation::EvidenceKind;
use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::kept::KeptEvidence;

/// The body of a response: whole, or event by event.
pub(super) type Body = Either<Full<Bytes>, Channel<Bytes, Infallible>>;

/// The media types of evidence (RFC 5280 4.2.1.13, RFC 6960 A.1).
const CRL: &str = "application/pkix-crl";
pub(super) const OCSP: &str = "application/ocsp-response";
/// Behind the digest in the validator of a compressed body.
const GZIP: &str = "-gzip";

/// When evidence is served, and until when it may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: Time,
    /// When the mirror looks at the source again.
    pub(super) next_look: Time,
    /// The end of the evidence.
    pub(super) end: Time,
}

/// The answer to a request with these headers.
///
/// Ranges are for GET, conditions for GET and HEAD (RFC 9110 13.1, 14.2).
pub(super) fn of(held: &KeptEvidence, times: Times, method: &Method, asked: &HeaderMap) -> Response<Body> {
    let identity = &held.cached.body().bytes;
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let has_range = *method == Method::GET && asked.contains_key(header::RANGE);
    let gzip = held.gzip.as_ref().filter(|_| accepts_gzip(asked) && !has_range);
    let tag = match gzip {
        Some(_) => format!("\"{}{GZIP}\"", held.digest),
        None => format!("\"{}\"", held.digest),
    };
    let (this_update, _) = held.cached.times();
    let modified = this_update.and_then(system_time);
    let mut response = Response::new(Either::Left(Full::default()));
    let range = if is_read && is_unchanged(held, modified, asked) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        None
    } else {
        let range = if has_range { range(identity.len(), &tag, modified, asked) } else { None };
        let body = match &range {
            Some(Ok((from, to))) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                identity.slice(*from..=*to)
            }
            Some(Err(())) => {
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                Bytes::new()
            }
            None => gzip.unwrap_or(identity).clone(),
        };
        *response.body_mut() = Either::Left(Full::from(body));
        range
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    match range {
        Some(Ok((from, to))) => {
            set(header::CONTENT_RANGE, format!("bytes {from}-{to}/{}", identity.len()));
        }
        Some(Err(())) => set(header::CONTENT_RANGE, format!("bytes */{}", identity.len())),
        None => {}
    }
    set(header::CONTENT_TYPE, if held.kind() == EvidenceKind::Ocsp { OCSP } else { CRL }.to_owned());
    if gzip.is_some() {
        set(header::CONTENT_ENCODING, "gzip".to_owned());
    }
    set(header::ETAG, tag);
    set(header::VARY, "Accept-Encoding".to_owned());
    set(header::ACCEPT_RANGES, "bytes".to_owned());
    if let Some(modified) = modified {
        set(header::LAST_MODIFIED, httpdate::fmt_http_date(modified));
    }
    // Fresh until the mirror looks again, by when it may have newer evidence; useful until the end.
    let seen = held.cached.fetched_at().min(times.now);
    let seconds = |from: Time, to: Time| to.unix().saturating_sub(from.unix()).max(0);
    let fresh = seconds(seen, times.next_look.min(times.end));
    let left = seconds(times.now, times.end);
    set(header::CACHE_CONTROL, format!("public, max-age={fresh}, stale-if-error={left}"));
    set(header::AGE, seconds(seen, times.now).to_string());
    response
}

/// A response without evidence, for people and for logs.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(format!("{code}: {detail}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The same with the time after which to ask again (RFC 9110 10.2.3).
pub(super) fn retry(mut response: Response<Body>, seconds: i64) -> Response<Body> {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// Whether the client has this evidence, in any encoding: If-None-Match, or else If-Modified-Since (RFC 9110 13.2.2).
fn is_unchanged(held: &KeptEvidence, modified: Option<SystemTime>, asked: &HeaderMap) -> bool {
    let mut tags = asked.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        let is_ours = |tag: &str| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || tag.strip_suffix(GZIP).unwrap_or(tag) == held.digest
        };
        return tags.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(',')).any(is_ours);
    }
    let since = asked.get(header::IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    since.zip(modified).is_some_and(|(since, modified)| modified <= since)
}

/// The range that is asked for, its first and last byte. `None` for the whole body: also where several ranges are asked
/// for, or where the client has a part of other evidence (RFC 9110 14.2, 13.1.5).
fn range(
    length: usize,
    tag: &str,
    modified: Option<SystemTime>,
    asked: &HeaderMap,
) -> Option<Result<(usize, usize), ()>> {
    let text = asked.get(header::RANGE)?.to_str().ok()?;
    if let Some(condition) = asked.get(header::IF_RANGE) {
        let condition = condition.to_str().ok()?;
        let is_same = condition == tag
            || httpdate::parse_http_date(condition)
                .ok()
                .zip(modified)
                .is_some_and(|(at, modified)| at == modified);
        if !is_same {
            return None;
        }
    }
    let parsed = http_range_header::parse_range_header(text).ok()?;
    let Ok(ranges) = parsed.validate(u64::try_from(length).ok()?) else { return Some(Err(())) };
    let [range] = &ranges[..] else { return None };
    let ends = usize::try_from(*range.start()).ok().zip(usize::try_from(*range.end()).ok());
    Some(ends.ok_or(()))
}

/// Whether gzip is accepted (RFC 9110 12.5.3).
fn accepts_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

fn system_time(time: Time) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(time.unix()).ok()?))
}
