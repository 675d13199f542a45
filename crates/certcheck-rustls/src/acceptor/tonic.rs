//! The clients of a listener for `tonic::transport::Server`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::net::TcpStream;
use tonic::transport::server::Connected;

use super::admitted::{Admitted, Client};
use super::incoming::Incoming;

/// For `serve_with_incoming`.
impl Stream for Incoming {
    type Item = Result<Admitted<TcpStream>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_accept(context).map(|(client, _)| Some(Ok(client)))
    }
}

/// The value in the extensions of each request.
impl<IO> Connected for Admitted<IO> {
    type ConnectInfo = Client;

    fn connect_info(&self) -> Client {
        self.client().clone()
    }
}
