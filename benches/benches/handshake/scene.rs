//! Servers of each kind over one PKI, and the clients that come to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use certcheck_benches::pki::{Pki, ROOT};
use certcheck_benches::{CA, ca_key, crl};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::{Engine, Guard};
use certcheck_rustls::ServerParts;
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Key, name};
use pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring::{default_provider, kx_group, sign};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};

pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];

const NOW: u64 = 1_798_848_000;
const WITHIN: Duration = Duration::from_secs(60);
/// Clients that come one after another before the first comes again, forgotten.
const STRANGERS: usize = 2_000;

fn now() -> Time {
    Time::from_unix(NOW.cast_signed())
}

/// The same time for all.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: vec![kx_group::X25519], ..default_provider() })
}

fn key(key: &Key) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.pkcs8()).into()
}

/// Certificates of clients, each in its turn.
#[derive(Debug)]
pub(crate) struct Turns {
    all: Vec<Arc<CertifiedKey>>,
    next: AtomicUsize,
}

impl Turns {
    /// Whether all had their turn, and the first is next.
    pub(crate) fn are_over(&self) -> bool {
        self.next.load(Ordering::Relaxed).is_multiple_of(self.all.len())
    }

    pub(crate) fn next(&self) -> &Arc<CertifiedKey> {
        &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

impl ResolvesClientCert for Turns {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(self.next()))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes every certificate, and the handshake's signature only if it is right: nobody can do less.
#[derive(Debug)]
struct Floor {
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Floor {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _issuers: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The PKI, and an engine that has all evidence about it: a CRL of a million entries, the root's, and OCSP for the client
/// that is known.
pub(crate) struct Scene {
    pki: Pki,
    pub(crate) engine: Arc<Engine>,
    known: Vec<CertificateDer<'static>>,
    _evidence: Server,
}

fn owned(chain: Vec<Vec<u8>>) -> Vec<CertificateDer<'static>> {
    chain.into_iter().map(CertificateDer::from).collect()
}

impl Scene {
    pub(crate) fn new() -> Self {
        let evidence = Server::start();
        let pki = Pki::new(evidence.url("/").trim_end_matches('/'));
        evidence.serve("/root.crl", Page::new(pki.root_crl()));
        evidence.serve("/ca.crl", Page::new(crl(1_000_000).0));
        let responder = OcspResponder::new(CA, ca_key());
        evidence.serve_with("/ocsp", responder.handler());
        let known = pki.client_with_ocsp(0);
        responder.good(&known.serial);
        let mut ring = RingBuilder::new();
        ring.add("root", &pki.root(), Placement::Anchor).unwrap();
        let engine = Engine::builder(ring.build().unwrap(), Policy::client(Revocation::HardFail))
            .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
            .refreshes(false)
            .clock(now)
            .build()
            .unwrap();
        let known = owned(pki.chain(&known));
        let scene = Self { pki, engine: Arc::new(engine), known, _evidence: evidence };
        // One without a responder, so that the CRL is had.
        scene.accept(&owned(scene.pki.chain(&scene.pki.client(1))));
        scene.meet_known();
        scene
    }

    fn accept(&self, chain: &[CertificateDer<'_>]) {
        let report = self.engine.check_blocking(chain, now(), WITHIN);
        assert!(report.is_accepted(), "{report:?}");
    }

    /// From here on the known client is known.
    fn meet_known(&self) {
        self.accept(&self.known);
        assert!(self.engine.check_cached(&self.known, now()).is_of_known_path());
    }

    /// Forgets all clients but the one that is known.
    pub(crate) fn forget(&self) {
        self.engine.forget_paths();
        self.meet_known();
    }

    pub(crate) fn parts(&self, versions: Versions) -> ServerParts {
        let server = vec![CertificateDer::from(self.pki.server())];
        let server = CertifiedKey::from_der(server, key(&self.pki.server_key()), &provider()).unwrap();
        ServerParts::with_resolver(provider(), Arc::new(SingleCertAndKey::from(server))).versions(versions)
    }

    /// The verifier.
    pub(crate) fn certcheck(&self, versions: Versions) -> Arc<ServerConfig> {
        Arc::new(self.parts(versions).server_config(&self.engine).unwrap())
    }

    pub(crate) fn minimum(&self, versions: Versions) -> Arc<ServerConfig> {
        let hints = vec![DistinguishedName::from(name::name(ROOT))];
        let algorithms = provider().signature_verification_algorithms;
        self.server(versions, Some(Arc::new(Floor { hints, algorithms })))
    }

    /// rustls's own verifier, with the CA's CRL of so many entries and the root's, or with none.
    pub(crate) fn webpki(&self, versions: Versions, entries: Option<usize>) -> Arc<ServerConfig> {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider());
        let verifier = match entries {
            None => builder.build(),
            Some(entries) => {
                let crls = [self.pki.root_crl(), crl(entries).0].map(CertificateRevocationListDer::from);
                builder.with_crls(crls).enforce_revocation_expiration().build()
            }
        };
        self.server(versions, Some(verifier.unwrap()))
    }

    /// A server that asks for no certificate, where there is no verifier.
    pub(crate) fn server(
        &self,
        versions: Versions,
        verifier: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_details(provider(), Arc::new(Clock))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let chain = vec![self.pki.server().into()];
        let mut config = builder.with_single_cert(chain, key(&self.pki.server_key())).unwrap();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }

    /// The client that is known, again and again.
    pub(crate) fn known_client(&self) -> Arc<ClientConfig> {
        self.client(&self.turns(vec![self.known.clone()]))
    }

    /// Clients that were not seen yet; each set has others.
    pub(crate) fn strangers(&self, set: usize) -> Arc<Turns> {
        let client = |number| owned(self.pki.chain(&self.pki.client(number)));
        self.turns((0..STRANGERS).map(|n| client(2 + set * STRANGERS + n)).collect())
    }

    fn turns(&self, chains: Vec<Vec<CertificateDer<'static>>>) -> Arc<Turns> {
        let key = sign::any_supported_type(&key(&self.pki.client_key())).unwrap();
        let all = chains.into_iter().map(|chain| Arc::new(CertifiedKey::new(chain, Arc::clone(&key))));
        Arc::new(Turns { all: all.collect(), next: AtomicUsize::new(0) })
    }

    pub(crate) fn client(&self, turns: &Arc<Turns>) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Clock))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots())
            .with_client_cert_resolver(Arc::clone(turns) as _);
        config.resumption = Resumption::disabled();
        Arc::new(config)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.root().into()).unwrap();
        roots
    }

    /// The known client and its issuer.
    pub(crate) fn known(&self) -> &[CertificateDer<'static>] {
        &self.known
    }

    /// What a check takes that is answered from memory.
    pub(crate) fn check(&self, chain: &[CertificateDer<'static>]) -> Duration {
        let begun = Instant::now();
        let report = self.engine.check_cached(chain, now());
        let spent = begun.elapsed();
        assert!(report.is_accepted());
        spent
    }
}
