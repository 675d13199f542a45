//! A thread for each connection, with nothing but rustls and the standard library. Each line is answered with
//! the name of the client; an empty one ends the connection.
//!
//! ```text
//! cargo run -p certcheck-rustls --example blocking -- --ring keyring --cert server.pem --key server.key
//! openssl s_client -quiet -connect localhost:4433 -cert client.pem -key client.key
//! ```

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certcheck_core::Verdict;
use certcheck_fetch::Engine;
use certcheck_rustls::{ClientVerifier, Identity};
use common::{Failure, Flags};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a handshake waits for evidence that is not in memory.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a line.
const LINE: u64 = 4_096;

fn main() -> Result<(), Failure> {
    let flags = Flags::parse()?;
    let engine = flags.engine()?;
    let config = Arc::new(config(&flags, &engine)?);
    let listener = TcpListener::bind(flags.listen)?;
    println!("listening on {}", listener.local_addr()?);
    for io in listener.incoming() {
        let (config, engine) = (Arc::clone(&config), Arc::clone(&engine));
        let served = io.and_then(|io| {
            thread::Builder::new().spawn(move || {
                if let Err(error) = serve(io, config, &engine) {
                    println!("{error}");
                }
            })
        });
        if let Err(error) = served {
            println!("not accepted: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

fn config(flags: &Flags, engine: &Arc<Engine>) -> Result<ServerConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = ClientVerifier::builder(Arc::clone(engine))
        .provider(Arc::clone(&provider))
        // The thread may wait. On a runtime it would hold up other tasks.
        .waiting_up_to(PATIENCE)
        .on_refusal(|report| println!("refused: {}", report.code()))
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(flags.chain()?, flags.key()?)?;
    // rustls does not ask the verifier when a session resumes. So no session may resume.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn serve(mut io: TcpStream, config: Arc<ServerConfig>, engine: &Engine) -> Result<(), Failure> {
    let peer = io.peer_addr()?;
    io.set_read_timeout(Some(SILENCE))?;
    io.set_write_timeout(Some(SILENCE))?;
    let mut connection = ServerConnection::new(config)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut io)?;
    }
    let chain = connection.peer_certificates().ok_or("no certificate")?.to_vec();
    let report = engine.check_cached(&chain, engine.now());
    let who = Identity::of(&report.details().view())?;
    println!("{peer} is {who}");
    let mut stream = BufReader::new(StreamOwned::new(connection, io));
    loop {
        let mut line = String::new();
        stream.by_ref().take(LINE).read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        // A thread that waits for its client cannot wait for a watch too. Checking again takes about a microsecond.
        let report = engine.check_cached(&chain, engine.now());
        // A status that has become unknown does not end the connection.
        if report.verdict() == Verdict::Reject {
            println!("{peer} ends: {}", report.code());
            break;
        }
        writeln!(stream.get_mut(), "{}: {}", who.subject(), line.trim())?;
    }
    stream.get_mut().conn.send_close_notify();
    Ok(stream.get_mut().flush()?)
}
