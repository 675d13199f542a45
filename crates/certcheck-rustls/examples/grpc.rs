//! gRPC with tonic, with a ring that is reloaded. Each call sees who makes it; refusals and connections that are cut are in the
//! log. The shortest server with tonic is the example `rpc`.
//!
//! ```text
//! cargo run -p certcheck-rustls --example grpc -- --ring keyring --cert server.pem --key server.key
//! ```

mod common;
#[path = "common/greeter.rs"]
mod greeter;

use common::{Failure, Flags};
use greeter::Greeter;
use tokio::net::TcpListener;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt::init();
    let flags = Flags::parse()?;
    let engine = flags.engine()?;
    let acceptor = flags.parts()?.alpn(["h2"]).acceptor(&engine)?;
    let clients = acceptor.incoming(TcpListener::bind(flags.listen).await?)?.until_refused();
    flags.reload_on_hangup(engine)?;
    println!("listening on {}", clients.local_addr());
    Ok(Server::builder().add_service(Greeter).serve_with_incoming(clients).await?)
}
