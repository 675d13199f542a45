//! A stream from which no reply comes that is larger than anything certcheck asks for.
//!
//! The client of Redis reads a reply of any size into memory. So the replies are followed as they arrive, and the stream fails
//! before the client sees what is too large.

use std::io::{Error, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::reply::{ReplyLimits, ReplyParser};
use crate::store::remote::CHUNK;

/// The largest text that is asked for: a chunk, and one byte more.
const TEXT: u64 = CHUNK.get() as u64 + 1;
/// The largest reply: a listing has 500 keys of 100 bytes or so, and a chunk is a reply of its own.
const WHOLE: u64 = 1 << 20;

/// A stream of replies that have a bound.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    stream: S,
    parser: ReplyParser,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, parser: ReplyParser::new(ReplyLimits { text: TEXT, whole: WHOLE, kept: 0 }) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let mut arrived = buffer.filled().get(before..).unwrap_or_default();
        while self.parser.take(&mut arrived).map_err(Error::other)?.is_some() {}
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
