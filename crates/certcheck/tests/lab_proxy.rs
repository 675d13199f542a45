//! `certcheck lab --proxy`: each proxy runs with what the lab has written, lets good clients in and no others.
//!
//! nginx, HAProxy, Apache and Caddy are required where peers are. Traefik and Envoy are tested if they are in the `PATH`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use certcheck_testkit::peers::{ProxyKind, free_port, tool};
use certcheck_testkit::program::{PATIENCE, Running, isolated, run, until};
use serde_json::Value;
use tempfile::TempDir;

/// A program with the processes that it has started, which end with this value.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _gone = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).status();
        let _gone = self.0.wait();
    }
}

struct Lab {
    _lab: Running,
    ready: Value,
    home: TempDir,
}

impl Lab {
    fn start(proxy: &str, more: &[&str]) -> Self {
        let home = TempDir::new().expect("a folder");
        // Apache reads the secret as another user, if root starts it.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("changed");
        let mut lab = Self::program(home.path());
        lab.args(["--proxy", proxy, "--json"]).args(more).stdout(Stdio::piped());
        let mut lab = Running(lab.spawn().expect("starts"));
        let mut lines = BufReader::new(lab.stdout.take().expect("piped")).lines();
        let ready = lines.next().expect("a line").expect("text");
        std::thread::spawn(move || lines.for_each(drop));
        Self { _lab: lab, ready: serde_json::from_str(&ready).expect("JSON"), home }
    }

    fn program(home: &Path) -> Command {
        let mut command = isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.args(["lab", "--dir"]).arg(home.join("lab")).env("HOME", home);
        command
    }

    fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("{key} is not in {}", self.ready))
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join("lab").join(name).display().to_string()
    }

    /// Starts the proxy as the lab says.
    fn start_proxy(&self) -> Group {
        let log = |name| fs::File::create(self.home.path().join(name)).expect("a file");
        let mut shell = Command::new("sh");
        shell.args(["-c", self.text("proxy_command")]).current_dir(self.path("proxy"));
        shell.stdout(log("proxy.out")).stderr(log("proxy.err")).stdin(Stdio::null());
        Group(shell.env("HOME", self.home.path()).process_group(0).spawn().expect("starts"))
    }

    fn log(&self) -> String {
        ["proxy.out", "proxy.err"]
            .map(|name| fs::read_to_string(self.home.path().join(name)).unwrap_or_default())
            .concat()
    }

    /// The status of an answer, and what it says. `None` if there is no curl here.
    fn ask(&self, client: Option<&str>) -> Option<(String, String)> {
        let port = self.text("proxy").rsplit(':').next().expect("a port");
        let (url, ca) = (format!("https://localhost:{port}/"), self.path("server-ca.pem"));
        let mut arguments = vec!["-sS", "--cacert", &ca, "-w", " status %{http_code}", &url];
        let files =
            client.map(|name| ["pem", "key"].map(|kind| self.path(&format!("clients/{name}.{kind}"))));
        if let Some([pem, key]) = &files {
            arguments.extend(["--cert", pem, "--key", key]);
        }
        let ran = tool::run("curl", &arguments, PATIENCE)?;
        let (said, status) = ran.text.rsplit_once(" status ").unwrap_or((&ran.text, "000"));
        let status = status.get(..3).unwrap_or_default();
        Some((status.to_owned(), said.to_owned()))
    }
}

fn lets_good_clients_in(name: &str, kind: ProxyKind) {
    if !kind.is_here() {
        return;
    }
    let lab = Lab::start(name, &[]);
    let _proxy = lab.start_proxy();
    if lab.ask(None).is_none() {
        return;
    }
    let first = until("it listens", || lab.ask(Some("good")).filter(|(status, _)| status != "000"));
    assert_eq!(first, ("200".to_owned(), "you are CN=good,O=Certcheck Lab\n".to_owned()), "{}", lab.log());
    let status = |client| lab.ask(client).map(|(status, _)| status).unwrap_or_default();
    for client in ["revoked", "revoked-ocsp", "on-hold", "wrong-ca", "no-sources"] {
        assert_eq!(status(Some(client)), "403", "{name} {client}: {}", lab.log());
    }
    // nginx refuses one that has expired by itself, and Apache even in the handshake.
    assert!(["400", "403", "000"].contains(&&*status(Some("expired"))), "{name}");
    assert!(["401", "403"].contains(&&*status(None)), "{name}");
    // What is revoked meanwhile is out at the next request.
    let (exit, ..) = run(Lab::program(lab.home.path()).args(["revoke", "good"]));
    assert_eq!(exit, 0);
    until("revoked", || (status(Some("good")) == "403").then_some(()));
}

#[test]
fn nginx_runs_with_what_the_lab_writes() {
    lets_good_clients_in("nginx", ProxyKind::Nginx);
}

#[test]
fn haproxy_runs_with_what_the_lab_writes() {
    lets_good_clients_in("haproxy", ProxyKind::Haproxy);
}

#[test]
fn caddy_runs_with_what_the_lab_writes() {
    lets_good_clients_in("caddy", ProxyKind::Caddy);
}

#[test]
fn apache_runs_with_what_the_lab_writes() {
    lets_good_clients_in("apache", ProxyKind::Apache);
}

#[test]
fn traefik_runs_with_what_the_lab_writes() {
    lets_good_clients_in("traefik", ProxyKind::Traefik);
}

#[test]
fn envoy_runs_with_what_the_lab_writes() {
    lets_good_clients_in("envoy", ProxyKind::Envoy);
}

#[test]
fn ports_follow_that_of_the_echo_service_and_secrets_are_the_users_own() {
    let port = free_port();
    let lab = Lab::start("nginx", &["--port", &port.to_string()]);
    assert_eq!(lab.text("proxy"), format!("127.0.0.1:{}", port + 4));
    let serve = fs::read_to_string(lab.path("serve.toml")).expect("a file");
    assert!(
        serve.contains(&format!("listen = \"127.0.0.1:{}\"\nsecret_file = \"proxy/secret\"", port + 3)),
        "{serve}"
    );
    let (exit, _, said) = run(isolated(env!("CARGO_BIN_EXE_certcheck")).args([
        "serve",
        "--check-config",
        "--config",
        &lab.path("serve.toml"),
    ]));
    assert_eq!(exit, 0, "{said}");
    for (name, mode) in
        [("secret", 0o600), ("nginx.conf", 0o600), ("server.key", 0o600), ("server.pem", 0o644)]
    {
        let found =
            fs::metadata(lab.path("proxy")).and_then(|_| fs::metadata(lab.path(&format!("proxy/{name}"))));
        assert_eq!(found.expect("a file").permissions().mode() & 0o777, mode, "{name}");
    }
    let (exit, _, said) = run(Lab::program(lab.home.path()).args(["--proxy", "nginx", "status"]));
    assert!(exit == 2 && said.contains("are for starting a lab"), "{said}");
}
