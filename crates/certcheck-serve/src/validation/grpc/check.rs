//! A request of Envoy becomes an answer.

use certcheck_rustls::Summary;
use certcheck_rustls::pki_types::CertificateDer;
use hyper::StatusCode;

use super::messages::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption,
    HttpResponse, HttpStatus, OkHttpResponse, Status, Struct, Value,
};
use crate::config::{CertificateSource, HttpConfig, RouteConfig};
use crate::events::Validated;
use crate::http::IdentityHeaders;
use crate::http::names as identity_names;
use crate::validation::active::Active;
use crate::validation::context::Context;
use crate::validation::decide::{self, Asker};
use crate::validation::header::{self, HeaderFault, Presented};

/// The name in logs and metrics.
pub(super) const ROUTE: &str = "grpc";
/// `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;
const UNAUTHENTICATED: i32 = 16;
/// `HeaderAppendAction`: it replaces what a client sent.
const OVERWRITE: i32 = 2;

/// Answers a request. What cannot be read is a refusal.
pub(super) async fn check(
    context: &Context,
    active: &Active,
    asker: Asker,
    request: CheckRequest,
) -> CheckResponse {
    let attributes = request.attributes.unwrap_or_default();
    let chain = match presented(&attributes) {
        Ok(Presented::Chain(chain)) => chain,
        Ok(Presented::None) => {
            context.count(ROUTE, "none");
            refused(context, asker, &Summary::of_code("no-certificate"));
            return denied(StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "no-certificate");
        }
        Err((code, detail)) => {
            context.count(ROUTE, "reject");
            let mut summary = Summary::of_code(code);
            summary.detail = Some(detail);
            refused(context, asker, &summary);
            return denied(StatusCode::FORBIDDEN, PERMISSION_DENIED, code);
        }
    };
    let Some(engine) = active.engine(None) else {
        return denied(StatusCode::FORBIDDEN, PERMISSION_DENIED, "no-policy");
    };
    let decided = decide::decide((active, &context.lasting), engine, &chain, asker).await;
    context.count(ROUTE, decided.verdict());
    let Some(known) = decided.known() else {
        refused(context, asker, &decided.summary());
        return denied(StatusCode::FORBIDDEN, PERMISSION_DENIED, decided.code());
    };
    let headers =
        IdentityHeaders::new(&HttpConfig::default(), None, Some(&known.identity), known.user.as_deref());
    match headers {
        Ok(headers) => accepted(&headers, &known.identity.subject()),
        Err(refusal) => {
            let mut summary = decided.summary();
            (summary.code, summary.detail) = (refusal.code(), Some(refusal.to_string()));
            refused(context, asker, &summary);
            denied(StatusCode::FORBIDDEN, PERMISSION_DENIED, refusal.code())
        }
    }
}

/// The certificate of the client, and those above it where the HTTP filter has them in `X-Forwarded-Client-Cert`.
pub(super) fn presented(attributes: &AttributeContext) -> Result<Presented, (&'static str, String)> {
    let route = RouteConfig::new(CertificateSource::Xfcc);
    let http = attributes.request.as_ref().and_then(|request| request.http.as_ref());
    let headers: Vec<_> = http.iter().flat_map(|http| http.all_headers()).collect();
    // A request has some. What cannot be seen cannot be refused.
    if http.is_some() && headers.is_empty() {
        let detail = "the request has no headers: set no `allowed_headers`";
        return Err(("malformed-request", detail.to_owned()));
    }
    if let Some(other) = header::other_header(&route, headers.iter().map(|(name, _)| *name)) {
        return Err((
            "spoofed-header",
            format!("the header {other} is about a client too, and may come from the client"),
        ));
    }
    let faulty = |fault: HeaderFault| (fault.code(), fault.to_string());
    let certificate = attributes.source.as_ref().map_or("", |source| &source.certificate);
    if certificate.is_empty() {
        return Ok(Presented::None);
    }
    let leaf = header::escaped_pem(certificate).map_err(faulty)?;
    let [leaf] = <[CertificateDer<'static>; 1]>::try_from(leaf)
        .map_err(|several| faulty(HeaderFault::Several(several.len())))?;
    let mut xfcc = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(identity_names::XFCC));
    let value = xfcc.next().map_or(Ok(""), |(_, value)| header::text(value)).map_err(faulty)?;
    if xfcc.next().is_some() {
        return Err(faulty(HeaderFault::Twice));
    }
    if value.is_empty() {
        return Ok(Presented::Chain(vec![leaf]));
    }
    let chain = header::xfcc_with(&leaf, value).map_err(faulty)?;
    Ok(Presented::Chain(chain.unwrap_or_else(|| vec![leaf])))
}

fn refused(context: &Context, asker: Asker, summary: &Summary) {
    context.refused(asker.peer, Validated::new(ROUTE, summary));
}

fn metadata(code: &str, subject: Option<&str>) -> Struct {
    let text = |text: &str| Value { text: Some(text.to_owned()) };
    let fields = [Some(("code", code)), subject.map(|subject| ("subject", subject))];
    Struct {
        fields: fields.into_iter().flatten().map(|(key, value)| (key.to_owned(), text(value))).collect(),
    }
}

fn accepted(headers: &IdentityHeaders, subject: &str) -> CheckResponse {
    let option = |(key, value): (&str, &str)| HeaderValueOption {
        header: Some(HeaderValue { key: key.to_owned(), value: value.to_owned() }),
        append_action: OVERWRITE,
    };
    let headers: Vec<_> = headers.pairs().map(option).collect();
    let is_set =
        |name: &str| headers.iter().flat_map(|option| &option.header).any(|header| header.key == name);
    let names = [identity_names::USER, identity_names::SAN];
    let headers_to_remove = names.into_iter().filter(|name| !is_set(name)).map(str::to_owned).collect();
    CheckResponse {
        status: Some(Status { code: OK, message: String::new() }),
        http_response: Some(HttpResponse::Ok(OkHttpResponse { headers, headers_to_remove })),
        dynamic_metadata: Some(metadata("accept", Some(subject))),
    }
}

/// A refusal with this status for HTTP.
pub(super) fn denied(status: StatusCode, rpc_code: i32, code: &str) -> CheckResponse {
    let header = HeaderValue { key: "x-certcheck-code".to_owned(), value: code.to_owned() };
    CheckResponse {
        status: Some(Status { code: rpc_code, message: code.to_owned() }),
        http_response: Some(HttpResponse::Denied(DeniedHttpResponse {
            status: Some(HttpStatus { code: status.as_u16().into() }),
            headers: vec![HeaderValueOption { header: Some(header), append_action: OVERWRITE }],
        })),
        dynamic_metadata: Some(metadata(code, None)),
    }
}
