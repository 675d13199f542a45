//! Streams to an engine, over TCP and TLS.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::link::Failed;
use super::trouble::Trouble;

/// What bytes go over.
pub(in crate::store) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection to a port. The addresses of a host are tried one after the other. The caller limits the time.
pub(in crate::store) async fn tcp(host: &str, port: u16) -> Result<Box<dyn Stream>, Failed> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| broken(&error))?;
    stream.set_nodelay(true).map_err(|error| broken(&error))?;
    Ok(Box::new(stream))
}

/// The same over TLS: the certificate must be valid for the host.
pub(in crate::store) async fn over_tls(
    tls: Arc<ClientConfig>,
    host: &str,
    stream: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, Failed> {
    let unreachable = |error: &dyn core::fmt::Display| Failed {
        trouble: Trouble::Unreachable,
        detail: format!("TLS: {error}"),
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| unreachable(&error))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|error| unreachable(&error))?))
}

/// The trouble of a connection that broke, or was not made.
pub(in crate::store) fn broken(error: &std::io::Error) -> Failed {
    Failed { trouble: Trouble::Unreachable, detail: error.to_string() }
}
