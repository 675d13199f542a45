//! What a listener does at present: its configuration, and TLS by it. A reload replaces it as a whole.

use std::num::NonZeroUsize;
use std::sync::Arc;

use certcheck_rustls::rustls::crypto::CryptoProvider;
use certcheck_rustls::rustls::server::NoServerSessionStorage;
use certcheck_rustls::rustls::version::{TLS12, TLS13};
use certcheck_rustls::rustls::{Error, ServerConfig, SupportedProtocolVersion};
use certcheck_rustls::tokio_rustls::TlsAcceptor;
use certcheck_rustls::{AcceptLimits, Acceptor, ClientAuth, Engine, ServerParts, SessionPolicy};
use tokio::sync::Semaphore;

use crate::certificates::Certificates;
use crate::config::{ClientCertificate, ListenerConfig, TlsVersion};
use crate::proxy::UpstreamHealth;

/// What a listener does at present.
pub(crate) struct Active {
    pub(crate) config: ListenerConfig,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) tls: Tls,
    /// Whether its service can be reached.
    pub(crate) upstream: Arc<UpstreamHealth>,
}

/// The server's side of TLS.
#[derive(Clone)]
pub(crate) enum Tls {
    /// Clients are asked for a certificate, which is checked.
    Checked(Acceptor),
    /// Clients are not asked for a certificate. So many handshakes go on at once.
    Unchecked(TlsAcceptor, Arc<Semaphore>),
}

impl Active {
    /// By a configuration. TLS goes on unchanged where nothing about it has changed, and its sessions with it.
    pub(crate) fn new(
        config: ListenerConfig,
        certificates: Arc<Certificates>,
        engine: Option<&Arc<Engine>>,
        upstream: Arc<UpstreamHealth>,
        provider: &Arc<CryptoProvider>,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let unchanged = before.filter(|before| before.has_same_tls(&config, engine));
        let tls = match unchanged {
            Some(before) => before.tls.clone(),
            None => tls(&config, &certificates, engine, provider)?,
        };
        Ok(Self { config, certificates, tls, upstream })
    }

    /// The engine that checks clients. `None` if they are not asked for a certificate.
    pub(crate) fn engine(&self) -> Option<&Arc<Engine>> {
        match &self.tls {
            Tls::Checked(acceptor) => Some(acceptor.engine()),
            Tls::Unchecked(..) => None,
        }
    }

    fn has_same_tls(&self, config: &ListenerConfig, engine: Option<&Arc<Engine>>) -> bool {
        let is_same_engine = match (self.engine(), engine) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        // The files are those of the resolver, which is given other certificates on its own.
        let tls = |config: &ListenerConfig| {
            let mut tls = config.tls.clone();
            tls.certificates.clear();
            (tls, config.client_auth, config.limits.handshake_timeout, config.limits.max_handshakes)
        };
        is_same_engine && tls(&self.config) == tls(config)
    }
}

fn tls(
    config: &ListenerConfig,
    certificates: &Arc<Certificates>,
    engine: Option<&Arc<Engine>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Tls, Error> {
    let tls = &config.tls;
    let provider = with_suites(config, provider);
    let versions = versions(&tls.versions);
    let has_order = !tls.suites.is_empty();
    let max_handshakes = NonZeroUsize::new(config.limits.max_handshakes).unwrap_or(NonZeroUsize::MIN);
    let auth = match config.client_auth {
        ClientCertificate::Required => ClientAuth::Required,
        ClientCertificate::Optional => ClientAuth::IfSent,
        ClientCertificate::None => {
            let mut server = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(versions)?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(certificates) as _);
            server.session_storage = Arc::new(NoServerSessionStorage {});
            server.send_tls13_tickets = 0;
            server.alpn_protocols = tls.alpn.iter().map(|protocol| protocol.clone().into_bytes()).collect();
            server.ignore_client_order = has_order;
            let places = Arc::new(Semaphore::new(max_handshakes.get()));
            return Ok(Tls::Unchecked(TlsAcceptor::from(Arc::new(server)), places));
        }
    };
    let engine = engine.ok_or_else(|| Error::General("no engine for this listener".to_owned()))?;
    let parts = ServerParts::with_resolver(provider, Arc::clone(certificates) as _)
        .client_auth(auth)
        .root_hints(tls.send_ca_names)
        .versions(versions)
        .alpn(tls.alpn.iter().map(String::as_str))
        .tune(move |server| server.ignore_client_order = has_order);
    let mut sessions = SessionPolicy::up_to(tls.session_max_age);
    sessions.max = tls.max_sessions;
    let limits =
        AcceptLimits::default().with_deadline(config.limits.handshake_timeout).with_pending(max_handshakes);
    Acceptor::new(parts, Arc::clone(engine), sessions, limits).map(Tls::Checked)
}

/// The provider with the suites of the configuration, in its order.
fn with_suites(config: &ListenerConfig, provider: &Arc<CryptoProvider>) -> Arc<CryptoProvider> {
    let wanted = &config.tls.suites;
    if wanted.is_empty() {
        return Arc::clone(provider);
    }
    let suite = |wanted| provider.cipher_suites.iter().find(|suite| suite.suite() == wanted).copied();
    let cipher_suites = wanted.iter().filter_map(|wanted| suite(*wanted)).collect();
    Arc::new(CryptoProvider { cipher_suites, ..CryptoProvider::clone(provider) })
}

fn versions(versions: &[TlsVersion]) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    let (newer, older) = BOTH.split_at(1);
    match (versions.contains(&TlsVersion::V1_2), versions.contains(&TlsVersion::V1_3)) {
        (true, false) => older,
        (false, true) => newer,
        _ => &BOTH,
    }
}
