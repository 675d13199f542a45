//! TLS between a peer and a validation listener: the peer has a certificate of its own, which takes the place of the secret.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::rustls::Error;
use certcheck_rustls::rustls::crypto::CryptoProvider;
use certcheck_rustls::{AcceptLimits, Acceptor, ClientAuth, Engine, ServerParts, SessionPolicy};

use crate::certificates::Certificates;
use crate::config::{ValidationConfig, ValidationProtocol};

/// From the first byte of a handshake to the verdict about the peer.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What accepts peers. No session resumes: proxies keep their connections.
pub(super) fn acceptor(
    config: &ValidationConfig,
    own: &Arc<Certificates>,
    engine: &Arc<Engine>,
    provider: &Arc<CryptoProvider>,
) -> Result<Acceptor, Error> {
    let protocols: &[&str] = match config.protocol {
        ValidationProtocol::Http => &["http/1.1"],
        ValidationProtocol::Grpc => &["h2"],
        ValidationProtocol::Spop => &[],
    };
    let parts = ServerParts::with_resolver(Arc::clone(provider), Arc::clone(own) as _)
        .client_auth(ClientAuth::Required)
        .alpn(protocols.iter().copied());
    let pending = NonZeroUsize::new(config.limits.max_connections).unwrap_or(NonZeroUsize::MIN);
    let limits = AcceptLimits::default().with_deadline(HANDSHAKE).with_pending(pending);
    Acceptor::new(parts, Arc::clone(engine), SessionPolicy::never(), limits)
}
