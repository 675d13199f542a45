//! A client that is accepted.

use core::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use certcheck_fetch::{CheckReport, Ended, Engine, Watch};
use pki_types::CertificateDer;
use rustls::HandshakeKind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gate::Gate;
use crate::identity::{Identity, IdentityError};

/// A TLS stream over its transport.
pub type TlsStream<IO> = tokio_rustls::server::TlsStream<Gate<IO>>;

/// A client that is accepted, and the report of its check.
#[derive(Clone)]
pub struct Client {
    pub(super) engine: Arc<Engine>,
    pub(super) report: Option<CheckReport>,
    pub(super) presented: Arc<[CertificateDer<'static>]>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) is_resumed: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("report", &self.report)
            .field("is_resumed", &self.is_resumed)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The report of the check. `None` if there was nothing to check: no certificate was sent, or
    /// [`ClientAuth::PassThru`](crate::ClientAuth::PassThru) accepts all.
    #[must_use]
    pub const fn report(&self) -> Option<&CheckReport> {
        self.report.as_ref()
    }

    /// The chain that the client presented, its own certificate first. Empty if there was none. With
    /// [`ClientAuth::PassThru`](crate::ClientAuth::PassThru) nothing in it is verified.
    #[must_use]
    pub fn presented(&self) -> &[CertificateDer<'static>] {
        &self.presented
    }

    /// The client's address, if the acceptor was given it.
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The identity of the client. `None` if nothing was checked.
    ///
    /// # Errors
    /// As [`Identity::of`]: only if the report does not accept, which no admitted client's report does.
    pub fn identity(&self) -> Option<Result<Identity, IdentityError>> {
        self.report.as_ref().map(|report| Identity::of(&report.details().view()))
    }

    /// Whether a session resumed. It was checked like any other.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// A future that resolves once this client would be refused: within a second of the evidence's arrival, of the
    /// end of its certificate, or of a change of ring and policy. `None` if nothing was checked.
    pub fn watch(&self) -> Option<Watch> {
        let watch = self.report.as_ref().map(|report| self.engine.watch(report, &self.presented))?;
        Some(match self.peer {
            Some(peer) => watch.from_peer(peer),
            None => watch,
        })
    }
}

/// The stream of a client that is accepted. It is returned with its verdict and never before.
pub struct Admitted<IO> {
    pub(super) stream: TlsStream<IO>,
    pub(super) client: Client,
    pub(super) cut_off: CutOff,
}

/// When a stream ends by itself.
pub(super) enum CutOff {
    Never,
    /// When this watch ends.
    Watched(Watch),
    /// Now: the client would be refused, with this code.
    Refused(&'static str),
}

impl<IO> fmt::Debug for Admitted<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").field("client", &self.client).finish_non_exhaustive()
    }
}

impl<IO> Admitted<IO> {
    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The report of the check. See [`Client::report`].
    #[must_use]
    pub const fn report(&self) -> Option<&CheckReport> {
        self.client.report()
    }

    /// See [`Client::watch`].
    pub fn watch(&self) -> Option<Watch> {
        self.client.watch()
    }

    /// Makes the stream end by itself once this client would be refused: reads and writes then fail with
    /// [`ConnectionAborted`](ErrorKind::ConnectionAborted). What is in its buffers is lost. To end a connection in an
    /// orderly way, use [`Client::watch`].
    pub fn until_refused(mut self) -> Self {
        self.cut_off = self.client.watch().map_or(CutOff::Never, CutOff::Watched);
        self
    }

    /// The protocol that was agreed on (RFC 7301).
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.stream.get_ref().1.alpn_protocol()
    }

    /// The stream and the client. The stream does not end by itself: [`Admitted::until_refused`] has no effect on it.
    #[must_use]
    pub fn into_parts(self) -> (TlsStream<IO>, Client) {
        (self.stream, self.client)
    }
}

pub(super) fn is_resumed<IO>(stream: &TlsStream<IO>) -> bool {
    stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
}

impl<IO> Admitted<IO> {
    /// Fails if the client would be refused now.
    fn poll_watch(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let CutOff::Watched(watch) = &mut self.cut_off
            && let Poll::Ready(ended) = Pin::new(watch).poll(context)
        {
            self.cut_off = match ended {
                Ended::Rejected(report) => CutOff::Refused(report.code()),
                // The engine is gone, and nothing further is known.
                _ => CutOff::Never,
            };
        }
        match self.cut_off {
            CutOff::Refused(code) => Err(io::Error::new(ErrorKind::ConnectionAborted, code)),
            CutOff::Watched(_) | CutOff::Never => Ok(()),
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Admitted<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_watch(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Admitted<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_watch(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_watch(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
