//! A web server with axum. Its handlers see who the client is.

use std::sync::Arc;

use axum::{Router, extract::ConnectInfo, routing::get};
use certcheck_rustls::tokio::{self, net::TcpListener};
use certcheck_rustls::{Client, Engine, KeyRing, Policy, Revocation, ServerParts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let ring = KeyRing::from_paths(&["ring"])?;
    let engine = Engine::builder(ring, Policy::client(Revocation::HardFail)).proxy_from_env().build()?;
    let parts = ServerParts::from_pem_files("server.pem", "server.key")?.alpn(["h2", "http/1.1"]);
    let acceptor = parts.acceptor(&Arc::new(engine))?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
    let clients = acceptor.incoming(TcpListener::bind(address).await?)?.until_refused();
    println!("listening on {}", clients.local_addr());
    let app = Router::new().route("/", get(hello));
    axum::serve(clients, app.into_make_service_with_connect_info::<Client>()).await?;
    Ok(())
}

async fn hello(ConnectInfo(client): ConnectInfo<Client>) -> String {
    match client.identity() {
        Some(Ok(identity)) => format!("you are {}\n", identity.subject()),
        _ => "your certificate has no identity that can be relied on\n".to_owned(),
    }
}
