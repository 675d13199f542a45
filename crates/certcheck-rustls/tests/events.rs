//! What an operator finds in the log: each refusal, and each connection that is cut, with all its fields.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::{Evidence, Policy, Remedy, Revocation};
use certcheck_fetch::Engine;
use certcheck_rustls::{AcceptError, AcceptLimits, Acceptor, Admitted, ClientAuth, SessionPolicy};
use certcheck_testkit::events::{Captured, capture};
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use certcheck_testkit::{Cert, Key};
use pki_types::ServerName;
use rustls::ClientConfig;
use rustls::version::TLS13;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

const PEER: ([u8; 4], u16) = ([192, 0, 2, 7], 40_000);

/// Connects a client to an acceptor on this thread, and returns the events.
fn accepted(acceptor: &Acceptor, config: &Arc<ClientConfig>) -> Vec<Captured> {
    capture(|| runtime().block_on(converse(acceptor, config, async |_| ()))).1
}

/// Connects a client, and does something with it once it is let in.
async fn converse(
    acceptor: &Acceptor,
    config: &Arc<ClientConfig>,
    serve: impl AsyncFnOnce(Admitted<DuplexStream>),
) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let server = async {
        if let Ok(mut admitted) = acceptor.accept_from(far, SocketAddr::from(PEER)).await {
            admitted.write_all(HELLO.as_bytes()).await.expect("written");
            admitted.flush().await.expect("flushed");
            serve(admitted).await;
        }
    };
    let client = async {
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
        if let Ok(mut stream) = connector.connect(name, near).await {
            // To the alert, or the end.
            let _end = stream.read_to_end(&mut Vec::new()).await;
        }
    };
    tokio::join!(server, client);
}

/// The same for a server configuration with the verifier.
fn verified(engine: &Arc<Engine>, config: &Arc<ClientConfig>) -> Vec<Captured> {
    let acceptor =
        tokio_rustls::TlsAcceptor::from(Arc::new(parts().server_config(engine).expect("a server")));
    let (near, far) = tokio::io::duplex(64 << 10);
    let talk = async {
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
        let (server, client) = tokio::join!(acceptor.accept(far), connector.connect(name, near));
        drop((server, client));
    };
    capture(|| runtime().block_on(talk)).1
}

fn config(world: &World, name: &str, cert: &Cert) -> Arc<ClientConfig> {
    Arc::new(client_config(Some(&Person::new(world, name, cert)), &TLS13))
}

/// What the report says about why, in its own words.
fn reason(engine: &Engine, world: &World, cert: &Cert) -> String {
    let report = engine.check_blocking(&world.chain(cert), now(), PATIENCE);
    report.message().expect("refused")
}

/// The one event of this name, with its level, and its fields in the order of their names.
#[track_caller]
fn only(events: &[Captured], name: &str) -> (String, String, Vec<(String, String)>) {
    let of_name: Vec<_> = events.iter().filter(|event| event.name == name).cloned().collect();
    let [event] = &of_name[..] else { panic!("{name}: {events:#?}") };
    assert_eq!(event.target, "certcheck::client");
    (event.level.clone(), event.message.clone(), event.fields.clone().into_iter().collect())
}

/// What a refusal looks like. Fields without a value are left out.
#[track_caller]
fn assert_refused(events: &[Captured], name: &str, expected: &[(&str, &str)]) {
    let message = match name {
        "client-refused" => "client refused",
        _ => "client of a live connection refused",
    };
    let fields: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(only(events, name), ("INFO".to_owned(), message.to_owned(), fields));
}

const PEER_TEXT: &str = "192.0.2.7:40000";

#[test]
fn a_revoked_client() {
    let world = World::new();
    let cert = world.plain("revoked");
    world.server.serve("/ca.crl", Page::new(world.revoking(1, &[&cert])));
    let engine = engine(&world, Revocation::HardFail);
    let events = accepted(&acceptor(&engine, parts()), &config(&world, "revoked", &cert));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "certificate-revoked"),
            ("component", "acceptor"),
            ("detail", &reason(&engine, &world, &cert)),
            ("peer", PEER_TEXT),
            ("remedy", Remedy::ReplaceCertificate.text()),
            ("source", &world.server.url("/ca.crl")),
            ("subject", "CN=revoked,O=Fetch"),
        ],
    );
}

#[test]
fn clients_whose_path_is_not_good() {
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let acceptor = acceptor(&engine, parts());
    let expired = world.plain("expired").valid("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    let events = accepted(&acceptor, &config(&world, "expired", &expired));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "expired"),
            ("component", "acceptor"),
            ("detail", &reason(&engine, &world, &expired)),
            ("peer", PEER_TEXT),
            ("remedy", Remedy::RenewCertificate.text()),
            ("subject", "CN=expired,O=Fetch"),
        ],
    );
    let key = Key::p256("fetch client stranger");
    // Its subject would begin a line of its own.
    let stranger =
        Cert::leaf("O=Fetch,CN=x\nINFO client accepted\u{202e}", &key, "O=Nobody,CN=CA", &world.stranger);
    let events = accepted(&acceptor, &config(&world, "stranger", &stranger));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "unknown-issuer"),
            ("component", "acceptor"),
            ("detail", &reason(&engine, &world, &stranger)),
            ("peer", PEER_TEXT),
            (
                "remedy",
                "add the missing issuer to the ring (`KeyRing::from_paths`, `Engine::reload`), or have the client send it \
                 with its certificate",
            ),
            ("subject", "CN=x\\0aINFO client accepted\\e2\\80\\ae,O=Fetch"),
        ],
    );
}

#[test]
fn a_client_whose_revocation_is_unknown() {
    let world = World::new();
    let url = world.server.url("/nothing.crl");
    let cert = world.client("unknown", std::slice::from_ref(&url), &[]);
    let engine = engine(&world, Revocation::HardFail);
    let events = accepted(&acceptor(&engine, parts()), &config(&world, "unknown", &cert));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "revocation-unknown"),
            ("component", "acceptor"),
            ("detail", &format!("{}: HTTP 404 Not Found", reason(&engine, &world, &cert))),
            ("peer", PEER_TEXT),
            (
                "remedy",
                "check whether the source answers from this host, set `EngineBuilder::proxy` if one is needed, or give \
                 evidence with `EngineBuilder::evidence`",
            ),
            ("source", &url),
            ("subject", "CN=unknown,O=Fetch"),
        ],
    );
}

#[test]
fn connections_that_the_acceptor_does_not_admit() {
    let world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let nobody = Arc::new(client_config(None, &TLS13));
    let events = accepted(&acceptor(&engine, parts()), &nobody);
    assert_refused(
        &events,
        "client-refused",
        &[
            ("code", "no-certificate"),
            ("component", "acceptor"),
            ("detail", "the client sent no certificate"),
            ("peer", PEER_TEXT),
            (
                "remedy",
                "have the client send a certificate, or accept clients without one with `ClientAuth::IfSent`",
            ),
        ],
    );
    let limits = AcceptLimits::default()
        .with_deadline(Duration::from_millis(200))
        .with_pending(NonZeroUsize::new(1).expect("one"));
    let acceptor_of = || {
        Acceptor::new(parts(), Arc::clone(&engine), SessionPolicy::default(), limits).expect("an acceptor")
    };
    let accept = async {
        let (_silent, far) = tokio::io::duplex(64);
        let silent = acceptor_of().accept_from(far, SocketAddr::from(PEER)).await.expect_err("silent");
        // Who sends no TLS keeps its place a while to read why, and the next one waits in vain.
        let acceptor = acceptor_of();
        let ((mut near, far), (_waiting, waits)) = (tokio::io::duplex(64), tokio::io::duplex(64));
        near.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("written");
        let (odd, late) = tokio::join!(
            acceptor.accept_from(far, SocketAddr::from(PEER)),
            acceptor.accept_from(waits, SocketAddr::from(PEER))
        );
        [silent, late.expect_err("busy"), odd.expect_err("no TLS")]
    };
    let (errors, events) = capture(|| runtime().block_on(accept));
    let codes: Vec<_> = errors.iter().map(AcceptError::code).collect();
    assert_eq!(codes, ["deadline", "busy", "handshake"]);
    let odd: Vec<_> = events.iter().filter(|event| event.field("code") == "handshake").cloned().collect();
    assert_refused(
        &odd,
        "client-refused",
        &[
            ("code", "handshake"),
            ("component", "acceptor"),
            ("detail", "received corrupt message of type InvalidContentType"),
            ("peer", PEER_TEXT),
        ],
    );
    for (code, detail, remedy) in [
        (
            "deadline",
            "the handshake was not over before the deadline",
            "raise `AcceptLimits::deadline` if clients need longer",
        ),
        (
            "busy",
            "too many handshakes were pending until the deadline",
            "raise `AcceptLimits::pending`, or add servers",
        ),
    ] {
        let of_code: Vec<_> = events.iter().filter(|event| event.field("code") == code).cloned().collect();
        assert_refused(
            &of_code,
            "client-refused",
            &[
                ("code", code),
                ("component", "acceptor"),
                ("detail", detail),
                ("peer", PEER_TEXT),
                ("remedy", remedy),
            ],
        );
    }
    // Who hangs up was not refused.
    let hang_up = async {
        let acceptor = acceptor(&engine, parts());
        let (near, far) = tokio::io::duplex(64);
        drop(near);
        acceptor.accept_from(far, SocketAddr::from(PEER)).await.expect_err("gone").code()
    };
    let (code, events) = capture(|| runtime().block_on(hang_up));
    assert_eq!(code, "handshake");
    let (level, message, fields) = only(&events, "connection-lost");
    assert_eq!((&*level, &*message), ("DEBUG", "connection lost in the handshake"));
    assert_eq!(fields.len(), 3, "{fields:?}");
    assert_eq!(events.len(), 1, "{events:?}");
}

#[test]
fn a_connection_that_is_cut() {
    let world = World::new();
    let cert = world.plain("cut");
    let engine = engine(&world, Revocation::HardFail);
    let acceptor = acceptor(&engine, parts());
    let config = config(&world, "cut", &cert);
    let cut = converse(&acceptor, &config, async |admitted| {
        let mut stream = admitted.until_refused();
        world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
        engine.forget();
        let report = engine.check(&world.chain(&cert), now(), PATIENCE).await;
        assert_eq!(outcome_of(&report).1, "certificate-revoked");
        let error = stream.read_u8().await.expect_err("cut");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
        assert_eq!(error.to_string(), "certificate-revoked");
        let error = stream.write_u8(1).await.expect_err("still cut");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    });
    let ((), events) = capture(|| runtime().block_on(cut));
    assert_refused(
        &events,
        "client-ended",
        &[
            ("certificate", "0"),
            ("code", "certificate-revoked"),
            ("component", "watch"),
            ("detail", &reason(&engine, &world, &cert)),
            ("peer", PEER_TEXT),
            ("remedy", Remedy::ReplaceCertificate.text()),
            ("source", &world.server.url("/ca.crl")),
            ("subject", "CN=cut,O=Fetch"),
        ],
    );
}

#[test]
fn a_resumed_session() {
    let world = World::new();
    let cert = world.plain("resumes");
    let engine = engine(&world, Revocation::HardFail);
    let acceptor = acceptor(&engine, parts());
    let config = config(&world, "resumes", &cert);
    for resumed in ["false", "true"] {
        let (level, message, fields) = only(&accepted(&acceptor, &config), "client-accepted");
        assert_eq!((&*level, &*message), ("DEBUG", "client accepted"));
        let expected = [
            ("code", "accept"),
            ("component", "acceptor"),
            ("peer", PEER_TEXT),
            ("resumed", resumed),
            ("subject", "CN=resumes,O=Fetch"),
        ];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&cert])));
    engine.forget();
    let report = engine.check_blocking(&world.chain(&cert), now(), PATIENCE);
    assert_eq!(outcome_of(&report).1, "certificate-revoked");
    let events = accepted(&acceptor, &config);
    let (level, message, fields) = only(&events, "session-not-resumed");
    assert_eq!((&*level, &*message), ("DEBUG", "session not resumed; a full handshake follows"));
    let expected = [("code", "certificate-revoked"), ("component", "acceptor"), ("peer", PEER_TEXT)];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "certificate-revoked"),
            ("component", "acceptor"),
            ("detail", &reason(&engine, &world, &cert)),
            ("peer", PEER_TEXT),
            ("remedy", Remedy::ReplaceCertificate.text()),
            ("source", &world.server.url("/ca.crl")),
            ("subject", "CN=resumes,O=Fetch"),
        ],
    );
}

#[test]
fn clients_that_are_let_in_without_all_being_known() {
    let world = World::new();
    let soft = engine(&world, Revocation::SoftFail);
    let url = world.server.url("/nothing.crl");
    let cert = world.client("tolerated", std::slice::from_ref(&url), &[]);
    let events = accepted(&acceptor(&soft, parts()), &config(&world, "tolerated", &cert));
    let (_, _, fields) = only(&events, "client-accepted");
    assert!(fields.contains(&("tolerated".to_owned(), "unreachable".to_owned())), "{fields:?}");

    let anyone = acceptor(&soft, parts().client_auth(ClientAuth::IfSent));
    let events = accepted(&anyone, &Arc::new(client_config(None, &TLS13)));
    let (_, _, fields) = only(&events, "client-accepted");
    let expected = [("code", "accept"), ("component", "acceptor"), ("peer", PEER_TEXT), ("resumed", "false")];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

/// rustls does not give a verifier the address of its peer.
#[test]
fn the_verifier() {
    let world = World::new();
    let (good, revoked) = (world.plain("good"), world.plain("revoked"));
    world.server.serve("/ca.crl", Page::new(world.revoking(1, &[&revoked])));
    let engine = engine(&world, Revocation::HardFail);
    let url = world.server.url("/ca.crl");
    let unknown = engine.look_up(&world.chain(&good), now());
    let detail = format!("{}: not in memory", unknown.message().expect("unknown"));
    let events = verified(&engine, &config(&world, "good", &good));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "revocation-unknown"),
            ("component", "verifier"),
            ("detail", &detail),
            (
                "remedy",
                "the evidence is being fetched: have the client try again, wait for it with \
                 `VerifierBuilder::waiting_up_to`, or use an `Acceptor`",
            ),
            ("source", &url),
            ("subject", "CN=good,O=Fetch"),
        ],
    );
    assert!(engine.check_blocking(&world.chain(&good), now(), PATIENCE).is_accepted());
    let events = verified(&engine, &config(&world, "good", &good));
    let (level, _, fields) = only(&events, "client-accepted");
    assert_eq!(level, "DEBUG");
    let expected = [("code", "accept"), ("component", "verifier"), ("subject", "CN=good,O=Fetch")];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let events = verified(&engine, &config(&world, "revoked", &revoked));
    assert_refused(
        &events,
        "client-refused",
        &[
            ("certificate", "0"),
            ("code", "certificate-revoked"),
            ("component", "verifier"),
            ("detail", &reason(&engine, &world, &revoked)),
            ("remedy", Remedy::ReplaceCertificate.text()),
            ("source", &url),
            ("subject", "CN=revoked,O=Fetch"),
        ],
    );
    // A new ring that is against it.
    let other = Key::p256("events other root");
    let mut builder = certcheck_core::key_ring::RingBuilder::new();
    let root = Cert::root("O=Other,CN=Root", &other).issue(&other);
    builder.add("root", &root, certcheck_core::key_ring::Placement::Anchor).expect("read");
    engine.reload(builder.build().expect("a ring"), Policy::client(Revocation::HardFail), Evidence::new());
    let events = verified(&engine, &config(&world, "good", &good));
    let (_, _, fields) = only(&events, "client-refused");
    assert!(fields.contains(&("code".to_owned(), "unknown-issuer".to_owned())), "{fields:?}");
}
