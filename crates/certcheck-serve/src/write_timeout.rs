//! A connection that ends if its peer takes nothing for too long: what is sent to it takes memory meanwhile.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection whose peer has so long to take something.
pub(crate) struct WriteTimeout<S> {
    io: S,
    within: Duration,
    /// Runs while the peer takes nothing.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub(crate) const fn new(io: S, within: Duration) -> Self {
        Self { io, within, waiting: None }
    }

    /// The outcome of an attempt to write, or an error once the time is over.
    fn bounded<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let within = self.within;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(within)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.bounded(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.bounded(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.io).poll_shutdown(context);
        self.bounded(context, ended)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_left() {
        let (ours, mut theirs) = duplex(16);
        let mut io = WriteTimeout::new(ours, WITHIN);
        io.write_all(&[7; 16]).await.expect("there is room");
        assert_eq!(io.write_all(&[7; 16]).await.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        theirs.shutdown().await.expect("still open");
    }

    /// Each byte comes in time, and all of them take far longer.
    #[tokio::test(start_paused = true)]
    async fn one_that_takes_little_is_not() {
        let (ours, mut slow) = duplex(1);
        let mut io = WriteTimeout::new(ours, WITHIN);
        let taken = tokio::spawn(async move {
            let mut taken = 0;
            while slow.read_u8().await.is_ok() {
                taken += 1;
                sleep(WITHIN.mul_f64(0.9)).await;
            }
            taken
        });
        io.write_all(&[7; 20]).await.expect("it is taken");
        drop(io);
        assert_eq!(taken.await.expect("no panic"), 20);
    }
}
