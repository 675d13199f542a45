//! One exchange over HTTP, with limits on bytes, time and redirects. The guard validates each hop.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use http::header::{self, HeaderMap, HeaderValue};
use http_cache_semantics::{CacheOptions, CachePolicy};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::time::timeout;
use url::Url;

use crate::clock::now;
use crate::failure::Failure;
use crate::limits::FetchLimits;
use crate::transport::answer::{Fetched, Transport};
use crate::transport::guard::{BlockedUrl, Guard, Scheme, Target};
use crate::transport::inflate::Inflater;
use crate::transport::proxy::Proxies;
use crate::transport::refusal::Refusal;
use crate::transport::resolve::GuardedResolver;
use crate::transport::sniff::BodySniffer;
use crate::transport::spool::{Spool, SpoolError};
use crate::transport::timings::{Connects, Part, asked, took};
use certcheck_core::ocsp::ResponseStatus;
use certcheck_core::ocsp_responses_of;
use certcheck_core::revocation::{EvidenceKind, EvidenceRequest, OcspEvidence};
use certcheck_core::status::Cause;

/// The longest URL for GET (RFC 9919 5). With a longer one the request is posted.
const LONGEST_GET: usize = 255;

/// The media type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// The clients: one for direct connections, one for what goes through a proxy.
#[derive(Debug)]
pub(crate) struct Http {
    direct: Client,
    /// It trusts the addresses of the proxies, which the direct one does not.
    proxied: Option<Client>,
    proxies: Arc<Proxies>,
    guard: Arc<Guard>,
    limits: Arc<FetchLimits>,
    folder: PathBuf,
}

/// A question for a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    pub(crate) kind: EvidenceKind,
    /// The OCSP request in DER.
    pub(crate) ocsp: Option<&'q [u8]>,
    /// Whether OCSP may be asked with GET, which caches can answer. A request with a nonce may not.
    pub(crate) may_get: bool,
    /// Good evidence in memory: the request asks whether it has changed.
    pub(crate) known: Option<&'q Transport>,
}

/// One hop.
struct Hop<'b> {
    method: Method,
    target: Target,
    body: Option<&'b [u8]>,
}

impl Http {
    pub(crate) fn new(
        resolver: &GuardedResolver,
        limits: &Arc<FetchLimits>,
        tls: &rustls::ClientConfig,
        proxies: &Arc<Proxies>,
        (user_agent, via): (Option<&str>, Option<&str>),
        folder: PathBuf,
    ) -> Result<Self, reqwest::Error> {
        let guard = Arc::clone(&resolver.guard);
        // A pseudonym that no header can have is none.
        let via = via.and_then(|name| HeaderValue::from_str(&format!("1.1 {name}")).ok());
        let headers: HeaderMap = via.into_iter().map(|via| (header::VIA, via)).collect();
        let client = |resolver: GuardedResolver| {
            Client::builder()
                .user_agent(user_agent.unwrap_or(concat!("certcheck/", env!("CARGO_PKG_VERSION"))))
                .default_headers(headers.clone())
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Arc::new(resolver))
                .connector_layer(Connects)
                .connect_timeout(limits.connect)
                .read_timeout(limits.idle)
                .pool_max_idle_per_host(limits.at_once_per_host)
                .pool_idle_timeout(Duration::from_secs(30))
                .tls_backend_preconfigured(tls.clone())
        };
        let mut rules = Vec::new();
        if let Some(proxy) = proxies.http() {
            rules.push(reqwest::Proxy::http(proxy.clone())?);
        }
        if let Some(proxy) = proxies.https() {
            rules.push(reqwest::Proxy::https(proxy.clone())?);
        }
        let proxied = if rules.is_empty() {
            None
        } else {
            let builder = client(resolver.for_proxies(proxies.hosts()));
            Some(rules.into_iter().fold(builder, reqwest::ClientBuilder::proxy).build()?)
        };
        Ok(Self {
            direct: client(resolver.clone()).build()?,
            proxied,
            proxies: Arc::clone(proxies),
            guard,
            limits: Arc::clone(limits),
            folder,
        })
    }

    /// The client for a request: each hop of a redirect goes where its own URL belongs.
    fn client(&self, target: &Target) -> &Client {
        let proxied = self.proxied.as_ref().filter(|_| self.proxies.proxy_for(target).is_some());
        proxied.unwrap_or(&self.direct)
    }

    /// Sends a request, follows redirects, and takes in the body. `arriving` is called with the number of bytes so
    /// far.
    ///
    /// RFC 6960 A.1.
    #[doc(alias = "RFC 6960 section A.1")]
    pub(crate) async fn ask(
        &self,
        target: &Target,
        question: Question<'_>,
        arriving: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Fetched, Failure> {
        let whole = self.limits.whole(question.kind);
        let exchange = async {
            let Some(request) = question.ocsp else {
                let hop = Hop { method: Method::GET, target: target.clone(), body: None };
                return self.follow(hop, question, arriving).await;
            };
            if let Some(url) = question.may_get.then(|| ocsp_get_url(&target.url, request)).flatten() {
                let hop = Hop { method: Method::GET, target: Target { url, ..target.clone() }, body: None };
                let got = self.follow(hop, question, arriving).await;
                if !is_worth_a_post(&got) {
                    return got;
                }
                let posted = self.post(target, request, question, arriving).await;
                // An OCSP error says more than that POST is refused.
                return if posted.is_err() && got.is_ok() { got } else { posted };
            }
            self.post(target, request, question, arriving).await
        };
        match timeout(whole, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::silent(format!("not complete after {whole:?}"))),
        }
    }

    /// Opens a stream of events, which goes on as long as bytes come.
    pub(crate) async fn open_events(&self, target: &Target) -> Result<Response, Failure> {
        let request = self.client(target).get(target.url.clone()).header(header::ACCEPT, EVENTS);
        let max_wait = self.limits.first_byte;
        let response = match timeout(max_wait, request.send()).await {
            Ok(sent) => sent.map_err(|error| to_failure(&error))?,
            Err(_) => return Err(Failure::silent(format!("no answer after {max_wait:?}"))),
        };
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_stream = kind.is_some_and(|kind| kind.starts_with(EVENTS));
        match response.status() {
            StatusCode::OK if is_stream => Ok(response),
            StatusCode::OK => Err(Failure::unreachable("the answer has no events")),
            status => Err(Failure::unreachable(format!("HTTP {status}"))),
        }
    }

    async fn post(
        &self,
        target: &Target,
        request: &[u8],
        question: Question<'_>,
        arriving: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Fetched, Failure> {
        let hop = Hop { method: Method::POST, target: target.clone(), body: Some(request) };
        self.follow(hop, question, arriving).await
    }

    async fn follow(
        &self,
        first: Hop<'_>,
        question: Question<'_>,
        arriving: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Fetched, Failure> {
        let mut hop = first;
        for _ in 0..=self.limits.redirects {
            let response = self.send(&hop, question).await?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return self.take(response, question, arriving).await;
            }
            // RFC 9110 15.4: these two repeat the request unchanged. The others would turn it into another.
            let keeps_method =
                matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            if hop.method == Method::POST && !keeps_method {
                return Err(Failure::unreachable(format!("a POST request was redirected with {status}")));
            }
            hop.target = self.redirected(&hop.target, response.headers())?;
        }
        Err(Failure::unreachable(format!("more than {} redirects", self.limits.redirects)))
    }

    /// The target of a redirect, validated like a URL in a certificate.
    fn redirected(&self, from: &Target, headers: &HeaderMap) -> Result<Target, Failure> {
        let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let location = location.ok_or_else(|| Failure::unreachable("a redirect without a target"))?;
        let url = from.url.join(location).map_err(|error| Failure::unreachable(format!("{error}")))?;
        let target = self.guard.validate_url(url.as_str()).map_err(Failure::blocked)?;
        let is_no_worse = matches!(
            (from.scheme, target.scheme),
            (Scheme::Http, Scheme::Http | Scheme::Https) | (Scheme::Https, Scheme::Https)
        );
        if !is_no_worse {
            let [from, to] = [&from.url, &target.url].map(|url| url.scheme().to_owned());
            return Err(Failure::blocked(Refusal::Downgrade { from, to }));
        }
        Ok(target)
    }

    async fn send(&self, hop: &Hop<'_>, question: Question<'_>) -> Result<Response, Failure> {
        let mut request = self.client(&hop.target).request(hop.method.clone(), hop.target.url.clone());
        let accepted = match question.kind {
            EvidenceKind::Crl => "application/pkix-crl, */*;q=0.1",
            EvidenceKind::Ocsp => "application/ocsp-response",
            EvidenceKind::Issuers => "application/pkix-cert, application/pkcs7-mime, */*;q=0.1",
        };
        request = request.header(header::ACCEPT, accepted).header(header::ACCEPT_ENCODING, "gzip");
        match question.known {
            Some(known) => {
                for (name, value) in
                    [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.last_modified)]
                {
                    if let Some(value) = value.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
                        request = request.header(name, value);
                    }
                }
            }
            // What is wanted is not what caches had before.
            None => request = request.header(header::CACHE_CONTROL, "no-cache"),
        }
        if let Some(body) = hop.body {
            request = request.header(header::CONTENT_TYPE, "application/ocsp-request").body(body.to_vec());
        }
        let max_wait = self.limits.first_byte;
        let begun = Instant::now();
        let sent = timeout(max_wait, request.send()).await;
        took(Part::Headers, begun);
        asked(if hop.method == Method::POST { "POST" } else { "GET" });
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(to_failure(&error)),
            Err(_) => Err(Failure::silent(format!("no answer after {max_wait:?}"))),
        }
    }

    async fn take(
        &self,
        response: Response,
        question: Question<'_>,
        arriving: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Fetched, Failure> {
        let status = response.status();
        let transport = transport_of(&response);
        match (status, question.known) {
            (StatusCode::OK, _) => {}
            (StatusCode::NOT_MODIFIED, Some(_)) => return Ok(Fetched::NotModified(transport)),
            (StatusCode::NOT_MODIFIED, None) => {
                return Err(Failure::unreachable("HTTP 304 although no earlier version was named"));
            }
            _ => {
                let retry_after = retry_after(response.headers());
                let cause = if question.kind == EvidenceKind::Ocsp {
                    Cause::ResponderError
                } else {
                    Cause::Unreachable
                };
                return Err(Failure { retry_after, ..Failure::new(cause, format!("HTTP {status}")) });
            }
        }
        let max = self.limits.bytes(question.kind);
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        let mut inflater = Inflater::new(encoding.and_then(|encoding| encoding.to_str().ok()));
        // The length after decompression is not announced.
        let announced = response.content_length().filter(|_| !inflater.is_compressed());
        if announced.is_some_and(|length| length > max) {
            return Err(Failure::too_large(max));
        }
        let mut sniffer = BodySniffer::new(max, question.kind);
        let mut spool = Spool::new(&self.folder, max);
        let begun = Instant::now();
        let (min, after) = (self.limits.min_rate, self.limits.min_rate_after);
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| to_failure(&error))?;
            for piece in inflater.pieces(&chunk) {
                let bytes = inflater.push(piece)?;
                spool.push(&bytes).map_err(spool_failure)?;
                // A body that cannot become evidence is not waited for.
                sniffer.push(&bytes)?;
                if bytes.len() > piece.len() {
                    // Decompression takes time, and other tasks of this thread need theirs.
                    tokio::task::consume_budget().await;
                }
            }
            let (elapsed, received) = (begun.elapsed(), inflater.received());
            // Bytes that decompress to nothing could go on for ever.
            if received > max {
                return Err(Failure::too_large(max));
            }
            if elapsed > after && received < min.saturating_mul(elapsed.as_secs()) {
                let elapsed = elapsed.as_secs();
                let why = format!("{received} bytes in {elapsed} s: fewer than {min} a second");
                return Err(Failure::silent(why));
            }
            arriving(spool.taken(), announced.or_else(|| sniffer.length()));
        }
        let rest = inflater.finish()?;
        spool.push(&rest).map_err(spool_failure)?;
        sniffer.push(&rest)?;
        took(Part::Transfer, begun);
        sniffer.finish()?;
        let body = spool.finish().map_err(|error| spool_failure(SpoolError::Io(error)))?;
        Ok(Fetched::Body(vec![body], transport))
    }
}

/// Whether the result of GET is not an answer, and the same request might be answered to POST. Responders that accept
/// POST alone, or servers in front of them, show it with a status, an empty body, a page, or an OCSP error about the
/// request. A responder that is busy or cannot be reached is not asked twice.
fn is_worth_a_post(got: &Result<Fetched, Failure>) -> bool {
    match got {
        Ok(Fetched::Body(bodies, _)) => {
            let body = bodies.first().map(|body| body.bytes.clone()).unwrap_or_default();
            let ders = ocsp_responses_of(&body).unwrap_or_default();
            let response = ders.into_iter().next().and_then(|der| OcspEvidence::parse(der, "").ok());
            response.is_none_or(|response| {
                matches!(response.status(), ResponseStatus::MalformedRequest | ResponseStatus::Unauthorized)
            })
        }
        Ok(Fetched::NotModified(_)) => false,
        Err(Failure { cause, retry_after: None, .. }) => {
            matches!(cause, Cause::ResponderError | Cause::Malformed | Cause::TooLarge)
        }
        Err(_) => false,
    }
}

fn spool_failure(error: SpoolError) -> Failure {
    match error {
        SpoolError::TooLarge(max) => Failure::too_large(max),
        SpoolError::Io(error) => Failure::unreachable(format!("temporary file: {error}")),
    }
}

/// Whether this request can be sent with GET. OCSP cannot if the URL would be too long or has a query already. Then
/// it is posted, whatever the setting.
#[must_use]
pub fn goes_with_get(request: &EvidenceRequest) -> bool {
    match request {
        EvidenceRequest::Ocsp { url, request, .. } => {
            Url::parse(url).is_ok_and(|responder| ocsp_get_url(&responder, request).is_some())
        }
        _ => true,
    }
}

/// RFC 6960 A.1 and RFC 9919 5: base64, fully percent-encoded, after the responder's URL. `None` if that is too long.
#[doc(alias("RFC 6960 section A.1", "RFC 9919 section 5"))]
fn ocsp_get_url(responder: &Url, request: &[u8]) -> Option<Url> {
    let encoded = STANDARD.encode(request);
    let encoded = utf8_percent_encode(&encoded, NON_ALPHANUMERIC);
    let base = responder.as_str();
    let slash = if base.ends_with('/') { "" } else { "/" };
    let text = format!("{base}{slash}{encoded}");
    if text.len() > LONGEST_GET || responder.query().is_some() {
        return None;
    }
    Url::parse(&text).ok()
}

/// The failure for an error of the client. If the guard refused it, its refusal is at the end of the chain of errors.
fn to_failure(error: &reqwest::Error) -> Failure {
    let mut source = error.source();
    let mut last = None;
    while let Some(inner) = source {
        if let Some(why) = inner.downcast_ref::<BlockedUrl>() {
            return Failure::blocked(why.clone());
        }
        last = Some(inner);
        source = inner.source();
    }
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "not connected"
    } else if error.is_body() || error.is_decode() {
        "cut off"
    } else {
        "HTTP failed"
    };
    Failure::silent(last.map_or_else(|| what.to_owned(), |last| format!("{what}: {last}")))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    // A date is ignored: the back-off decides.
    text.trim().parse().ok().map(Duration::from_secs)
}

/// What HTTP says about a body: its validators, and until when caches may serve it.
///
/// RFC 9919 6.
#[doc(alias = "RFC 9919 section 6")]
fn transport_of(response: &Response) -> Transport {
    let text = |name| {
        response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned)
    };
    let wall = SystemTime::now();
    let asked = http::Request::get("http://evidence/").body(());
    let mut answered = http::Response::new(());
    *answered.status_mut() = response.status();
    *answered.headers_mut() = response.headers().clone();
    // A 304 says how long the body stays fresh, as a 200 would.
    if response.status() == StatusCode::NOT_MODIFIED {
        *answered.status_mut() = StatusCode::OK;
    }
    let says =
        [header::CACHE_CONTROL, header::EXPIRES].iter().any(|name| response.headers().contains_key(name));
    let fresh_until = asked.ok().filter(|_| says).map(|asked| {
        let options = CacheOptions { shared: false, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&asked, &answered, wall, options);
        now().unix().saturating_add(i64::try_from(policy.time_to_live(wall).as_secs()).unwrap_or(i64::MAX))
    });
    Transport { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED), fresh_until }.bounded()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_a_url() {
        let responder = Url::parse("http://ocsp.example/ca").unwrap();
        let url = ocsp_get_url(&responder, &[0xfb, 0xff, 0xfe, 0x30]).unwrap();
        assert_eq!(url.as_str(), "http://ocsp.example/ca/%2B%2F%2F%2BMA%3D%3D");
        let slash = Url::parse("http://ocsp.example/").unwrap();
        assert_eq!(ocsp_get_url(&slash, b"a").unwrap().as_str(), "http://ocsp.example/YQ%3D%3D");
        assert_eq!(ocsp_get_url(&slash, &[0x30; 200]), None);
        let of = |url: &str, length| EvidenceRequest::Ocsp {
            url: url.into(),
            request: vec![0x30; length].into(),
            nonce: None,
        };
        for (url, length, goes) in [
            ("http://ocsp.example/ca", 80, true),
            ("http://ocsp.example/ca", 200, false),
            ("http://ocsp.example/?ca=1", 80, false),
            ("no url", 80, false),
        ] {
            assert_eq!(goes_with_get(&of(url, length)), goes, "{url} {length}");
        }
        assert!(goes_with_get(&EvidenceRequest::Crl { url: "http://crl.example/?ca=1".into() }));
    }
}
