//! The verifier: what memory says, when it says it, and what is fetched for whom.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certcheck_core::policy::EvidenceOrder;
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_rustls::{ClientAuth, ClientVerifier};
use certcheck_testkit::program::{PATIENCE, until};
use certcheck_testkit::served::*;
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::{Cert, Key, ext};
use rustls::ServerConfig;

fn served(engine: &Arc<Engine>) -> Served {
    Served::verifier(parts().server_config(engine).expect("a configuration"))
}

fn connect_as(
    person: &Person,
    address: SocketAddr,
    version: &'static rustls::SupportedProtocolVersion,
) -> Outcome {
    let config = Arc::new(client_config(Some(person), version));
    runtime().block_on(connect(address, &config)).outcome
}

fn wait_until(what: impl Fn() -> bool) {
    until("what is waited for", || what().then_some(()));
}

const LOWER: &str = "O=Fetch,CN=Lower";

fn point(world: &World, path: &str) -> ext::Ext {
    ext::cdp(&[ext::Point::urls(&[world.server.url(path)])])
}

/// A CA below the ring's, with its CRL: its key and its certificate.
fn lower(world: &World) -> (Key, Cert) {
    let key = Key::p256("verifier lower");
    let cert = Cert::ca(LOWER, &key, CA, &world.ca).with([point(world, "/ca.crl")]);
    world.server.serve("/lower.crl", Page::new(certcheck_testkit::crl::CrlBuilder::new(LOWER).issue(&key)));
    (key, cert)
}

/// A client of it.
fn below(world: &World, key: &Key, lower: &Key) -> Cert {
    Cert::leaf("O=Fetch,CN=below", key, LOWER, lower).with([point(world, "/lower.crl")])
}

/// Nothing is known of it: refused, and for the next attempt it is fetched.
#[test]
fn what_is_unknown_is_refused_and_fetched_for_the_next_attempt() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let engine = engine(&world, Revocation::HardFail);
        let good = world.plain("good");
        let person = Person::new(&world, "good", &good);
        let served = served(&engine);
        assert_eq!(
            connect_as(&person, served.address, version),
            Err("certificate_unknown (46)".into()),
            "{word}"
        );
        wait_until(|| engine.look_up(&world.chain(&good), now()).is_accepted());
        assert_eq!(connect_as(&person, served.address, version), Ok(HELLO.to_owned()), "{word}");
    }
}

/// The intermediate is only in what the client presents, so the leaf alone would not do.
#[test]
fn what_was_presented_is_what_is_fetched_for() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let (lower, lower_cert) = lower(&world);
        let key = Key::p256("verifier client");
        let leaf = below(&world, &key, &lower);
        let chain = vec![leaf.issue(&lower).into(), lower_cert.issue(&world.ca).into()];
        let person = Person { chain: chain.clone(), key };
        let engine = engine(&world, Revocation::HardFail);
        let served = served(&engine);
        assert_eq!(
            connect_as(&person, served.address, version),
            Err("certificate_unknown (46)".into()),
            "{word}"
        );
        wait_until(|| engine.look_up(&chain, now()).is_accepted());
        assert_eq!(connect_as(&person, served.address, version), Ok(HELLO.to_owned()), "{word}");
    }
}

/// Who has only seen a certificate makes nobody fetch anything, with verifier or acceptor.
#[test]
fn nothing_is_fetched_for_who_cannot_prove_possession() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let engine = engine(&world, Revocation::HardFail);
        // A certificate that was seen somewhere, and another's key.
        let chain = world.chain(&world.plain("good"));
        let thief = Person { chain, key: Key::p256("a thief's") };
        for served in [served(&engine), Served::acceptor(acceptor(&engine, parts()))] {
            let outcome = connect_as(&thief, served.address, version);
            assert_eq!(outcome, Err("decrypt_error (51)".into()), "{word}");
        }
        std::thread::sleep(Duration::from_millis(200));
        assert!(world.server.requests().is_empty(), "{word}: {:?}", world.server.requests());
    }
}

/// Let in by a policy that was written down, and fetched for nevertheless.
#[test]
fn soft_fail_lets_in_and_fetches_for_the_next_attempt() {
    let world = World::new();
    let engine = engine(&world, Revocation::SoftFail);
    let cert = world.plain("revoked");
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
    let person = Person::new(&world, "revoked", &cert);
    let served = served(&engine);
    let version = &rustls::version::TLS13;
    assert_eq!(connect_as(&person, served.address, version), Ok(HELLO.to_owned()));
    wait_until(|| !engine.look_up(&world.chain(&cert), now()).is_accepted());
    assert_eq!(connect_as(&person, served.address, version), Err("certificate_revoked (44)".into()));
}

/// An issuer that may be fetched is, once possession is proved.
#[test]
fn an_issuer_that_may_be_fetched_is() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let (lower, lower_cert) = lower(&world);
        world.server.serve("/lower.der", Page::new(lower_cert.issue(&world.ca)));
        let key = Key::p256("verifier client");
        let leaf = below(&world, &key, &lower).with([ext::aia(&[], &[world.server.url("/lower.der")])]);
        let person = Person { chain: vec![leaf.issue(&lower).into()], key };
        let mut policy = Policy::client(Revocation::HardFail);
        policy.aia = true;
        let engine = Engine::builder(world.ring(), policy).guard(loopback()).limits(patient());
        let engine = Arc::new(engine.refreshes(false).clock(now).build().expect("builds"));
        // The acceptor gets it while the client waits, and the verifier for the next attempt.
        let gated = Served::acceptor(acceptor(&engine, parts()));
        assert_eq!(connect_as(&person, gated.address, version), Ok(HELLO.to_owned()), "{word}");
        engine.forget();
        engine.forget_paths();
        let served = served(&engine);
        assert_eq!(connect_as(&person, served.address, version), Err("unknown_ca (48)".into()), "{word}");
        wait_until(|| engine.look_up(&person.chain, now()).is_accepted());
        assert_eq!(connect_as(&person, served.address, version), Ok(HELLO.to_owned()), "{word}");
    }
}

/// A server with a thread for each connection, whose verifier waits.
fn threads(config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("bound");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for io in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).expect("a connection");
                let mut stream = rustls::StreamOwned::new(connection, io);
                let _gone = stream.write_all(HELLO.as_bytes());
                let _gone = stream.flush();
                stream.conn.send_close_notify();
                let _gone = stream.flush();
                let _gone = stream.read(&mut [0; 512]);
            });
        }
    });
    address
}

fn waiting(engine: &Arc<Engine>, max: usize) -> ServerConfig {
    let verifier = ClientVerifier::builder(Arc::clone(engine)).waiting_up_to(PATIENCE).max_waiters(max);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let config = config.with_client_cert_verifier(Arc::new(verifier.build().expect("a verifier")));
    let own = parts().server_config(engine).expect("a configuration");
    config.with_cert_resolver(own.cert_resolver)
}

#[test]
fn a_verifier_may_wait_on_a_thread_of_its_own() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let engine = engine(&world, Revocation::HardFail);
        let address = threads(waiting(&engine, 8));
        let (good, bad) = (world.plain("good"), world.plain("bad"));
        world
            .server
            .serve("/ca.crl", Page::new(world.revoking(2, &[&bad])).with_delay(Duration::from_millis(150)));
        let connect = |name, cert| connect_as(&Person::new(&world, name, cert), address, version);
        assert_eq!(connect("good", &good), Ok(HELLO.to_owned()), "{word}");
        assert_eq!(connect("bad", &bad), Err("certificate_revoked (44)".into()), "{word}");
    }
}

/// Beyond so many waiters policy speaks at once; and who waits inside a runtime's task waits, but nothing panics.
#[test]
fn waiters_are_bounded_and_safe_in_any_runtime() {
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let person = Person::new(&world, "good", &world.plain("good"));
    let address = threads(waiting(&engine, 0));
    let version = &rustls::version::TLS13;
    assert_eq!(connect_as(&person, address, version), Err("certificate_unknown (46)".into()));
    wait_until(|| engine.look_up(&person.chain, now()).is_accepted());
    engine.forget();
    engine.forget_paths();
    let served = Served::verifier(waiting(&engine, 8));
    assert_eq!(connect_as(&person, served.address, version), Ok(HELLO.to_owned()));
}

/// The reason in full, where rustls has one word.
#[test]
fn refusals_are_reported_in_full() {
    let world = World::new();
    let mut policy = Policy::client(Revocation::HardFail);
    policy.evidence_order = EvidenceOrder::CrlFirst;
    let engine = Engine::builder(world.ring(), policy).guard(loopback()).limits(patient());
    let engine = Arc::new(engine.refreshes(false).clock(now).build().expect("builds"));
    let outcome = Arc::<Mutex<Vec<String>>>::default();
    let (count, noted) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&outcome));
    let counted = Arc::clone(&count);
    let verifier = ClientVerifier::builder(Arc::clone(&engine)).on_refusal(move |report| {
        counted.fetch_add(1, Ordering::Relaxed);
        noted.lock().expect("no panic").push(report.code().to_owned());
    });
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let config = config.with_client_cert_verifier(Arc::new(verifier.build().expect("a verifier")));
    let own = parts().server_config(&engine).expect("a configuration");
    let served = Served::verifier(config.with_cert_resolver(own.cert_resolver));
    world.server.break_with("/ca.crl", Fault::Refuse);
    let person = Person::new(&world, "good", &world.plain("good"));
    let version = &rustls::version::TLS13;
    assert!(connect_as(&person, served.address, version).is_err());
    assert_eq!(*outcome.lock().expect("no panic"), ["revocation-unknown"]);
    let outcome = served.outcomes(1).remove(0);
    // What a server's log has of it, by rustls's own error.
    assert!(outcome.contains("revocation-unknown: certificate 0: "), "{outcome}");
    assert!(outcome.contains("RFC 5280 6.1.3 (a)(3)"), "{outcome}");
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// Clients choose their certificate by the names of the ring's anchors, or are not told.
#[test]
fn anchors_are_hinted_at_unless_they_are_too_many() {
    use rustls::server::danger::ClientCertVerifier as _;
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let hints = |with: bool| {
        let verifier =
            ClientVerifier::builder(Arc::clone(&engine)).root_hints(with).build().expect("a verifier");
        verifier.root_hint_subjects().iter().map(|name| name.as_ref().to_vec()).collect::<Vec<_>>()
    };
    let root = Cert::root(ROOT, &world.root).issue(&world.root);
    let root = certcheck_core::x509::Certificate::parse(&root).expect("reads");
    assert_eq!(hints(true), [root.subject().raw().to_vec()]);
    assert!(hints(false).is_empty());
    let mut many = certcheck_core::key_ring::RingBuilder::new();
    for n in 0..600 {
        let name = format!("O=Fetch,CN=one root of very many number {n}");
        let der = Cert::root(&name, &world.root).issue(&world.root);
        many.add("root", &der, certcheck_core::key_ring::Placement::Anchor).expect("reads");
    }
    let policy = Policy::client(Revocation::HardFail);
    engine.reload(many.build().expect("builds"), policy, certcheck_core::Evidence::new());
    assert!(hints(true).is_empty());
}

/// Who demands, who takes what comes, and who takes it unseen.
#[test]
fn client_auth_decides_who_is_asked() {
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let revoked = world.plain("revoked");
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&revoked])));
    assert!(!engine.check_blocking(&world.chain(&revoked), now(), PATIENCE).is_accepted());
    let revoked = Person::new(&world, "revoked", &revoked);
    let told_revoked = Err("certificate_revoked (44)".to_owned());
    let none = Err("certificate_required (116)".to_owned());
    let hello = || Ok(HELLO.to_owned());
    for (auth, of_none, of_revoked) in [
        (ClientAuth::PassThru, hello(), hello()),
        (ClientAuth::IfSent, hello(), told_revoked.clone()),
        (ClientAuth::Required, none, told_revoked),
    ] {
        let config = parts().client_auth(auth).server_config(&engine).expect("a configuration");
        let served = Served::verifier(config);
        let connect = |person| {
            let config = Arc::new(client_config(person, &rustls::version::TLS13));
            runtime().block_on(connect(served.address, &config)).outcome
        };
        assert_eq!(connect(None), of_none, "{auth:?}");
        assert_eq!(connect(Some(&revoked)), of_revoked, "{auth:?}");
    }
}

/// Whatever a hand on the configuration does, clients are asked and checked.
#[test]
fn tuning_cannot_take_the_verifier_away() {
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let own = parts().server_config(&engine).expect("a configuration").cert_resolver;
    let tuned = parts().tune(move |config| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let other = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let other = other.expect("versions").with_no_client_auth();
        *config = other.with_cert_resolver(Arc::clone(&own));
        config.max_early_data_size = 16_384;
        config.send_half_rtt_data = true;
        config.max_fragment_size = Some(4_096);
    });
    let config = tuned.server_config(&engine).expect("a configuration");
    assert_eq!(config.max_fragment_size, Some(4_096));
    assert_eq!((config.max_early_data_size, config.send_half_rtt_data), (0, false));
    let served = Served::verifier(config);
    let config = Arc::new(client_config(None, &rustls::version::TLS13));
    let outcome = runtime().block_on(connect(served.address, &config)).outcome;
    assert_eq!(outcome, Err("certificate_required (116)".into()));
}
