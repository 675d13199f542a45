//! OCSP responses, field by field.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::der;
use crate::ext::Ext;
use crate::key::Key;

/// A response before it is signed. Every field may have any value.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Response {
    /// The responseStatus. The responseBytes are only encoded for 0.
    pub status: u8,
    /// The responseType.
    pub kind: String,
    /// The encoded ResponderID.
    pub responder: Vec<u8>,
    /// The producedAt, encoded as a time.
    pub produced_at: Vec<u8>,
    /// The answers.
    pub answers: Vec<AnswerBuilder>,
    /// The extensions in order. If there are none, the field is absent.
    pub extensions: Vec<Ext>,
    /// The included certificates.
    pub certificates: Vec<Vec<u8>>,
}

/// One answer of a response.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct AnswerBuilder {
    /// The encoded CertID.
    pub cert_id: Vec<u8>,
    /// The encoded certStatus.
    pub status: Vec<u8>,
    /// The thisUpdate, encoded as a time.
    pub this_update: Vec<u8>,
    /// The nextUpdate, encoded as a time.
    pub next_update: Option<Vec<u8>>,
    /// The extensions in order. If there are none, the field is absent.
    pub extensions: Vec<Ext>,
}

/// A GeneralizedTime from RFC 3339, for any year.
#[must_use]
pub fn time(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    der::tlv(0x18, format!("{digits}Z").as_bytes())
}

type Hash = fn(&[u8]) -> Vec<u8>;

/// A CertID with `sha1`, `sha256`, `sha384` or `sha512`.
#[must_use]
pub fn cert_id(hash: &str, issuer_name: &[u8], issuer: &Key, serial: &[u8]) -> Vec<u8> {
    let (oid, digest): (_, Hash) = match hash {
        "sha1" => ("1.3.14.3.2.26", digest::<Sha1>),
        "sha256" => ("2.16.840.1.101.3.4.2.1", digest::<Sha256>),
        "sha384" => ("2.16.840.1.101.3.4.2.2", digest::<Sha384>),
        "sha512" => ("2.16.840.1.101.3.4.2.3", digest::<Sha512>),
        other => panic!("unknown hash {other:?}: use sha1, sha256, sha384 or sha512"),
    };
    let of = |bytes: &[u8]| der::bytes(&digest(bytes));
    let hash = der::seq(&[der::oid(oid), der::null()]);
    der::seq(&[hash, of(issuer_name), of(&issuer.public_key()), der::int_bytes(serial)])
}

fn digest<D: Digest>(bytes: &[u8]) -> Vec<u8> {
    D::digest(bytes).to_vec()
}

impl AnswerBuilder {
    /// A good answer, from 1 January 2027 for a week.
    #[must_use]
    pub fn good(cert_id: Vec<u8>) -> Self {
        Self {
            cert_id,
            status: der::ctx(0, &[]),
            this_update: time("2027-01-01T00:00:00Z"),
            next_update: Some(time("2027-01-08T00:00:00Z")),
            extensions: Vec::new(),
        }
    }

    /// A revocation at a time, with a reason if one is given.
    #[must_use]
    pub fn revoked(cert_id: Vec<u8>, at: &str, reason: Option<&str>) -> Self {
        let reason = reason
            .map_or_else(Vec::new, |name| der::ctx_c(0, &der::tlv(0x0a, &[crate::crl::reason_code(name)])));
        Self { status: der::ctx_c(1, &der::concat(&[time(at), reason])), ..Self::good(cert_id) }
    }

    /// An answer that the certificate is unknown.
    #[must_use]
    pub fn unknown(cert_id: Vec<u8>) -> Self {
        Self { status: der::ctx(2, &[]), ..Self::good(cert_id) }
    }

    /// The encoded SingleResponse.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        let next = self.next_update.as_ref().map_or_else(Vec::new, |time| der::ctx_c(0, time));
        let parts = [self.cert_id.clone(), self.status.clone(), self.this_update.clone(), next];
        der::seq(&[der::concat(&parts), extensions(1, &self.extensions)])
    }
}

fn extensions(n: u8, list: &[Ext]) -> Vec<u8> {
    if list.is_empty() {
        return Vec::new();
    }
    der::ctx_c(n, &der::seq(&list.iter().map(Ext::der).collect::<Vec<_>>()))
}

/// The ResponderID `byKey`.
#[must_use]
pub fn by_key(key: &Key) -> Vec<u8> {
    der::ctx_c(2, &der::bytes(&key.id()))
}

/// The ResponderID `byName`, with an encoded name.
#[must_use]
pub fn by_name(name: &[u8]) -> Vec<u8> {
    der::ctx_c(1, name)
}

impl Response {
    /// A response from this responder, produced on 1 January 2027.
    #[must_use]
    pub fn new(responder: Vec<u8>, answers: impl IntoIterator<Item = AnswerBuilder>) -> Self {
        Self {
            status: 0,
            kind: "1.3.6.1.5.5.7.48.1.1".to_owned(),
            responder,
            produced_at: time("2027-01-01T00:00:00Z"),
            answers: answers.into_iter().collect(),
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// An error response, by its status.
    #[must_use]
    pub fn error(status: u8) -> Vec<u8> {
        der::seq(&[der::tlv(0x0a, &[status])])
    }

    /// Includes certificates.
    #[must_use]
    pub fn with_certificates(mut self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.certificates.extend(certificates);
        self
    }

    /// The tbsResponseData.
    #[must_use]
    pub fn tbs(&self) -> Vec<u8> {
        let answers = der::seq(&self.answers.iter().map(AnswerBuilder::der).collect::<Vec<_>>());
        let parts = [self.responder.clone(), self.produced_at.clone(), answers];
        der::seq(&[der::concat(&parts), extensions(1, &self.extensions)])
    }

    /// Signs with this key, and returns the response in DER.
    #[must_use]
    pub fn issue(&self, signer: &Key) -> Vec<u8> {
        let tbs = self.tbs();
        self.wrap(&[&tbs, &signer.algorithm(), &der::bits(&signer.sign(&tbs))])
    }

    /// The response around the given parts of a BasicOCSPResponse. The certificates follow them.
    #[must_use]
    pub fn wrap(&self, signed: &[&[u8]]) -> Vec<u8> {
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            der::ctx_c(0, &der::seq(&self.certificates))
        };
        let basic = der::seq(&[der::concat(signed), certificates]);
        let bytes = der::seq(&[der::oid(&self.kind), der::bytes(&basic)]);
        let bytes = if self.status == 0 { der::ctx_c(0, &bytes) } else { Vec::new() };
        der::seq(&[der::tlv(0x0a, &[self.status]), bytes])
    }
}

/// The nonce extension (RFC 9654).
#[must_use]
pub fn nonce(bytes: &[u8]) -> Ext {
    Ext::new("1.3.6.1.5.5.7.48.1.2", false, der::bytes(bytes))
}
