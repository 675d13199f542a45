//! Rules of a listener that passes bytes: which clients with good certificates are served.

mod support;

use support::*;

#[tokio::test(flavor = "multi_thread")]
async fn only_clients_that_the_rules_accept_are_served() {
    let pki = Pki::new();
    let upstream = echo().await;
    for (rules, served) in [
        ("", &["alice", "bob"][..]),
        ("[[listener.allow]]\ncn = 'a*'\n", &["alice"]),
        ("[[listener.allow]]\ncn = 'a*'\n[[listener.allow]]\nsubject = '*,O=Fetch'\n", &["alice", "bob"]),
        ("[listener.identity]\nrule = [{ user = 'x', cn = 'bob' }]\n", &["bob"]),
        ("[listener.identity]\nrequired = false\nrule = [{ user = 'x', cn = 'bob' }]\n", &["alice", "bob"]),
        // The check of the certificate comes first: no rule accepts what it refuses.
        ("[[listener.allow]]\ncn = ['revoked', 'expired', 'stranger']\n", &[]),
    ] {
        let (front, address) = pki.front(&upstream, rules);
        for name in ["alice", "bob", "revoked", "expired", "stranger"] {
            let outcome = match try_dial(address, &pki.client(name)).await {
                Ok(mut stream) => ping(&mut stream, b"hello").await,
                Err(error) => Err(error),
            };
            assert_eq!(outcome.is_ok(), served.contains(&name), "{name} by {rules}");
        }
        until("all connections end", || front.connections() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_hold_for_live_connections_too() {
    let pki = Pki::new();
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "");
    let (mut alice, mut bob) =
        (dial(address, &pki.client("alice")).await, dial(address, &pki.client("bob")).await);
    ping(&mut alice, b"hello").await.expect("served");
    ping(&mut bob, b"hello").await.expect("served");
    let only_alice = pki.config(&upstream, "[[listener.allow]]\ncn = 'alice'\n").expect("good");
    front.reload(only_alice).expect("used");
    read_to_end(&mut bob).await.expect_err("cut");
    ping(&mut alice, b"still").await.expect("served");
}
