//! `certcheck bench`: every source by every method, the decision from every place, and handshakes.

mod browser;
mod markup;
mod schema;

use std::fs;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use certcheck_testkit::crl::{CrlBuilder, delta, number};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::Response;
use certcheck_testkit::server::{Fault, OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, pem, program};
use serde_json::Value;

const ROOT: &str = "O=Bench,CN=Root";
const DELAY: Duration = Duration::from_millis(20);

/// A client of the root that names a CRL and a responder.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    root: Key,
    responder: OcspResponder,
}

impl Site {
    fn start() -> Self {
        Self::at("/ocsp")
    }

    /// With a responder at this path.
    fn at(ocsp: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let server = Server::start();
        let (root, client) = (Key::p256("bench root"), Key::p256("bench client"));
        let mut leaf = Cert::leaf("O=Bench,CN=client", &client, ROOT, &root)
            .with([ext::cdp(&[Point::urls(&[server.url("/root.crl")])]), ext::aia(&[server.url(ocsp)], &[])]);
        leaf.serial = vec![0x55];
        let put = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
        put("client.pem", pem("CERTIFICATE", &leaf.issue(&root)));
        put("client.key", pem("PRIVATE KEY", &client.pkcs8()));
        put("ring.pem", pem("CERTIFICATE", &Cert::root(ROOT, &root).issue(&root)));
        let responder = OcspResponder::new(ROOT, root.clone());
        responder.good(&[0x55]);
        responder.set_this_update("2026-01-01T00:00:00Z");
        responder.set_produced_at("2026-01-01T00:00:00Z");
        responder.set_next_update(Some("2125-01-01T00:00:00Z"));
        server.serve_with("/ocsp", responder.handler());
        server.serve("/root.crl", Page { delay: DELAY, ..Page::new(CrlBuilder::new(ROOT).issue(&root)) });
        Self { folder, server, root, responder }
    }

    fn bench(&self, more: &[&str]) -> (i32, String, String) {
        program::run(
            program::isolated(env!("CARGO_BIN_EXE_certcheck"))
                .current_dir(self.folder.path())
                .args(["bench", "client.pem", "--ring", "ring.pem", "--allow-net", "127.0.0.0/8"])
                .args(["--pause", "0", "--timeout", "20"])
                .args(if more.contains(&"--rounds") { &[][..] } else { &["--rounds", "3"] })
                .args(more),
        )
    }

    fn figures(&self, more: &[&str]) -> (i32, Value) {
        let (exit, out, err) = self.bench(&[&["--json"], more].concat());
        let figures = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        schema::check(&figures);
        (exit, figures)
    }
}

fn of<'f>(figures: &'f Value, kind: &str, method: &str) -> &'f Value {
    let mut sources = figures["sources"].as_array().expect("sources").iter();
    sources.find(|source| source["kind"] == kind && source["method"] == method).expect("measured")
}

#[test]
fn every_source_by_every_method_and_the_decision_from_every_place() {
    let site = Site::start();
    let (exit, figures) = site.figures(&[]);
    assert_eq!(exit, 0, "{figures}");
    for (kind, method) in [("crl", "GET"), ("ocsp", "GET"), ("ocsp", "POST")] {
        let source = of(&figures, kind, method);
        assert_eq!(source["failures"], 0);
        for part in ["connect", "first_byte", "transfer", "whole"] {
            assert_eq!(source["cold"][part]["count"], 3, "{kind} {method} {part}");
        }
        assert!(source["warm"]["connect"].is_null(), "a connection that stands is not made");
        assert_eq!(source["warm"]["whole"]["count"], 3);
        assert!(source["verify"]["p50_us"].as_f64().is_some_and(|us| us > 0.0), "{source}");
        assert!(source["parse"]["p50_us"].is_number());
    }
    // A server that waits so long is measured to do so.
    let crl = of(&figures, "crl", "GET");
    let least = DELAY.as_secs_f64() * 1e6;
    assert!(crl["cold"]["first_byte"]["min_us"].as_f64().is_some_and(|us| us >= least), "{crl}");
    assert!(crl["warm"]["first_byte"]["min_us"].as_f64().is_some_and(|us| us >= least), "{crl}");
    let decision = figures["decisions"].as_array().expect("decisions");
    let from: Vec<_> = decision.iter().map(|one| one["from"].as_str().unwrap_or_default()).collect();
    assert_eq!(from, ["network", "disk", "memory", "known"]);
    assert!(decision.iter().all(|one| one["code"] == "accept"), "{figures}");
    let methods = |method| site.server.requests().iter().filter(|one| one.method == method).count();
    assert!(methods("GET") > 0 && methods("POST") > 0);
}

#[test]
fn several_at_once_are_so_many_requests() {
    let site = Site::start();
    let (_, figures) = site.figures(&["--concurrency", "3"]);
    let crl = of(&figures, "crl", "GET");
    assert_eq!(crl["cold"]["whole"]["count"], 9);
    // What had to connect after all counts for neither.
    let warm = crl["warm"]["whole"]["count"].as_u64().unwrap_or_default();
    assert_eq!(warm + crl["reconnects"].as_u64().expect("counted"), 9, "{crl}");
    assert!(warm > 0 && crl["warm"]["connect"].is_null(), "{crl}");
}

#[test]
fn nobody_waits_for_a_turn() {
    let site = Site::start();
    let (crl, seen) =
        (CrlBuilder::new(ROOT).issue(&site.root), Arc::new((Mutex::new((0, true)), Condvar::new())));
    let shared = Arc::clone(&seen);
    // The first dozen, over one engine's connections, are answered once all of them are there.
    site.server.serve_with("/root.crl", move |_| {
        let (seen, has_come) = &*shared;
        let mut now = seen.lock().expect("nobody panics");
        now.0 += 1;
        has_come.notify_all();
        let patience = Duration::from_secs(60);
        let (mut now, waited) =
            has_come.wait_timeout_while(now, patience, |(count, _)| *count < 12).expect("nobody panics");
        now.1 &= !waited.timed_out();
        Page::new(&crl)
    });
    let (exit, figures) = site.figures(&["--rounds", "1", "--concurrency", "12"]);
    assert_eq!((exit, seen.0.lock().expect("nobody panics").1), (0, true), "{figures}");
}

#[test]
fn a_connection_that_does_not_stand_is_not_warm() {
    let site = Site::start();
    let crl = CrlBuilder::new(ROOT).issue(&site.root);
    site.server.serve("/root.crl", Page::new(crl).with_header("Connection", "close"));
    let (exit, figures) = site.figures(&[]);
    assert_eq!(exit, 0, "{figures}");
    let crl = of(&figures, "crl", "GET");
    assert_eq!((&crl["reconnects"], &crl["failures"]), (&3.into(), &0.into()), "{crl}");
    assert!(crl["warm"]["whole"].is_null(), "{crl}");
}

#[test]
fn decisions_are_reported_by_their_outcome() {
    let site = Site::start();
    let rows = |figures: &Value| {
        let decision = figures["decisions"].as_array().expect("decisions").clone();
        let row = |one: Value| format!("{} {} {}", one["from"], one["code"], one["elapsed"]["count"]);
        decision.into_iter().map(row).collect::<Vec<_>>().join(", ").replace('"', "")
    };
    for path in ["/ocsp", "/root.crl"] {
        site.server.break_with(path, Fault::Refuse);
    }
    let (exit, figures) = site.figures(&[]);
    assert_eq!((exit, rows(&figures)), (3, "network revocation-unknown 3".to_owned()), "{figures}");
    // Every other answer is an error: some rounds are decided, and some are not.
    let (site, asked) = (Site::start(), AtomicUsize::new(0));
    site.server.break_with("/root.crl", Fault::Refuse);
    let responder = site.responder.handler();
    site.server.serve_with("/ocsp", move |request| {
        let is_last = asked.fetch_add(1, Ordering::Relaxed) % 7 < 3;
        if is_last { Page::new(Response::error(3)) } else { responder(request) }
    });
    let (exit, figures) = site.figures(&["--rounds", "21"]);
    let rows = rows(&figures);
    let count = |row: &str| {
        let found = rows.split(", ").find_map(|one| one.strip_prefix(row)).unwrap_or_default();
        found.trim().parse::<usize>().unwrap_or_else(|_| panic!("{row}: {rows}"))
    };
    assert_eq!(exit, 3);
    assert_eq!(count("network accept") + count("network revocation-unknown"), 21);
    assert_eq!(
        (count("disk accept"), count("memory accept")),
        (count("network accept"), 200 * count("disk accept"))
    );
    assert!(!rows.contains("disk revocation-unknown"), "{rows}");
}

#[test]
fn deltas_are_measured_too() {
    let site = Site::start();
    let url = site.server.url("/delta.crl");
    let base = CrlBuilder::new(ROOT).with([ext::freshest_crl(&[Point::urls(&[&url])])]);
    site.server.serve("/root.crl", Page::new(base.issue(&site.root)));
    site.server
        .serve("/delta.crl", Page::new(CrlBuilder::new(ROOT).with([number(2), delta(1)]).issue(&site.root)));
    let (exit, figures) = site.figures(&[]);
    assert_eq!(exit, 0, "{figures}");
    let delta = of(&figures, "delta", "GET");
    assert_eq!((&delta["url"], &delta["cold"]["whole"]["count"]), (&url.into(), &3.into()), "{delta}");
}

#[test]
fn get_is_measured_where_it_is_get() {
    let site = Site::start();
    let posted = site.responder.handler();
    site.server.serve_with("/ocsp", move |request| {
        if request.method == "GET" { Page::status(405) } else { posted(request) }
    });
    let (_, figures) = site.figures(&[]);
    let get = of(&figures, "ocsp", "GET");
    assert_eq!((&get["answered_methods"], &get["requests"]), (&vec!["POST"].into(), &2.into()), "{get}");
    let (_, out, _) = site.bench(&[]);
    assert!(out.contains("was sent with POST instead"), "{out}");
    // A responder whose URL has a query is never asked with GET.
    let site = Site::at("/ocsp?ca=1");
    let (exit, figures) = site.figures(&[]);
    assert_eq!(exit, 0, "{figures}");
    let methods = figures["sources"].as_array().expect("sources").iter().filter(|one| one["kind"] == "ocsp");
    assert_eq!(methods.map(|one| &one["method"]).collect::<Vec<_>>(), ["POST"], "{figures}");
    assert_eq!(of(&figures, "ocsp", "POST")["answered_methods"], Value::from(vec!["POST"]));
}

#[test]
fn what_is_kept_has_no_flags_where_nothing_is_kept() {
    let site = Site::start();
    for flag in [&["--offline"][..], &["--no-cache"], &["--trust-cache"], &["--cache-dir", "/nowhere"]] {
        let (exit, _, err) = site.bench(flag);
        assert!(exit == 2 && err.contains(flag[0]), "{flag:?}: {err}");
    }
}

#[test]
fn text_has_a_table_and_a_histogram() {
    let site = Site::start();
    let (exit, out, _) = site.bench(&[]);
    assert_eq!(exit, 0);
    for word in ["p50", "p99", "cold connect", "warm first byte", "verify", "network", "known", "█"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn a_page_with_the_figures_for_a_browser() {
    let site = Site::start();
    site.server.break_with("/root.crl", Fault::Refuse);
    let page = browser::page("bench");
    let _none = fs::remove_file(&page);
    let to = page.to_str().expect("UTF-8");
    let (exit, _, err) = site.bench(&["--report", to, "--handshake", "--key", "client.key"]);
    assert_eq!(exit, 3, "{err}");
    let text = fs::read_to_string(&page).expect("a page");
    markup::check(&text);
    for word in
        ["Time that revocation takes", "Over a new connection", "p99", "First seen", "6 failed: Unreachable"]
    {
        assert!(text.contains(word), "{word}");
    }
    if let Some(seen) = browser::see(&[&page]) {
        browser::sound(&seen[0], &page);
    }
}

#[test]
fn handshakes_as_the_client() {
    let site = Site::start();
    let (exit, figures) = site.figures(&["--handshake", "--key", "client.key"]);
    assert_eq!(exit, 0, "{figures}");
    let kinds: Vec<_> = figures["handshakes"].as_array().expect("handshakes").iter().collect();
    assert_eq!(kinds.len(), 3);
    assert!(kinds.iter().all(|kind| kind["elapsed"]["count"] == 60), "{figures}");
    let (exit, _, err) = site.bench(&["--handshake"]);
    assert_eq!(exit, 2);
    assert!(err.contains("--key"), "{err}");
    let (exit, _, err) = site.bench(&["--handshake", "--key", "client.pem"]);
    assert_eq!(exit, 2);
    assert!(err.contains("client.pem: "), "{err}");
}

#[test]
fn a_source_that_fails_is_reported_and_the_rest_is_measured() {
    let site = Site::start();
    site.server.break_with("/ocsp", Fault::Refuse);
    let (exit, figures) = site.figures(&[]);
    assert_eq!(exit, 3);
    let broken = of(&figures, "ocsp", "POST");
    assert_eq!((&broken["failures"], &broken["cause"]), (&6.into(), &"unreachable".into()));
    assert_eq!(of(&figures, "crl", "GET")["failures"], 0);
    let (exit, _, err) = site.bench(&["--at", "2200-01-01T00:00:00Z"]);
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("only a good path is measured"), "{err}");
}
