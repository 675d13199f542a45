//! Streams to an engine: over TCP, TLS or a socket of the system.

use std::sync::Arc;

use redis::{ConnectionAddr, ConnectionInfo};
use rustls::ClientConfig;

use crate::store::remote::{Failed, Stream, Trouble, broken, over_tls, tcp};

/// Connects. `tls` is for addresses that name it. The caller limits the time.
pub(super) async fn connect(
    info: &ConnectionInfo,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>, Failed> {
    match (info.addr(), tls) {
        (ConnectionAddr::Tcp(host, port), _) => tcp(host, *port).await,
        (ConnectionAddr::TcpTls { host, port, .. }, Some(tls)) => {
            over_tls(Arc::clone(tls), host, tcp(host, *port).await?).await
        }
        (ConnectionAddr::Unix(path), _) => {
            let stream = tokio::net::UnixStream::connect(path).await;
            Ok(Box::new(stream.map_err(|error| broken(&error))?))
        }
        _ => {
            let detail = "an address of this kind cannot be connected to".to_owned();
            Err(Failed { trouble: Trouble::Unreachable, detail })
        }
    }
}
