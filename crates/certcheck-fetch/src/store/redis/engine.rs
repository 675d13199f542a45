//! Heads, chunks and leases as keys of Redis.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use redis::{RedisResult, Value};

use super::endpoint::{Connection, Endpoint};
use super::names::{Names, channel, entry_of, pattern};
use super::options::Place;
use super::script::{READ, RELEASE, REMOVE, RENEW, WRITE};
use crate::store::remote::{
    CHUNK, Engine, Failed, Fields, LASTS, LISTED, Link, MAX_RECORD, Put, Raw, RemoteError, RemoteOptions,
    Replaced, Trouble, Troubles, Written, digits, is_digest, noted,
};

/// The sizes of fields, in the order in which they are read.
const OF_VERSION: [(&str, usize); 3] = [("t", 20), ("n", 40), ("sha", 64)];
const OF_HEAD: [(&str, usize); 6] =
    [("t", 20), ("n", 40), ("sha", 64), ("c", 8), ("s", 20), ("r", MAX_RECORD)];
/// How long a request for several chunks may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer chunks last than the head that names them, and how long those last that no head names any more, in
/// milliseconds: who has read the head can still read them.
const LONGER: i64 = 60_000;
const SOON: i64 = 60_000;
/// Keys that are prolonged at once.
const AT_ONCE: usize = 256;

/// An engine of Redis or Valkey.
#[derive(Debug)]
pub(super) struct RedisEngine {
    link: Arc<Link<Endpoint>>,
    prefix: String,
    /// How long a small request may take.
    patience: Duration,
}

/// A lease that this process has.
#[derive(Debug)]
pub(super) struct RedisTurn {
    key: String,
    holder: String,
}

impl RedisEngine {
    pub(super) fn new(options: &RemoteOptions) -> Result<Self, RemoteError> {
        let place = Place::parse(&options.address, options.password.as_deref())?;
        let link = Link::new(Endpoint::new(place)?);
        Ok(Self { link, prefix: options.prefix.clone(), patience: options.patience })
    }

    fn keys(&self, name: &str) -> Names {
        Names::new(&self.prefix, name)
    }

    /// Runs a small operation.
    async fn run<T, F>(&self, work: impl FnOnce(Connection) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.link.run(self.patience, work).await
    }

    async fn read(&self, name: &str, fields: &[(&str, usize)]) -> Result<Raw, Trouble> {
        let mut call = READ.key(self.keys(name).head());
        for (field, max) in fields {
            call.arg(*field).arg(*max);
        }
        let answer = self.run(async |mut connection| call.invoke_async(&mut connection).await).await?;
        Ok(fields_of(&answer))
    }

    async fn expire(
        &self,
        keys: &Names,
        sha: &str,
        chunks: u64,
        (command, when): (&str, i64),
    ) -> Result<bool, Trouble> {
        for first in (0..chunks).step_by(AT_ONCE) {
            let mut pipe = redis::pipe();
            for number in first..chunks.min(first.saturating_add(AT_ONCE as u64)) {
                pipe.cmd(command).arg(keys.chunk(sha, number)).arg(when);
            }
            let set: Vec<i64> =
                self.run(async |mut connection| pipe.query_async(&mut connection).await).await?;
            if set.contains(&0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Engine for RedisEngine {
    type Turn = RedisTurn;

    fn troubles(&self) -> &Troubles {
        self.link.troubles()
    }

    async fn read_version(&self, name: &str) -> Result<Raw, Trouble> {
        self.read(name, &OF_VERSION).await
    }

    async fn read_head(&self, name: &str) -> Result<Raw, Trouble> {
        self.read(name, &OF_HEAD).await
    }

    async fn write_head(
        &self,
        name: &str,
        written: &Written,
        refused: &str,
        latest: i64,
        ends: i64,
    ) -> Result<Put, Trouble> {
        let Written { version, sha, size, chunks, record } = written;
        let mut call = WRITE.key(self.keys(name).head());
        call.arg(digits(version.this_update().unix())).arg(HEXLOWER.encode(version.number())).arg(sha);
        call.arg(*chunks).arg(*size).arg(record).arg(refused).arg(digits(latest));
        call.arg(ends).arg(channel(&self.prefix)).arg(name);
        let answer: Value = self.run(async |mut connection| call.invoke_async(&mut connection).await).await?;
        let Value::Array(answer) = answer else { return Err(Trouble::Other) };
        match &answer[..] {
            [Value::Int(1), old, chunks] => {
                let chunks = text(chunks).and_then(|text| text.parse().ok()).unwrap_or(0);
                let old = text(old).filter(|old| !old.is_empty() && *old != sha);
                Ok(Put::Written(old.map(|old| Replaced { sha: old.to_owned(), chunks })))
            }
            [Value::Int(2)] => Ok(Put::Same),
            [Value::Int(0)] => Ok(Put::Older),
            _ => Err(Trouble::Other),
        }
    }

    async fn remove_head(&self, name: &str, sha: &str) -> Result<bool, Trouble> {
        let head = self.keys(name).head();
        let call =
            async |mut connection| REMOVE.key(&head).arg(sha).invoke_async::<i64>(&mut connection).await;
        Ok(self.run(call).await? > 0)
    }

    async fn read_chunks(&self, name: &str, sha: &str, numbers: Range<u64>) -> Result<Vec<Bytes>, Trouble> {
        let keys = self.keys(name);
        let patience = if numbers.end.saturating_sub(numbers.start) > 1 { PATIENCE } else { self.patience };
        let mut pipe = redis::pipe();
        for number in numbers {
            // One byte more than a chunk has, so that a longer one is noticed.
            pipe.cmd("GETRANGE").arg(keys.chunk(sha, number)).arg(0).arg(CHUNK.get());
        }
        let read = async |mut connection| pipe.query_async::<Vec<Value>>(&mut connection).await;
        let chunks = self.link.run(patience, read).await?;
        // An empty text is what the engine answers for a key that does not exist.
        let bytes = |chunk| match chunk {
            Value::BulkString(bytes) => Ok(Bytes::from(bytes)),
            _ => Err(Trouble::WrongType),
        };
        chunks.into_iter().map(bytes).collect()
    }

    async fn write_chunks(
        &self,
        name: &str,
        sha: &str,
        first: u64,
        chunks: Vec<&[u8]>,
        ends: i64,
    ) -> Result<(), Trouble> {
        let keys = self.keys(name);
        let mut pipe = redis::pipe();
        for (number, chunk) in (first..).zip(chunks) {
            let ends = ends.saturating_add(LONGER);
            pipe.cmd("SET").arg(keys.chunk(sha, number)).arg(chunk).arg("PXAT").arg(ends).ignore();
        }
        self.link.run(PATIENCE, async |mut connection| pipe.query_async::<()>(&mut connection).await).await
    }

    async fn prolong(&self, name: &str, sha: &str, chunks: u64, ends: i64) -> Result<bool, Trouble> {
        let ends = ("PEXPIREAT", ends.saturating_add(LONGER));
        self.expire(&self.keys(name), sha, chunks, ends).await
    }

    async fn end_soon(&self, name: &str, sha: &str, chunks: u64) {
        let _ends: Result<bool, Trouble> =
            self.expire(&self.keys(name), sha, chunks, ("PEXPIRE", SOON)).await;
    }

    /// In a cluster, those that this process has seen: a scan is of one node.
    async fn names(&self, seen: Vec<String>) -> Result<Vec<String>, Trouble> {
        if self.link.endpoint().is_cluster() {
            return Ok(seen);
        }
        let mut names = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(pattern(&self.prefix)).arg("COUNT").arg(500);
            let scanned = async |mut connection| scan.query_async(&mut connection).await;
            let (next, keys): (u64, Vec<String>) = self.run(scanned).await?;
            names.extend(keys.iter().filter_map(|key| entry_of(&self.prefix, key)).map(str::to_owned));
            if next == 0 || names.len() >= LISTED {
                return Ok(names.into_iter().collect());
            }
            cursor = next;
        }
    }

    async fn lease(&self, name: &str, holder: &str) -> Result<Option<RedisTurn>, Trouble> {
        let key = self.keys(name).lease();
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(holder).arg("NX").arg("PX").arg(lasts());
        let is_ours: Option<()> =
            self.run(async |mut connection| command.query_async(&mut connection).await).await?;
        Ok(is_ours.map(|()| RedisTurn { key, holder: holder.to_owned() }))
    }

    async fn prolong_lease(&self, turn: &RedisTurn) -> Result<Option<RedisTurn>, Trouble> {
        let RedisTurn { key, holder } = turn;
        let renew = async |mut connection| {
            RENEW.key(key).arg(holder).arg(lasts()).invoke_async::<i64>(&mut connection).await
        };
        let is_ours = self.run(renew).await? != 0;
        Ok(is_ours.then(|| RedisTurn { key: key.clone(), holder: holder.clone() }))
    }

    async fn end_lease(&self, turn: RedisTurn) {
        let RedisTurn { key, holder } = turn;
        let release =
            async |mut connection| RELEASE.key(&key).arg(&holder).invoke_async::<i64>(&mut connection).await;
        let _ended: Result<i64, Trouble> = self.run(release).await;
    }

    async fn listen(&self) -> Result<BoxStream<'static, String>, Failed> {
        let messages = self.link.endpoint().listen(&channel(&self.prefix)).await?;
        let names = noted(&self.link, messages).filter(|name| std::future::ready(name.len() == 32));
        Ok(names.boxed())
    }
}

/// How long a lease lasts, in milliseconds.
fn lasts() -> u64 {
    u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX)
}

/// The fields of a head in an answer to the script that reads them.
fn fields_of(answer: &Value) -> Raw {
    let values = match answer {
        Value::Nil => return Raw::Nothing,
        Value::Array(values) => values,
        _ => return Raw::Junk(String::new(), "it is no head"),
    };
    if let [only] = &values[..] {
        let sha = text(only).filter(|sha| is_digest(sha)).unwrap_or_default();
        return Raw::Junk(sha.to_owned(), "it is no head of ours");
    }
    let field = |place: usize| values.get(place).and_then(text).map(str::to_owned);
    Raw::Fields(Fields {
        time: field(0),
        number: field(1),
        sha: field(2),
        chunks: field(3),
        size: field(4),
        record: field(5),
    })
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}
