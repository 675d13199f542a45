//! Nodes that ask mirrors first: one fetch for all, news within a second, and the source where a mirror fails.

mod mirroring;
mod support;

use std::time::{Duration, Instant};

use certcheck_rustls::certcheck_fetch::store::{DiskOptions, DiskStore};
use certcheck_rustls::{Ended, Engine, KeyRing, Policy, Revocation};
use certcheck_testkit::server::{Fault, Page, Server};
use certcheck_testkit::world::loopback;

use mirroring::*;
use support::{PATIENCE, Pki};

#[tokio::test(flavor = "multi_thread")]
async fn one_exchange_for_all_nodes_and_a_revocation_within_a_second() {
    let pki = Pki::new();
    let (good, bad) = (client(&pki, "good", "/site.crl", ""), client(&pki, "bad", "/site.crl", ""));
    pki.world.server.serve("/site.crl", Page::new(crl_of(&pki, 1, FROM, &[])).with_etag("\"1\""));
    let mirror = Mirror::start(&pki, "");
    let nodes: Vec<_> = (0..8).map(|_| node(&pki, [mirror.url()])).collect();
    let mut watches = Vec::new();
    for node in &nodes {
        assert_eq!(check(node, &pki, &good).await.0, "accept");
        let (code, report) = check(node, &pki, &bad).await;
        assert_eq!(code, "accept");
        assert_eq!(report.sources()[0].from.map(|from| from.code()), Some("memory"));
        watches.push(tokio::spawn(node.watch(&report, &pki.world.chain(&bad))));
    }
    // For its clients the mirror asks once. What it asks itself, once a second, brings no body.
    let bodies = || {
        let all = pki.world.server.requests();
        all.iter()
            .filter(|request| request.path == "/site.crl" && request.header("if-none-match").is_none())
            .count()
    };
    let before = bodies();
    assert_eq!(before, 1);

    let newer = crl_of(&pki, 2, LATER, std::slice::from_ref(&bad.serial));
    pki.world.server.serve("/site.crl", Page::new(&newer));
    until("the mirror has it", || mirror.served(&pki.world.server.url("/site.crl")).body == newer);
    let begun = Instant::now();
    for watch in watches {
        let ended = tokio::time::timeout(PATIENCE, watch).await.expect("in time").expect("a watch");
        match ended {
            Ended::Rejected(report) => assert_eq!(report.code(), "certificate-revoked"),
            other => panic!("{other:?}"),
        }
    }
    println!("all nodes cut {:?} after the mirror had it", begun.elapsed());
    for node in &nodes {
        assert_eq!(check(node, &pki, &bad).await.0, "certificate-revoked");
        assert_eq!(check(node, &pki, &good).await.0, "accept");
    }
}

/// A mirror that announces something and does not have it when it is asked: the node asks again, and does not wait until its
/// own evidence ends.
#[tokio::test(flavor = "multi_thread")]
async fn news_are_looked_at_until_a_mirror_answers() {
    let pki = Pki::new();
    let cert = client(&pki, "soon revoked", "/site.crl", "");
    pki.world.server.serve("/site.crl", Page::new(crl_of(&pki, 1, FROM, &[])));
    let mirror = Server::start();
    let (path, source) =
        (Mirror::path_of(&pki.world.server.url("/site.crl")), pki.world.server.url("/site.crl"));
    let event = format!("event: evidence\ndata: {{\"kind\":\"crl\",\"url\":\"{source}\"}}\n\n");
    mirror.serve(&path, Page::new(crl_of(&pki, 1, FROM, &[])));
    let node = node(&pki, [mirror.url("").parse().expect("a URL")]);
    let (code, report) = check(&node, &pki, &cert).await;
    assert_eq!(code, "accept");
    let watch = node.watch(&report, &pki.world.chain(&cert));
    mirror.break_with(&path, Fault::ServerError);
    mirror.serve("/v1/news", Page::new(event.as_bytes()).with_type("text/event-stream"));
    until("it is asked and fails", || mirror.count(&path) >= 2);
    mirror.repair("/v1/news");
    mirror.serve("/v1/news", Page::not_found());
    mirror.serve(&path, Page::new(crl_of(&pki, 2, LATER, std::slice::from_ref(&cert.serial))));
    mirror.repair(&path);
    match tokio::time::timeout(PATIENCE, watch).await.expect("in time") {
        Ended::Rejected(report) => assert_eq!(report.code(), "certificate-revoked"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_by_ocsp_reaches_nodes_by_news() {
    let pki = Pki::new();
    let cert = client(&pki, "soon revoked", "", "/ocsp");
    pki.world.responder.good(&cert.serial);
    let mirror = Mirror::start(&pki, "");
    let node = node(&pki, [mirror.url()]);
    let (code, report) = check(&node, &pki, &cert).await;
    assert_eq!(code, "accept");
    let watch = node.watch(&report, &pki.world.chain(&cert));
    pki.world.responder.set_this_update(LATER);
    pki.world.responder.revoke(&cert.serial, LATER, Some("keyCompromise"));
    match tokio::time::timeout(PATIENCE, watch).await.expect("in time") {
        Ended::Rejected(report) => assert_eq!(report.code(), "certificate-revoked"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mirror_brought_is_kept_over_a_restart() {
    let pki = Pki::new();
    let cert = client(&pki, "revoked", "/site.crl", "");
    let store = || DiskStore::open(&pki.path("node-cache"), DiskOptions::default()).expect("a folder");
    let with = |urls: Vec<url::Url>| {
        let ring = KeyRing::from_paths(&[pki.path("ring")]).expect("a ring");
        let builder = Engine::builder(ring, Policy::client(Revocation::HardFail)).guard(loopback());
        builder.disk_store(store()).mirrors(urls).build().expect("builds")
    };
    pki.world.server.serve("/site.crl", Page::new(crl_of(&pki, 7, FROM, &[])));
    let before = with(Vec::new());
    assert_eq!(check(&before, &pki, &cert).await.0, "accept");
    before.flush().await;
    drop(before);
    // The mirror has a newer one than the node has kept.
    let newer = crl_of(&pki, 8, LATER, std::slice::from_ref(&cert.serial));
    pki.world.server.serve("/site.crl", Page::new(newer));
    let mirror = Mirror::start(&pki, "");
    let node = with(vec![mirror.url()]);
    until("the news", || {
        let report = node.check_blocking(&pki.world.chain(&cert), node.now(), PATIENCE);
        report.code() == "certificate-revoked"
    });
    node.flush().await;
    drop(node);
    mirror.front.drain(Duration::ZERO).await;
    pki.world.server.break_with("/site.crl", Fault::Refuse);
    assert_eq!(check(&with(Vec::new()), &pki, &cert).await.0, "certificate-revoked");
}

/// What mirrors may do wrong, and whether the verdict is that of the source.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_fails_or_lies_changes_no_verdict() {
    let pki = Pki::new();
    let (good, bad) = (client(&pki, "good", "/site.crl", ""), client(&pki, "bad", "/site.crl", ""));
    let by_ocsp = client(&pki, "bad by ocsp", "", "/ocsp");
    pki.world.responder.revoke(&by_ocsp.serial, FROM, None);
    let current = crl_of(&pki, 5, LATER, std::slice::from_ref(&bad.serial));
    pki.world.server.serve("/site.crl", Page::new(&current));
    let liar = Server::start();
    let path = Mirror::path_of(&pki.world.server.url("/site.crl"));
    let expired = certcheck_testkit::crl::CrlBuilder::new(CA).valid(FROM, Some("2026-03-01T00:00:00Z"));
    let answers = [
        ("nothing there", None, None),
        ("unsigned", Some(builder(9, LATER, &[]).issue(&stranger())), None),
        ("expired", Some(expired.issue(&pki.world.ca)), None),
        ("future", Some(crl_of(&pki, 9, "2120-01-01T00:00:00Z", &[])), None),
        ("html", None, Some(Fault::Html)),
        ("bomb", None, Some(Fault::GzipBomb)),
        ("redirect", None, Some(Fault::redirect_to("http://127.0.0.1:1/"))),
        ("hang", None, Some(Fault::HangBeforeHeaders)),
        ("cut", None, Some(Fault::ResetMidBody)),
    ];
    for (name, page, fault) in answers {
        liar.repair(&path);
        liar.serve(&path, page.map_or_else(Page::not_found, Page::new));
        if let Some(fault) = fault {
            liar.break_with(&path, fault);
        }
        let node = node(&pki, [liar.url("").parse().expect("a URL")]);
        assert_eq!(check(&node, &pki, &bad).await.0, "certificate-revoked", "{name}");
        assert_eq!(check(&node, &pki, &good).await.0, "accept", "{name}");
        assert_eq!(check(&node, &pki, &by_ocsp).await.0, "certificate-revoked", "{name}");
    }
    // A CRL that was good and has been replaced is the most that a mirror can do: it delays the news, as a source could.
    // A node that has the newer one does not go back.
    let node = node(&pki, [liar.url("").parse().expect("a URL")]);
    assert_eq!(check(&node, &pki, &bad).await.0, "certificate-revoked");
    liar.repair(&path);
    liar.serve(&path, Page::new(crl_of(&pki, 4, FROM, &[])));
    assert_eq!(check(&node, &pki, &bad).await.0, "certificate-revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_mirror_is_asked_and_then_the_source() {
    let pki = Pki::new();
    let cert = client(&pki, "good", "/site.crl", "");
    pki.world.server.serve("/site.crl", Page::new(crl_of(&pki, 1, FROM, &[])));
    let dead = support::free_address();
    let dead: url::Url = format!("http://{dead}").parse().expect("a URL");
    let mirror = Mirror::start(&pki, "");
    let second = node(&pki, [dead.clone(), mirror.url()]);
    let begun = Instant::now();
    let (code, report) = check(&second, &pki, &cert).await;
    assert_eq!(code, "accept");
    assert_eq!(
        report.sources().last().and_then(|source| source.from).map(|from| from.code()),
        Some("mirror")
    );
    println!("beside a dead mirror: {:?}", begun.elapsed());
    let alone = node(&pki, [dead]);
    let (code, report) = check(&alone, &pki, &cert).await;
    assert_eq!(code, "accept");
    assert_eq!(
        report.sources().last().and_then(|source| source.from).map(|from| from.code()),
        Some("network")
    );
    // What is known is not asked for anywhere.
    let begun = Instant::now();
    assert_eq!(check(&alone, &pki, &cert).await.0, "accept");
    assert!(begun.elapsed() < Duration::from_secs(1));
}
