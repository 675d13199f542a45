//! Sources as they are in the world: URLs with spaces, responders that take POST alone, bags of certificates in BER,
//! directories that are asked for too much.

use std::time::Duration;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::EvidenceKind;
use certcheck_core::status::Cause;
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::{CheckReport, Engine, Guard, Refusal, SourceTried};
use certcheck_testkit::ocsp::Response;
use certcheck_testkit::server::{Page, Request};
use certcheck_testkit::world::{World, loopback, now, outcome_of, patient};
use certcheck_testkit::{Cert, Key, der, ext};

const WITHIN: Duration = Duration::from_secs(30);

fn first_refusal(report: &CheckReport) -> Option<(Cause, Refusal)> {
    let of = |source: &SourceTried| Some((source.failure.as_ref()?.0, source.refusal.clone()?));
    report.sources().iter().find_map(of)
}

/// AD CS and EJBCA write them.
#[test]
fn raw_spaces_are_sent_encoded() {
    let world = World::new();
    let crl = certcheck_testkit::crl::CrlBuilder::new(certcheck_testkit::world::CA).issue(&world.ca);
    world.server.serve("/my%20ca.crl", Page::new(crl));
    let url = format!(" {} ", world.server.url("/my ca.crl"));
    let chain = world.chain(&world.client("spaces", &[url], &[]));
    let report = world.engine().check_blocking(&chain, now(), WITHIN);
    assert!(report.is_accepted(), "{report:?}");
    let asked = world.server.requests();
    assert!(asked.iter().any(|request| request.path == "/my%20ca.crl"), "{asked:?}");
}

/// Some issuers publish one behind the DER of a CRL.
#[test]
fn a_line_end_behind_a_crl_is_passed_over() {
    for (end, is_good) in [("\n", true), ("\r\n", true), ("\n\n", false), (" ", false)] {
        let world = World::new();
        let mut crl = certcheck_testkit::crl::CrlBuilder::new(certcheck_testkit::world::CA).issue(&world.ca);
        crl.extend_from_slice(end.as_bytes());
        world.server.serve("/ca.crl", Page::new(crl));
        let report = world.engine().check_blocking(&world.chain(&world.plain("end")), now(), WITHIN);
        assert_eq!(report.is_accepted(), is_good, "{end:?}: {report:?}");
    }
}

/// What is no answer to GET is asked for with POST, once, before the source counts as failed.
#[test]
fn what_is_no_answer_to_get_is_posted() {
    type Answers = fn() -> Page;
    let no_answers: Vec<(&str, Answers)> = vec![
        ("an empty body", || Page::new("")),
        ("a page", || Page::new("<html><body>Welcome</body></html>")),
        ("malformedRequest", || Page::new(Response::error(1))),
        ("unauthorized", || Page::new(Response::error(6))),
        ("400", || Page::status(400)),
        ("404", Page::not_found),
        ("405", || Page::status(405)),
        ("too much", || Page::new(vec![0x30; 70_000])),
    ];
    for (what, no_answer) in no_answers {
        let world = World::new();
        let client = world.client(what, &[], &[world.server.url("/posts")]);
        world.responder.good(&client.serial);
        let answer = world.responder.handler();
        world.server.serve_with("/posts", move |request| {
            if request.method == "GET" { no_answer() } else { answer(request) }
        });
        let engine = world.engine();
        let chain = world.chain(&client);
        let report = engine.check_blocking(&chain, now(), WITHIN);
        assert!(report.is_accepted(), "{what}: {report:?}");
        let methods = |world: &World| -> Vec<String> {
            let asked = world.server.requests();
            let own = asked.iter().filter(|request| request.path.starts_with("/posts"));
            own.map(|request: &Request| request.method.clone()).collect()
        };
        assert_eq!(methods(&world), ["GET", "POST"], "{what}");
        // The source has not failed: it is asked again at once.
        engine.forget();
        engine.forget_paths();
        assert!(engine.check_blocking(&chain, now(), WITHIN).is_accepted(), "{what}");
        assert_eq!(methods(&world), ["GET", "POST", "GET", "POST"], "{what}");
    }
}

/// A responder that is busy is not asked twice, and one that answers neither has failed once.
#[test]
fn who_is_busy_is_not_asked_twice() {
    for (what, page, asked, cause) in [
        ("tryLater", (|| Page::new(Response::error(3))) as fn() -> Page, &["GET"][..], "responder-error"),
        ("internalError", || Page::new(Response::error(2)), &["GET"], "responder-error"),
        ("429", || Page::status(429).with_header("Retry-After", "1"), &["GET"], "responder-error"),
        ("unauthorized", || Page::new(Response::error(6)), &["GET", "POST"], "responder-error"),
        ("empty", || Page::new(""), &["GET", "POST"], "malformed"),
    ] {
        let world = World::new();
        world.server.serve_with("/busy", move |_| page());
        let chain = world.chain(&world.client(what, &[], &[world.server.url("/busy")]));
        let report = world.engine().check_blocking(&chain, now(), WITHIN);
        assert_eq!(outcome_of(&report), ("undetermined", "revocation-unknown", cause), "{what}");
        let requests = world.server.requests();
        let own = requests.iter().filter(|request| request.path.starts_with("/busy"));
        let mut methods: Vec<_> = own.map(|request| &*request.method).collect();
        // By either hash of the issuer, for responders that know one alone.
        methods.truncate(asked.len());
        assert_eq!(methods, asked, "{what}");
        let posts = requests.iter().filter(|request| request.method == "POST").count();
        assert_eq!(posts > 0, asked.contains(&"POST"), "{what}");
    }
}

/// An error of OCSP in answer to GET says more than that POST is not taken.
#[test]
fn the_error_that_says_more_is_reported() {
    let world = World::new();
    world.server.serve_with("/gets", |request| {
        if request.method == "GET" { Page::new(Response::error(6)) } else { Page::status(405) }
    });
    let chain = world.chain(&world.client("gets", &[], &[world.server.url("/gets")]));
    let report = world.engine().check_blocking(&chain, now(), WITHIN);
    assert_eq!(outcome_of(&report).2, "responder-error");
    let details: Vec<_> = report.sources().iter().filter_map(|source| source.failure.as_ref()).collect();
    assert!(!details.iter().any(|(_, detail)| detail.contains("405")), "{details:?}");
}

/// What the guard refuses says by which rule, so that a program can say what would help.
#[test]
fn a_refusal_names_its_rule() {
    let world = World::new();
    let address = [127, 0, 0, 1].into();
    let engine = |guard: Guard| world.builder().guard(guard).build().expect("builds");
    for (url, guard, refusal) in [
        ("https://crl.example/a", loopback(), Refusal::Tls("https")),
        ("http://user@crl.example/a", loopback(), Refusal::UserInformation),
        ("http://crl.example:22/a", loopback(), Refusal::Port(22)),
        ("http://127.0.0.1/a", Guard::new(), Refusal::Address { address, what: "loopback" }),
        ("http://10.0.0.1/a", loopback().deny_private(true), Refusal::Private([10, 0, 0, 1].into())),
        ("gopher://crl.example/a", loopback(), Refusal::Scheme("gopher".into())),
        ("ldap:///cn=x?certificateRevocationList", loopback(), Refusal::NoDirectory),
        ("ldap://127.0.0.1/cn=x?certificateRevocationList?sub", loopback(), Refusal::LdapScope("sub".into())),
        ("ldap://127.0.0.1/cn=x?certificateRevocationList?one", loopback(), Refusal::LdapScope("one".into())),
        ("ldap://127.0.0.1/?certificateRevocationList", loopback(), Refusal::LdapUrl("names no entry")),
    ] {
        if url.starts_with("ldap") && !cfg!(feature = "ldap") {
            continue;
        }
        let chain = world.chain(&world.client("refused", &[url.to_owned()], &[]));
        let report = engine(guard).check_blocking(&chain, now(), WITHIN);
        assert_eq!(first_refusal(&report), Some((Cause::RefusedAddress, refusal)), "{url}");
        assert_eq!(outcome_of(&report).2, "refused-address", "{url}");
    }
}

/// RFC 5280 4.2.2.1: certificates may come as "certs-only" in BER.
#[test]
fn issuers_come_in_ber_too() {
    type Write = fn(u8, &[u8]) -> Vec<u8>;
    for (what, write) in [("DER", der::tlv as Write), ("BER", der::indefinite)] {
        let world = World::new();
        let [root, issuing, own] = ["bag root", "bag issuing", "bag client"].map(Key::p256);
        let anchor = Cert::root("CN=Bag Root", &root).issue(&root);
        let member = Cert::ca("CN=Bag Issuing", &issuing, "CN=Bag Root", &root).issue(&root);
        let signed = [
            der::int(1),
            write(0x31, &[]),
            write(0x30, &der::oid("1.2.840.113549.1.7.1")),
            write(0xa0, &member),
            write(0x31, &[]),
        ];
        let signed = write(0x30, &der::concat(&signed));
        let bag = write(0x30, &der::concat(&[der::oid("1.2.840.113549.1.7.2"), write(0xa0, &signed)]));
        world.server.serve("/bag.p7c", Page::new(bag).with_type("application/pkcs7-mime"));
        let mut ring = RingBuilder::new();
        ring.add("anchor", &anchor, Placement::Anchor).expect("reads");
        let mut policy = Policy::client(Revocation::Off);
        policy.aia = true;
        let engine = Engine::builder(ring.build().expect("builds"), policy)
            .guard(loopback())
            .refreshes(false)
            .build()
            .expect("builds");
        let leaf = Cert::leaf("CN=client", &own, "CN=Bag Issuing", &issuing)
            .with([ext::aia(&[] as &[&str], &[world.server.url("/bag.p7c").as_str()])]);
        let report = engine.check_blocking(&[leaf.issue(&issuing).into()], now(), WITHIN);
        assert!(report.is_accepted(), "{what}: {report:?}");
    }
}

/// A failed fetch of an issuer is reported.
#[test]
fn an_issuer_that_cannot_be_fetched_is_reported() {
    let world = World::new();
    let mut policy = world.policy();
    policy.aia = true;
    let key = Key::p256("nobody's");
    let url = world.server.url("/missing.cer");
    let leaf =
        Cert::leaf("CN=orphan", &key, "CN=Nowhere", &key).with([ext::aia(&[] as &[&str], &[url.as_str()])]);
    let engine = Engine::builder(world.ring(), policy)
        .guard(loopback())
        .limits(patient())
        .refreshes(false)
        .build()
        .expect("builds");
    let chain = vec![leaf.issue(&key).into()];
    let report = engine.check_blocking(&chain, now(), WITHIN);
    assert_eq!(report.code(), "unknown-issuer");
    let tried: Vec<_> =
        report.sources().iter().filter(|source| source.kind == EvidenceKind::Issuers).collect();
    assert_eq!(tried.len(), 1, "{report:?}");
    assert_eq!(tried[0].failure.as_ref().map(|(cause, _)| *cause), Some(Cause::Unreachable));
    assert_eq!(&*tried[0].url, url);
    // And again while it is known to be refused.
    let again = engine.check_blocking(&chain, now(), WITHIN);
    assert!(again.sources().iter().any(|source| source.kind == EvidenceKind::Issuers), "{again:?}");
}
