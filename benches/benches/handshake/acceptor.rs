//! The acceptor beside tokio-rustls over the same pipe, the client's work included.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_rustls::{AcceptLimits, Acceptor, SessionPolicy};
use pki_types::ServerName;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::measure::Work;
use crate::scene::Scene;

const TLS13: crate::scene::Versions = &[&rustls::version::TLS13];

/// A runtime of one thread, and both acceptors.
pub(crate) struct AcceptorWorks {
    runtime: Runtime,
    connector: TlsConnector,
    certcheck: Acceptor,
    minimum: TlsAcceptor,
}

impl AcceptorWorks {
    pub(crate) fn new(scene: &Scene) -> Self {
        let (engine, limits) = (Arc::clone(&scene.engine), AcceptLimits::default());
        Self {
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
            connector: scene.known_client().into(),
            certcheck: Acceptor::new(scene.parts(TLS13), engine, SessionPolicy::never(), limits).unwrap(),
            minimum: scene.minimum(TLS13).into(),
        }
    }

    pub(crate) fn works(&self) -> [Work<'_>; 2] {
        [
            Work::new("floor, tokio-rustls", || {
                self.connect(async |io| assert!(self.minimum.accept(io).await.is_ok()))
            }),
            Work::new("certcheck, acceptor, known client", || {
                self.connect(async |io| assert!(self.certcheck.accept(io).await.is_ok()))
            }),
        ]
    }

    fn connect<F: Future<Output = ()>>(&self, accept: impl FnOnce(DuplexStream) -> F) -> Duration {
        let begun = Instant::now();
        self.runtime.block_on(async {
            let (near, far) = duplex(32 << 10);
            let name = ServerName::try_from("localhost").unwrap();
            let ((), client) = tokio::join!(accept(near), self.connector.connect(name, far));
            assert!(client.is_ok());
        });
        begun.elapsed()
    }
}
