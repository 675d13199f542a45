//! A gRPC server with tonic. Each call sees who makes it.

use std::sync::Arc;

use certcheck_rustls::tokio::{self, net::TcpListener};
use certcheck_rustls::{Engine, KeyRing, Policy, Revocation, ServerParts};
use tonic::transport::Server;

// Your service. It finds the `Client` in the extensions of each request.
#[path = "common/greeter.rs"]
mod greeter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let ring = KeyRing::from_paths(&["ring"])?;
    let engine = Engine::builder(ring, Policy::client(Revocation::HardFail)).proxy_from_env().build()?;
    let parts = ServerParts::from_pem_files("server.pem", "server.key")?.alpn(["h2"]);
    let acceptor = parts.acceptor(&Arc::new(engine))?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
    let clients = acceptor.incoming(TcpListener::bind(address).await?)?.until_refused();
    println!("listening on {}", clients.local_addr());
    Server::builder().add_service(greeter::Greeter).serve_with_incoming(clients).await?;
    Ok(())
}
