//! Admitted clients of a listener, one after the other.

use core::fmt;
use core::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tracing::warn;

use super::Acceptor;
use super::admitted::Admitted;

/// How long to wait after a connection could not be accepted, because there are no file descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// The admitted clients of a listener; see [`Acceptor::incoming`]. It stops listening when it is dropped.
///
/// With the feature `axum` it is a listener for `axum::serve`, and [`Client`](super::Client) is what `ConnectInfo<Client>`
/// gives to handlers. With the feature `tonic` it is a stream for `serve_with_incoming`, and each request has the `Client` in
/// its extensions.
pub struct Incoming {
    admitted: Receiver<(Admitted<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    listening: JoinHandle<()>,
    are_cut: bool,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Acceptor {
    /// Returns the admitted clients of a listener. Each handshake runs in a task of its own, so a slow client does
    /// not hold up others. A client that is not admitted is reported by an event alone (see `docs/observability.md`).
    ///
    /// At most [`AcceptLimits::pending`](super::AcceptLimits::pending) connections are in a handshake or wait to be
    /// taken. Beyond that no connection is accepted.
    ///
    /// # Errors
    /// If the listener has no address.
    ///
    /// # Panics
    /// If it is called outside a runtime of tokio.
    pub fn incoming(&self, listener: TcpListener) -> io::Result<Incoming> {
        let address = listener.local_addr()?;
        let (sender, admitted) = mpsc::channel(self.shared.max_pending);
        let acceptor = self.clone();
        let listening = tokio::spawn(async move {
            // It ends when the receiver is dropped.
            while let Ok(place) = sender.clone().reserve_owned().await {
                let (io, peer) = next(&listener).await;
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(client) = acceptor.accept_from(io, peer).await {
                        place.send((client, peer));
                    }
                });
            }
        });
        Ok(Incoming { admitted, address, listening, are_cut: false })
    }
}

impl Incoming {
    /// The next client that is admitted, and its address.
    pub async fn accept(&mut self) -> (Admitted<TcpStream>, SocketAddr) {
        poll_fn(|context| self.poll_accept(context)).await
    }

    pub(super) fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<(Admitted<TcpStream>, SocketAddr)> {
        match ready!(self.admitted.poll_recv(context)) {
            Some((client, peer)) if self.are_cut => Poll::Ready((client.until_refused(), peer)),
            Some(client) => Poll::Ready(client),
            // The runtime is shutting down, and the caller's task with it.
            None => Poll::Pending,
        }
    }

    /// Makes the stream of each client end once it would be refused; see [`Admitted::until_refused`].
    #[must_use]
    pub const fn until_refused(mut self) -> Self {
        self.are_cut = true;
        self
    }

    /// The address that is listened on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// The next connection. A connection that cannot be accepted does not end the server.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                warn!(name: "connection-not-accepted", target: "certcheck::client", %error, "connection not accepted");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
