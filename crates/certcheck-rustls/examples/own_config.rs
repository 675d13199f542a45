//! A `rustls::ServerConfig` of your own, with the verifier in it, in the accept loop of tokio-rustls.

use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use certcheck_rustls::rustls::{ServerConfig, crypto::ring, server::NoServerSessionStorage};
use certcheck_rustls::tokio::{self, io::AsyncWriteExt, net::TcpListener, net::TcpStream, time::timeout};
use certcheck_rustls::tokio_rustls::TlsAcceptor;
use certcheck_rustls::{ClientVerifier, Engine, Identity, KeyRing, Policy, Revocation};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let ring = KeyRing::from_paths(&["ring"])?;
    let policy = Policy::client(Revocation::HardFail);
    let engine = Arc::new(Engine::builder(ring, policy).proxy_from_env().build()?);
    // The verifier knows what is in memory. This fetches what concerns the CAs of the ring.
    engine.prefetch_ring(engine.now(), Duration::from_secs(10)).await;
    let acceptor = TlsAcceptor::from(Arc::new(config(&engine)?));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (io, peer) = listener.accept().await?;
        let (acceptor, engine) = (acceptor.clone(), Arc::clone(&engine));
        tokio::spawn(async move {
            if let Err(error) = serve(io, acceptor, &engine).await {
                println!("{peer}: {error}");
            }
        });
    }
}

fn config(engine: &Arc<Engine>) -> Result<ServerConfig, Failure> {
    let chain = CertificateDer::pem_file_iter("server.pem")?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file("server.key")?;
    let verifier = ClientVerifier::builder(Arc::clone(engine)).build()?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)?;
    // rustls does not ask the verifier when a session resumes. So no session may resume.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

async fn serve(io: TcpStream, acceptor: TlsAcceptor, engine: &Engine) -> Result<(), Failure> {
    let mut stream = timeout(Duration::from_secs(10), acceptor.accept(io)).await??;
    let chain = stream.get_ref().1.peer_certificates().ok_or("no certificate")?;
    // The verifier has accepted this chain a moment ago: all that the check needs is in memory.
    let report = engine.check_cached(chain, engine.now());
    let identity = Identity::of(&report.details().view())?;
    stream.write_all(format!("you are {}\n", identity.subject()).as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}
