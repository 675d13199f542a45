//! An echo server. It accepts clients whose certificate is good, and ends a connection once its client is revoked.

use std::sync::Arc;

use certcheck_rustls::tokio::{self, io, net::TcpListener};
use certcheck_rustls::{Engine, KeyRing, Policy, Revocation, ServerParts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The CAs that clients are checked against: PEM or DER files in the folder `ring`.
    let ring = KeyRing::from_paths(&["ring"])?;
    let policy = Policy::client(Revocation::HardFail);
    // CRLs and OCSP responses are fetched directly, unless HTTP_PROXY names a proxy.
    let engine = Arc::new(Engine::builder(ring, policy).proxy_from_env().build()?);
    let acceptor = ServerParts::from_pem_files("server.pem", "server.key")?.acceptor(&engine)?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (io, peer) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor.accept_from(io, peer).await {
                Ok(client) => {
                    println!("{peer}: accepted");
                    let (mut reader, mut writer) = io::split(client.until_refused());
                    if let Err(error) = io::copy(&mut reader, &mut writer).await {
                        println!("{peer}: {error}");
                    }
                }
                Err(error) => println!("{peer}: {error}"),
            }
        });
    }
}
