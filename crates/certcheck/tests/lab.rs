//! `certcheck lab` as people use it: the program itself, `openssl s_client` and curl.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod schema;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use certcheck_testkit::peers::{free_port, tool};
use certcheck_testkit::program::{PATIENCE, Running, until};
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

/// What every name promises: exit code, reason code.
const PROMISES: [(&str, i32, &str); 8] = [
    ("good", 0, "accept"),
    ("revoked", 1, "certificate-revoked"),
    ("revoked-ocsp", 1, "certificate-revoked"),
    ("expired", 1, "expired"),
    ("not-yet-valid", 1, "not-yet-valid"),
    ("on-hold", 1, "certificate-revoked"),
    ("wrong-ca", 1, "unknown-issuer"),
    ("no-sources", 3, "revocation-unknown"),
];

/// The program, without the cache of the user who runs the test.
fn program(home: &Path) -> Command {
    let mut command = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"));
    command.env_remove("XDG_CACHE_HOME").env("HOME", home);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A lab that runs.
struct Lab {
    child: Running,
    /// What it said, a line each.
    said: Arc<Mutex<Vec<Value>>>,
    ready: Value,
    folder: TempDir,
}

impl Lab {
    fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    fn start_in(folder: TempDir) -> Self {
        let mut command = program(folder.path());
        command.args(["lab", "--json", "--dir"]).arg(folder.path().join("lab")).stdout(Stdio::piped());
        let mut child = Running(command.spawn().unwrap());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = Arc::<Mutex<Vec<Value>>>::default();
        let mut lab = Self { child, said: Arc::clone(&said), ready: Value::Null, folder };
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap();
                said.lock().unwrap().push(line);
            }
        });
        lab.ready = until("ready", || {
            assert!(lab.child.try_wait().unwrap().is_none(), "it ended");
            lab.said.lock().unwrap().first().cloned()
        });
        assert_eq!(lab.ready["type"], "lab-ready");
        lab
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("lab")
    }

    fn path(&self, name: &str) -> String {
        self.dir().join(name).display().to_string()
    }

    fn echo(&self) -> &str {
        self.ready["echo"].as_str().unwrap()
    }

    /// `certcheck lab WORDS`.
    fn order(&self, words: &[&str]) -> Output {
        program(self.folder.path()).arg("lab").args(words).arg("--dir").arg(self.dir()).output().unwrap()
    }

    fn does(&self, words: &[&str]) {
        let output = self.order(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
    }

    /// `certcheck verify --json`: exit code, and the line.
    fn verify(&self, name: &str, more: &[&str]) -> (i32, Value) {
        let output = program(self.folder.path())
            .args(["verify", "--json", &self.path(&format!("clients/{name}.pem"))])
            .args(["--ring", &self.path("ring"), "--allow-net", "127.0.0.0/8"])
            .args(more)
            .output()
            .unwrap();
        let line = text(&output.stdout);
        (output.status.code().unwrap(), serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}")))
    }

    /// Exit code, reason code, and by what or why not of the leaf, without a cache.
    fn verdict(&self, name: &str) -> (i32, String, String) {
        let (exit, line) = self.verify(name, &["--no-cache", "--timeout", "8"]);
        let code = line["reason"]["code"].as_str().unwrap_or("accept").to_owned();
        let status = &line["path"][0]["revocation"];
        (exit, code, status["basis"].as_str().or_else(|| status["cause"].as_str()).unwrap_or("-").to_owned())
    }

    /// A client of the echo service.
    fn client(&self, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let read = |path: String| -> Vec<CertificateDer<'static>> {
            CertificateDer::pem_file_iter(path).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(read(self.path("server-ca.pem")));
        let key = PrivateKeyDer::from_pem_file(self.path(&format!("clients/{name}.key"))).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(read(self.path(&format!("clients/{name}.pem"))), key)
            .unwrap();
        let server = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(self.echo()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), server).unwrap(), stream)
    }

    /// What the echo service says to a client first, or how it refuses it.
    fn knock(&self, name: &str) -> io::Result<String> {
        let mut client = self.client(name);
        let mut line = String::new();
        BufReader::new(&mut client).read_line(&mut line)?;
        client.conn.send_close_notify();
        let _gone = client.flush();
        Ok(line)
    }

    /// The detail of the last connection of a client in the log from the line `from` on, and whether it was accepted.
    fn reported_about(&self, from: usize, name: &str) -> Option<(bool, String)> {
        let said = self.said.lock().unwrap();
        let event = said.iter().skip(from).rev().find(|event| {
            event["place"] == "echo"
                && event["subject"] == name
                && event["elapsed_us"].is_u64()
                && ["accepted", "refused"].contains(&event["outcome"].as_str().unwrap_or_default())
        })?;
        Some((event["outcome"] == "accepted", event["message"].as_str().unwrap_or_default().to_owned()))
    }

    /// Whether the lab says from this line on that a live connection was cut because its client is revoked.
    fn is_cut_off(&self, from: usize, name: &str) -> bool {
        let is_it = |event: &Value| {
            event["outcome"] == "cut-off"
                && event["subject"] == name
                && event["message"] == "certificate-revoked"
        };
        until("cut off", || self.said.lock().unwrap().iter().skip(from).any(is_it).then_some(true))
    }

    /// Knocks, and returns what the lab logged: `accept`, `cut-off`, or the reason and its cause.
    fn verdict_of(&self, name: &str) -> String {
        let from = self.said.lock().unwrap().len();
        let heard = self.knock(name);
        let (is_let_in, detail) = until("told of", || self.reported_about(from, name));
        match (is_let_in, &heard) {
            (true, Ok(_)) => "accept".to_owned(),
            // Good by what was known, and not by what arrived a moment later.
            (true, Err(_)) => "cut-off".to_owned(),
            (false, Err(_)) => detail,
            (false, Ok(_)) => panic!("{name}: {heard:?}, {detail}"),
        }
    }

    /// The words of `openssl s_client` and curl for this client.
    fn openssl(&self, name: &str) -> Option<tool::Ran> {
        let (pem, key) =
            (self.path(&format!("clients/{name}.pem")), self.path(&format!("clients/{name}.key")));
        let arguments =
            ["s_client", "-quiet", "-connect", self.echo(), "-cert", &pem, "-key", &key, "-CAfile"];
        tool::run("openssl", &[&arguments[..], &[&self.path("server-ca.pem")]].concat(), PATIENCE)
    }

    fn curl(&self, name: &str) -> Option<tool::Ran> {
        let (pem, key) =
            (self.path(&format!("clients/{name}.pem")), self.path(&format!("clients/{name}.key")));
        let url = format!("https://{}/", self.echo());
        let arguments = ["-sS", "--cacert", &self.path("server-ca.pem"), "--cert", &pem, "--key", &key, &url];
        tool::run("curl", &arguments, PATIENCE)
    }
}

/// A user who can write in the folder could put another ring there, or another lab.
#[test]
fn a_folder_that_others_can_write_is_no_labs() {
    let folder = TempDir::new().unwrap();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let lab = |more: &[&str]| {
        let output = program(folder.path()).arg("lab").args(more).arg("--dir").arg(&open).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (exit, output) = lab(&[]);
    assert_eq!(exit, Some(2));
    assert!(output.contains("can be written by others"), "{output}");
    // The program on that port is not asked.
    let state = r#"{"program":"certcheck lab","pid":1,"echo":"127.0.0.1:1","cdp":"","ocsp":"","control":"127.0.0.1:1","token":"x"}"#;
    fs::write(open.join("lab.json"), state).unwrap();
    let (exit, output) = lab(&["status"]);
    assert_eq!(exit, Some(2));
    assert!(!output.contains("refused"), "{output}");
}

#[test]
fn every_client_gets_what_its_name_promises() {
    let lab = Lab::start();
    for (name, exit, code) in PROMISES {
        let (told_exit, output, _) = lab.verdict(name);
        assert_eq!((told_exit, &*output), (exit, code), "{name}");
        let judged = lab.verdict_of(name);
        assert_eq!(judged.split(',').next(), Some(code), "{name}");
    }
    assert_eq!(lab.verdict_of("no-sources"), "revocation-unknown, no-source");
    assert_eq!(lab.knock("good").unwrap(), "you are CN=good,O=Certcheck Lab\n");
    // A CRL alone says the one, OCSP alone the other.
    assert_eq!(lab.verdict("revoked").2, "crl");
    assert_eq!(lab.verdict("revoked-ocsp").2, "ocsp");
}

#[test]
fn tools_of_others_are_let_in_and_refused() {
    let lab = Lab::start();
    if let Some(ran) = lab.curl("good") {
        assert!(ran.is_success && ran.text.starts_with("you are CN=good"), "{ran:?}");
    }
    for (name, alert) in [
        ("revoked", "certificate revoked"),
        ("expired", "certificate expired"),
        ("wrong-ca", "unknown ca"),
        ("no-sources", "certificate unknown"),
    ] {
        for ran in [lab.curl(name), lab.openssl(name)].into_iter().flatten() {
            assert!(!ran.is_success && ran.text.contains(alert), "{name}: {ran:?}");
        }
    }
    // A live connection, held open by a program that says nothing, is cut.
    thread::scope(|scope| {
        let from = lab.said.lock().unwrap().len();
        let live = scope.spawn(|| lab.openssl("good"));
        if tool::run("openssl", &["version"], PATIENCE).is_none() {
            return;
        }
        until("let in", || lab.reported_about(from, "good"));
        lab.does(&["revoke", "good"]);
        let ran = live.join().unwrap().unwrap();
        assert!(ran.text.contains("you are CN=good"), "{ran:?}");
        assert!(lab.is_cut_off(from, "good"));
    });
}

#[test]
fn a_revocation_is_seen_within_seconds_and_taken_back() {
    let lab = Lab::start();
    let cache = lab.path("../cache");
    let cached = ["--cache-dir", &cache[..]];
    assert_eq!(lab.verify("good", &cached).0, 0);
    let mut live = lab.client("good");
    live.write_all(b"hello\n").unwrap();
    let mut live = BufReader::new(live);
    let mut heard = String::new();
    while !heard.ends_with("hello\n") {
        assert!(live.read_line(&mut heard).unwrap() > 0, "{heard}");
    }
    assert!(heard.starts_with("you are CN=good"), "{heard}");

    let begun = Instant::now();
    lab.does(&["revoke", "good"]);
    assert_eq!(lab.verdict("good"), (1, "certificate-revoked".to_owned(), "ocsp".to_owned()));
    heard.clear();
    // It has no clean end, so that nobody takes what came for everything.
    live.read_to_string(&mut heard).unwrap_err();
    assert_eq!(heard, "");
    assert!(lab.is_cut_off(0, "good"));
    let output = begun.elapsed();
    assert!(output < PATIENCE, "{output:?}");
    assert_eq!(lab.verdict_of("good"), "certificate-revoked");
    until("seen with a cache", || (lab.verify("good", &cached).0 == 1).then_some(()));

    lab.does(&["release", "good"]);
    assert_eq!(lab.verdict("good").0, 0);
    until("taken back with a cache", || (lab.verify("good", &cached).0 == 0).then_some(()));
    until("taken back by the acceptor", || (lab.verdict_of("good") == "accept").then_some(()));

    lab.does(&["release", "on-hold"]);
    assert_eq!(lab.verdict("on-hold"), (0, "accept".to_owned(), "crl".to_owned()));
    until("no hold any more", || (lab.verdict_of("on-hold") == "accept").then_some(()));
    lab.does(&["revoke", "on-hold", "--hold"]);
    let (_, line) = lab.verify("on-hold", &["--no-cache"]);
    assert_eq!(line["path"][0]["revocation"]["revocation_reason"], "certificateHold");

    // With a CA go all its clients.
    lab.does(&["revoke", "device-ca"]);
    assert_eq!(lab.verdict("good").1, "certificate-revoked");
    until("refused with its CA", || (lab.verdict_of("good") == "certificate-revoked").then_some(()));
}

/// Breaks a source in every way. `client` has only this source; `good` has another one too.
fn break_and_repair(source: &str, client: &str, other: &str) {
    let lab = Lab::start();
    lab.does(&["release", client]);
    for (how, cause) in
        [("refuse", "unreachable"), ("hang", "unreachable"), ("garbage", "malformed"), ("stale", "stale")]
    {
        until(how, || (lab.verdict_of(client) == "accept").then_some(()));
        lab.does(&["break", source, "--how", how]);
        let (exit, code, output) = lab.verdict(client);
        assert_eq!((exit, &*code, &*output), (3, "revocation-unknown", cause), "{how}");
        assert_eq!(lab.verdict("good"), (0, "accept".to_owned(), other.to_owned()), "{how}");
        until(how, || lab.verdict_of(client).starts_with("revocation-unknown, ").then_some(()));
        assert_eq!(lab.verdict_of("good"), "accept", "{how}");
        lab.does(&["repair"]);
        assert_eq!(lab.verdict(client).0, 0, "{how}");
    }
    until("repaired", || (lab.verdict_of(client) == "accept").then_some(()));
}

#[test]
fn broken_crls_leave_clients_unknown_that_have_nothing_else() {
    break_and_repair("cdp", "on-hold", "ocsp");
}

#[test]
fn broken_ocsp_leaves_clients_unknown_that_have_nothing_else() {
    break_and_repair("ocsp", "revoked-ocsp", "crl");
}

#[test]
fn orders_that_cannot_be_followed() {
    let folder = TempDir::new().unwrap();
    let fails = |words: &[&str], dir: &Path, why: &str| {
        let output = program(folder.path()).arg("lab").args(words).arg("--dir").arg(dir).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(why), "{message}");
    };
    let (none, other) = (folder.path().join("none"), folder.path().join("other"));
    fails(&["revoke", "good"], &none, "there is no lab in");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.txt"), "years of work").unwrap();
    fails(&[], &other, "is not empty and is not the folder of a lab; nothing was changed");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);

    let lab = Lab::start();
    let dir = lab.dir();
    fails(&[], &dir, "a lab is already running in");
    fails(
        &["revoke", "nobody"],
        &dir,
        "there are good, revoked, revoked-ocsp, expired, not-yet-valid, on-hold, wrong-ca, no-sources",
    );
    fails(&["revoke", "wrong-ca"], &dir, "is of a CA that the lab has no CRL");
    fails(&["status", "--port", "2000"], &dir, "");
    // Keys and the token are nobody else's to read.
    for file in ["lab.json", "clients/good.key"] {
        assert_eq!(fs::metadata(dir.join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    // Without the token there are no orders, and nothing that is sent does harm.
    let state: Value = serde_json::from_str(&fs::read_to_string(dir.join("lab.json")).unwrap()).unwrap();
    let ask = |line: &[u8]| {
        let mut control = TcpStream::connect(state["control"].as_str().unwrap()).unwrap();
        control.set_read_timeout(Some(PATIENCE)).unwrap();
        control.write_all(line).unwrap();
        let mut answer = String::new();
        let _reset = control.read_to_string(&mut answer);
        answer
    };
    assert!(
        ask(b"{\"token\":\"x\",\"action\":{\"revoke\":{\"name\":\"good\",\"hold\":false}}}\n")
            .contains("another lab's")
    );
    assert!(ask(b"\xff\xff\n").contains("no order"));
    let _refused = ask(&[b'x'; 16 << 10]);
    assert_eq!(lab.verdict("good").0, 0);
    let status: Value = serde_json::from_slice(&lab.order(&["status", "--json"]).stdout).unwrap();
    schema::check(&status);
    assert_eq!(status["subjects"][0]["status"], "good");
}

/// The service is behind a front: its configuration is one for `certcheck serve`, and its status page shows what happens.
#[test]
fn the_service_is_behind_a_front() {
    let lab = Lab::start();
    let output = program(lab.folder.path())
        .args(["serve", "--check-config", "--config", &lab.path("serve.toml")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(lab.verdict_of("good"), "accept");
    assert_eq!(lab.verdict_of("revoked"), "certificate-revoked");
    let page = lab.ready["status_page"].as_str().unwrap();
    let address = page.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut shown = String::new();
    stream.read_to_string(&mut shown).unwrap();
    assert!(shown.contains("CN=revoked,O=Certcheck Lab") && shown.contains("certificate-revoked"), "{shown}");
    assert!(text(&lab.order(&["status"]).stdout).contains(&format!("page  {page}\n")));
}

#[test]
fn ends_on_a_signal_and_starts_again() {
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("lab/clients/good.key");
    let mut lab = Lab::start_in(folder);
    let first = fs::read(&key).unwrap();
    let client = lab.client("good");
    lab.said.lock().unwrap().iter().for_each(schema::check);
    let output = Command::new("sh").args(["-c", &format!("kill -TERM {}", lab.child.id())]).status().unwrap();
    assert!(output.success());
    let status = until("ended", || lab.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    drop(client);
    let output = lab.order(&["status"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no lab is running in"), "{}", text(&output.stderr));
    // In the same folder, with other keys.
    let folder = std::mem::replace(&mut lab.folder, TempDir::new().unwrap());
    drop(lab);
    let lab = Lab::start_in(folder);
    assert_ne!(fs::read(&key).unwrap(), first);
    assert_eq!(lab.verdict("good").0, 0);
    assert_eq!(lab.verdict_of("good"), "accept");
}

#[test]
fn it_is_stopped_from_another_terminal() {
    let folder = TempDir::new().unwrap();
    let mut lab = Lab::start_in(folder);
    let output = lab.order(&["stop"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("stopped: the lab in "), "{}", text(&output.stdout));
    assert_eq!(until("ended", || lab.child.try_wait().unwrap()).code(), Some(0));
    // Its files are there, and its state file has no token any more.
    assert!(lab.dir().join("clients/good.pem").exists());
    let state: Value = serde_json::from_slice(&fs::read(lab.dir().join("lab.json")).unwrap()).unwrap();
    assert_eq!(state["token"], "");
    for order in ["stop", "status", "repair"] {
        let output = lab.order(&[order]);
        assert_eq!(output.status.code(), Some(2), "{order}");
        let message = text(&output.stderr);
        assert!(
            message.contains("no lab is running in ") && message.contains(": it ended at 2"),
            "{message}"
        );
        assert!(message.contains("start it with certcheck lab --dir "), "{message}");
    }
}

/// With Ctrl-C too it says what is left and what to do with it.
#[test]
fn a_word_at_the_end() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("lab");
    let mut child = program(folder.path())
        .args(["lab", "--dir"])
        .arg(&dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.starts_with("a lab is running in ") && first.contains(" lab stop --dir "), "{first}");
    until("its state file", || dir.join("lab.json").exists().then_some(()));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(message.contains("the lab has ended; its files stay in "), "{message}");
    assert!(message.contains(&format!("Remove it: rm -r {}", dir.display())), "{message}");
}

#[test]
fn what_is_done_already_is_refused_with_the_reason() {
    let lab = Lab::start();
    let refused = |words: &[&str]| {
        let output = lab.order(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        text(&output.stderr)
    };
    let standing = |name: &str| {
        let status: Value = serde_json::from_slice(&lab.order(&["status", "--json"]).stdout).unwrap();
        let subjects = status["subjects"].as_array().unwrap();
        subjects.iter().find(|one| one["name"] == name).unwrap()["status"].as_str().unwrap().to_owned()
    };
    let message = refused(&["revoke", "revoked"]);
    assert!(message.contains("revoked is already revoked since 2"), "{message}");
    assert!(message.contains(", reason keyCompromise"), "{message}");
    // A revocation does not become a hold, and a hold may become a revocation.
    assert!(refused(&["revoke", "revoked", "--hold"]).contains("already revoked since 2"));
    assert!(refused(&["revoke", "on-hold", "--hold"]).contains("on-hold is already on hold since 2"));
    lab.does(&["revoke", "on-hold"]);
    assert_eq!(standing("on-hold"), "revoked");
    assert!(refused(&["release", "good"]).contains("good is neither revoked nor on hold"));
    lab.does(&["release", "on-hold"]);
    // Without a revocation the validity is the standing.
    for (name, expected) in [
        ("good", "good"),
        ("on-hold", "good"),
        ("revoked", "revoked"),
        ("expired", "expired"),
        ("not-yet-valid", "not-yet-valid"),
        ("wrong-ca", "unknown"),
        ("device-ca", "good"),
    ] {
        assert_eq!(standing(name), expected, "{name}");
    }
    let output = text(&lab.order(&["status"]).stdout);
    let line = output.lines().find(|line| line.starts_with("expired ")).unwrap();
    assert!(line.contains("  expired ") && line.contains("  since 2"), "{output}");
    let line = output.lines().find(|line| line.starts_with("not-yet-valid ")).unwrap();
    assert!(line.contains("  not-yet-valid ") && line.contains("  until 2"), "{output}");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = TempDir::new().unwrap();
    // Three ports that follow one another, of which one is taken after the other.
    for (taken, service) in [(0_u16, "the echo service"), (1, "the CRLs"), (2, "the OCSP responder")] {
        let (port, _kept) = until("a port", || {
            let first = free_port();
            let last = first + 2;
            let all: Vec<_> =
                (first..=last).map_while(|port| TcpListener::bind(("127.0.0.1", port)).ok()).collect();
            // All three can be taken, and one of them stays so.
            let kept = if all.len() == 3 { all.into_iter().nth(taken.into())? } else { return None };
            Some((first, kept))
        });
        let output = program(folder.path())
            .args(["lab", "--port", &port.to_string(), "--dir"])
            .arg(folder.path().join("lab"))
            .output()
            .unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        let expected = format!("port {} for {service}: ", port + taken);
        assert!(message.contains(&expected) && message.contains("name another with --port"), "{message}");
    }
}
