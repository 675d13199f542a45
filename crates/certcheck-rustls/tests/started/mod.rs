//! Programs that serve TLS, started with the files of a PKI in their folder.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::Point;
use certcheck_testkit::served::*;
use certcheck_testkit::server::Page;
use certcheck_testkit::{Cert, Key, ext, pem};
use rustls::ClientConfig;
use rustls::version::TLS13;
use tempfile::TempDir;
use tokio::time::timeout;

/// For whatever is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2125-01-01T00:00:00Z";
pub(crate) const POLICY: &str = "1.3.6.1.4.1.99999.1";
pub(crate) const GOOD: &str = "CN=good,O=Fetch";

/// A PKI in files, good by the clock of the machine.
pub(crate) struct Pki {
    world: World,
    folder: TempDir,
    pub(crate) good: Arc<ClientConfig>,
    pub(crate) revoked: Arc<ClientConfig>,
}

impl Pki {
    /// A PKI whose evidence is at a host of this name.
    pub(crate) fn at(host: &str) -> Self {
        let mut world = World::new();
        let point = |path: &str| ext::cdp(&[Point::urls(&[world.server.url_as(host, path)])]);
        let at_root = [point("/root.crl"), ext::policies(&[POLICY])];
        world.ca_cert = Cert::ca(CA, &world.ca, ROOT, &world.root).with(at_root);
        let own = |name| {
            let names = ext::san(&["email:who@client.example"]);
            let crl = world.server.url_as(host, "/ca.crl");
            world.client(name, &[crl], &[]).with([names, ext::policies(&[POLICY])])
        };
        let (good, revoked) = (own("good"), own("revoked"));
        let crl = |issuer| CrlBuilder::new(issuer).valid(FROM, Some(UNTIL));
        world.server.serve("/root.crl", Page::new(crl(ROOT).issue(&world.root)));
        let listing = crl(CA).revoking([RevokedCertificate::new(&revoked.serial)]);
        world.server.serve("/ca.crl", Page::new(listing.issue(&world.ca)));

        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, label: &str, der: &[u8]| {
            fs::write(folder.path().join(name), pem(label, der)).expect("written");
        };
        fs::create_dir(folder.path().join("ring")).expect("a folder");
        write("ring/root.pem", "CERTIFICATE", &Cert::root(ROOT, &world.root).issue(&world.root));
        write("ring/ca.pem", "CERTIFICATE", &world.ca_cert.issue(&world.root));
        let (root, server) = (Key::p256("rustls server root"), Key::p256("examples server"));
        let cert = Cert::leaf("O=Server,CN=localhost", &server, "O=Server,CN=Root", &root)
            .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
        write("server.pem", "CERTIFICATE", &cert.issue(&root));
        write("server.key", "PRIVATE KEY", &server.pkcs8());

        let config = |name, cert| Arc::new(client_config(Some(&Person::new(&world, name, cert)), &TLS13));
        let (good, revoked) = (config("good", &good), config("revoked", &revoked));
        Self { world, folder, good, revoked }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A ring in which nobody's CA is.
    pub(crate) fn replace_ring(&self) {
        let stranger = Key::p256("examples stranger");
        fs::remove_file(self.path("ring/ca.pem")).expect("removed");
        let root = Cert::root("O=Stranger,CN=Root", &stranger).issue(&stranger);
        fs::write(self.path("ring/root.pem"), pem("CERTIFICATE", &root)).expect("written");
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Started {
    child: Child,
    pub(crate) address: SocketAddr,
    lines: Receiver<String>,
    said: RefCell<Vec<String>>,
}

impl Started {
    /// Starts an example with flags.
    pub(crate) fn with_flags(name: &str, pki: &Pki, more: &[&str]) -> Self {
        let mut command = Command::new(example(name));
        command.args(["--listen", "127.0.0.1:0", "--allow-net", "127.0.0.0/8"]);
        for (flag, file) in [("--ring", "ring"), ("--cert", "server.pem"), ("--key", "server.key")] {
            command.arg(flag).arg(pki.path(file));
        }
        command.args(more);
        Self::start(command)
    }

    /// Starts a program in the folder of the PKI. It gets evidence through a proxy, which its environment names.
    pub(crate) fn in_folder(program: &Path, pki: &Pki) -> Self {
        let mut command = Command::new(program);
        command.arg("127.0.0.1:0").current_dir(pki.folder.path());
        for name in ["ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.env_remove("HTTP_PROXY").env("http_proxy", pki.world.server.url("/"));
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        // Other crates of a build may switch colours on.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).env("NO_COLOR", "1");
        let mut child = command.spawn().expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        // Killed from here on, whatever comes.
        let mut started =
            Self { child, address: SocketAddr::from(([0; 4], 0)), lines, said: RefCell::default() };
        let line = started.lines.recv_timeout(PATIENCE).expect("says where it listens");
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        started.address = address.unwrap_or_else(|| panic!("{line}"));
        started
    }

    /// Waits for a line that has this in it. Lines come in no order that could be relied on: what was skipped is
    /// looked at the next time.
    pub(crate) fn says(&self, what: &str) {
        let until = Instant::now() + PATIENCE;
        let mut said = self.said.borrow_mut();
        loop {
            if let Some(at) = said.iter().position(|line| line.contains(what)) {
                said.remove(at);
                return;
            }
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => said.push(line),
                Err(_) => panic!("not {what:?}, but {said:?}"),
            }
        }
    }

    pub(crate) fn hang_up(&self) {
        // The shell has one of its own everywhere.
        let kill = format!("kill -HUP {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        self.says("ring reloaded");
    }

    pub(crate) fn ask(&self, config: &Arc<ClientConfig>) -> Outcome {
        within(connect(self.address, config)).outcome
    }

    /// The same, again and again until there is an answer: a verifier refuses a client whose evidence is not in memory yet.
    pub(crate) fn ask_until_answered(&self, config: &Arc<ClientConfig>) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.ask(config) {
                Ok(answer) => return answer,
                Err(alert) => assert!(Instant::now() < until, "{alert}"),
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Cargo builds examples with the tests of their package, into a folder next to `deps`.
pub(crate) fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let profile = own.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let path = profile.join("examples").join(name);
    assert!(path.is_file(), "{}: build it with `cargo build --examples`", path.display());
    path
}

pub(crate) fn within<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(async { timeout(PATIENCE, future).await.expect("in time") })
}
