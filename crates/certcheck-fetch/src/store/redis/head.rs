//! The head of an entry: what it is, and which bytes belong to it.

use certcheck_core::digest::Sha256Digest;
use certcheck_core::revocation::EvidenceRequest;
use data_encoding::HEXLOWER;
use redis::Value;

use super::body::chunks_of;
use crate::cache::key::EvidenceKey;
use crate::limits::FetchLimits;
use crate::store::record::Record;
use crate::store::version::EvidenceVersion;
use crate::store::{StoreError, Stored};

/// The sizes of fields, in the order in which they are read. URLs and requests are far smaller than a record may be.
const MAX_RECORD: usize = 16 << 10;
const OF_VERSION: [(&str, usize); 3] = [("t", 20), ("n", 40), ("sha", 64)];
const OF_HEAD: [(&str, usize); 6] =
    [("t", 20), ("n", 40), ("sha", 64), ("c", 8), ("s", 20), ("r", MAX_RECORD)];

/// The fields to read for a version, and for a whole head.
pub(super) const VERSION_FIELDS: &[(&str, usize)] = &OF_VERSION;
pub(super) const HEAD_FIELDS: &[(&str, usize)] = &OF_HEAD;

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

/// The version and digest in an answer to [`VERSION_FIELDS`]. A time that cannot be true yet counts as the latest one
/// that can.
pub(super) fn version(answer: &Value, latest: i64) -> Found<(EvidenceVersion, String)> {
    let fields = match fields(answer) {
        Found::Head(fields) => fields,
        Found::Nothing => return Found::Nothing,
        Found::Junk(sha, why) => return Found::Junk(sha, why),
    };
    let sha = fields.get(2).copied().flatten().filter(|sha| is_digest(sha));
    let Some(sha) = sha.map(ToOwned::to_owned) else {
        return Found::Junk(String::new(), "its head names no bytes");
    };
    let time = fields.first().copied().flatten().filter(|text| text.len() == 20).and_then(|t| t.parse().ok());
    let number = fields.get(1).copied().flatten().filter(|text| text.len() == 40);
    let number = number.and_then(|text| HEXLOWER.decode(text.as_bytes()).ok());
    match time.zip(number) {
        Some((time, number)) => {
            Found::Head((EvidenceVersion::new(time, Some(&number)).not_after(latest), sha))
        }
        None => Found::Junk(sha, "its head has no version"),
    }
}

/// The head in an answer to [`HEAD_FIELDS`], within these limits.
pub(super) fn head(answer: &Value, limits: &FetchLimits, latest: i64) -> Found<Head> {
    let (version, sha) = match version(answer, latest) {
        Found::Head(found) => found,
        Found::Nothing => return Found::Nothing,
        Found::Junk(sha, why) => return Found::Junk(sha, why),
    };
    let Found::Head(fields) = fields(answer) else { return Found::Nothing };
    let number =
        |place: usize| fields.get(place).copied().flatten().and_then(|text| text.parse::<u64>().ok());
    let Some((chunks, size)) = number(3).zip(number(4)) else {
        return Found::Junk(sha, "its head has no size");
    };
    let record = fields.get(5).copied().flatten().unwrap_or_default();
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

/// The fields of an answer, as text.
fn fields(answer: &Value) -> Found<Vec<Option<&str>>> {
    let values = match answer {
        Value::Nil => return Found::Nothing,
        Value::Array(values) => values,
        _ => return Found::Junk(String::new(), "it is no head"),
    };
    if let [only] = &values[..] {
        let sha = text(only).filter(|sha| is_digest(sha)).unwrap_or_default();
        return Found::Junk(sha.to_owned(), "it is no head of ours");
    }
    Found::Head(values.iter().map(text).collect())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The fields of a head to be written.
pub(super) struct Written {
    pub(super) version: EvidenceVersion,
    pub(super) sha: String,
    pub(super) size: u64,
    pub(super) record: String,
}

impl Written {
    /// The head of an answer whose bytes have this digest. A time that cannot be true yet is written as the latest one
    /// that can.
    pub(super) fn new(stored: &Stored, digest: Sha256Digest, latest: i64) -> Result<Self, StoreError> {
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
        Ok(Self { version, sha, size, record })
    }
}

/// A time with a fixed number of digits. None of ours is before 1970.
pub(super) fn digits(time: i64) -> String {
    format!("{:020}", time.max(0))
}
