//! `GET /v1/auth/NAME`: a proxy asks by a header, and is answered by the status.
//!
//! | status | when |
//! |---|---|
//! | 200 | the client is accepted |
//! | 401 | it has no certificate |
//! | 403 | anything else, an unknown revocation status and requests that cannot be read among them |
//!
//! Proxies do different things with other statuses: nginx turns 429 and 503 into 500, and Envoy takes 204 for a refusal.

use std::sync::Arc;

use certcheck_rustls::Summary;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};

use super::active::{Active, Lasting};
use super::answer::{self, Body};
use super::decide::{self, Asker, Decided};
use super::header::{self, Presented};
use super::names;
use crate::config::{HttpConfig, RouteConfig};
use crate::http::IdentityHeaders;

/// The outcome of a request, for its answer, logs and metrics.
pub(super) struct Authorized {
    pub(super) response: Response<Body>,
    pub(super) verdict: &'static str,
    pub(super) summary: Summary,
}

/// Answers a request on a route.
pub(super) async fn answer(
    (active, lasting): (&Active, &Arc<Lasting>),
    route: &RouteConfig,
    headers: &HeaderMap,
    asker: Asker,
) -> Authorized {
    if route.strict
        && let Some(other) = header::other_header(route, headers.keys().map(|name| name.as_str()))
    {
        let detail = format!(
            "the header {other} is about a client too, and may come from the client; have the proxy remove it, or set `strict = false`"
        );
        return refused("spoofed-header", Some(detail));
    }
    let chain = match header::read(route, headers) {
        Ok(Presented::Chain(chain)) => chain,
        Ok(Presented::None) => {
            let code = "no-certificate";
            let headers = [(names::VERDICT, "none"), (names::CODE, code)];
            let response = answer::empty(StatusCode::UNAUTHORIZED, &headers);
            return Authorized { response, verdict: "none", summary: Summary::of_code(code) };
        }
        Err(fault) => return refused(fault.code(), Some(format!("{}: {fault}", route.header))),
    };
    let Some(engine) = active.engine(route.policy.as_deref()) else { return refused("no-policy", None) };
    let decided = decide::decide((active, lasting), engine, &chain, asker).await;
    of_decided(&decided)
}

fn of_decided(decided: &Decided) -> Authorized {
    let (verdict, code) = (decided.verdict(), decided.code());
    let Some(known) = decided.known() else {
        let headers = [(names::VERDICT, verdict), (names::CODE, code)];
        let response = answer::empty(StatusCode::FORBIDDEN, &headers);
        return Authorized { response, verdict, summary: decided.summary() };
    };
    let headers =
        IdentityHeaders::new(&HttpConfig::default(), None, Some(&known.identity), known.user.as_deref());
    let headers = match headers {
        Ok(headers) => headers,
        Err(refusal) => return refused(refusal.code(), Some(refusal.to_string())),
    };
    let until = decided.valid_until().map(|time| time.to_string()).unwrap_or_default();
    let own = [(names::VERDICT, verdict), (names::CODE, code), (names::VALID_UNTIL, until.as_str())];
    let mut response = answer::empty(StatusCode::OK, &own);
    headers.set(response.headers_mut());
    Authorized { response, verdict, summary: Summary::of_code(code) }
}

/// A refusal that is not about a certificate.
pub(super) fn refused(code: &'static str, detail: Option<String>) -> Authorized {
    let headers = [(names::VERDICT, "reject"), (names::CODE, code)];
    let response = answer::empty(StatusCode::FORBIDDEN, &headers);
    let mut summary = Summary::of_code(code);
    summary.detail = detail;
    Authorized { response, verdict: "reject", summary }
}
