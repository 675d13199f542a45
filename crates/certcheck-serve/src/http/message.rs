//! What a request must be like to be passed on, and what is changed in it and in its response on the way (RFC 9110 7.6,
//! RFC 9112 3.2).

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, Parts, PathAndQuery};
use hyper::{Method, Request, StatusCode, Uri, Version};

use super::names;
use crate::config::HttpConfig;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Headers that mean something between two neighbours alone.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers that a `Connection` header must not remove, because the message would be another one without them.
const KEPT: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::AUTHORIZATION, header::COOKIE];

/// What a request asks for besides its answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// The protocol to go on with.
    pub(super) upgrade: Option<HeaderValue>,
    /// Whether trailers are understood.
    trailers: bool,
}

/// Prepares a request for the service: checks it, and removes what is meant for the front alone and what only the front
/// may say.
///
/// # Errors
/// The status to refuse it with.
pub(super) fn prepare_request<B>(request: &mut Request<B>, config: &HttpConfig) -> Result<Asked, StatusCode> {
    if *request.method() == Method::CONNECT {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let host = host_of(request)?;
    let asked = asked(request, config);
    let headers = request.headers_mut();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    remove_hop_by_hop(headers);
    // The front has answered `100-continue` itself.
    headers.remove(header::EXPECT);
    names::strip(headers, &config.strip);
    strip_trailer_list(headers, &config.strip);
    headers.remove(header::HOST);
    if let Some(host) = host {
        headers.insert(header::HOST, host);
    }
    if asked.trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = &asked.upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
    Ok(asked)
}

/// Removes from a response what is meant for the front alone. `upgrade` is the protocol of a response with status 101.
pub(super) fn prepare_response(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>) {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    remove_hop_by_hop(headers);
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
}

/// The URI as a service is asked for it: the path and the query, and for HTTP/2 what it is on.
pub(super) fn uri_for(uri: &Uri, version: Version, host: Option<&HeaderValue>) -> Option<Uri> {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let mut parts = Parts::default();
    parts.path_and_query = Some(path);
    if version == Version::HTTP_2 {
        let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok())?;
        parts.scheme = Some(hyper::http::uri::Scheme::HTTP);
        parts.authority = Some(authority);
    }
    Uri::from_parts(parts).ok()
}

/// The one host that a request is for. What the request line says counts (RFC 9112 3.2.2).
fn host_of<B>(request: &Request<B>) -> Result<Option<HeaderValue>, StatusCode> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let (first, more) = (given.next(), given.next());
    if more.is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if let Some(authority) = request.uri().authority() {
        let bare = authority.as_str().rsplit('@').next().unwrap_or_default();
        return HeaderValue::from_str(bare).map(Some).map_err(|_| StatusCode::BAD_REQUEST);
    }
    match first {
        Some(host) if host.is_empty() || Authority::try_from(host.as_bytes()).is_ok() => {
            Ok(Some(host.clone()))
        }
        None if request.version() == Version::HTTP_10 => Ok(None),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

fn asked<B>(request: &Request<B>, config: &HttpConfig) -> Asked {
    let headers = request.headers();
    let has = |name: &HeaderName, token: &str| {
        names::tokens(headers.get_all(name).iter())
            .any(|one| one.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case(token)))
    };
    let wants_upgrade = request.version() == Version::HTTP_11 && has(&header::CONNECTION, "upgrade");
    let upgrade = wants_upgrade.then(|| {
        let mut offered = names::tokens(headers.get_all(header::UPGRADE).iter());
        let allowed = offered
            .find(|offered| config.upgrades.iter().any(|allowed| allowed.eq_ignore_ascii_case(offered)));
        allowed.and_then(|protocol| HeaderValue::from_str(protocol).ok())
    });
    Asked { upgrade: upgrade.flatten(), trailers: has(&header::TE, "trailers") }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = names::tokens(headers.get_all(header::CONNECTION).iter())
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| !KEPT.contains(name))
        .collect();
    for name in &listed {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// The list of trailers that follow, without those that are removed.
fn strip_trailer_list(headers: &mut HeaderMap, more: &[String]) {
    if !headers.contains_key(header::TRAILER) {
        return;
    }
    let kept: Vec<&str> = names::tokens(headers.get_all(header::TRAILER).iter())
        .filter(|name| !names::is_reserved(name, more))
        .collect();
    let list = HeaderValue::from_str(&kept.join(", ")).ok().filter(|_| !kept.is_empty());
    headers.remove(header::TRAILER);
    if let Some(list) = list {
        headers.insert(header::TRAILER, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request")
    }

    /// The headers after preparation, sorted, as `name: value`.
    fn prepared(uri: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, u16> {
        let config = HttpConfig { strip: vec!["remote-user".to_owned()], ..HttpConfig::default() };
        let mut request = request(uri, headers);
        prepare_request(&mut request, &config).map_err(|status| status.as_u16())?;
        let text =
            |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().expect("text"));
        let mut all: Vec<_> = request.headers().iter().map(text).collect();
        all.sort();
        Ok(all)
    }

    const HOST: (&str, &str) = ("host", "a.example");

    #[test]
    fn headers_between_neighbours_are_removed() {
        for (headers, left) in [
            (
                &[HOST, ("connection", "close, X-Secret"), ("x-secret", "1"), ("keep-alive", "timeout=5")][..],
                &["host: a.example"][..],
            ),
            (
                &[HOST, ("connection", "host, content-length"), ("content-length", "3")],
                &["content-length: 3", "host: a.example"],
            ),
            (
                &[HOST, ("te", "trailers;q=0.5, deflate"), ("proxy-authorization", "x")],
                &["host: a.example", "te: trailers"],
            ),
            (&[HOST, ("transfer-encoding", "chunked"), ("content-length", "3")], &["host: a.example"]),
            (
                &[HOST, ("connection", "Upgrade"), ("upgrade", "h2c, WebSocket")],
                &["connection: upgrade", "host: a.example", "upgrade: WebSocket"],
            ),
            (
                &[
                    HOST,
                    ("connection", "Upgrade, HTTP2-Settings"),
                    ("upgrade", "h2c"),
                    ("http2-settings", "x"),
                ],
                &["host: a.example"],
            ),
            (&[HOST, ("upgrade", "websocket")], &["host: a.example"]),
            (
                &[HOST, ("expect", "100-continue"), ("Remote_User", "root"), ("proxy", "http://x")],
                &["host: a.example"],
            ),
            (
                &[HOST, ("trailer", "X-Client-User, Digest"), ("trailer", "x_client_cert")],
                &["host: a.example", "trailer: Digest, x_client_cert"],
            ),
            (
                &[
                    HOST,
                    ("x_client_user", "a"),
                    ("X.Client.User", "b"),
                    ("x-client-user", "c"),
                    ("x-client-user", "d"),
                    ("client_cert", ":AA==:"),
                ],
                &["host: a.example"],
            ),
        ] {
            let left: Vec<_> = left.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(prepared("/", headers), Ok(left), "{headers:?}");
        }
    }

    #[test]
    fn a_request_is_for_one_host() {
        assert_eq!(prepared("/", &[HOST, ("host", "b.example")]), Err(400));
        assert_eq!(prepared("/", &[]), Err(400));
        assert_eq!(prepared("/", &[("host", "a b")]), Err(400));
        assert_eq!(prepared("/", &[("host", "")]), Ok(vec!["host: ".to_owned()]));
        // What the request line says counts.
        assert_eq!(
            prepared("http://user@b.example:81/x", &[HOST]),
            Ok(vec!["host: b.example:81".to_owned()])
        );
        let connect = Request::builder().method("CONNECT").uri("b.example:443").body(());
        let refused = prepare_request(&mut connect.expect("a request"), &HttpConfig::default());
        assert_eq!(refused, Err(StatusCode::METHOD_NOT_ALLOWED));
    }

    #[test]
    fn a_service_is_asked_for_a_path() {
        let uri = |text: &str| text.parse::<Uri>().expect("a URI");
        let host = HeaderValue::from_static("a.example");
        for (text, version, expected) in [
            ("http://b.example/x?y", Version::HTTP_11, "/x?y"),
            ("http://b.example", Version::HTTP_11, "/"),
            ("/a/../b", Version::HTTP_11, "/a/../b"),
            ("/x?y", Version::HTTP_2, "http://a.example/x?y"),
        ] {
            assert_eq!(uri_for(&uri(text), version, Some(&host)), Some(uri(expected)), "{text}");
        }
        assert_eq!(uri_for(&uri("/x"), Version::HTTP_2, None), None);
    }
}
