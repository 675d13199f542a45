//! Every way in which a source can fail. The check reports the cause within its deadline, other checks are not affected, and
//! the source is used again after the fault.
//!
//! The table in `docs/faults.md` is made of this: `UPDATE_DOCS=1 cargo test -p certcheck-fetch --test faults`.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::Cert;
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::ext;
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::server::{Fault, Page, gzipped};
use certcheck_testkit::world::{CA, Names, World, impatient, now, outcome_of, patient};
use pki_types::CertificateDer;

/// The time of a check that gives up on all its sources, with slack for the machine.
const WITHIN: Duration = Duration::from_secs(15);
const SLACK: Duration = Duration::from_secs(15);

/// Bytes of memory that are in use.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// A fault of the CRL's source, by name, what it is, and the cause that is reported.
fn faults_of_crls() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("refuse", "the connection is reset", "unreachable"),
        ("hang-before-headers", "no answer", "unreachable"),
        ("hang-after-headers", "headers, then nothing", "unreachable"),
        ("drip", "one byte per second", "unreachable"),
        ("reset-mid-body", "the connection is reset in the middle", "unreachable"),
        ("truncate", "the connection is closed in the middle", "unreachable"),
        ("wrong-length", "Content-Length is larger than the body", "unreachable"),
        ("wrong-length-short", "Content-Length is smaller than the body", "malformed"),
        ("endless-body", "an endless body", "malformed"),
        ("gzip-bomb", "1 MiB that decompresses to 1 GiB", "too-large"),
        ("garbage", "random bytes", "malformed"),
        ("html", "a page of a captive portal, with status 200", "malformed"),
        ("empty", "an empty body, with status 200", "malformed"),
        ("redirect-loop", "a redirect to itself", "unreachable"),
        ("not-modified-without-body", "status 304 without a condition in the request", "unreachable"),
        ("too-many-requests", "status 429 with Retry-After", "unreachable"),
        ("unavailable", "status 503 with Retry-After", "unreachable"),
        ("server-error", "status 500", "unreachable"),
        ("tls-only", "TLS in place of HTTP", "unreachable"),
    ]
}

/// Answers of a working server that cannot be used as evidence.
fn wrong_crls(world: &World) -> Vec<(&'static str, &'static str, Vec<u8>, &'static str)> {
    let late = CrlBuilder::new(CA).valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"));
    let early = CrlBuilder::new(CA).valid("2028-01-01T00:00:00Z", Some("2028-02-01T00:00:00Z"));
    let kind = crl::Idp { attribute: true, ..<_>::default() };
    vec![
        (
            "wrong-crl",
            "the CRL of another CA",
            CrlBuilder::new(certcheck_testkit::world::ROOT).issue(&world.root),
            "out-of-scope",
        ),
        (
            "forged",
            "a CRL that is signed with another key",
            CrlBuilder::new(CA).issue(&world.stranger),
            "bad-signature",
        ),
        ("stale", "a CRL whose nextUpdate has passed", late.issue(&world.ca), "stale"),
        (
            "from-the-future",
            "a CRL whose thisUpdate is in the future",
            early.issue(&world.ca),
            "not-yet-valid",
        ),
        (
            "of-others",
            "a CRL for attribute certificates",
            CrlBuilder::new(CA).with([kind.ext()]).issue(&world.ca),
            "out-of-scope",
        ),
        (
            "delta",
            "a delta CRL in place of a complete one",
            CrlBuilder::new(CA).with([crl::delta(1)]).issue(&world.ca),
            "out-of-scope",
        ),
    ]
}

/// An engine that soon gives up on who does not answer.
fn impatient_engine(world: &World) -> Engine {
    world.builder().limits(impatient()).build().expect("builds")
}

/// The outcome of a chain's check.
fn check(engine: &Engine, chain: &[CertificateDer<'_>]) -> (&'static str, &'static str, &'static str) {
    check_within(engine, chain, WITHIN)
}

/// The same with this deadline.
fn check_within(
    engine: &Engine,
    chain: &[CertificateDer<'_>],
    within: Duration,
) -> (&'static str, &'static str, &'static str) {
    let begun = Instant::now();
    let report = engine.check_blocking(chain, now(), within);
    assert!(begun.elapsed() < within + SLACK, "{:?} {:?}", begun.elapsed(), report.sources());
    outcome_of(&report)
}

/// Asks until the client is accepted, or the time is over: the source was not asked for a while.
fn recovers(engine: &Engine, chain: &[CertificateDer<'_>]) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if engine.check_blocking(chain, now(), WITHIN).is_accepted() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    false
}

#[test]
fn sources_of_crls() {
    let world = World::new();
    let client = world.chain(&world.client("faults", &[world.server.url("/broken.crl")], &[]));
    let healthy = world.chain(&world.plain("healthy"));
    let before = resident();
    let mut table = String::new();
    let good = Page::new(CrlBuilder::new(CA).issue(&world.ca));
    let mut row = |name: &str, what: &str, cause: &str, expected: &str| {
        assert_eq!(cause, expected, "{name}");
        writeln!(table, "| `{name}` | {what} | `{cause}` |").expect("written");
    };
    for (name, what, expected) in faults_of_crls() {
        // Nothing is remembered from one row to the next.
        let engine = impatient_engine(&world);
        world.server.serve("/broken.crl", good.clone());
        world.server.break_with("/broken.crl", Fault::named(name).expect("a fault"));
        let (verdict, code, cause) = check(&engine, &client);
        assert_eq!((verdict, code), ("undetermined", "revocation-unknown"), "{name}");
        row(name, what, cause, expected);
        // Who has another source is not harmed.
        assert_eq!(check(&engine, &healthy).0, "accept", "{name}");
        world.server.repair("/broken.crl");
        assert!(recovers(&engine, &client), "{name}");
    }
    for (name, what, body, expected) in wrong_crls(&world) {
        // Nothing is remembered from one row to the next.
        let engine = impatient_engine(&world);
        world.server.serve("/broken.crl", Page::new(body));
        let (verdict, code, cause) = check(&engine, &client);
        assert_eq!((verdict, code), ("undetermined", "revocation-unknown"), "{name}");
        row(name, what, cause, expected);
        world.server.serve("/broken.crl", good.clone());
        assert!(recovers(&engine, &client), "{name}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more than before");
    compare("crl", &table);
}

#[test]
fn sources_of_answers() {
    let world = World::new();
    let client = world.client("answers", &[], &[world.server.url("/ocsp")]);
    let chain = world.chain(&client);
    world.responder.good(&client.serial);
    let mut table = String::new();
    let mut row = |name: &str, what: &str, shown: (&str, &str, &str), expected: &str| {
        assert_eq!(shown, ("undetermined", "revocation-unknown", expected), "{name}");
        writeln!(table, "| `{name}` | {what} | `{expected}` |").expect("written");
    };
    for (name, what, expected) in faults_of_crls() {
        // What a responder says with HTTP is a responder's error.
        let expected = match name {
            "too-many-requests" | "unavailable" | "server-error" => "responder-error",
            _ => expected,
        };
        let engine = impatient_engine(&world);
        world.server.break_with("/ocsp", Fault::named(name).expect("a fault"));
        row(name, what, check(&engine, &chain), expected);
        world.server.repair("/ocsp");
        assert!(recovers(&engine, &chain), "{name}");
    }
    for (name, what, status, expected) in [
        ("try-later", "an unsigned error: tryLater", 3, "responder-error"),
        ("unauthorized", "an unsigned error: unauthorized", 6, "responder-error"),
    ] {
        let engine = impatient_engine(&world);
        world.responder.set_error(Some(status));
        row(name, what, check(&engine, &chain), expected);
        world.responder.set_error(None);
        assert!(recovers(&engine, &chain), "{name}");
    }
    let engine = impatient_engine(&world);
    world.responder.forget(&client.serial);
    row(
        "unknown",
        "the responder does not know the certificate",
        check(&engine, &chain),
        "responder-unknown",
    );
    world.responder.good(&client.serial);
    assert!(recovers(&engine, &chain));

    // An answer of long ago, played again.
    let engine = impatient_engine(&world);
    world.responder.set_this_update("2026-01-01T00:00:00Z");
    world.responder.set_next_update(Some("2026-01-08T00:00:00Z"));
    row("replayed", "a good answer that is a year old", check(&engine, &chain), "stale");
    world.responder.set_next_update(Some("2027-01-08T00:00:00Z"));
    assert!(recovers(&engine, &chain));

    // Another certificate's good answer in place of this one's.
    let engine = impatient_engine(&world);
    let other = world.client("other", &[], &[]);
    let id = certcheck_testkit::ocsp::cert_id("sha1", &other.issuer, &world.ca, &other.serial);
    let answer = certcheck_testkit::ocsp::AnswerBuilder::good(id);
    let by_ca = certcheck_testkit::ocsp::by_key(&world.ca);
    let body = certcheck_testkit::ocsp::Response::new(by_ca.clone(), [answer]).issue(&world.ca);
    world.server.serve_with("/ocsp", move |_| Page::new(&body));
    row("of-another", "a good answer about another certificate", check(&engine, &chain), "out-of-scope");
    // A good answer about this one by a stranger, in the CA's name.
    let engine = impatient_engine(&world);
    let id = certcheck_testkit::ocsp::cert_id("sha1", &client.issuer, &world.ca, &client.serial);
    let answer = certcheck_testkit::ocsp::AnswerBuilder::good(id);
    let body = certcheck_testkit::ocsp::Response::new(by_ca, [answer]).issue(&world.stranger);
    world.server.serve_with("/ocsp", move |_| Page::new(&body));
    row("forged", "a good answer that is signed with another key", check(&engine, &chain), "bad-signature");
    world.server.serve_with("/ocsp", world.responder.handler());
    assert!(recovers(&engine, &chain));
    compare("ocsp", &table);
}

#[test]
fn addresses_that_are_guarded() {
    let world = World::new();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut table = String::new();
    let names = || {
        Names::new(&[
            ("inside.example", &["127.0.0.1"]),
            ("metadata.example", &["169.254.169.254"]),
            ("public.example", &["127.0.0.1"]),
        ])
    };
    let port = world.server.address().port();
    let urls = [
        ("closed-port", "no server listens", format!("http://{closed}/a.crl"), "unreachable"),
        (
            "no-such-name",
            "the name does not resolve",
            "http://nowhere.example/a.crl".to_owned(),
            "unreachable",
        ),
        (
            "metadata",
            "the address of a cloud's metadata service",
            "http://169.254.169.254/a.crl".to_owned(),
            "refused-address",
        ),
        (
            "name-to-metadata",
            "a name that resolves to it",
            format!("http://metadata.example:{port}/a.crl"),
            "refused-address",
        ),
        (
            "mapped",
            "a guarded IPv4 address, mapped to IPv6",
            format!("http://[::ffff:169.254.169.254]:{port}/a.crl"),
            "refused-address",
        ),
        (
            "decimal",
            "an address written as a number",
            format!("http://2852039166:{port}/a.crl"),
            "refused-address",
        ),
        (
            "user",
            "a URL with user information",
            format!("http://a:b@public.example:{port}/ca.crl"),
            "refused-address",
        ),
        ("file", "another scheme", "file:///etc/passwd".to_owned(), "refused-address"),
        ("https", "https, unless allowed", "https://public.example/a.crl".to_owned(), "refused-address"),
        (
            "low-port",
            "a port of another service",
            "http://public.example:25/a.crl".to_owned(),
            "refused-address",
        ),
        (
            "redirect-to-metadata",
            "a redirect to a guarded address",
            world.server.url("/to-metadata"),
            "refused-address",
        ),
        (
            "redirect-to-name",
            "a redirect to a name that resolves to one",
            world.server.url("/to-name"),
            "refused-address",
        ),
        ("redirect-to-file", "a redirect to another scheme", world.server.url("/to-file"), "refused-address"),
    ];
    for (path, to) in [
        ("/to-metadata", "http://169.254.169.254/latest".to_owned()),
        ("/to-name", format!("http://metadata.example:{port}/a.crl")),
        ("/to-file", "file:///etc/passwd".to_owned()),
    ] {
        world.server.break_with(path, Fault::redirect_to(to));
    }
    let engine = world.builder().resolver(Arc::new(names())).build().expect("builds");
    for (name, what, url, expected) in urls {
        let chain = world.chain(&world.client(name, &[url], &[]));
        let (verdict, _, cause) = check(&engine, &chain);
        assert_eq!((verdict, cause), ("undetermined", expected), "{name}");
        writeln!(table, "| `{name}` | {what} | `{cause}` |").expect("written");
    }
    // A name that is good is followed; the same without leave to go to loopback is not.
    let chain = world.chain(&world.client("named", &[world.server.url_as("public.example", "/ca.crl")], &[]));
    assert_eq!(check(&engine, &chain).0, "accept");
    let strict = world.builder().guard(Guard::new()).resolver(Arc::new(names())).build().expect("builds");
    assert_eq!(check(&strict, &chain), ("undetermined", "revocation-unknown", "refused-address"));
    compare("address", &table);
}

/// The address that was validated is the one connected to: a second look-up would lead elsewhere, and is not made.
#[test]
fn a_name_that_rebinds_is_looked_up_once() {
    let world = World::new();
    let url = world.server.url_as("rebind.example", "/ca.crl");
    let chain = world.chain(&world.client("rebind", &[url], &[]));
    let names = Names::new(&[("rebind.example", &["127.0.0.1", "169.254.169.254"])]);
    let asked = Arc::clone(&names.asked);
    let engine = world.builder().resolver(Arc::new(names)).build().expect("builds");
    assert_eq!(check(&engine, &chain).0, "accept");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn sizes_are_bounded() {
    let world = World::new();
    let entries: Vec<_> = (0..5_000_u16)
        .map(|n| crl::RevokedCertificate::new(&[&[1][..], &n.to_be_bytes()].concat()))
        .collect();
    let large = CrlBuilder::new(CA).revoking(entries).issue(&world.ca);
    let mut limits = patient();
    limits.crl_bytes = 50_000;
    limits.ocsp_bytes = 100;
    let engine = world.builder().limits(limits).build().expect("builds");
    for page in [Page::new(&large), gzipped(Page::new(&large))] {
        world.server.serve("/large.crl", page);
        let client = world.client("large", &[world.server.url("/large.crl")], &[]);
        assert_eq!(check(&engine, &world.chain(&client)).2, "too-large");
        std::thread::sleep(Duration::from_millis(250));
    }
    let client = world.client("large answer", &[], &[world.server.url("/ocsp")]);
    world.responder.good(&client.serial);
    assert_eq!(check(&engine, &world.chain(&client)).2, "too-large");
}

/// The next source is tried within the same deadline: a responder that hangs, then a CRL; a dead mirror, then a live one.
#[test]
fn the_next_source_is_tried_within_the_deadline() {
    let world = World::new();
    // Patient with each source: the deadline alone makes it go on.
    let within = Duration::from_secs(6);
    for fault in ["hang-before-headers", "hang-after-headers", "drip", "refuse", "garbage"] {
        let engine = world.engine();
        let fault_of = |path: &str| world.server.break_with(path, Fault::named(fault).expect("a fault"));
        fault_of("/dead");
        let by_crl = world.client(fault, &[world.server.url("/ca.crl")], &[world.server.url("/dead/ocsp")]);
        let (verdict, _, by) = check_within(&engine, &world.chain(&by_crl), within);
        assert_eq!((verdict, by), ("accept", "crl"), "{fault}");
        let urls = [world.server.url("/dead/ca.crl"), world.server.url("/ca.crl")];
        let by_mirror = world.client(&format!("{fault} mirror"), &urls, &[]);
        assert_eq!(check_within(&engine, &world.chain(&by_mirror), within).0, "accept", "{fault}");
    }
}

/// A body with a mirror behind it that is bad, not missing: poisoned on the way.
#[test]
fn what_is_poisoned_gives_way_to_the_mirror_and_is_not_cached() {
    let world = World::new();
    let engine = world.engine();
    world.server.serve("/poisoned.crl", Page::new(CrlBuilder::new(CA).issue(&world.stranger)));
    let urls = [world.server.url("/poisoned.crl"), world.server.url("/ca.crl")];
    let client = world.client("poisoned", &urls, &[]);
    assert_eq!(check(&engine, &world.chain(&client)).0, "accept");
    // Once repaired, the first is used by a client without a mirror: nothing bad was cached.
    world.server.serve("/poisoned.crl", Page::new(world.revoking(2, &[&client])));
    let alone = world.client("alone", &urls[..1], &[]);
    assert!(recovers(&engine, &world.chain(&alone)));
}

/// Whose key signs nothing else: a certificate made for the table above must not be mistaken for a CA's.
#[test]
fn a_crl_by_a_key_that_may_not_sign_crls() {
    let world = World::new();
    let ca = Cert::ca(CA, &world.ca, certcheck_testkit::world::ROOT, &world.root).with([
        ext::key_usage(&["keyCertSign"]),
        ext::cdp(&[ext::Point::urls(&[world.server.url("/root.crl")])]),
    ]);
    let world = World { ca_cert: ca, ..world };
    let engine = world.engine();
    let (_, _, cause) = check(&engine, &world.chain(&world.plain("no usage")));
    assert_eq!(cause, "wrong-signer");
}

/// The part of the page that a test vouches for is what it saw.
fn compare(part: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    let page = std::fs::read_to_string(&path).expect("docs/faults.md");
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- end of {part} -->"));
    let from = page.find(&begin).expect("the part begins") + begin.len();
    let to = page.find(&end).expect("the part ends");
    let made = format!("\n| fault | what happens | cause |\n|---|---|---|\n{table}\n");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = [&page[..from], &made, &page[to..]].concat();
        std::fs::write(&path, page).expect("written");
    } else {
        assert_eq!(&page[from..to], made, "UPDATE_DOCS=1 makes it again");
    }
}
