//! The times that a policy sets, with the printed fragment and real clients: of sessions, and of handshakes.
//!
//! What is asserted is what the policy decides by time: whether a session resumes, and whether a client is served. A machine
//! that is too busy to be in time shows nothing, and tries again.

mod policies;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use certcheck_rustls::rustls::client::ResolvesClientCert;
use certcheck_rustls::rustls::sign::CertifiedKey;
use certcheck_rustls::rustls::{SignatureScheme, SupportedProtocolVersion};
use certcheck_serve::Front;
use certcheck_testkit::peers::tool;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use policies::{FRAGMENT, loaded};
use support::*;
use tokio::io::AsyncWriteExt as _;

/// `GSK_V3_SESSION_TIMEOUT 5` of the fragment.
const SESSION: Duration = Duration::from_secs(5);
/// How often a busy machine may try.
const TRIES: usize = 5;

const RESUMED: &str = "Reused, ";
const FULL: &str = "New, ";

/// What `openssl s_client` says, which keeps its session in a file and offers the one that is in another. `None` if there
/// is no openssl.
fn s_client(
    pki: &Pki,
    address: SocketAddr,
    name: &str,
    version: &str,
    offered: Option<&str>,
    kept: &str,
) -> Option<String> {
    let path = |name: &str| pki.path(name).display().to_string();
    let (at, ca, kept) = (address.to_string(), path("server-root.pem"), path(kept));
    let (pem, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
    let version = if version == "TLS 1.2" { "-tls1_2" } else { "-tls1_3" };
    let mut arguments =
        vec!["s_client", "-connect", &at, "-servername", "localhost", "-CAfile", &ca, version];
    arguments.extend(["-cert", &pem, "-key", &key, "-ign_eof", "-sess_out", &kept]);
    let offered = offered.map(path);
    if let Some(offered) = &offered {
        arguments.extend(["-sess_in", offered]);
    }
    tool::run("openssl", &arguments, PATIENCE).map(|ran| ran.text)
}

/// Asserts that an accepted client made this handshake.
fn was_served(text: &str, handshake: &str, what: &str) {
    assert!(text.contains(handshake) && text.contains(HELLO), "{what}: {text}");
}

/// Asserts that a client made a full handshake and was refused as revoked.
fn was_refused(text: &str, what: &str) {
    let is_revoked = text.contains("certificate revoked") && text.contains("alert number 44");
    assert!(is_revoked && !text.contains(RESUMED) && !text.contains(HELLO), "{what}: {text}");
}

/// A front by the fragment: two clients begin sessions, then one of them is revoked. After 3 s the other resumes, and
/// after 6 s it makes a full handshake, although its session was resumed in the meantime. Returns whether it was in time.
fn resumes_in_time(pki: &Pki, front: &Front, version: &str) -> Option<bool> {
    let address = front.addresses("client_AZF")[0];
    let [good, leaver] = ["good", "leaver"].map(|name| pki.person(name));
    let begun = Instant::now();
    for name in ["good", "leaver"] {
        let text = s_client(pki, address, name, version, None, &format!("{name}.session"))?;
        was_served(&text, FULL, &format!("{version}: {name} for the first time"));
    }
    let all_begun = Instant::now();
    // The next CRL of the CA lists one of them, and arrives.
    pki.world.server.serve("/ca.crl", Page::new(pki.crl(&["revoked", "leaver"])));
    let engine = &front.engines()[0];
    engine.forget();
    for (person, code) in [(&good, "accept"), (&leaver, "certificate-revoked")] {
        assert_eq!(engine.check_blocking(&person.chain, engine.now(), PATIENCE).code(), code);
    }

    thread::sleep(Duration::from_secs(3).saturating_sub(all_begun.elapsed()));
    let stayed = s_client(pki, address, "good", version, Some("good.session"), "resumed.session")?;
    let left = s_client(pki, address, "leaver", version, Some("leaver.session"), "none.session")?;
    if begun.elapsed() >= SESSION {
        return Some(false);
    }
    was_served(&stayed, RESUMED, &format!("{version}: a session of 3 s"));
    was_refused(&left, &format!("{version}: a session of 3 s, whose client was revoked"));

    thread::sleep(Duration::from_secs(6).saturating_sub(all_begun.elapsed()));
    let sessions = [("good.session", "as it began"), ("resumed.session", "after it was resumed")];
    // TLS 1.2 has one session for both connections.
    for (kept, what) in sessions.into_iter().filter(|(kept, _)| pki.path(kept).exists()) {
        let text = s_client(pki, address, "good", version, Some(kept), "last.session")?;
        was_served(&text, FULL, &format!("{version}: a session of 6 s, {what}"));
    }
    Some(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_3_s_resumes_while_its_client_is_good_and_one_of_6_s_does_not() {
    let upstream = hello().await;
    let all = ["TLS 1.2", "TLS 1.3"].map(|version| {
        let upstream = upstream.clone();
        tokio::task::spawn_blocking(move || {
            let is_over = (0..TRIES).any(|_| {
                let pki = Pki::new();
                let front = Front::start(loaded(&pki, FRAGMENT, &upstream)).expect("it starts");
                resumes_in_time(&pki, &front, version).unwrap_or(true)
            });
            assert!(is_over, "{version}: this machine was too busy {TRIES} times");
        })
    });
    for version in all {
        version.await.expect("no panic");
    }
}

/// The certificate and key of a client that has to be unlocked first, as a card by its PIN.
#[derive(Debug)]
struct Card {
    own: Arc<dyn ResolvesClientCert>,
    unlocks_after: Duration,
}

impl ResolvesClientCert for Card {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        thread::sleep(self.unlocks_after);
        self.own.resolve(hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What a client gets that answers after this time, and how long it took in all. It has a thread of its own, because it
/// sleeps.
async fn answers_after(
    pki: &Pki,
    address: SocketAddr,
    version: &'static SupportedProtocolVersion,
    unlocks_after: Duration,
) -> (Outcome, Duration) {
    let mut config = client_config(Some(&pki.person("good")), version);
    let own = Arc::clone(&config.client_auth_cert_resolver);
    config.client_auth_cert_resolver = Arc::new(Card { own, unlocks_after });
    let client = move || {
        let begun = Instant::now();
        (runtime().block_on(connect(address, &Arc::new(config))).outcome, begun.elapsed())
    };
    tokio::task::spawn_blocking(client).await.expect("no panic")
}

/// The fragment with this `HandshakeTimeout`: a client that answers in time is served, and one that does not is dropped
/// before the service hears of it.
async fn clients_that_answer(timeout: u64, in_time: Duration, late: Duration) {
    let pki = Pki::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    let upstream = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let _gone = stream.write_all(HELLO.as_bytes()).await;
            let _gone = stream.shutdown().await;
            drain(&mut stream).await;
        }
    })
    .await;
    let text = FRAGMENT.replace("HandshakeTimeout                30", &format!("HandshakeTimeout {timeout}"));
    let mut loaded = loaded(&pki, &text, &upstream);
    // The service is to hear of clients alone.
    loaded.config.listeners.iter_mut().for_each(|listener| listener.limits.upstream_probe = None);
    let front = Front::start(loaded).expect("it starts");
    let address = front.addresses("client_AZF")[0];
    for (name, version) in VERSIONS {
        let client = |unlocks_after| answers_after(&pki, address, version, unlocks_after);
        let in_time = async {
            for _ in 1..TRIES {
                let (outcome, took) = client(in_time).await;
                if outcome.is_ok() || took < Duration::from_secs(timeout) {
                    return (outcome, took);
                }
            }
            client(in_time).await
        };
        let before = heard.load(Ordering::Relaxed);
        let ((served, took), (dropped, _)) = tokio::join!(in_time, client(late));
        assert_eq!(served.as_deref(), Ok(HELLO), "{name}: answered within {took:?}");
        assert!(dropped.is_err(), "{name}: {dropped:?}");
        until("both connections end", || front.connections() == 0).await;
        assert_eq!(heard.load(Ordering::Relaxed), before + 1, "{name}: the service heard of one of them");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_in_time_is_served_and_another_dropped() {
    clients_that_answer(3, Duration::from_millis(500), Duration::from_millis(4_500)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute, for the times of the fragment itself"]
async fn a_client_that_answers_after_29_s_is_served_and_after_31_s_dropped() {
    clients_that_answer(30, Duration::from_secs(29), Duration::from_secs(31)).await;
}
