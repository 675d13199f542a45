//! Answers: JSON with the verdict, or a status with headers.

use std::convert::Infallible;

use certcheck_rustls::certcheck_core::report::Report;
use certcheck_rustls::certcheck_fetch::SourceTried;
use certcheck_rustls::{Identity, IdentityError};
use data_encoding::HEXLOWER;
use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::decide::{Decided, Known};
use crate::verification::{Hints, Line, SCHEMA};

/// The body of an answer: whole, or event by event.
pub(super) type Body = Either<Full<Bytes>, Channel<Bytes, Infallible>>;

/// What JSON objects say would help.
const HINTS: Hints = Hints { of: certcheck_rustls::Remedy::text, for_report: hint_for };

fn hint_for(report: &Report<'_>, _: &[SourceTried]) -> String {
    report.remedy().map(|remedy| remedy.text().to_owned()).unwrap_or_default()
}

/// The answer to a question about a chain.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    schema: u32,
    r#type: &'static str,
    decision_id: &'a str,
    verdict: &'static str,
    code: &'static str,
    message: Option<String>,
    hint: Option<String>,
    valid_until: Option<String>,
    generation: u64,
    identity: Option<IdentityObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Line>,
}

impl<'a> Answer<'a> {
    /// With the whole report, if it is wanted, under the name of what was asked.
    pub(super) fn new(decided: &Decided, decision_id: &'a str, report_name: Option<&str>) -> Self {
        Self {
            schema: SCHEMA,
            r#type: "validation",
            decision_id,
            verdict: decided.verdict(),
            code: decided.code(),
            message: decided.message(),
            hint: decided.hint(),
            valid_until: decided.valid_until().map(|time| time.to_string()),
            generation: decided.generation,
            identity: decided.known().map(IdentityObject::of),
            report: report_name.map(|name| {
                let (details, sources) = (decided.report.details(), decided.report.sources());
                Line::new(name, decided.at, &details.view(), sources, decided.elapsed, HINTS)
            }),
        }
    }
}

/// Who an accepted client is.
#[derive(Serialize)]
struct IdentityObject {
    subject: String,
    issuer: String,
    serial: String,
    sha256: String,
    spki_sha256: String,
    san: Names,
    spiffe: Option<String>,
    policies: Vec<String>,
    user: Option<String>,
}

/// The names of subjectAltName. `None` for a kind of which one must not be relied on.
#[derive(Serialize)]
struct Names {
    dns: Option<Vec<String>>,
    uri: Option<Vec<String>>,
    email: Option<Vec<String>>,
    ip: Option<Vec<String>>,
    upn: Option<String>,
}

impl IdentityObject {
    fn of(known: &Known) -> Self {
        let Known { identity, user } = known;
        Self {
            subject: identity.subject(),
            issuer: identity.issuer(),
            serial: identity.serial(),
            sha256: HEXLOWER.encode(&identity.sha256()),
            spki_sha256: HEXLOWER.encode(&identity.spki_sha256()),
            san: Names::of(identity),
            spiffe: one(identity.spiffe_id()),
            policies: identity.policies().iter().map(ToString::to_string).collect(),
            user: user.clone(),
        }
    }
}

impl Names {
    fn of(identity: &Identity) -> Self {
        Self {
            dns: all(identity.dns_names()),
            uri: all(identity.uris()),
            email: all(identity.emails()),
            ip: all(identity.ip_addresses()),
            upn: one(identity.upn()),
        }
    }
}

/// All names of a kind. None at all, if one of them must not be relied on.
fn all<T: ToString>(names: Result<Vec<T>, IdentityError>) -> Option<Vec<String>> {
    names.ok().map(|names| names.iter().map(ToString::to_string).collect())
}

fn one(name: Result<Option<&str>, IdentityError>) -> Option<String> {
    name.ok().flatten().map(str::to_owned)
}

/// Why a request is not answered.
#[derive(Serialize)]
struct Problem<'a> {
    error: ProblemObject<'a>,
}

#[derive(Serialize)]
struct ProblemObject<'a> {
    code: &'a str,
    message: &'a str,
}

/// An answer that says why there is none.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let mut response = json(status, &Problem { error: ProblemObject { code, message } });
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // What is serialized has no maps and no numbers that JSON does not have.
    let text = serde_json::to_string(value).unwrap_or_default() + "\n";
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode, headers: &[(HeaderName, &str)]) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in headers {
        // Codes and times are printable.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name.clone(), value);
        }
    }
    response
}
