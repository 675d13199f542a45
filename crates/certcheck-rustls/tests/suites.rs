//! The gate's alert under every cipher suite of every provider: in plaintext, sealed after a full handshake, and sealed
//! after a resumed one.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;

fn providers() -> Vec<(&'static str, CryptoProvider)> {
    vec![
        ("ring", rustls::crypto::ring::default_provider()),
        #[cfg(feature = "aws-lc-rs")]
        ("aws-lc-rs", rustls::crypto::aws_lc_rs::default_provider()),
    ]
}

/// Those that a client's and a server's P-256 keys can be used with.
fn suites(provider: &CryptoProvider) -> Vec<SupportedCipherSuite> {
    let is_usable = |suite: &&SupportedCipherSuite| !format!("{:?}", suite.suite()).contains("RSA_WITH");
    provider.cipher_suites.iter().filter(is_usable).copied().collect()
}

/// The client's evidence at first is a list that policy admits beyond its end; then a newer one lists the client.
#[test]
fn the_gate_reports_correctly_under_every_suite() {
    let mut count = 0;
    for (of, provider) in providers() {
        for suite in suites(&provider) {
            let word = format!("{of}, {:?}", suite.suite());
            let version = suite.version();
            let version =
                if version.version == rustls::ProtocolVersion::TLSv1_2 { VERSIONS[0] } else { VERSIONS[1] }.1;
            let only = CryptoProvider { cipher_suites: vec![suite], ..provider.clone() };

            let world = World::new();
            let cert = world.plain("turns");
            let aged = |number: i64, next: &str| {
                CrlBuilder::new(CA).with([crl::number(number)]).valid("2026-12-01T00:00:00Z", Some(next))
            };
            world.server.serve("/ca.crl", Page::new(aged(1, "2027-01-01T00:00:00Z").issue(&world.ca)));
            let mut policy = Policy::client(Revocation::HardFail);
            policy.freshness.max_stale = 7 * 86_400;
            let engine = Engine::builder(world.ring(), policy).guard(loopback()).limits(patient());
            let engine = Arc::new(engine.refreshes(false).clock(now).build().expect("builds"));
            let served = Served::acceptor(acceptor(&engine, parts_over(&Arc::new(only.clone()))));
            let person = Person::new(&world, "turns", &cert);
            let config = || Arc::new(client_config_over(only.clone(), Some(&person), version));
            let (resuming, fresh) = (config(), config());
            let connect = |config| runtime().block_on(connect(served.address, config));
            assert_eq!(connect(&resuming).outcome, Ok(HELLO.to_owned()), "{word}");
            let listing = aged(2, "2027-02-01T00:00:00Z").revoking([RevokedCertificate::new(&cert.serial)]);
            world.server.serve("/ca.crl", Page::new(listing.issue(&world.ca)));
            std::thread::sleep(Duration::from_millis(300));
            for (config, is_resumed) in [(&resuming, true), (&fresh, false)] {
                let connected = connect(config);
                assert_eq!(connected.outcome, Err("certificate_revoked (44)".into()), "{word}, {is_resumed}");
                if is_resumed {
                    assert!(connected.is_resumed, "{word}");
                    // So that the next handshake finds nothing in memory, and is refused by the gate too.
                    engine.forget();
                    engine.forget_paths();
                }
            }
            assert_eq!(
                served.outcomes(3),
                ["accept", "certificate-revoked", "certificate-revoked"],
                "{word}"
            );
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}
