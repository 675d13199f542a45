//! The transport that holds back the end of a handshake until the verdict.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ContentType;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::handshake_context::HandshakeContext;

/// Bytes that may be held back: a Finished, or a few tickets.
const MOST_HELD: usize = 32 << 10;

/// The transport under an admitted stream. Until the verdict it holds back what the server writes after the client has
/// proved possession: in TLS 1.2 ChangeCipherSpec and Finished, in TLS 1.3 the tickets.
#[derive(Debug)]
pub struct Gate<IO> {
    io: IO,
    /// `None` once it is open.
    context: Option<Arc<HandshakeContext>>,
    held: Vec<u8>,
}

impl<IO> Gate<IO> {
    pub(super) const fn new(io: IO, context: Arc<HandshakeContext>) -> Self {
        Self { io, context: Some(context), held: Vec::new() }
    }

    /// The transport.
    pub const fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The transport. Reading from it or writing to it breaks the TLS stream above.
    pub const fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// Returns the transport alone.
    pub fn into_inner(self) -> IO {
        self.io
    }

    /// After a failed handshake: keeps what is held only if it is an alert. A client that breaks off its handshake
    /// with invalid bytes after its own Finished is sent neither the server's Finished nor tickets, because it has no
    /// verdict.
    pub(super) fn keep_alert_alone(&mut self) {
        let has_tickets = self.context.as_ref().is_some_and(|context| context.has_offered());
        let has_finished = self.held.first() == Some(&u8::from(ContentType::ChangeCipherSpec));
        if has_tickets || has_finished {
            self.held = Vec::new();
        }
    }

    /// Drops what is held. Returns whether there was anything.
    pub(super) fn drop_held(&mut self) -> bool {
        !core::mem::take(&mut self.held).is_empty()
    }

    fn holds(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.holds())
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Gate<IO> {
    /// Opens for good. What is held is written first.
    pub(super) async fn open(&mut self) -> io::Result<()> {
        self.context = None;
        let held = core::mem::take(&mut self.held);
        if !held.is_empty() {
            self.io.write_all(&held).await?;
            self.io.flush().await?;
        }
        Ok(())
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Gate<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Gate<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.holds() {
            if self.held.len() + bytes.len() > MOST_HELD {
                return Poll::Ready(Err(io::Error::other("more to hold back than a handshake can have")));
            }
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds() {
            let mut written = 0;
            for slice in slices {
                written += ready!(self.as_mut().poll_write(context, slice))?;
            }
            return Poll::Ready(Ok(written));
        }
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.holds() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.io).poll_flush(context) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
