//! Copies bytes both ways until both sides have ended theirs. The end of one side is passed on, and the other goes on.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::buffers;

/// One side of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Upstream,
}

/// How much was copied.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Transferred {
    /// Bytes that the service was sent.
    pub(crate) to_upstream: u64,
    /// Bytes that the client was sent.
    pub(crate) to_client: u64,
}

/// Copies bytes both ways. Resolves to the side that ended first, or to the side that failed and why.
pub(crate) struct Relay<C, U> {
    client: C,
    upstream: U,
    to_upstream: Direction,
    to_client: Direction,
    last_activity: Instant,
    ended_first: Option<Side>,
}

impl<C, U> Relay<C, U> {
    pub(crate) fn new(client: C, upstream: U) -> Self {
        Self {
            client,
            upstream,
            to_upstream: Direction::default(),
            to_client: Direction::default(),
            last_activity: Instant::now(),
            ended_first: None,
        }
    }

    /// When the last byte was passed on, in either direction.
    pub(crate) const fn last_activity(&self) -> Instant {
        self.last_activity
    }

    pub(crate) const fn transferred(&self) -> Transferred {
        Transferred { to_upstream: self.to_upstream.copied, to_client: self.to_client.copied }
    }

    pub(crate) const fn upstream(&self) -> &U {
        &self.upstream
    }
}

impl<C, U> Future for Relay<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    type Output = Result<Side, (Side, io::Error)>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let before = this.transferred();
        let up = this.to_upstream.poll(&mut this.client, &mut this.upstream, context);
        let down = this.to_client.poll(&mut this.upstream, &mut this.client, context);
        if this.transferred() != before {
            this.last_activity = Instant::now();
        }
        let ended = match (this.to_upstream.is_ended(), this.to_client.is_ended()) {
            (true, _) => Some(Side::Client),
            (_, true) => Some(Side::Upstream),
            _ => None,
        };
        this.ended_first = this.ended_first.or(ended);
        let up = up.map_err(|failure| failure.at(Side::Client, Side::Upstream))?;
        let down = down.map_err(|failure| failure.at(Side::Upstream, Side::Client))?;
        if up.is_ready() && down.is_ready() {
            return Poll::Ready(Ok(this.ended_first.unwrap_or(Side::Client)));
        }
        Poll::Pending
    }
}

/// What failed.
enum Failure {
    Reading(io::Error),
    Writing(io::Error),
}

impl Failure {
    fn at(self, reader: Side, writer: Side) -> (Side, io::Error) {
        match self {
            Self::Reading(error) => (reader, error),
            Self::Writing(error) => (writer, error),
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    /// There only while it has bytes.
    buffer: Option<Box<[u8]>>,
    start: usize,
    end: usize,
    copied: u64,
    needs_flush: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Copying,
    /// The reader has ended. The end is passed on to the writer.
    Ending,
    Ended,
}

impl Direction {
    fn is_ended(&self) -> bool {
        self.state != State::Copying
    }

    fn poll<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        while self.state == State::Copying {
            if self.start == self.end {
                ready!(self.fill(reader, writer, context))?;
                continue;
            }
            let pending = self.buffer.as_deref().and_then(|buffer| buffer.get(self.start..self.end));
            let written = ready!(Pin::new(&mut *writer).poll_write(context, pending.unwrap_or_default()));
            match written {
                Ok(0) => return Poll::Ready(Err(Failure::Writing(io::ErrorKind::WriteZero.into()))),
                Ok(written) => {
                    self.start += written;
                    self.copied += written as u64;
                    self.needs_flush = true;
                }
                Err(error) => return Poll::Ready(Err(Failure::Writing(error))),
            }
        }
        if self.state == State::Ending {
            let ended = ready!(Pin::new(&mut *writer).poll_shutdown(context));
            self.state = State::Ended;
            // A writer that is gone needs no end.
            return Poll::Ready(match ended {
                Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(Failure::Writing(error)),
                _ => Ok(()),
            });
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what is there.
    fn fill<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        let mut buffer = self.buffer.take().unwrap_or_else(buffers::take);
        let mut read = ReadBuf::new(&mut buffer);
        let outcome = Pin::new(reader).poll_read(context, &mut read);
        let came = read.filled().len();
        match outcome {
            Poll::Ready(Ok(())) if came > 0 => {
                (self.start, self.end) = (0, came);
                self.buffer = Some(buffer);
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(Ok(())) => self.state = State::Ending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::Reading(error))),
            Poll::Pending => {}
        }
        buffers::give_back(buffer);
        if self.needs_flush {
            ready!(Pin::new(writer).poll_flush(context)).map_err(Failure::Writing)?;
            self.needs_flush = false;
        }
        if outcome.is_pending() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn all_bytes_arrive_and_each_end_is_passed_on() {
        let (mut client, front) = duplex(1_000);
        let (back, mut service) = duplex(77);
        let relay = tokio::spawn(async move {
            let mut relay = Relay::new(front, back);
            let ended = (&mut relay).await.map_err(|(side, _)| side);
            (ended, relay.transferred(), relay.to_client.buffer.is_none())
        });
        let question: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let asked = question.clone();
        let asking = tokio::spawn(async move {
            client.write_all(&asked).await.expect("written");
            client.shutdown().await.expect("ended");
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.expect("read");
            answer
        });
        let mut came = Vec::new();
        service.read_to_end(&mut came).await.expect("read");
        assert_eq!(came, question);
        // Its own side is still open.
        service.write_all(b"an answer").await.expect("written");
        drop(service);
        assert_eq!(asking.await.expect("no panic"), b"an answer");
        let (ended, transferred, has_no_buffer) = relay.await.expect("no panic");
        assert_eq!(ended, Ok(Side::Client));
        assert_eq!(transferred, Transferred { to_upstream: 100_000, to_client: 9 });
        assert!(has_no_buffer);
    }
}
