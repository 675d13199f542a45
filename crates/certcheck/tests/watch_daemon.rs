//! `certcheck watch --interval`: rounds, signals, and the endpoint.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::program::{self, PATIENCE, Running, until};
use certcheck_testkit::server::{Fault, Page, Server};
use certcheck_testkit::{Cert, Key, pem};

const ROOT: &str = "O=Watch,CN=Root";
const LIFE: (&str, &str) = ("2020-01-01T00:00:00Z", "2089-12-31T00:00:00Z");

/// A ring with one CA that names a CRL, and a server for it.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    root: Key,
}

impl Site {
    fn start() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            server: Server::start(),
            root: Key::p256("daemon root"),
        };
        site.publish(&[]);
        site.write_ring(&["CA"]);
        site
    }

    fn publish(&self, revoked: &[u8]) {
        let revoked = revoked.iter().map(|serial| RevokedCertificate::new(&[*serial]));
        let crl = CrlBuilder::new(ROOT).revoking(revoked).valid(LIFE.0, Some(LIFE.1));
        self.server.serve("/root.crl", Page::new(crl.issue(&self.root)));
    }

    /// CAs with the serial numbers 1, 2, and so on.
    fn write_ring(&self, names: &[&str]) {
        let root = Cert::root(ROOT, &self.root).valid(LIFE.0, LIFE.1).issue(&self.root);
        let mut text = pem("CERTIFICATE", &root);
        for (name, serial) in names.iter().zip(1..) {
            let points = [Point::urls(&[self.server.url("/root.crl")])];
            let mut ca = Cert::ca(&format!("O=Watch,CN={name}"), &Key::p256(name), ROOT, &self.root)
                .valid(LIFE.0, LIFE.1)
                .with([ext::cdp(&points)]);
            ca.serial = vec![serial];
            text += &pem("CERTIFICATE", &ca.issue(&self.root));
        }
        fs::write(self.path("ring.pem"), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.args(["watch", "--ring", &self.path("ring.pem"), "--allow-net", "127.0.0.0/8"]).args(more);
        command
    }

    fn daemon(&self, more: &[&str]) -> Daemon {
        Daemon::start(self.command(&[&["--listen", "127.0.0.1:0"], more].concat()))
    }
}

/// A daemon that runs.
struct Daemon {
    child: Running,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    address: SocketAddr,
}

fn collect(from: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::<Mutex<String>>::default();
    let shared = Arc::clone(&text);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = shared.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    text
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let (out, err) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
        let mut daemon = Self { child, out, err, address: ([127, 0, 0, 1], 0).into() };
        daemon.address = until("an address", || {
            assert!(daemon.child.try_wait().unwrap().is_none(), "it ended: {}", daemon.err());
            let err = daemon.err();
            err.split("metrics at http://").nth(1)?.split('/').next()?.parse().ok()
        });
        daemon
    }

    fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Sends bytes and returns the whole answer.
    fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    /// The value of a metric by its name and labels.
    fn metric(&self, name: &str) -> Option<f64> {
        let page = self.get("/metrics");
        let line =
            page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    fn source_good(&self) -> Option<bool> {
        let page = self.get("/metrics");
        let line = page.lines().find(|line| line.starts_with("certcheck_source_good{"))?;
        Some(line.ends_with(" 1"))
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    fn ended(&mut self) -> Option<i32> {
        until("its end", || self.child.try_wait().unwrap()).code()
    }
}

const FINISHED: &str = "certcheck_watch_rounds_total{outcome=\"finished\"}";

#[test]
fn it_looks_again_and_again() {
    let site = Site::start();
    let file = site.path("certcheck.prom");
    let daemon = site.daemon(&["--interval", "1s", "--prometheus", &file]);
    until("good", || daemon.source_good().filter(|good| *good));
    assert!(daemon.get("/healthz").starts_with("HTTP/1.1 200 "));
    site.server.break_with("/root.crl", Fault::Refuse);
    until("broken", || daemon.source_good().filter(|good| !good));
    site.server.repair("/root.crl");
    until("good again", || daemon.source_good().filter(|good| *good));
    let rounds = daemon.metric(FINISHED).unwrap();
    until("more rounds", || daemon.metric(FINISHED).filter(|now| *now > rounds));
    assert_eq!(daemon.metric("certcheck_watch_interval_seconds"), Some(1.0));
    // The file says the same, and a report was printed each time something had changed.
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("certcheck_watch_rounds_total"), "{text}");
    let codes = || -> Vec<_> {
        let out = daemon.out();
        let lines = out.lines().filter(|line| line.contains("/root.crl"));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    until("what was printed", || (codes().len() >= 3).then_some(()));
    assert_eq!(codes(), ["good", "unreachable", "good"], "{}", daemon.out());
}

#[test]
fn signals_end_it_with_success() {
    for name in ["TERM", "INT"] {
        let site = Site::start();
        let mut daemon = site.daemon(&["--interval", "1h", "--json"]);
        until("a round", || daemon.metric(FINISHED).filter(|rounds| *rounds > 0.0));
        daemon.signal(name);
        assert_eq!(daemon.ended(), Some(0), "{name}: {}", daemon.err());
        until("what was printed", || (!daemon.out().is_empty()).then_some(()));
        assert!(daemon.out().starts_with("{\"schema\":1,"), "{}", daemon.out());
        // Also in the middle of a round.
        site.server.break_with("/root.crl", Fault::HangBeforeHeaders);
        let mut daemon = site.daemon(&["--interval", "1h", "--timeout", "10m"]);
        assert!(daemon.get("/healthz").starts_with("HTTP/1.1 503 "));
        assert_eq!(daemon.metric("certcheck_watch_ring_reload_good"), Some(1.0));
        until("a request", || (site.server.count("/root.crl") > 1).then_some(()));
        daemon.signal(name);
        assert_eq!(daemon.ended(), Some(0), "{name}: {}", daemon.err());
    }
}

#[test]
fn a_hangup_reloads_the_ring_and_a_bad_one_changes_nothing() {
    let site = Site::start();
    let daemon = site.daemon(&["--interval", "1h", "--json"]);
    let last = || daemon.out().lines().last().map(str::to_owned).unwrap_or_default();
    until("a round", || last().contains("CN=CA,O=Watch").then_some(()));
    site.write_ring(&["CA", "another CA"]);
    daemon.signal("HUP");
    until("the new ring", || last().contains("CN=another CA,O=Watch").then_some(()));
    let reloads =
        |outcome| daemon.metric(&format!("certcheck_watch_ring_reloads_total{{outcome=\"{outcome}\"}}"));
    assert_eq!((reloads("loaded"), reloads("kept")), (Some(1.0), Some(0.0)));
    fs::write(site.path("ring.pem"), "no ring").unwrap();
    daemon.signal("HUP");
    until("a word on it", || daemon.err().contains("ring not reloaded, the one of ").then_some(()));
    until("a count", || (reloads("kept") == Some(1.0)).then_some(()));
    assert_eq!(daemon.metric("certcheck_watch_ring_reload_good"), Some(0.0));
    assert!(last().contains("CN=another CA,O=Watch"));
    site.write_ring(&["CA"]);
    daemon.signal("HUP");
    until("good again", || (daemon.metric("certcheck_watch_ring_reload_good") == Some(1.0)).then_some(()));
}

#[test]
fn the_endpoint_answers_what_it_has_and_nothing_else() {
    let site = Site::start();
    let daemon = site.daemon(&["--interval", "1h"]);
    until("a round", || daemon.source_good());
    let page = daemon.get("/metrics");
    assert!(page.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{page}");
    assert!(page.contains(concat!("certcheck_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n")));
    assert!(daemon.get("/").starts_with("HTTP/1.1 404 "));
    let posted = daemon.send(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert!(posted.starts_with("HTTP/1.1 405 ") && posted.contains("allow: GET, HEAD"), "{posted}");
    let head = daemon.send(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(daemon.send(b"\x16\x03\x01\x02\x00\x01").starts_with("HTTP/1.1 400 "));
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20 << 10));
    assert!(!daemon.send(long.as_bytes()).starts_with("HTTP/1.1 200 "));
    // Clients that say nothing keep nobody out for long.
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
    assert!(daemon.get("/healthz").starts_with("HTTP/1.1 200 "));
    drop(silent);
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let site = Site::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    for (flags, why) in [
        (&["--listen", "127.0.0.1:0"][..], "--interval"),
        (&["--interval", "5m", "--at", "2027-01-01"], "--at"),
        (&["--interval", "10ms"], "not an interval from 1s to 7d"),
        (&["--interval", "5m", "--listen", "9464"], "--listen"),
        (&["--interval", "5m", "--listen", &port], "name another address with --listen"),
        (&["--interval", "5m", "--prometheus", "no/such/folder.prom"], "folder.prom: "),
    ] {
        let (exit, _, err) = program::run(&mut site.command(flags));
        assert_eq!(exit, 2, "{flags:?}: {err}");
        assert!(err.contains(why), "{flags:?}: {err}");
    }
}
