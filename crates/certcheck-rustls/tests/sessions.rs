//! Sessions that resume, or do not: how old they are and whose they are. That the gate decides about those that do: `suites.rs`.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::policy::{Nonce, RevocationScope};
use certcheck_core::{Evidence, Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_rustls::{AcceptLimits, Acceptor, ClientAuth, SessionPolicy};
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;
use rustls::{ClientConfig, SupportedProtocolVersion};

/// A server, a client of it with a session, and the engine between.
struct Scene {
    world: World,
    engine: Arc<Engine>,
    served: Served,
    config: Arc<ClientConfig>,
}

impl Scene {
    fn new(version: &'static SupportedProtocolVersion, sessions: SessionPolicy) -> Self {
        let world = World::new();
        let person = Person::new(&world, "good", &world.plain("good"));
        let engine = engine(&world, Revocation::HardFail);
        let limits = AcceptLimits::default().with_deadline(PATIENCE);
        let acceptor = Acceptor::new(parts(), Arc::clone(&engine), sessions, limits).expect("an acceptor");
        let scene = Self {
            world,
            engine,
            served: Served::acceptor(acceptor),
            config: Arc::new(client_config(Some(&person), version)),
        };
        assert_eq!(scene.connect(), (Ok(HELLO.to_owned()), false));
        scene
    }

    fn connect(&self) -> (Outcome, bool) {
        let connected = runtime().block_on(connect(self.served.address, &self.config));
        (connected.outcome, connected.is_resumed)
    }

    /// The client is revoked, and the engine has heard of it.
    fn revoke(&self) {
        let cert = self.world.plain("good");
        self.world.server.serve("/ca.crl", Page::new(self.world.revoking(2, &[&cert])));
        self.engine.forget();
        let report = self.engine.check_blocking(&self.world.chain(&cert), now(), PATIENCE);
        assert_eq!(outcome_of(&report).1, "certificate-revoked");
    }
}

fn resumes() -> (Outcome, bool) {
    (Ok(HELLO.to_owned()), true)
}

fn in_full() -> (Outcome, bool) {
    (Ok(HELLO.to_owned()), false)
}

#[test]
fn a_good_client_resumes() {
    for (word, version) in VERSIONS {
        let scene = Scene::new(version, SessionPolicy::default());
        for _ in 0..3 {
            assert_eq!(scene.connect(), resumes(), "{word}");
        }
        assert_eq!(scene.served.outcomes(4), ["accept"; 4]);
    }
}

/// By what memory says: its session is declined, and the full handshake tells it why.
#[test]
fn a_client_revoked_meanwhile_does_not_resume() {
    for (word, version) in VERSIONS {
        let scene = Scene::new(version, SessionPolicy::default());
        scene.revoke();
        assert_eq!(scene.connect(), (Err("certificate_revoked (44)".into()), false), "{word}");
        assert_eq!(scene.served.outcomes(2), ["accept", "certificate-revoked"], "{word}");
    }
}

/// As old as its full handshake, however often it was resumed since.
#[test]
fn a_session_ends_with_its_lifetime() {
    let of_version = |word: &str, version| {
        let scene = Scene::new(version, SessionPolicy::up_to(Duration::from_secs(12)));
        std::thread::sleep(Duration::from_secs(4));
        assert_eq!(scene.connect(), resumes(), "{word}");
        std::thread::sleep(Duration::from_millis(9_200));
        assert_eq!(scene.connect(), in_full(), "{word}: the lineage is over");
    };
    // Far from both ends, because machines that test are busy; so both versions at once.
    std::thread::scope(|scope| {
        for (word, version) in VERSIONS {
            scope.spawn(move || of_version(word, version));
        }
    });
}

#[test]
fn a_lifetime_of_zero_is_never() {
    for (word, version) in VERSIONS {
        let scene = Scene::new(version, SessionPolicy::never());
        assert_eq!(scene.connect(), in_full(), "{word}");
    }
}

/// Another ring, or another policy, and what was agreed before is void.
#[test]
fn a_new_ring_ends_old_sessions() {
    for (word, version) in VERSIONS {
        let scene = Scene::new(version, SessionPolicy::default());
        let policy = Policy::client(Revocation::HardFail);
        scene.engine.reload(scene.world.ring(), policy, Evidence::new());
        assert_eq!(scene.connect(), in_full(), "{word}");
        assert_eq!(scene.connect(), resumes(), "{word}");
    }
}

/// What is not of the path is no reason to refuse, and none to keep: who presents a hundred certificates is let in, and
/// the next time in full again.
#[test]
fn a_hundred_junk_intermediates_are_let_in_and_not_kept() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let mut person = Person::new(&world, "good", &world.plain("good"));
        let key = Key::p256("rustls junk");
        person.chain.extend((0..100).map(|n| {
            let (own, above) = (format!("O=Junk,CN=CA {n}"), format!("O=Junk,CN=CA {}", n + 1));
            CertificateDer::from(Cert::ca(&own, &key, &above, &key).issue(&key))
        }));
        let served = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let config = Arc::new(client_config(Some(&person), version));
        for _ in 0..2 {
            let connected = runtime().block_on(connect(served.address, &config));
            assert_eq!((connected.outcome, connected.is_resumed), in_full(), "{word}");
        }
        assert_eq!(served.outcomes(2), ["accept"; 2], "{word}");
    }
}

/// Nobody who was refused has a session, nor has one from another server.
#[test]
fn sessions_are_of_those_let_in() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.plain("revoked");
        world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
        let person = Person::new(&world, "revoked", &cert);
        let config = Arc::new(client_config(Some(&person), version));
        let strict = Served::acceptor(acceptor(&engine(&world, Revocation::HardFail), parts()));
        let lenient = Served::acceptor(acceptor(
            &engine(&world, Revocation::HardFail),
            parts().client_auth(ClientAuth::PassThru),
        ));
        let connect_to = |served: &Served| runtime().block_on(connect(served.address, &config));
        assert_eq!(connect_to(&lenient).outcome, Ok(HELLO.to_owned()), "{word}");
        for _ in 0..2 {
            let connected = connect_to(&strict);
            assert_eq!(connected.outcome, Err("certificate_revoked (44)".into()), "{word}");
            assert!(!connected.is_resumed, "{word}");
        }
    }
}

/// The configuration of the verifier lets no session resume, so a revoked client is asked for its certificate.
#[test]
fn the_verifiers_configuration_resumes_nothing() {
    for (word, version) in VERSIONS {
        let world = World::new();
        let cert = world.plain("good");
        let person = Person::new(&world, "good", &cert);
        let engine = engine(&world, Revocation::HardFail);
        let chain = world.chain(&cert);
        assert!(engine.check_blocking(&chain, now(), PATIENCE).is_accepted());
        let served = Served::verifier(parts().server_config(&engine).expect("a configuration"));
        let config = Arc::new(client_config(Some(&person), version));
        let connect = || runtime().block_on(connect(served.address, &config));
        for _ in 0..2 {
            let connected = connect();
            assert_eq!((connected.outcome, connected.is_resumed), in_full(), "{word}");
        }
        world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
        engine.forget();
        assert!(!engine.check_blocking(&chain, now(), PATIENCE).is_accepted());
        assert_eq!(connect().outcome, Err("certificate_revoked (44)".into()), "{word}");
    }
}

/// Where policy has each answer carry a nonce, nothing in memory speaks for a session: it does not resume, and the full
/// handshake that follows asks again.
#[test]
fn where_answers_have_nonces_no_session_resumes_by_an_old_one() {
    for (word, version) in VERSIONS {
        let world = World::new();
        world.responder.set_echo_nonce(true);
        let cert = world.client("nonce", &[], &[world.server.url("/ocsp")]);
        world.responder.good(&cert.serial);
        let person = Person::new(&world, "nonce", &cert);
        let mut policy = Policy::client(Revocation::HardFail);
        policy.nonce = Nonce::Demand;
        policy.revocation_scope = RevocationScope::Leaf;
        let engine =
            Engine::builder(world.ring(), policy).guard(loopback()).clock(now).build().expect("builds");
        let engine = Arc::new(engine);
        let limits = AcceptLimits::default().with_deadline(PATIENCE);
        let acceptor = Acceptor::new(parts(), Arc::clone(&engine), SessionPolicy::default(), limits);
        let served = Served::acceptor(acceptor.expect("an acceptor"));
        let config = Arc::new(client_config(Some(&person), version));
        let connect = || runtime().block_on(connect(served.address, &config));
        for _ in 0..2 {
            let connected = connect();
            assert_eq!((connected.outcome, connected.is_resumed), in_full(), "{word}");
        }
        world.responder.revoke(&cert.serial, "2027-01-01T12:00:00Z", Some("keyCompromise"));
        let connected = connect();
        assert!(connected.outcome.is_err() && !connected.is_resumed, "{word}: {:?}", connected.outcome);
        assert_eq!(served.outcomes(3), ["accept", "accept", "certificate-revoked"], "{word}");
    }
}
