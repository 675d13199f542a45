//! One thread for each client, without a runtime of your own. A handshake waits until evidence is there.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certcheck_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use certcheck_rustls::{Engine, KeyRing, Policy, Revocation, ServerParts};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let ring = KeyRing::from_paths(&["ring"])?;
    let policy = Policy::client(Revocation::HardFail);
    let engine = Arc::new(Engine::builder(ring, policy).proxy_from_env().build()?);
    let parts = ServerParts::from_pem_files("server.pem", "server.key")?;
    // A thread may wait. On a runtime, use `Acceptor` instead.
    let config = Arc::new(parts.server_config_waiting(&engine, Duration::from_secs(5))?);

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for io in listener.incoming() {
        let (io, config) = (io?, Arc::clone(&config));
        thread::spawn(move || serve(io, config).unwrap_or_else(|error| println!("{error}")));
    }
    Ok(())
}

fn serve(mut io: TcpStream, config: Arc<ServerConfig>) -> Result<(), Failure> {
    // It bounds each read. Bound the number of threads too.
    io.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut connection = ServerConnection::new(config)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut io)?;
    }
    let mut stream = BufReader::new(StreamOwned::new(connection, io));
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        stream.get_mut().write_all(line.as_bytes())?;
        line.clear();
    }
    Ok(())
}
