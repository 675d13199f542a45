//! A front that runs by the printed fragment of a policy, with real clients.

mod policies;
mod support;

use certcheck_rustls::rustls::version::{TLS12, TLS13};
use certcheck_serve::Front;
use certcheck_testkit::served::*;
use policies::{FRAGMENT, loaded};
use support::*;

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
