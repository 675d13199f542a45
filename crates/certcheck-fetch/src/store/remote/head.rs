//! The head of an entry: what it is, and which bytes belong to it.

use super::chunk::chunks_of;
use crate::cache::key::EvidenceKey;
use crate::limits::FetchLimits;
use crate::store::record::Record;
use crate::store::version::EvidenceVersion;
use crate::store::{StoreError, Stored};
use certcheck_core::digest::Sha256Digest;
use certcheck_core::revocation::EvidenceRequest;
use data_encoding::HEXLOWER;

/// The largest record, in bytes. URLs and requests are far smaller.
pub(in crate::store) const MAX_RECORD: usize = 16 << 10;

/// The fields of a head, as they were read.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Fields {
    /// thisUpdate, in 20 digits.
    pub(in crate::store) time: Option<String>,
    /// CRLNumber, in 40 hexadecimal digits.
    pub(in crate::store) number: Option<String>,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub(in crate::store) sha: Option<String>,
    /// The number of chunks.
    pub(in crate::store) chunks: Option<String>,
    /// The number of bytes.
    pub(in crate::store) size: Option<String>,
    /// The record, in JSON.
    pub(in crate::store) record: Option<String>,
}

/// What is in the place of a head.
#[derive(Clone, Debug)]
pub(in crate::store) enum Raw {
    Nothing,
    /// What is none of ours, with the digest that it has, or an empty text.
    Junk(String, &'static str),
    Fields(Fields),
}

/// A head that can be one of ours. Nothing in it is verified.
#[derive(Debug)]
pub(super) struct Head {
    /// The key of its request.
    pub(super) key: EvidenceKey,
    pub(super) version: EvidenceVersion,
    /// The digest of the bytes, in hexadecimal.
    pub(super) sha: String,
    pub(super) size: u64,
    pub(super) record: Record,
    pub(super) request: EvidenceRequest,
}

/// What is under the key of a head.
pub(super) enum Found<T> {
    Nothing,
    /// Something else, and the digest that it has, or an empty text.
    Junk(String, &'static str),
    Head(T),
}

/// The version and digest of what was read. A time that cannot be true yet counts as the latest one that can.
pub(super) fn version(raw: &Raw, latest: i64) -> Found<(EvidenceVersion, String)> {
    let fields = match raw {
        Raw::Fields(fields) => fields,
        Raw::Nothing => return Found::Nothing,
        Raw::Junk(sha, why) => return Found::Junk(sha.clone(), why),
    };
    let Some(sha) = fields.sha.clone().filter(|sha| is_digest(sha)) else {
        return Found::Junk(String::new(), "its head names no bytes");
    };
    let time = fields.time.as_ref().filter(|text| text.len() == 20).and_then(|text| text.parse().ok());
    let number = fields.number.as_ref().filter(|text| text.len() == 40);
    let number = number.and_then(|text| HEXLOWER.decode(text.as_bytes()).ok());
    match time.zip(number) {
        Some((time, number)) => {
            Found::Head((EvidenceVersion::new(time, Some(&number)).not_after(latest), sha))
        }
        None => Found::Junk(sha, "its head has no version"),
    }
}

/// The version and digest that a head claims to have, if it is one of ours.
#[cfg(feature = "store-nats")]
pub(in crate::store) fn claimed(raw: &Raw) -> Option<(EvidenceVersion, String)> {
    match version(raw, i64::MAX) {
        Found::Head(found) => Some(found),
        Found::Nothing | Found::Junk(..) => None,
    }
}

/// The head in what was read, within these limits.
pub(super) fn head(raw: &Raw, limits: &FetchLimits, latest: i64) -> Found<Head> {
    let (version, sha) = match version(raw, latest) {
        Found::Head(found) => found,
        Found::Nothing => return Found::Nothing,
        Found::Junk(sha, why) => return Found::Junk(sha, why),
    };
    let Raw::Fields(fields) = raw else { return Found::Nothing };
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u64>().ok());
    let Some((chunks, size)) = number(&fields.chunks).zip(number(&fields.size)) else {
        return Found::Junk(sha, "its head has no size");
    };
    let record = fields.record.as_deref().filter(|record| record.len() <= MAX_RECORD).unwrap_or_default();
    let Ok(record) = Record::parse(record.as_bytes()) else {
        return Found::Junk(sha, "its record cannot be read");
    };
    let request = record.evidence_request().ok();
    let Some((request, key)) =
        request.and_then(|request| EvidenceKey::of(&request).map(|key| (request, key)))
    else {
        return Found::Junk(sha, "its request cannot be read");
    };
    // A head that claims to be newer than its record keeps others out.
    if !record.version().is_ok_and(|claimed| claimed.not_after(latest) == version) {
        return Found::Junk(sha, "its times differ");
    }
    if size == 0 || size > limits.bytes(request.kind()) {
        return Found::Junk(sha, "its size is beyond the limit");
    }
    if chunks != chunks_of(size) || record.bytes != size {
        return Found::Junk(sha, "its sizes differ");
    }
    Found::Head(Head { key, version, sha, size, record, request })
}

/// Whether a text is a SHA-256 in hexadecimal.
pub(in crate::store) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The fields of a head to be written.
pub(in crate::store) struct Written {
    pub(in crate::store) version: EvidenceVersion,
    pub(in crate::store) sha: String,
    pub(in crate::store) size: u64,
    pub(in crate::store) chunks: u64,
    pub(in crate::store) record: String,
}

impl Written {
    /// The head of an answer whose bytes have this digest. A time that cannot be true yet is written as the latest one
    /// that can.
    pub(in crate::store) fn new(
        stored: &Stored,
        digest: Sha256Digest,
        latest: i64,
    ) -> Result<Self, StoreError> {
        let version = stored.version().not_after(latest);
        let sha = HEXLOWER.encode(&digest);
        // Keys of signers would not be believed.
        let record =
            Record::new(&Stored { signers: Vec::new(), ..stored.clone() }, Some(sha.clone()), false)?;
        let record =
            serde_json::to_string(&record).map_err(|error| StoreError::Unusable(error.to_string()))?;
        if record.len() > MAX_RECORD {
            return Err(StoreError::Unusable(format!("its record has more than {MAX_RECORD} bytes")));
        }
        let size = u64::try_from(stored.body.bytes.len()).unwrap_or(u64::MAX);
        Ok(Self { version, sha, size, chunks: chunks_of(size), record })
    }
}

/// A time with a fixed number of digits. None of ours is before 1970.
pub(in crate::store) fn digits(time: i64) -> String {
    format!("{:020}", time.max(0))
}

/// For fuzzers: reads a head, and all of it that would be used. What is accepted agrees with itself.
#[cfg(fuzzing)]
pub(in crate::store) fn read_head(raw: &Raw) {
    const LATEST: i64 = 4_000_000_000;
    let limits = FetchLimits::default();
    let Found::Head(head) = head(raw, &limits, LATEST) else { return };
    assert!(is_digest(&head.sha) && head.version.this_update().unix() <= LATEST);
    assert!((1..=limits.bytes(head.request.kind())).contains(&head.size));
    assert!(EvidenceKey::of(&head.request) == Some(head.key));
    let _stored = head.record.into_stored(head.request, bytes::Bytes::new().into(), None);
}
