//! What an OCSP response says, as JSON has it.

use std::path::Path;

use certcheck_core::der::{Reader, ViewFault, tag};
use certcheck_core::ocsp::{BasicResponse, CertStatus, ResponderId, SingleResponse};
use certcheck_core::oid::{self, Oid};
use certcheck_core::revocation::OcspEvidence;
use certcheck_core::status::Cause;
use certcheck_core::x509::{Certificate, KnownExtension};
use certcheck_core::{Policy, Time};
use serde::Serialize;

use super::subject::CheckObject;
use crate::hex;
use crate::json::{CertificateObject, Document};
use crate::signer::{AlgorithmObject, SignatureObject};
use certcheck_core::signer::names_ocsp_signing;

/// What every response of an input is asked with.
pub(super) struct Question<'q> {
    pub(super) input: &'q Path,
    /// Which response of the input, counted from 0.
    pub(super) index: usize,
    pub(super) policy: &'q Policy,
    pub(super) now: Time,
}

/// The facts about a response. An error has only its status.
#[derive(Serialize)]
pub(super) struct OcspObject {
    pub(super) input: String,
    pub(super) index: usize,
    pub(super) at: String,
    pub(super) response_status: &'static str,
    pub(super) responder: Option<ResponderObject>,
    pub(super) produced_at: Option<String>,
    pub(super) signature_algorithm: Option<AlgorithmObject>,
    pub(super) nonce: Option<String>,
    pub(super) answers: Vec<AnswerObject>,
    /// Those that came with it.
    pub(super) certificates: Vec<SentObject>,
    pub(super) signature: Option<SignatureObject>,
    pub(super) check: Option<CheckObject>,
}

impl Document for OcspObject {
    const TYPE: &'static str = "ocsp";
}

#[derive(Serialize)]
pub(super) struct ResponderObject {
    pub(super) name: Option<String>,
    /// SHA-1 of its key.
    pub(super) key_hash: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AnswerObject {
    /// `sha1` and so on; the identifier of what has no name here.
    pub(super) hash_algorithm: String,
    pub(super) issuer_name_hash: String,
    pub(super) issuer_key_hash: String,
    pub(super) serial: String,
    pub(super) status: &'static str,
    pub(super) revoked_at: Option<String>,
    pub(super) revocation_reason: Option<String>,
    pub(super) invalid_since: Option<String>,
    pub(super) this_update: String,
    pub(super) next_update: Option<String>,
    pub(super) archive_cutoff: Option<String>,
    pub(super) current: bool,
    /// Why it is not current.
    pub(super) cause: Option<&'static str>,
}

/// A certificate that came with a response, or why it cannot be parsed.
#[derive(Serialize)]
pub(super) struct SentObject {
    pub(super) certificate: Option<CertificateObject>,
    /// id-kp-OCSPSigning.
    pub(super) ocsp_signing: bool,
    /// id-pkix-ocsp-nocheck.
    pub(super) nocheck: bool,
    pub(super) message: Option<String>,
}

impl OcspObject {
    pub(super) fn new(response: &OcspEvidence, question: &Question<'_>) -> Result<Self, ViewFault> {
        let Question { input, index, policy, now } = *question;
        let basic = response.basic();
        let answers = basic.iter().flat_map(|basic| {
            basic.responses().map(move |single| single.map(|single| AnswerObject::new(&single, policy, now)))
        });
        Ok(Self {
            input: input.display().to_string(),
            index,
            at: now.to_string(),
            response_status: response.status().name(),
            responder: basic.map(|basic| basic.responder.into()),
            produced_at: basic.map(|basic| basic.produced_at.to_string()),
            signature_algorithm: basic.map(|basic| basic.algorithm.oid.into()),
            nonce: basic.and_then(|basic| basic.nonce).map(nonce),
            answers: answers.collect::<Result<_, _>>()?,
            certificates: basic.iter().flat_map(BasicResponse::certificates).map(SentObject::from).collect(),
            signature: None,
            check: None,
        })
    }
}

impl From<ResponderId<'_>> for ResponderObject {
    fn from(responder: ResponderId<'_>) -> Self {
        match responder {
            ResponderId::ByName(name) => Self { name: Some(name.to_string()), key_hash: None },
            ResponderId::ByKey(hash) => Self { name: None, key_hash: Some(hex::bytes(hash)) },
        }
    }
}

/// In hexadecimal, without the OCTET STRING that RFC 8954 has around it.
fn nonce(value: &[u8]) -> String {
    let mut reader = Reader::new(value);
    match reader.expect(tag::OCTET_STRING, "nonce") {
        Ok(inner) if reader.is_empty() => hex::bytes(inner.value),
        _ => hex::bytes(value),
    }
}

fn hash_name(algorithm: Oid<'_>) -> String {
    let known =
        [(oid::SHA1, "sha1"), (oid::SHA256, "sha256"), (oid::SHA384, "sha384"), (oid::SHA512, "sha512")];
    let name = known.into_iter().find(|(oid, _)| *oid == algorithm);
    name.map_or_else(|| algorithm.to_string(), |(_, name)| name.to_owned())
}

impl AnswerObject {
    fn new(single: &SingleResponse<'_>, policy: &Policy, now: Time) -> Self {
        let id = &single.cert_id;
        let (status, revoked) = match single.status {
            CertStatus::Good => ("good", None),
            CertStatus::Revoked { at, reason } => ("revoked", Some((at, reason))),
            CertStatus::Unknown => ("unknown", None),
        };
        let cause = policy.freshness.check_current(single.this_update, single.next_update, now).err();
        let time = |time: Time| time.to_string();
        Self {
            hash_algorithm: hash_name(id.algorithm),
            issuer_name_hash: hex::bytes(id.name_hash),
            issuer_key_hash: hex::bytes(id.key_hash),
            serial: hex::number(id.serial),
            status,
            revoked_at: revoked.map(|(at, _)| time(at)),
            revocation_reason: revoked.map(|(_, reason)| reason.to_string()),
            invalid_since: single.invalid_since.map(time),
            this_update: time(single.this_update),
            next_update: single.next_update.map(time),
            archive_cutoff: single.archive_cutoff.map(time),
            current: cause.is_none(),
            cause: cause.map(Cause::code),
        }
    }
}

impl From<Result<Certificate<'_>, ViewFault>> for SentObject {
    fn from(read: Result<Certificate<'_>, ViewFault>) -> Self {
        match read {
            Ok(certificate) => Self {
                certificate: Some(CertificateObject::of(&certificate)),
                ocsp_signing: names_ocsp_signing(&certificate),
                nocheck: certificate.has(KnownExtension::OcspNocheck),
                message: None,
            },
            Err(fault) => Self {
                certificate: None,
                ocsp_signing: false,
                nocheck: false,
                message: Some(fault.to_string()),
            },
        }
    }
}
