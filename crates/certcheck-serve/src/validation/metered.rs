//! A connection of HTTP/1.1 whose bytes count, from the first one of a request until it is answered.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::context::Context;
use super::held::HeldBytes;
use crate::listener::Peer;

/// What has come in over a connection and is not answered yet.
pub(super) struct Meter {
    context: Context,
    peer: Peer,
    counted: Mutex<Counted>,
}

struct Counted {
    held: HeldBytes,
    /// The head of a request is there, and it is answered.
    is_asked: bool,
    /// Bytes came beyond the limit.
    is_over: bool,
}

impl Meter {
    pub(super) fn new(context: &Context, peer: Peer) -> Arc<Self> {
        let counted = Counted { held: context.lasting.bytes.of(peer), is_asked: false, is_over: false };
        Arc::new(Self { context: context.clone(), peer, counted: Mutex::new(counted) })
    }

    /// The head of a request is there.
    pub(super) fn begin(&self) {
        self.counted().is_asked = true;
    }

    /// The request is answered, and what it held is free.
    pub(super) fn end(&self) {
        let mut counted = self.counted();
        (counted.is_asked, counted.is_over) = (false, false);
        counted.held.release();
    }

    /// Whether the request is within the limit so far.
    pub(super) fn is_within(&self) -> bool {
        !self.counted().is_over
    }

    /// Holds nothing of a request that is refused, whatever is still to come of it.
    pub(super) fn give_up(&self) {
        let mut counted = self.counted();
        counted.is_over = true;
        counted.held.release();
    }

    /// Counts bytes that have come in. Whether the connection goes on: a request whose head is there can be refused, and
    /// one whose head takes more than one read beyond the limit cannot.
    fn came(&self, bytes: usize) -> bool {
        let mut counted = self.counted();
        if counted.is_asked && counted.is_over {
            return true;
        }
        let is_held = self.context.hold(&mut counted.held, self.peer, bytes);
        let was_over = counted.is_over;
        counted.is_over |= !is_held;
        is_held || counted.is_asked || !was_over
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection with its meter.
pub(super) struct Metered<S> {
    pub(super) io: S,
    pub(super) meter: Arc<Meter>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(task, buffer))?;
        if self.meter.came(buffer.filled().len() - before) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::Error::other("too many bytes of requests are held")))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(task, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
