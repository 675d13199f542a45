//! A bucket: a stream of JetStream that keeps the last message of each subject, and the requests about it.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, RequestError, RequestErrorKind, StatusCode};
use bytes::Bytes;
use certcheck_core::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::store::remote::{CHUNK, Failed, Trouble};

/// The room of a bucket that is made here, in bytes. What is oldest goes when it is full.
const ROOM: u64 = 1 << 30;
/// How long a bucket that is made here keeps a message.
const AGE_NANOS: u64 = 14 * 86_400 * 1_000_000_000;
/// The largest message of such a bucket: a chunk, and its header.
const LARGEST: usize = CHUNK.get() + (8 << 10);

/// The errors of JetStream that mean something here.
const WRONG_LAST: u32 = 10_071;
const NO_STREAM: u32 = 10_059;
const NAME_IN_USE: u32 = 10_058;
const SUBJECTS_IN_USE: u32 = 10_065;

/// How long one read may take while it is found out whether the server answers reads of the bucket, and the pause after one
/// that it refuses.
const READ: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(20);
/// Looks for a bucket that another host seems to make at the same moment.
const LOOKS: usize = 10;

const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
const OPERATION: &str = "KV-Operation";
const SEQUENCE: &str = "Nats-Sequence";
const TIME: &str = "Nats-Time-Stamp";

/// The last message of a subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Last {
    /// Its number. 0 if there is none.
    pub(super) number: u64,
    /// When the server got it.
    pub(super) at: Option<Time>,
    /// Empty if there is none, or if it says that what was there is removed.
    pub(super) content: Bytes,
}

/// A bucket, by its name and the first part of the names of its keys.
#[derive(Debug)]
pub(super) struct Bucket {
    stream: String,
    /// `$KV.BUCKET.PREFIX`
    stem: String,
    all: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    err_code: u32,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    error: Option<Fault>,
    #[serde(flatten)]
    rest: Option<T>,
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

#[derive(Deserialize)]
struct Info {
    config: Config,
    state: StreamState,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    allow_direct: bool,
    #[serde(default)]
    max_msgs_per_subject: i64,
}

#[derive(Deserialize)]
struct StreamState {
    #[serde(default)]
    subjects: HashMap<String, u64>,
}

#[derive(Deserialize)]
struct Done {}

impl Bucket {
    pub(super) fn new(name: &str, prefix: &str) -> Self {
        Self {
            stream: format!("KV_{name}"),
            stem: format!("$KV.{name}.{prefix}"),
            all: format!("$KV.{name}.>"),
        }
    }

    pub(super) fn head(&self, name: &str) -> String {
        format!("{}.{name}.h", self.stem)
    }

    pub(super) fn lease(&self, name: &str) -> String {
        format!("{}.{name}.l", self.stem)
    }

    pub(super) fn chunk(&self, name: &str, sha: &str, number: u64) -> String {
        format!("{}.{name}.c.{sha}.{number}", self.stem)
    }

    /// The subjects of all chunks of these bytes.
    pub(super) fn chunks(&self, name: &str, sha: &str) -> String {
        format!("{}.{name}.c.{sha}.*", self.stem)
    }

    /// The subjects of all heads.
    pub(super) fn heads(&self) -> String {
        format!("{}.*.h", self.stem)
    }

    /// The entry whose head has this subject.
    pub(super) fn entry_of<'s>(&self, subject: &'s str) -> Option<&'s str> {
        let name = subject.strip_prefix(&self.stem)?.strip_prefix('.')?.strip_suffix(".h")?;
        (name.len() == 32 && name.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(name)
    }

    /// Makes the bucket if it is missing, and looks whether it can be used.
    pub(super) async fn open(&self, client: &Client) -> Result<(), Failed> {
        let info = match self.api::<Info>(client, "STREAM.INFO", Bytes::new()).await? {
            Ok(info) => info,
            Err(fault) if fault.err_code == NO_STREAM => self.make(client).await?,
            Err(fault) => return Err(fault.into()),
        };
        let why = if !info.config.allow_direct {
            "it does not allow direct reads (allow_direct)"
        } else if info.config.max_msgs_per_subject != 1 {
            "it keeps more than one message of a subject (max_msgs_per_subject)"
        } else {
            return self.answers(client).await;
        };
        Err(Failed { trouble: Trouble::NoBucket, detail: format!("the stream {}: {why}", self.stream) })
    }

    async fn make(&self, client: &Client) -> Result<Info, Failed> {
        let config = json!({
            "name": self.stream,
            "subjects": [self.all],
            "retention": "limits",
            "storage": "file",
            "discard": "old",
            "max_msgs_per_subject": 1,
            "max_bytes": ROOM,
            "max_age": AGE_NANOS,
            "max_msg_size": LARGEST,
            "num_replicas": 1,
            "allow_direct": true,
        });
        let fault = match self.api::<Info>(client, "STREAM.CREATE", config.to_string().into()).await? {
            Ok(info) => return Ok(info),
            Err(fault) => fault,
        };
        // Another host may be faster. What it has made is found a moment later.
        let may_be_there = matches!(fault.err_code, NAME_IN_USE | SUBJECTS_IN_USE);
        for _ in (0..LOOKS).filter(|_| may_be_there) {
            if let Ok(info) = self.api::<Info>(client, "STREAM.INFO", Bytes::new()).await? {
                return Ok(info);
            }
            sleep(PAUSE).await;
        }
        Err(Failed { trouble: Trouble::NoBucket, ..fault.into() })
    }

    /// Waits until the server answers reads: a request that comes just after the bucket was made may get no answer. The
    /// caller limits the time.
    async fn answers(&self, client: &Client) -> Result<(), Failed> {
        loop {
            match timeout(READ, self.last(client, &self.head("none"))).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(Failed { trouble: Trouble::NoBucket, .. })) => sleep(PAUSE).await,
                Ok(Err(failed)) => return Err(failed),
                Err(_) => {}
            }
        }
    }

    /// The last message of a subject.
    pub(super) async fn last(&self, client: &Client, subject: &str) -> Result<Last, Failed> {
        let request = format!("$JS.API.DIRECT.GET.{}.{subject}", self.stream);
        let Message { payload, headers, status, description, .. } =
            client.request(request, Bytes::new()).await.map_err(failed)?;
        match status {
            None => {}
            Some(StatusCode::NOT_FOUND) => return Ok(Last::default()),
            Some(status) => {
                let detail = format!("{status} {}", description.unwrap_or_default());
                return Err(Failed { trouble: Trouble::Other, detail });
            }
        }
        let headers = headers.unwrap_or_default();
        let header = |name: &str| headers.get(name).map(|value| value.as_str());
        let number = header(SEQUENCE).and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| Failed {
            trouble: Trouble::Other,
            detail: "a message without its number".to_owned(),
        })?;
        let content = if header(OPERATION).is_some() { Bytes::new() } else { payload };
        Ok(Last { number, at: header(TIME).and_then(Time::from_rfc3339), content })
    }

    /// Writes a message, if the last one of its subject has this number. The number of the new one, or `None` if the last
    /// one has another number.
    pub(super) async fn replace(
        &self,
        client: &Client,
        subject: String,
        content: Bytes,
        last: u64,
    ) -> Result<Option<u64>, Failed> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED, last.to_string());
        if content.is_empty() {
            headers.insert(OPERATION, "DEL");
        }
        let answer = client.request_with_headers(subject, headers, content).await.map_err(failed)?;
        match parse::<Ack>(&answer.payload)? {
            Ok(ack) => Ok(Some(ack.seq)),
            Err(fault) if fault.err_code == WRONG_LAST => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Writes a message.
    pub(super) async fn write(client: &Client, subject: String, content: Bytes) -> Result<(), Failed> {
        let answer = client.request(subject, content).await.map_err(failed)?;
        parse::<Ack>(&answer.payload)??;
        Ok(())
    }

    /// The subjects that match a filter.
    pub(super) async fn subjects(&self, client: &Client, filter: &str) -> Result<Vec<String>, Failed> {
        let filter = json!({ "subjects_filter": filter }).to_string();
        let info = self.api::<Info>(client, "STREAM.INFO", filter.into()).await??;
        Ok(info.state.subjects.into_keys().collect())
    }

    /// Removes all messages whose subjects match a filter.
    pub(super) async fn purge(&self, client: &Client, filter: &str) -> Result<(), Failed> {
        let filter = json!({ "filter": filter }).to_string();
        let Done {} = self.api::<Done>(client, "STREAM.PURGE", filter.into()).await??;
        Ok(())
    }

    async fn api<T: DeserializeOwned>(
        &self,
        client: &Client,
        what: &str,
        request: Bytes,
    ) -> Result<Result<T, Fault>, Failed> {
        let subject = format!("$JS.API.{what}.{}", self.stream);
        parse(&client.request(subject, request).await.map_err(failed)?.payload)
    }
}

fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<Result<T, Fault>, Failed> {
    let unexpected = |detail: String| Failed { trouble: Trouble::Other, detail };
    let answer: Answer<T> = serde_json::from_slice(answer).map_err(|error| unexpected(error.to_string()))?;
    match answer {
        Answer { error: Some(fault), .. } => Ok(Err(fault)),
        Answer { rest: Some(rest), .. } => Ok(Ok(rest)),
        Answer { .. } => Err(unexpected("an answer without content".to_owned())),
    }
}

impl From<Fault> for Failed {
    fn from(Fault { err_code, description }: Fault) -> Self {
        let trouble = match err_code {
            // The limits of a stream, an account or a server, for bytes or for messages.
            10_002 | 10_023 | 10_028 | 10_047 | 10_077 | 10_122 => Trouble::Full,
            10_035 | 10_039 | 10_076 | NO_STREAM => Trouble::NoBucket,
            // It has no leader now.
            10_008 | 10_009 => Trouble::Loading,
            _ => Trouble::Other,
        };
        Self { trouble, detail: format!("{description} ({err_code})") }
    }
}

fn failed(error: RequestError) -> Failed {
    let trouble = match error.kind() {
        RequestErrorKind::NoResponders => Trouble::NoBucket,
        RequestErrorKind::TimedOut => Trouble::Slow,
        RequestErrorKind::MaxPayloadExceeded => Trouble::Full,
        RequestErrorKind::InvalidSubject => Trouble::Other,
        RequestErrorKind::Other => Trouble::Unreachable,
    };
    Failed { trouble, detail: error.to_string() }
}
