//! A bucket: a stream of JetStream that keeps the last message of each subject, and the requests about it.

use std::time::Duration;

use bytes::Bytes;
use certcheck_core::Time;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::answer::{Fault, Info, NAME_IN_USE, NO_STREAM, SUBJECTS_IN_USE, WRONG_LAST, done, info, written};
use super::wire::{Client, Headers, Request};
use crate::store::remote::{CHUNK, Failed, LISTED, Trouble};

/// The room of a bucket that is made here, in bytes. What is oldest goes when it is full.
const ROOM: u64 = 1 << 30;
/// How long a bucket that is made here keeps a message.
const AGE_NANOS: u64 = 14 * 86_400 * 1_000_000_000;
/// The largest message of such a bucket: a chunk, and its header.
const LARGEST: usize = CHUNK.get() + (8 << 10);

/// The largest answers that are kept: that something was written or removed, and what a bucket is. A list of subjects has a
/// line for each in addition, with a number behind it.
const ACK: usize = 4 << 10;
const DESCRIPTION: usize = 256 << 10;
const NUMBER: usize = 24;

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
/// The status of an answer that says that there is no such message.
const NOT_FOUND: u16 = 404;

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
        let info = match self.info(client, Bytes::new(), DESCRIPTION).await? {
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
        let config = config.to_string().into();
        let fault = match info(&self.api(client, "STREAM.CREATE", config, DESCRIPTION).await?)? {
            Ok(info) => return Ok(info),
            Err(fault) => fault,
        };
        // Another host may be faster. What it has made is found a moment later.
        let may_be_there = matches!(fault.err_code, NAME_IN_USE | SUBJECTS_IN_USE);
        for _ in (0..LOOKS).filter(|_| may_be_there) {
            if let Ok(info) = self.info(client, Bytes::new(), DESCRIPTION).await? {
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
            match timeout(READ, self.last(client, &self.head("none"), 0)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(Failed { trouble: Trouble::NoBucket, .. })) => sleep(PAUSE).await,
                Ok(Err(failed)) => return Err(failed),
                Err(_) => {}
            }
        }
    }

    /// The last message of a subject, and as many bytes of its content.
    pub(super) async fn last(&self, client: &Client, subject: &str, room: usize) -> Result<Last, Failed> {
        let request = format!("$JS.API.DIRECT.GET.{}.{subject}", self.stream);
        let request = Request { subject: &request, room, ..Request::default() };
        let (headers, payload) = client.request(request).await?;
        let Headers { status, description, .. } = &headers;
        match status {
            None => {}
            Some(NOT_FOUND) => return Ok(Last::default()),
            Some(status) => {
                let detail = format!("{status} {description}");
                return Err(Failed { trouble: Trouble::Other, detail });
            }
        }
        let header = |name: &str| headers.last(name);
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
        let last = last.to_string();
        let headers = [(EXPECTED, &*last), (OPERATION, "DEL")];
        let headers = if content.is_empty() { &headers[..] } else { headers.split_at(1).0 };
        let request = Request { subject: &subject, headers, payload: content, room: ACK };
        let (_, answer) = client.request(request).await?;
        match written(&answer)? {
            Ok(number) => Ok(Some(number)),
            Err(fault) if fault.err_code == WRONG_LAST => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Writes a message.
    pub(super) async fn write(client: &Client, subject: String, content: Bytes) -> Result<(), Failed> {
        let request = Request { subject: &subject, payload: content, room: ACK, ..Request::default() };
        let (_, answer) = client.request(request).await?;
        written(&answer)??;
        Ok(())
    }

    /// The subjects that match a filter. None, if they are more than these or longer than the filter and so many bytes.
    pub(super) async fn subjects(
        &self,
        client: &Client,
        filter: &str,
        (max, longer): (usize, usize),
    ) -> Result<Vec<String>, Failed> {
        let line = filter.len().saturating_add(longer).saturating_add(NUMBER);
        let room = max.min(LISTED).saturating_mul(line).saturating_add(DESCRIPTION);
        let filter = json!({ "subjects_filter": filter }).to_string();
        let answer = self.api(client, "STREAM.INFO", filter.into(), room).await?;
        if answer.len() >= room {
            // Somebody has written names of another form. None of them counts.
            return Ok(Vec::new());
        }
        Ok(info(&answer)??.subjects)
    }

    /// Removes all messages whose subjects match a filter.
    pub(super) async fn purge(&self, client: &Client, filter: &str) -> Result<(), Failed> {
        let filter = json!({ "filter": filter }).to_string();
        Ok(done(&self.api(client, "STREAM.PURGE", filter.into(), ACK).await?)??)
    }

    async fn info(
        &self,
        client: &Client,
        request: Bytes,
        room: usize,
    ) -> Result<Result<Info, Fault>, Failed> {
        info(&self.api(client, "STREAM.INFO", request, room).await?)
    }

    async fn api(&self, client: &Client, what: &str, payload: Bytes, room: usize) -> Result<Bytes, Failed> {
        let subject = format!("$JS.API.{what}.{}", self.stream);
        let request = Request { subject: &subject, payload, room, ..Request::default() };
        Ok(client.request(request).await?.1)
    }
}
