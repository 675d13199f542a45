//! What `/v1/verify` is asked: certificates out of JSON, PEM, DER or PKCS #7, and how they are to be checked.

use core::fmt;
use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use certcheck_rustls::certcheck_core::certificates_of;
use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_rustls::pki_types::CertificateDer;
use serde::Deserialize;
use url::form_urlencoded;

use super::header::{MAX_CERTIFICATE, MAX_CHAIN, base64_der};

/// The longest wait that can be asked for.
const LONGEST: u64 = 60_000;
/// The longest texts about a connection.
const MAX_NAME: usize = 255;
const MAX_ID: usize = 128;

/// What is asked about.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// The client's own certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The name of a policy.
    pub(super) policy: Option<String>,
    pub(super) within: Option<Duration>,
    /// Whether the report is wanted.
    pub(super) explain: bool,
    pub(super) connection: ConnectionFacts,
}

/// What the peer says about the connection of its client. It is logged, and decides nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionFacts {
    pub(super) client_address: Option<IpAddr>,
    pub(super) server_name: Option<String>,
    pub(super) resumed: Option<bool>,
    pub(super) id: Option<String>,
}

/// Why a request cannot be read.
#[derive(Debug)]
pub(super) enum RequestFault {
    ContentType,
    Malformed(String),
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => f.write_str(
                "the content type is none of application/json, application/x-pem-file, application/pkix-cert and application/pkcs7-mime",
            ),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

fn malformed<T>(what: impl fmt::Display) -> Result<T, RequestFault> {
    Err(RequestFault::Malformed(what.to_string()))
}

/// The body of a request in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonQuestion {
    chain: Vec<String>,
    policy: Option<String>,
    within_ms: Option<u64>,
    connection: Option<ConnectionFacts>,
    explain: Option<bool>,
}

/// Reads a request: its content type, its query and its body.
pub(super) fn read(content_type: &str, query: &str, body: &[u8]) -> Result<Question, RequestFault> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" if query.is_empty() => of_json(body),
        "application/json" => malformed("with JSON, the settings are in the body and not in the query"),
        "application/x-pem-file"
        | "application/pem-certificate-chain"
        | "application/pkix-cert"
        | "application/x-x509-ca-cert"
        | "application/x-x509-user-cert" => with_query(query, certificates(body)?),
        "application/pkcs7-mime" | "application/x-pkcs7-certificates" => {
            with_query(query, leaf_first(certificates(body)?)?)
        }
        _ => Err(RequestFault::ContentType),
    }
}

fn of_json(body: &[u8]) -> Result<Question, RequestFault> {
    let JsonQuestion { chain, policy, within_ms, connection, explain } =
        serde_json::from_slice(body).or_else(malformed)?;
    let mut certificates = Vec::new();
    count(chain.len())?;
    for (at, text) in chain.iter().enumerate() {
        match base64_der(text.as_bytes()) {
            Ok(der) => certificates.push(der),
            Err(fault) => return malformed(format_args!("chain[{at}]: {fault}")),
        }
    }
    let connection = connection.unwrap_or_default();
    for (key, text, max) in
        [("server_name", &connection.server_name, MAX_NAME), ("id", &connection.id, MAX_ID)]
    {
        if text.as_ref().is_some_and(|text| text.len() > max) {
            return malformed(format_args!("connection.{key}: longer than {max} bytes"));
        }
    }
    let within = within_ms.map(within).transpose()?;
    Ok(Question { chain: certificates, policy, within, explain: explain.unwrap_or(true), connection })
}

fn within(milliseconds: u64) -> Result<Duration, RequestFault> {
    if milliseconds > LONGEST {
        return malformed(format_args!("within_ms: more than {LONGEST}"));
    }
    Ok(Duration::from_millis(milliseconds))
}

fn with_query(query: &str, chain: Vec<CertificateDer<'static>>) -> Result<Question, RequestFault> {
    let mut question = Question { chain, explain: true, ..Question::default() };
    let mut seen = HashSet::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if !seen.insert(key.clone().into_owned()) {
            return malformed("the query has a key twice");
        }
        match (&*key, &*value) {
            ("policy", name) => question.policy = Some(name.to_owned()),
            ("within_ms", text) => match text.parse() {
                Ok(milliseconds) => question.within = Some(within(milliseconds)?),
                Err(_) => return malformed("within_ms: not a whole number"),
            },
            ("explain", "true") => question.explain = true,
            ("explain", "false") => question.explain = false,
            ("explain", _) => return malformed("explain: neither true nor false"),
            _ => return malformed("the query has keys besides policy, within_ms and explain"),
        }
    }
    Ok(question)
}

/// The certificates of a file, in its order.
fn certificates(body: &[u8]) -> Result<Vec<CertificateDer<'static>>, RequestFault> {
    let certificates = certificates_of(body).or_else(malformed)?;
    count(certificates.len())?;
    if certificates.iter().any(|der| der.len() > MAX_CERTIFICATE) {
        return malformed(format_args!("a certificate of more than {MAX_CERTIFICATE} bytes"));
    }
    Ok(certificates)
}

fn count(number: usize) -> Result<(), RequestFault> {
    match number {
        0 => malformed("no certificate"),
        1..=MAX_CHAIN => Ok(()),
        _ => malformed(format_args!("{number} certificates; {MAX_CHAIN} are allowed")),
    }
}

/// PKCS #7 has a set, whose order says nothing: the one certificate that issued none of the others is the client's.
fn leaf_first(
    mut certificates: Vec<CertificateDer<'static>>,
) -> Result<Vec<CertificateDer<'static>>, RequestFault> {
    let names = |der: &CertificateDer<'_>| {
        Certificate::parse(der)
            .map(|certificate| (sha256(certificate.subject().raw()), sha256(certificate.issuer().raw())))
    };
    let names = certificates.iter().map(names).collect::<Result<Vec<_>, _>>().or_else(malformed)?;
    let issued_none = |at: usize, subject: &[u8; 32]| {
        !names.iter().enumerate().any(|(other, (_, issuer))| other != at && issuer == subject)
    };
    let mut leaves = names.iter().enumerate().filter(|(at, (subject, _))| issued_none(*at, subject));
    match (leaves.next(), leaves.next()) {
        (Some((at, _)), None) => {
            let leaf = certificates.remove(at);
            certificates.insert(0, leaf);
            Ok(certificates)
        }
        _ => malformed("it is not clear which certificate is the client's; send PEM, its own first"),
    }
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::{Cert, Key, pem};
    use data_encoding::BASE64;
    use proptest::prelude::*;

    use super::*;

    fn certificate(subject: &str, issuer: &str) -> Vec<u8> {
        let key = Key::p256("request");
        Cert::ca(subject, &key, issuer, &key).issue(&key)
    }

    #[test]
    fn each_content_type_is_read_and_others_are_not() {
        let (leaf, ca) = (certificate("CN=leaf", "CN=CA"), certificate("CN=CA", "CN=Root"));
        let json = format!("{{\"chain\":[\"{}\",\"{}\"]}}", BASE64.encode(&leaf), BASE64.encode(&ca));
        let pems = pem("CERTIFICATE", &leaf) + &pem("CERTIFICATE", &ca);
        let both = vec![CertificateDer::from(leaf.clone()), CertificateDer::from(ca)];
        let chain = |kind, query, body: &[u8]| read(kind, query, body).map(|question| question.chain);
        assert_eq!(chain("application/json; charset=utf-8", "", json.as_bytes()).expect("read"), both);
        assert_eq!(chain("Application/X-PEM-File", "", pems.as_bytes()).expect("read"), both);
        assert_eq!(chain("application/pkix-cert", "within_ms=5", &leaf).expect("read"), both[..1]);
        let one = read("application/pkix-cert", "policy=a&within_ms=5&explain=false", &leaf).expect("read");
        assert_eq!(
            (one.policy.as_deref(), one.within, one.explain),
            (Some("a"), Some(Duration::from_millis(5)), false)
        );
        for (kind, query, body) in [
            ("", "", pems.as_bytes()),
            ("text/plain", "", pems.as_bytes()),
            ("application/json", "policy=a", json.as_bytes()),
            ("application/json", "", b"{\"chain\":[]}".as_slice()),
            ("application/json", "", b"{\"chain\":[\"!\"]}"),
            ("application/json", "", b"{\"chain\":[\"MAA=\"],\"polcy\":\"a\"}"),
            ("application/json", "", b"{\"chain\":[\"MAA=\"],\"within_ms\":60001}"),
            ("application/json", "", b"{\"chain\":[\"MAA=\"],\"at\":\"2026-01-01T00:00:00Z\"}"),
            ("application/json", "", b"{\"chain\":[\"MAA=\"],\"connection\":{\"client_address\":\"x\"}}"),
            ("application/pkix-cert", "policy=a&policy=b", &leaf),
            ("application/pkix-cert", "at=2026", &leaf),
            ("application/pkix-cert", "", b""),
        ] {
            assert!(read(kind, query, body).is_err(), "{kind} {query}");
        }
    }

    #[test]
    fn the_client_of_a_set_is_found_or_it_is_refused() {
        let der = |subject, issuer| CertificateDer::from(certificate(subject, issuer));
        let (leaf, ca, root) = (der("CN=leaf", "CN=CA"), der("CN=CA", "CN=Root"), der("CN=Root", "CN=Root"));
        let sorted = leaf_first(vec![ca.clone(), root.clone(), leaf.clone()]).expect("clear");
        assert_eq!(sorted, [leaf.clone(), ca.clone(), root]);
        let other = der("CN=other", "CN=CA");
        assert!(leaf_first(vec![leaf, other, ca]).is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>, kind in 0_usize..4, query in ".{0,40}") {
            let kinds =
                ["application/json", "application/x-pem-file", "application/pkix-cert", "application/pkcs7-mime"];
            let _fault = read(kinds.get(kind).copied().unwrap_or_default(), &query, &body);
        }
    }
}
