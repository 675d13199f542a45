//! An OCSP responder (RFC 6960) for a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64_NOPAD;

use super::lock;
use super::page::Page;
use super::request::Request;
use crate::der;
use crate::ext::Ext;
use crate::key::Key;
use crate::name::name;
use crate::ocsp::{self, AnswerBuilder, Response};

const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
const HASHES: [(&str, &str); 4] = [
    ("1.3.14.3.2.26", "sha1"),
    ("2.16.840.1.101.3.4.2.1", "sha256"),
    ("2.16.840.1.101.3.4.2.2", "sha384"),
    ("2.16.840.1.101.3.4.2.3", "sha512"),
];

/// An OCSP responder for one issuer. Clones share their state, so that it can be changed while it runs.
#[derive(Clone)]
pub struct OcspResponder {
    state: Arc<Mutex<State>>,
}

struct State {
    issuer_name: Vec<u8>,
    issuer_key: Key,
    known: BTreeMap<Vec<u8>, Status>,
    this_update: Vec<u8>,
    next_update: Option<Vec<u8>>,
    produced_at: Vec<u8>,
    delegate: Option<(Key, Vec<u8>)>,
    echo_nonce: bool,
    error: Option<u8>,
}

enum Status {
    Good,
    Revoked { at: String, reason: Option<String> },
}

impl OcspResponder {
    /// A responder that signs with the issuer's key, and knows no certificate. Times are those of
    /// [`AnswerBuilder::good`] and [`Response::new`]. Nonces are returned.
    #[must_use]
    pub fn new(issuer_name: &str, issuer_key: Key) -> Self {
        let state = State {
            issuer_name: name(issuer_name),
            issuer_key,
            known: BTreeMap::new(),
            this_update: ocsp::time("2027-01-01T00:00:00Z"),
            next_update: Some(ocsp::time("2027-01-08T00:00:00Z")),
            produced_at: ocsp::time("2027-01-01T00:00:00Z"),
            delegate: None,
            echo_nonce: true,
            error: None,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Sets this serial number, as the content of its INTEGER, to good.
    pub fn good(&self, serial: &[u8]) {
        lock(&self.state).known.insert(serial.to_vec(), Status::Good);
    }

    /// Sets this serial number to revoked at a time, with a reason if one is given.
    pub fn revoke(&self, serial: &[u8], at: &str, reason: Option<&str>) {
        let revoked = Status::Revoked { at: at.to_owned(), reason: reason.map(str::to_owned) };
        lock(&self.state).known.insert(serial.to_vec(), revoked);
    }

    /// Sets this serial number to unknown again.
    pub fn forget(&self, serial: &[u8]) {
        lock(&self.state).known.remove(serial);
    }

    /// Sets thisUpdate of all answers, in RFC 3339.
    pub fn set_this_update(&self, time: &str) {
        lock(&self.state).this_update = ocsp::time(time);
    }

    /// Sets nextUpdate of all answers, in RFC 3339, or removes it.
    pub fn set_next_update(&self, time: Option<&str>) {
        lock(&self.state).next_update = time.map(ocsp::time);
    }

    /// Sets producedAt, in RFC 3339.
    pub fn set_produced_at(&self, time: &str) {
        lock(&self.state).produced_at = ocsp::time(time);
    }

    /// Signs with this key instead of the issuer's, and includes this certificate.
    pub fn set_delegate(&self, key: Key, certificate: Vec<u8>) {
        lock(&self.state).delegate = Some((key, certificate));
    }

    /// Sets whether a nonce is returned.
    pub fn set_echo_nonce(&self, echo: bool) {
        lock(&self.state).echo_nonce = echo;
    }

    /// Answers everything with this responseStatus, unsigned. `None` ends that.
    pub fn set_error(&self, status: Option<u8>) {
        lock(&self.state).error = status;
    }

    /// A handler for [`Server::serve_with`](super::Server::serve_with): POST, and GET by RFC 6960 A.1. Anything that is
    /// no request is answered with 400.
    pub fn handler(&self) -> impl Fn(&Request) -> Page + Send + Sync + 'static + use<> {
        let responder = self.clone();
        move |request| {
            let asked = match request.method.as_str() {
                "POST" => Some(request.body.clone()),
                "GET" => from_path(&request.tail),
                _ => return Page::status(405),
            };
            let response = asked.and_then(|asked| responder.respond(&asked));
            response.map_or_else(
                || Page::status(400),
                |response| Page::new(response).with_type("application/ocsp-response"),
            )
        }
    }

    /// The response to a request. `None` if the bytes are no request.
    #[must_use]
    pub fn respond(&self, request: &[u8]) -> Option<Vec<u8>> {
        let state = lock(&self.state);
        let asked = Asked::parse(request)?;
        if let Some(status) = state.error {
            return Some(Response::error(status));
        }
        let answers: Option<Vec<_>> = asked.cert_ids.iter().map(|cert_id| state.answer(cert_id)).collect();
        let signer = state.delegate.as_ref().map_or(&state.issuer_key, |(key, _)| key);
        let mut response = Response::new(ocsp::by_key(signer), answers?);
        response.produced_at.clone_from(&state.produced_at);
        response.certificates.extend(state.delegate.iter().map(|(_, certificate)| certificate.clone()));
        if let Some(nonce) = asked.nonce.filter(|_| state.echo_nonce) {
            response.extensions.push(Ext::new(NONCE, false, nonce.to_vec()));
        }
        Some(response.issue(signer))
    }
}

impl State {
    /// The answer for a CertID, which is returned as it was asked.
    fn answer(&self, cert_id: &[u8]) -> Option<AnswerBuilder> {
        let [name_hash, key_hash, serial] = cert_id_parts(cert_id)?.1;
        let ours = hash_of(cert_id).is_some_and(|hash| {
            let ours = ocsp::cert_id(hash, &self.issuer_name, &self.issuer_key, serial);
            cert_id_parts(&ours).is_some_and(|(_, ours)| ours == [name_hash, key_hash, serial])
        });
        let mut answer = match self.known.get(serial).filter(|_| ours) {
            None => AnswerBuilder::unknown(cert_id.to_vec()),
            Some(Status::Good) => AnswerBuilder::good(cert_id.to_vec()),
            Some(Status::Revoked { at, reason }) => {
                AnswerBuilder::revoked(cert_id.to_vec(), at, reason.as_deref())
            }
        };
        answer.this_update.clone_from(&self.this_update);
        answer.next_update.clone_from(&self.next_update);
        Some(answer)
    }
}

/// The content of a request.
struct Asked<'a> {
    /// The encoded CertIDs.
    cert_ids: Vec<&'a [u8]>,
    /// The content of the nonce's extnValue.
    nonce: Option<&'a [u8]>,
}

impl<'a> Asked<'a> {
    fn parse(request: &'a [u8]) -> Option<Self> {
        let (outer, rest) = take(request, 0x30)?;
        let (mut tbs, _) = take(outer, 0x30)?;
        for optional in [0xa0, 0xa1] {
            tbs = take(tbs, optional).map_or(tbs, |(_, rest)| rest);
        }
        let (mut list, extensions) = take(tbs, 0x30)?;
        let mut cert_ids = Vec::new();
        while !list.is_empty() {
            let (single, rest) = take(list, 0x30)?;
            let (_, after) = take(single, 0x30)?;
            cert_ids.push(&single[..single.len() - after.len()]);
            list = rest;
        }
        let nonce = if extensions.is_empty() { None } else { Self::nonce(extensions)? };
        (rest.is_empty() && !cert_ids.is_empty()).then_some(Self { cert_ids, nonce })
    }

    /// The nonce among requestExtensions, if there is one. `None` if they cannot be parsed.
    fn nonce(extensions: &'a [u8]) -> Option<Option<&'a [u8]>> {
        let (mut list, _) = take(take(extensions, 0xa2)?.0, 0x30)?;
        let mut nonce = None;
        while !list.is_empty() {
            let (extension, rest) = take(list, 0x30)?;
            let (oid, value) = take(extension, 0x06)?;
            let value = take(value, 0x01).map_or(value, |(_, value)| value);
            if oid == der::oid_content(NONCE) {
                nonce = Some(take(value, 0x04)?.0);
            }
            list = rest;
        }
        Some(nonce)
    }
}

/// The content of hashAlgorithm, and those of issuerNameHash, issuerKeyHash and serialNumber.
fn cert_id_parts(cert_id: &[u8]) -> Option<(&[u8], [&[u8]; 3])> {
    let (content, _) = take(cert_id, 0x30)?;
    let (algorithm, rest) = take(content, 0x30)?;
    let (name_hash, rest) = take(rest, 0x04)?;
    let (key_hash, rest) = take(rest, 0x04)?;
    let (serial, _) = take(rest, 0x02)?;
    Some((algorithm, [name_hash, key_hash, serial]))
}

/// The hash of a CertID, by its name for [`ocsp::cert_id`].
fn hash_of(cert_id: &[u8]) -> Option<&'static str> {
    let (oid, _) = take(cert_id_parts(cert_id)?.0, 0x06)?;
    HASHES.iter().find(|(dotted, _)| der::oid_content(dotted) == oid).map(|(_, hash)| *hash)
}

/// The content and the rest of a value with this tag.
fn take(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = input.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (first == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// The request in the path of a GET: percent-encoded base64.
fn from_path(tail: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut bytes = tail.trim_start_matches('/').bytes();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'%' => {
                let pair = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(core::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    text.truncate(text.len() - padding);
    BASE64_NOPAD.decode(&text).ok()
}
