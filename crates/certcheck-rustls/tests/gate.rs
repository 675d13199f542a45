//! What leaves the server when: nothing between the client's proof and the verdict, and nothing but an alert to who breaks
//! off before it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as StdStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use certcheck_core::Revocation;
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};

/// A transport that notes when the server writes.
struct Noting {
    io: DuplexStream,
    writes: Arc<Mutex<Vec<Instant>>>,
}

impl AsyncRead for Noting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Noting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.writes.lock().expect("no panic").push(Instant::now());
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The CRL takes a while: from its being asked for to its being there the server writes nothing, and then it does.
#[test]
fn nothing_leaves_between_proof_and_verdict() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let asked = Arc::<Mutex<Option<(Instant, Instant)>>>::default();
        let (noted, body) = (Arc::clone(&asked), world.revoking(1, &[]));
        world.server.serve_with("/slow", move |_| {
            let begun = Instant::now();
            std::thread::sleep(Duration::from_millis(150));
            *noted.lock().expect("no panic") = Some((begun, Instant::now()));
            Page::new(&body)
        });
        let cert = world.client("slow", &[world.server.url("/slow")], &[]);
        let acceptor = acceptor(&engine(&world, Revocation::HardFail), parts());
        let config = Arc::new(client_config(Some(&Person::new(&world, "slow", &cert)), version));
        let writes = Arc::<Mutex<Vec<Instant>>>::default();
        runtime().block_on(async {
            let (near, far) = tokio::io::duplex(64 << 10);
            let far = Noting { io: far, writes: Arc::clone(&writes) };
            let server = async {
                let mut admitted = acceptor.accept(far).await.expect("admitted");
                admitted.write_all(HELLO.as_bytes()).await.expect("writes");
                admitted.flush().await.expect("flushes");
            };
            let client = async {
                let name = ServerName::try_from("localhost").expect("a name");
                let mut stream =
                    tokio_rustls::TlsConnector::from(config).connect(name, near).await.expect("connects");
                let mut text = [0; HELLO.len()];
                stream.read_exact(&mut text).await.expect("reads");
                assert_eq!(text, HELLO.as_bytes());
            };
            tokio::join!(server, client);
        });
        let (from, until) = asked.lock().expect("no panic").expect("it was asked for");
        let writes = writes.lock().expect("no panic");
        let during = writes.iter().filter(|at| (from..until).contains(*at)).count();
        assert_eq!(during, 0, "{word}");
        assert!(writes.iter().any(|at| *at < from) && writes.iter().any(|at| *at > until), "{word}");
    }
}

/// Its last flight and junk in one write: the handshake is over for the server, and broken at once. The client is revoked,
/// and nobody has looked yet.
#[test]
fn who_breaks_off_behind_its_own_finished_gets_no_finished() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.plain("revoked");
        world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&Person::new(&world, "revoked", &cert)), version));
        let name = ServerName::try_from("localhost").expect("a name");
        let mut client = rustls::ClientConnection::new(config, name).expect("a client");
        let mut io = StdStream::connect(served.address).expect("connects");
        io.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut flight = Vec::new();
        client.write_tls(&mut flight).expect("in memory");
        io.write_all(&flight).expect("sent");
        // Until the last flight is due.
        while !client.wants_write() {
            client.read_tls(&mut io).expect("reads");
            client.process_new_packets().expect("a server");
        }
        flight.clear();
        while client.wants_write() {
            client.write_tls(&mut flight).expect("in memory");
        }
        flight.extend_from_slice(&[23, 3, 3, 0, 24]);
        flight.extend_from_slice(&[7; 24]);
        io.write_all(&flight).expect("sent");
        let mut rest = Vec::new();
        let _reset = io.read_to_end(&mut rest);
        assert_eq!(served.outcomes(1), ["handshake"], "{word}");
        // At most one alert, which in TLS 1.3 is sealed: 5 bytes of header, 2 of alert, 1 of type and 16 of tag.
        let is_alert = |record: &[u8]| record.len() <= 24 && matches!(record.first(), Some(21 | 23));
        assert!(rest.is_empty() || is_alert(&rest), "{word}: {rest:?}");
    }
}

/// A ring without the client's CA comes while its evidence is waited for: it is not let in by the ring of before.
#[test]
fn a_ring_that_changes_meanwhile_counts() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let engine = engine(&world, Revocation::HardFail);
        let (reloading, body) = (Arc::clone(&engine), world.revoking(1, &[]));
        let strange = Mutex::new(Some(world.strange_ring()));
        world.server.serve_with("/slow", move |_| {
            let policy = certcheck_core::Policy::client(Revocation::HardFail);
            if let Some(ring) = strange.lock().expect("no panic").take() {
                reloading.reload(ring, policy, certcheck_core::Evidence::new());
            }
            Page::new(&body)
        });
        let cert = world.client("slow", &[world.server.url("/slow")], &[]);
        let config = Arc::new(client_config(Some(&Person::new(&world, "slow", &cert)), version));
        let served = Served::acceptor(acceptor(&engine, parts()));
        let connected = runtime().block_on(connect(served.address, &config));
        assert_eq!(connected.outcome, Err("unknown_ca (48)".into()), "{word}");
        assert_eq!(served.outcomes(1), ["unknown-issuer"], "{word}");
    }
}
