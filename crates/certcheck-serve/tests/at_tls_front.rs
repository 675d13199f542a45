//! A front that runs by the printed fragment of a policy, with real clients.

mod support;

use std::fs;
use std::path::Path;

use certcheck_rustls::rustls::version::{TLS12, TLS13};
use certcheck_serve::Front;
use certcheck_serve::at_tls::{KeyringName, Permissions, ReadOptions, compile, configure};
use certcheck_serve::config::{ListenAddress, ListenerConfig, Loaded, Upstream};
use certcheck_serve::ring_folders;
use certcheck_testkit::served::*;
use support::*;

const FRAGMENT: &str = include_str!("data/printed_fragment.txt");

/// The fragment on a free port of loopback, with a key ring of the PKI. What the policy does not say is given: where
/// evidence may come from, and the service.
fn loaded(pki: &Pki, text: &str, upstream: &str) -> Loaded {
    let rings = pki.path("rings");
    let ring = rings.join("keyR1~AZF");
    for (folder, files) in [
        ("anchors", &["ring/root.pem"][..]),
        ("intermediates", &["ring/ca.pem"]),
        ("personal", &["server.pem", "server.key"]),
    ] {
        fs::create_dir_all(ring.join(folder)).expect("a folder");
        for file in files {
            let name = Path::new(file).file_name().expect("a name");
            fs::copy(pki.path(file), ring.join(folder).join(name)).expect("copied");
        }
    }
    let policy = compile(text.as_bytes(), ReadOptions { fragment: true }, &Permissions::default());
    assert!(!policy.diagnostics.has_errors(), "{:?}", policy.diagnostics.sorted());
    let mut base = ListenerConfig::new("", Upstream::parse(upstream).expect("an upstream"));
    base.check.network.allow_net = vec!["127.0.0.0/8".parse().expect("a network")];
    let find = |name: &KeyringName, label: Option<&str>| ring_folders::find(&rings, name, label);
    let mut loaded = configure(&policy, Path::new("policy.txt"), &base, find).expect("a configuration");
    loaded.config.listeners[0].listen = vec![ListenAddress::tcp("127.0.0.1:0".parse().expect("an address"))];
    loaded
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_fragment_accepts_good_clients_and_no_others() {
    let pki = Pki::new();
    let front = Front::start(loaded(&pki, FRAGMENT, &hello().await)).expect("it starts");
    let address = front.addresses("client_AZF")[0];
    for version in [&TLS12, &TLS13] {
        for (name, expected) in [
            ("good", Ok(HELLO)),
            ("ocsp-good", Ok(HELLO)),
            ("revoked", Err("certificate_revoked (44)")),
            ("ocsp-revoked", Err("certificate_revoked (44)")),
            ("expired", Err("certificate_expired (45)")),
            ("stranger", Err("unknown_ca (48)")),
        ] {
            let outcome = connect(address, &pki.client_with(name, version)).await.outcome;
            assert_eq!(outcome, expected.map(str::to_owned).map_err(str::to_owned), "{name}, {version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_from_other_networks_are_disconnected() {
    let pki = Pki::new();
    let upstream = hello().await;
    let client = pki.client("good");
    for (addresses, is_accepted) in [("127.0.0.0/8", true), ("192.0.2.0/24", false)] {
        let text =
            FRAGMENT.replacen("RemoteAddr                      ALL", &format!("RemoteAddr {addresses}"), 1);
        let front = Front::start(loaded(&pki, &text, &upstream)).expect("it starts");
        let outcome = connect(front.addresses("client_AZF")[0], &client).await.outcome;
        assert_eq!(outcome.is_ok(), is_accepted, "{addresses}: {outcome:?}");
    }
}

/// Certificates without a source: only the responder of the policy knows about them.
#[tokio::test(flavor = "multi_thread")]
async fn the_responder_of_a_policy_is_asked_about_certificates_without_one() {
    let pki = Pki::new();
    let upstream = hello().await;
    let ocsp = |url: &str| {
        FRAGMENT.replace(
            "GSK_V3_SESSION_TIMEOUT",
            &format!("TTLSGskOcspParms\n{{\nOcspUrl {url}\n}}\nGSK_V3_SESSION_TIMEOUT"),
        )
    };
    let refused = "certificate_revoked (44)";
    for (text, good, revoked) in [
        (FRAGMENT.to_owned(), Ok(HELLO), Ok(HELLO)),
        (ocsp(&pki.world.server.url("/ocsp")), Ok(HELLO), Err(refused)),
    ] {
        let front = Front::start(loaded(&pki, &text, &upstream)).expect("it starts");
        let address = front.addresses("client_AZF")[0];
        for (name, expected) in [("bare-good", good), ("bare-revoked", revoked)] {
            let outcome = connect(address, &pki.client(name)).await.outcome;
            assert_eq!(outcome, expected.map(str::to_owned).map_err(str::to_owned), "{name}");
        }
    }
    // Medium: a responder that cannot be reached is not a status.
    let front = Front::start(loaded(&pki, &ocsp("http://127.0.0.1:9/"), &upstream)).expect("it starts");
    assert!(connect(front.addresses("client_AZF")[0], &pki.client("bare-good")).await.outcome.is_err());
}
