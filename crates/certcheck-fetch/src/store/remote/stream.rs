//! Streams to an engine, over TCP and TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
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

/// How long something may take to be written.
const WRITE: Duration = Duration::from_secs(5);

/// Something that is written, unless the engine reads nothing.
pub(in crate::store) async fn in_time(
    written: impl Future<Output = std::io::Result<()>>,
) -> Result<(), Failed> {
    match timeout(WRITE, written).await {
        Ok(written) => written.map_err(|error| broken(&error)),
        Err(_) => {
            let detail = format!("the engine read nothing for {WRITE:?}");
            Err(Failed { trouble: Trouble::Slow, detail })
        }
    }
}

/// The trouble of a connection that broke, or was not made.
pub(in crate::store) fn broken(error: &std::io::Error) -> Failed {
    Failed { trouble: Trouble::Unreachable, detail: error.to_string() }
}
