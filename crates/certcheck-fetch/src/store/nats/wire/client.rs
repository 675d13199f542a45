//! Requests and their answers, over one connection that many use at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::connect::{Connector, SUBSCRIPTION, Session};
use super::error_line::ErrorLine;
use super::fault::Fault;
use super::frame::{Frame, MAX_HEADERS, MAX_LINE, Message, Start, Wanted};
use super::greeting::Info;
use super::headers::Headers;
use super::reader::FrameReader;
use crate::store::remote::{Failed, Trouble, in_time};

/// Answers that may be on their way: so many kibibytes together. What comes in addition waits.
const ANSWERS: usize = 64 << 10;
/// Messages that wait to be written. Each has the size of a chunk at most.
const UNWRITTEN: usize = 32;
/// What is written at once.
const BUFFER: usize = 64 << 10;
/// The status of an answer that says that nobody is there to answer.
const NO_RESPONDERS: u16 = 503;

/// A connection for requests. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub(in crate::store::nats) struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Arc<State>,
    unwritten: mpsc::Sender<Publication>,
    answers: Semaphore,
    task: AbortHandle,
}

/// What the task of the connection knows too.
#[derive(Debug)]
struct State {
    /// What the subjects of answers begin with. Others cannot guess it.
    inbox: String,
    next: AtomicU64,
    table: Mutex<Table>,
    is_denied: AtomicBool,
    /// The largest message that the server takes.
    max_payload: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    waiting: HashMap<u64, Waiting>,
    /// Why the connection has ended.
    end: Option<(Trouble, String)>,
}

/// A request without its answer: how much of the payload is kept, and where it goes.
#[derive(Debug)]
struct Waiting {
    room: usize,
    answer: oneshot::Sender<Message>,
}

#[derive(Debug)]
struct Publication {
    line_and_headers: Vec<u8>,
    payload: Bytes,
    /// The size of headers and payload.
    size: usize,
}

/// A request, to be published.
#[derive(Clone, Debug, Default)]
pub(in crate::store::nats) struct Request<'r> {
    pub(in crate::store::nats) subject: &'r str,
    pub(in crate::store::nats) headers: &'r [(&'r str, &'r str)],
    pub(in crate::store::nats) payload: Bytes,
    /// How many bytes of the answer's payload are kept. What is beyond is dropped as it arrives.
    pub(in crate::store::nats) room: usize,
}

impl Client {
    /// Connects.
    pub(in crate::store::nats) async fn connect(connector: &Connector) -> Result<Self, Failed> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Failed { trouble: Trouble::Other, detail: error.to_string() })?;
        let inbox = format!("_INBOX.{}.", HEXLOWER.encode(&random));
        let session = connector.connect(&format!("{inbox}*")).await?;
        let state = Arc::new(State {
            inbox,
            next: AtomicU64::new(0),
            table: Mutex::default(),
            is_denied: AtomicBool::new(false),
            max_payload: AtomicU64::new(session.max_payload.unwrap_or(u64::MAX)),
        });
        let (unwritten, to_write) = mpsc::channel(UNWRITTEN);
        let task = tokio::spawn(run(Arc::clone(&state), session, to_write)).abort_handle();
        Ok(Self(Arc::new(Shared { state, unwritten, answers: Semaphore::new(ANSWERS), task })))
    }

    /// The answer to a request: its headers and payload. The caller limits the time.
    pub(in crate::store::nats) async fn request(
        &self,
        request: Request<'_>,
    ) -> Result<(Headers, Bytes), Failed> {
        let Shared { state, unwritten, answers, .. } = &*self.0;
        let bytes = request.room.saturating_add(MAX_HEADERS + MAX_LINE);
        let kibibytes = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).saturating_add(1);
        let closed = || state.ended();
        let _permit = answers.acquire_many(kibibytes).await.map_err(|_| closed())?;
        let (asked, answer) = state.ask(request.room)?;
        let publication = request.into_publication(&format!("{}{}", state.inbox, asked.number))?;
        let size = publication.size;
        if u64::try_from(size).is_ok_and(|size| size > state.max_payload.load(Ordering::Relaxed)) {
            let detail = format!("the server takes no message of {size} bytes");
            return Err(Failed { trouble: Trouble::Full, detail });
        }
        unwritten.send(publication).await.map_err(|_| closed())?;
        let Message { headers, payload, .. } = answer.await.map_err(|_| closed())?;
        let headers = Headers::parse(headers);
        if headers.status == Some(NO_RESPONDERS) {
            let detail = "nothing answers requests of this kind".to_owned();
            return Err(Failed { trouble: Trouble::NoBucket, detail });
        }
        Ok((headers, payload))
    }

    /// Why the connection has ended, if it has.
    pub(in crate::store::nats) fn end(&self) -> Option<Trouble> {
        self.0.state.lock().end.as_ref().map(|(trouble, _)| *trouble)
    }

    /// Whether the server has said that the user may not do something.
    pub(in crate::store::nats) fn is_denied(&self) -> bool {
        self.0.state.is_denied.load(Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Request<'_> {
    fn into_publication(self, reply: &str) -> Result<Publication, Failed> {
        let Self { subject, headers, payload, .. } = self;
        if subject.is_empty() || !subject.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failed { trouble: Trouble::Other, detail: format!("{subject:?} is no subject") });
        }
        if headers.is_empty() {
            let size = payload.len();
            let line = format!("PUB {subject} {reply} {size}\r\n");
            return Ok(Publication { line_and_headers: line.into_bytes(), payload, size });
        }
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = format!("NATS/1.0\r\n{lines}\r\n");
        let size = headers.len().saturating_add(payload.len());
        let line_and_headers = format!("HPUB {subject} {reply} {} {size}\r\n{headers}", headers.len());
        Ok(Publication { line_and_headers: line_and_headers.into_bytes(), payload, size })
    }
}

/// A request that waits for its answer. What comes after it is dropped is ignored.
struct Asked<'s> {
    state: &'s State,
    number: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.state.lock().waiting.remove(&self.number);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, room: usize) -> Result<(Asked<'_>, oneshot::Receiver<Message>), Failed> {
        let (answer, is_answered) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut table = self.lock();
        if table.end.is_some() {
            drop(table);
            return Err(self.ended());
        }
        table.waiting.insert(number, Waiting { room, answer });
        drop(table);
        Ok((Asked { state: self, number }, is_answered))
    }

    fn ended(&self) -> Failed {
        let end = self.lock().end.clone();
        let (trouble, detail) =
            end.unwrap_or_else(|| (Trouble::Unreachable, "the connection has ended".to_owned()));
        Failed { trouble, detail }
    }

    /// Nobody gets an answer any more.
    fn end(&self, Failed { trouble, detail }: Failed) {
        let mut table = self.lock();
        table.end = Some((trouble, detail));
        table.waiting.clear();
    }

    /// The number of the request that an answer belongs to.
    fn number(&self, subject: &[u8]) -> Option<u64> {
        std::str::from_utf8(subject).ok()?.strip_prefix(&self.inbox)?.parse().ok()
    }

    /// How much of a message is wanted. Answers that nobody waits for may be late ones: only their subject is read.
    fn wanted(&self, start: Start<'_>) -> Result<Wanted, Fault> {
        if start.subscription != SUBSCRIPTION {
            return Err(Fault::Subscription);
        }
        let Some(number) = self.number(start.subject) else { return Ok(Wanted::Subject) };
        let table = self.lock();
        Ok(table.waiting.get(&number).map_or(Wanted::Subject, |waiting| Wanted::Content(waiting.room)))
    }

    fn answer(&self, message: Message) {
        let waiting = self.number(&message.subject).and_then(|number| self.lock().waiting.remove(&number));
        if let Some(Waiting { answer, .. }) = waiting {
            // An error says that nobody waits any more.
            let _unwanted = answer.send(message);
        }
    }
}

/// Reads and writes until one of them fails.
async fn run(state: Arc<State>, session: Session, to_write: mpsc::Receiver<Publication>) {
    let Session { reader, writer, .. } = session;
    let ping = Notify::new();
    let failed = tokio::select! {
        failed = read(&state, reader, &ping) => failed,
        failed = write(writer, to_write, &ping) => failed,
    };
    if let Err(failed) = failed {
        state.end(failed);
    }
}

async fn read<R>(state: &State, mut reader: FrameReader<R>, ping: &Notify) -> Result<(), Failed>
where
    R: AsyncRead + Unpin,
{
    loop {
        match reader.next(|start| state.wanted(start)).await? {
            Frame::Message(message) => state.answer(message),
            // Several that come at once get one answer.
            Frame::Ping => ping.notify_one(),
            Frame::Pong | Frame::Acknowledged => {}
            Frame::Info(json) => {
                if let Some(max) = Info::parse(&json)?.max_payload {
                    state.max_payload.store(max, Ordering::Relaxed);
                }
            }
            Frame::Error(text) => match ErrorLine::of(&text) {
                ErrorLine::Rights => state.is_denied.store(true, Ordering::Relaxed),
                ErrorLine::Subject => {}
                ErrorLine::End(failed) => return Err(failed),
            },
        }
    }
}

async fn write<W>(half: W, mut to_write: mpsc::Receiver<Publication>, ping: &Notify) -> Result<(), Failed>
where
    W: AsyncWrite + Unpin,
{
    let mut writer = BufWriter::with_capacity(BUFFER, half);
    loop {
        let mut next = tokio::select! {
            () = ping.notified() => None,
            Some(publication) = to_write.recv() => Some(publication),
            else => return Ok(()),
        };
        let written = async {
            if next.is_none() {
                writer.write_all(b"PONG\r\n").await?;
            }
            // A queue that is never empty must not hold back a PONG.
            let mut left = UNWRITTEN;
            while let Some(Publication { line_and_headers, payload, .. }) = next {
                writer.write_all(&line_and_headers).await?;
                writer.write_all(&payload).await?;
                writer.write_all(b"\r\n").await?;
                left = left.saturating_sub(1);
                next = if left > 0 { to_write.try_recv().ok() } else { None };
            }
            writer.flush().await
        };
        in_time(written).await?;
    }
}
