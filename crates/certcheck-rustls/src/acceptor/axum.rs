//! The clients of a listener for `axum::serve`.

use std::io;
use std::net::SocketAddr;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::TcpStream;

use super::admitted::{Admitted, Client};
use super::incoming::Incoming;

impl Listener for Incoming {
    type Io = Admitted<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        Self::accept(self).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(Self::local_addr(self))
    }
}

/// What the extractor `ConnectInfo<Client>` gives to handlers.
impl Connected<IncomingStream<'_, Incoming>> for Client {
    fn connect_info(stream: IncomingStream<'_, Incoming>) -> Self {
        stream.io().client().clone()
    }
}
