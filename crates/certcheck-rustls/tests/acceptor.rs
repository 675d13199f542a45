//! The acceptor: who is let in, and what the others are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::{Ended, Engine};
use certcheck_rustls::{AcceptLimits, Acceptor, ClientAuth, SessionPolicy};
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::served::*;
use certcheck_testkit::server::{Fault, Page};
use tokio::io::AsyncWriteExt as _;

/// Evidence is missing at first: it is fetched between handshake and verdict, for each version.
#[test]
fn a_good_client_is_admitted_once_its_evidence_has_come() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let person = Person::new(&world, "good", &world.plain("good"));
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&person), version));
        let connected = runtime().block_on(connect(served.address, &config));
        assert_eq!(connected.outcome.as_deref(), Ok(HELLO), "{word}");
        assert_eq!(served.outcomes(1), ["accept"], "{word}");
        assert_eq!(world.server.count("/ca.crl"), 1, "{word}");
    }
}

/// The verifier begins the check and the gate completes it: it is evaluated once with what is in memory, and once for
/// each answer that arrives later.
#[test]
fn a_first_connection_is_evaluated_once() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let engine = engine(&world, Revocation::HardFail);
        let acceptor = acceptor(&engine, parts());
        let evaluations = |name: &str| {
            let person = Person::new(&world, name, &world.plain(name));
            let config = Arc::new(client_config(Some(&person), version));
            runtime().block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
                let address = listener.local_addr().expect("an address");
                let client = tokio::spawn(async move { connect(address, &config).await });
                let (stream, _) = listener.accept().await.expect("connects");
                let admitted = acceptor.accept(stream).await.expect("accepted");
                let count = admitted.report().map(certcheck_fetch::CheckReport::evaluations);
                drop(admitted);
                client.await.expect("ends");
                count
            })
        };
        // The CRL about the client and the CRL about its CA arrive while the gate waits.
        assert_eq!(evaluations("of a cold engine"), Some(3), "{word}");
        assert_eq!(evaluations("of a known issuer"), Some(1), "{word}");
        assert_eq!(evaluations("of a known issuer"), Some(0), "{word}: it is known now");
    }
}

/// First what is fetched says so, at the gate; then memory says so, in the handshake. The client is told the same.
#[test]
fn a_revoked_client_gets_its_alert_from_gate_and_handshake() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.plain("revoked");
        world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
        let person = Person::new(&world, "revoked", &cert);
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&person), version));
        for at in ["gate", "handshake"] {
            let connected = runtime().block_on(connect(served.address, &config));
            assert_eq!(connected.outcome, Err("certificate_revoked (44)".into()), "{word}, {at}");
        }
        assert_eq!(served.outcomes(2), ["certificate-revoked"; 2], "{word}");
        assert_eq!(world.server.count("/ca.crl"), 1, "{word}");
    }
}

/// Memory calls a client revoked by an answer that is over: the gate asks whether that still holds.
#[test]
fn a_client_whose_hold_was_lifted_is_let_in() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.client("held", &[], &[world.server.url("/ocsp")]);
        world.responder.set_next_update(Some("2027-01-01T23:59:00Z"));
        let revoke = || world.responder.revoke(&cert.serial, "2027-01-01T00:00:00Z", Some("certificateHold"));
        let person = Person::new(&world, "held", &cert);
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&person), version));
        let outcome = || runtime().block_on(connect(served.address, &config)).outcome;
        revoke();
        for _ in 0..2 {
            assert_eq!(outcome(), Err("certificate_revoked (44)".into()), "{word}");
        }
        world.responder.good(&cert.serial);
        assert_eq!(outcome().as_deref(), Ok(HELLO), "{word}");
        assert_eq!(served.outcomes(3), ["certificate-revoked", "certificate-revoked", "accept"], "{word}");
    }
}

/// Whose revocation cannot be known is told so, and not that its CA is unknown.
#[test]
fn an_unknown_status_is_certificate_unknown() {
    for (word, version) in VERSIONS {
        let world = World::new();
        world.server.break_with("/ca.crl", Fault::Unavailable(1));
        let person = Person::new(&world, "good", &world.plain("good"));
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&person), version));
        let connected = runtime().block_on(connect(served.address, &config));
        assert_eq!(connected.outcome, Err("certificate_unknown (46)".into()), "{word}");
        assert_eq!(served.outcomes(1), ["revocation-unknown"], "{word}");
    }
}

/// One deadline for handshake and gate: a source that hangs, and a client that says nothing.
#[test]
fn the_deadline_covers_handshake_and_gate() {
    let world = World::new();
    world.server.break_with("/ca.crl", Fault::HangBeforeHeaders);
    let person = Person::new(&world, "good", &world.plain("good"));
    let limits = AcceptLimits::default().with_deadline(Duration::from_secs(5));
    let engine = Engine::builder(world.ring(), Policy::client(Revocation::HardFail)).guard(loopback());
    let engine = Arc::new(engine.limits(impatient()).refreshes(false).clock(now).build().expect("builds"));
    let acceptor = Acceptor::new(parts(), engine, SessionPolicy::default(), limits).expect("an acceptor");
    let served = Served::acceptor(acceptor);
    let config = Arc::new(client_config(Some(&person), &rustls::version::TLS13));
    runtime().block_on(async {
        let connected = connect(served.address, &config).await;
        assert_eq!(connected.outcome, Err("certificate_unknown (46)".into()));
        let silent = tokio::net::TcpStream::connect(served.address).await.expect("connects");
        assert_eq!(served.outcomes(2), ["revocation-unknown", "deadline"]);
        drop(silent);
    });
}

/// What is asked of clients: nothing is checked, whoever sends one is, or all are.
#[test]
fn client_auth_decides_who_is_asked() {
    let world = World::new();
    let revoked = world.plain("revoked");
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&revoked])));
    let revoked = Person::new(&world, "revoked", &revoked);
    let good = Person::new(&world, "good", &world.plain("good"));
    let hello = || Ok(HELLO.to_owned());
    let told_revoked = || Err("certificate_revoked (44)".to_owned());
    for (word, version) in VERSIONS {
        // rustls has one alert for both versions, though that of TLS 1.2 knows it not.
        let none = "certificate_required (116)";
        let table = [
            (ClientAuth::PassThru, [hello(), hello(), hello()]),
            (ClientAuth::IfSent, [hello(), hello(), told_revoked()]),
            (ClientAuth::Required, [Err(none.to_owned()), hello(), told_revoked()]),
        ];
        for (auth, expected) in table {
            let parts = parts().client_auth(auth);
            let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts));
            for (person, expected) in [None, Some(&good), Some(&revoked)].into_iter().zip(expected) {
                let config = Arc::new(client_config(person, version));
                let connected = runtime().block_on(connect(served.address, &config));
                assert_eq!(connected.outcome, expected, "{word}, {auth:?}");
            }
        }
    }
}

/// A connection is live, and evidence comes that revokes its client: whoever serves it is told within a second, and can hang
/// up.
#[test]
fn the_server_of_a_revoked_client_is_notified() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.plain("turns");
        let engine = engine(&world, Revocation::HardFail);
        let acceptor = acceptor(&engine, parts());
        let is_live = Arc::new(AtomicBool::new(false));
        let comes_alive = Arc::clone(&is_live);
        let served = Served::start(move |io| {
            let (acceptor, comes_alive) = (acceptor.clone(), Arc::clone(&comes_alive));
            async move {
                let mut admitted = acceptor.accept(io).await.expect("admitted");
                let watch = admitted.watch().expect("it was checked");
                comes_alive.store(true, Ordering::Release);
                admitted.write_all(HELLO.as_bytes()).await.expect("writes");
                admitted.flush().await.expect("flushes");
                let outcome = match watch.await {
                    Ended::Rejected(report) => report.code().to_owned(),
                    _ => "unwatched".to_owned(),
                };
                let _gone = admitted.shutdown().await;
                drain(&mut admitted).await;
                outcome
            }
        });
        let config = Arc::new(client_config(Some(&Person::new(&world, "turns", &cert)), version));
        runtime().block_on(async {
            let live = connect(served.address, &config);
            let news = async {
                let begun = Instant::now();
                while !is_live.load(Ordering::Acquire) {
                    assert!(begun.elapsed() < PATIENCE, "{word}: not admitted");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
                engine.forget();
                let other = world.chain(&world.plain("other"));
                assert!(engine.check(&other, now(), PATIENCE).await.is_accepted());
                Instant::now()
            };
            let (connected, came_at) = tokio::join!(live, news);
            assert_eq!(connected.outcome.as_deref(), Ok(HELLO), "{word}");
            // Loose, because machines that test are busy: what is promised is a second.
            assert!(came_at.elapsed() < PATIENCE, "{word}: {:?}", came_at.elapsed());
        });
        assert_eq!(served.outcomes(1), ["certificate-revoked"], "{word}");
    }
}

/// As many as may be are pending: the next waits for its turn.
#[test]
fn permits_bound_what_is_pending() {
    let world = World::new();
    let person = Person::new(&world, "good", &world.plain("good"));
    let limits = AcceptLimits::default().with_deadline(PATIENCE).with_pending(std::num::NonZeroUsize::MIN);
    let engine = engine(&world, Revocation::HardFail);
    let acceptor = Acceptor::new(parts(), engine, SessionPolicy::default(), limits).expect("an acceptor");
    let served = Served::acceptor(acceptor.clone());
    let config = Arc::new(client_config(Some(&person), &rustls::version::TLS13));
    runtime().block_on(async {
        let silent = tokio::net::TcpStream::connect(served.address).await.expect("connects");
        while acceptor.pending() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut next = std::pin::pin!(connect(served.address, &config));
        let waits = tokio::time::timeout(Duration::from_millis(200), &mut next).await.is_err();
        assert!(waits && acceptor.pending() == 1);
        drop(silent);
        let connected = next.await;
        assert_eq!(connected.outcome.as_deref(), Ok(HELLO));
        assert_eq!(served.outcomes(2), ["handshake", "accept"]);
        assert_eq!(acceptor.pending(), 0);
    });
}
