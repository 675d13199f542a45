//! Handshakes over loopback as the client, its own work included: what is added to a handshake that asks for no certificate.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use certcheck_fetch::Engine;
use certcheck_forge::{Cert, Key, ext};
use certcheck_rustls::{AcceptLimits, Acceptor, ClientAuth, ServerParts, SessionPolicy};
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
use tokio_rustls::rustls::crypto::aws_lc_rs as provider;
#[cfg(feature = "ring")]
use tokio_rustls::rustls::crypto::ring as provider;

use super::Bench;
use super::stats::{Samples, Summary};
use crate::flags::BenchArguments;
use crate::setup;

/// Handshakes that each round makes.
const A_ROUND: usize = 20;
const NAME: &str = "localhost";

/// Handshakes of one kind: until the first byte of the application is with the client.
#[derive(Serialize)]
pub(crate) struct HandshakeFigures {
    pub(crate) kind: &'static str,
    pub(crate) about: &'static str,
    pub(crate) elapsed: Option<Summary>,
    pub(crate) histogram: Vec<usize>,
}

/// The private key of the client, checked against its certificate before anything is measured.
///
/// # Errors
/// If the key cannot be read, or is not that of the first certificate.
pub(super) fn key(
    arguments: &BenchArguments,
    chain: &[CertificateDer<'static>],
) -> anyhow::Result<Option<PrivateKeyDer<'static>>> {
    let Some(path) = arguments.key.as_ref().filter(|_| arguments.handshake) else { return Ok(None) };
    let skew = setup::time(arguments.asked.at).unix().abs_diff(setup::time(None).unix());
    if skew > 60 {
        bail!("--handshake measures now: leave out --at");
    }
    let key = PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pki_types::pem::Error::NoItemsFound => {
            anyhow!("{}: holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1)", path.display())
        }
        error => anyhow!("{}: {error}", path.display()),
    })?;
    let signing = provider::default_provider().key_provider.load_private_key(key.clone_key());
    let signing = signing.map_err(|error| anyhow!("{}: cannot be used: {error}", path.display()))?;
    let own = rustls::sign::CertifiedKey::new(chain.to_vec(), signing);
    match own.keys_match() {
        // A provider that cannot tell leaves it to the handshake.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Some(key)),
        Err(rustls::Error::InconsistentKeys(_)) => bail!(
            "{}: is not the private key of the certificate in {}",
            path.display(),
            arguments.input.display()
        ),
        Err(error) => bail!("{}: {error}", path.display()),
    }
}

impl Bench<'_> {
    /// No certificate, one whose client was not seen before, and one that is known.
    pub(super) fn handshakes(&self, key: PrivateKeyDer<'static>) -> anyhow::Result<Vec<HandshakeFigures>> {
        let engine = Arc::new(self.whole()?.build()?);
        // What is to be measured is the handshake, not the network.
        let report = engine.check_blocking(&self.chain, self.now, self.within);
        if !report.is_accepted() {
            bail!("no handshake: {}", report.code());
        }
        let server = Server::new()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (mut none, mut first, mut known) = (Samples::default(), Samples::default(), Samples::default());
        let open = server.acceptor(&engine, ClientAuth::PassThru)?;
        let closed = server.acceptor(&engine, ClientAuth::Required)?;
        let stranger = server.client(None)?;
        let client = server.client(Some((self.chain.clone(), key)))?;
        runtime.block_on(async {
            for _ in 0..self.arguments.rounds {
                for _ in 0..A_ROUND {
                    none.push(handshake(&open, &stranger).await?);
                    engine.forget_paths();
                    first.push(handshake(&closed, &client).await?);
                    known.push(handshake(&closed, &client).await?);
                }
                self.tick();
            }
            anyhow::Ok(())
        })?;
        let figures = |samples: &Samples, kind, about| HandshakeFigures {
            kind,
            about,
            elapsed: samples.summary(),
            histogram: samples.histogram(),
        };
        Ok(vec![
            figures(&none, "none", "the client shows no certificate"),
            figures(
                &first,
                "first-seen",
                "it shows one that was not seen before: path and revocation are checked",
            ),
            figures(&known, "known", "it shows one that is known: revocation is looked up"),
        ])
    }
}

/// A service with a certificate of its own making.
struct Server {
    chain: Vec<CertificateDer<'static>>,
    key: Key,
}

impl Server {
    fn new() -> anyhow::Result<Self> {
        // Nobody trusts it but the client in this process, for as long as it runs.
        let seed = crate::secret::secret()?;
        let (root, key) = (Key::p256(&format!("root {seed}")), Key::p256(&format!("server {seed}")));
        let leaf = Cert::leaf("CN=localhost", &key, "CN=Bench", &root)
            .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])])
            .issue(&root);
        let root = Cert::root("CN=Bench", &root).issue(&root);
        Ok(Self { chain: vec![leaf.into(), root.into()], key })
    }

    fn acceptor(&self, engine: &Arc<Engine>, auth: ClientAuth) -> anyhow::Result<Acceptor> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.pkcs8()));
        let parts = ServerParts::new(self.chain[..1].to_vec(), key)?.client_auth(auth);
        let sessions = SessionPolicy::default();
        Ok(Acceptor::new(parts, Arc::clone(engine), sessions, AcceptLimits::default())?)
    }

    /// One that resumes nothing: each handshake is a whole one.
    fn client(
        &self,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> anyhow::Result<TlsConnector> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.chain[1].clone())?;
        let provider = Arc::new(provider::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
            None => builder.with_no_client_auth(),
        };
        config.resumption = rustls::client::Resumption::disabled();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// One connection, from TCP to the first byte that the application sends.
async fn handshake(acceptor: &Acceptor, client: &TlsConnector) -> anyhow::Result<Duration> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let acceptor = acceptor.clone();
    let serving = tokio::spawn(async move {
        let (io, _) = listener.accept().await.map_err(|error| anyhow!("{error}"))?;
        io.set_nodelay(true).map_err(|error| anyhow!("{error}"))?;
        let admitted = acceptor.accept(io).await.map_err(|error| anyhow!("{error}"))?;
        let (mut stream, _) = admitted.into_parts();
        stream.write_all(b"!").await.map_err(|error| anyhow!("{error}"))?;
        stream.shutdown().await.map_err(|error| anyhow!("{error}"))
    });
    let begun = std::time::Instant::now();
    let talk = async {
        let io = TcpStream::connect(address).await?;
        io.set_nodelay(true)?;
        let mut stream = client.connect(ServerName::try_from(NAME)?, io).await?;
        stream.read_u8().await?;
        anyhow::Ok(begun.elapsed())
    };
    let talked = talk.await;
    // What the server says tells more than a connection that was closed.
    serving.await??;
    talked
}
