//! The record of an entry on disk: one JSON object, small and with a size limit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use certcheck_core::Time;
use certcheck_core::revocation::EvidenceRequest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::version::EvidenceVersion;
use super::{StoreError, Stored};
use crate::cache::key::EvidenceKey;
use crate::transport::answer::Transport;
use crate::transport::spool::Body;

/// The largest record that is parsed, in bytes.
pub(super) const MAX_RECORD: u64 = 256 << 10;
/// Bodies up to this size are in the record itself: one file to write instead of two.
pub(super) const MAX_INLINE: usize = 64 << 10;
/// Keys of signers in a record.
const MAX_SIGNERS: usize = 4;

/// A record as it is in its file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The format: this one is 1.
    certcheck: u32,
    kind: String,
    url: String,
    /// The request of OCSP, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    pub(super) bytes: u64,
    /// The bytes in base64, or the name of the file they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blob: Option<String>,
    #[serde(default)]
    pub(super) has_index: bool,
    pub(super) fetched_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) this_update: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_update: Option<i64>,
    /// The CRLNumber, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// SubjectPublicKeyInfo, in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signers: Vec<String>,
    #[serde(default)]
    transport: Transport,
}

impl Record {
    /// The record of an answer. It contains the bytes, unless they are in this file.
    pub(super) fn new(stored: &Stored, blob: Option<String>, has_index: bool) -> Result<Self, StoreError> {
        let (kind, url, request) = match &stored.request {
            EvidenceRequest::Crl { url } => ("crl", url, None),
            EvidenceRequest::Ocsp { url, request, .. } => ("ocsp", url, Some(STANDARD.encode(request))),
            EvidenceRequest::Issuers { url } => ("issuers", url, None),
            _ => return Err(StoreError::Unusable("this kind of evidence cannot be kept".into())),
        };
        let inline = blob.is_none().then(|| STANDARD.encode(&stored.body.bytes));
        Ok(Self {
            certcheck: 1,
            kind: kind.to_owned(),
            url: url.to_string(),
            request,
            bytes: u64::try_from(stored.body.bytes.len()).unwrap_or(u64::MAX),
            body: inline,
            blob,
            has_index,
            fetched_at: stored.fetched_at.unix(),
            this_update: stored.this_update.map(Time::unix),
            next_update: stored.next_update.map(Time::unix),
            number: stored.crl_number.as_deref().map(|number| HEXLOWER.encode(number)),
            signers: stored.signers.iter().take(MAX_SIGNERS).map(|key| STANDARD.encode(key)).collect(),
            transport: stored.transport.clone(),
        })
    }

    /// Parses a record.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let record: Self =
            serde_json::from_slice(bytes).map_err(|error| StoreError::Unusable(error.to_string()))?;
        if record.certcheck != 1 {
            return Err(StoreError::Unusable(format!("format {} is unknown", record.certcheck)));
        }
        Ok(record)
    }

    /// The request that it answers.
    pub(super) fn evidence_request(&self) -> Result<EvidenceRequest, StoreError> {
        let url = self.url.as_str().into();
        match (self.kind.as_str(), &self.request) {
            ("crl", None) => Ok(EvidenceRequest::Crl { url }),
            ("issuers", None) => Ok(EvidenceRequest::Issuers { url }),
            ("ocsp", Some(request)) => {
                Ok(EvidenceRequest::Ocsp { url, request: decoded(request)?, nonce: None })
            }
            _ => Err(StoreError::Unusable("it has an unknown kind".into())),
        }
    }

    /// The same for a request with this key. A record of another request under its name is refused.
    pub(super) fn request_under(&self, key: &EvidenceKey) -> Result<EvidenceRequest, StoreError> {
        let request = self.evidence_request()?;
        if EvidenceKey::of(&request) == Some(*key) {
            Ok(request)
        } else {
            Err(StoreError::Unusable("it is kept under the name of another entry".into()))
        }
    }

    /// The bytes in the record itself.
    pub(super) fn inline(&self) -> Result<Option<Bytes>, StoreError> {
        let Some(body) = &self.body else { return Ok(None) };
        let body = decoded(body)?;
        if u64::try_from(body.len()).ok() != Some(self.bytes) {
            return Err(StoreError::Unusable("its length differs from the one it gives".into()));
        }
        Ok(Some(body))
    }

    /// The version that it says it is of.
    pub(super) fn version(&self) -> Result<EvidenceVersion, StoreError> {
        let number = self.crl_number()?;
        Ok(EvidenceVersion::new(self.this_update.unwrap_or(self.fetched_at), number.as_deref()))
    }

    fn crl_number(&self) -> Result<Option<Box<[u8]>>, StoreError> {
        let unusable = |_| StoreError::Unusable("its number is not hexadecimal".into());
        let number = self.number.as_ref().map(|text| HEXLOWER.decode(text.as_bytes()).map_err(unusable));
        Ok(number.transpose()?.map(Into::into))
    }

    /// Everything but the content of other files.
    pub(super) fn into_stored(
        self,
        request: EvidenceRequest,
        body: Body,
        index: Option<Bytes>,
    ) -> Result<Stored, StoreError> {
        let signers: Result<Vec<_>, _> = self.signers.iter().map(|key| decoded(key)).collect();
        Ok(Stored {
            request,
            body,
            fetched_at: Time::from_unix(self.fetched_at),
            this_update: self.this_update.map(Time::from_unix),
            next_update: self.next_update.map(Time::from_unix),
            crl_number: self.crl_number()?,
            origin: None,
            signers: signers?.into_iter().map(|key| key.to_vec().into()).collect(),
            transport: self.transport,
            crl: None,
            index,
        })
    }
}

fn decoded(text: &str) -> Result<Bytes, StoreError> {
    STANDARD.decode(text).map(Bytes::from).map_err(|error| StoreError::Unusable(error.to_string()))
}

/// For fuzzers: parses a record, and all of it that would be used.
#[cfg(fuzzing)]
pub(crate) fn read_record(bytes: &[u8]) {
    let Ok(record) = Record::parse(bytes) else { return };
    let Ok(request) = record.evidence_request() else { return };
    let key = EvidenceKey::of(&request);
    assert!(key.is_some_and(|key| record.request_under(&key).is_ok()));
    if let Ok(Some(body)) = record.inline() {
        let _stored = record.into_stored(request, Body::from(body), None);
    }
}
