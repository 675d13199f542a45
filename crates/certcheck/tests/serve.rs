//! `certcheck serve` as a process: its flags, its signals, and what systemd hears of it.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

#[path = "../../certcheck-serve/tests/support/mod.rs"]
mod support;

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use certcheck_rustls::tokio_rustls::client::TlsStream;
use certcheck_testkit::Key;
use certcheck_testkit::program::isolated;
use certcheck_testkit::served::*;
use support::*;

fn program() -> Command {
    isolated(env!("CARGO_BIN_EXE_certcheck"))
}

/// The output of a call in the folder of a PKI: exit code, standard output, standard error.
fn run(pki: &Pki, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = program().args(arguments).current_dir(pki.folder()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn configuration(listen: &str, upstream: &str) -> String {
    format!(
        "drain_timeout = '10s'\nwatch_files = 'off'\n[[listener]]\nname = 'web'\nlisten = '{listen}'\n\
         upstream = '{upstream}'\nring = 'ring'\nallow_net = '127.0.0.0/8'\n\
         certificates = {{ chain = 'server.pem', key = 'server.key' }}\n"
    )
}

/// A process that is killed at the end, and what it tells systemd.
struct Running {
    child: Child,
    heard: UnixDatagram,
}

impl Running {
    fn start(pki: &Pki, mut command: Command) -> Self {
        let socket = pki.path("notify");
        let _gone = fs::remove_file(&socket);
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(PATIENCE)).unwrap();
        command.current_dir(pki.folder()).env("NOTIFY_SOCKET", socket).stderr(Stdio::piped());
        Self { child: command.spawn().unwrap(), heard }
    }

    /// What systemd hears next.
    fn hears(&self) -> String {
        let mut bytes = [0; 200];
        let length = self.heard.recv(&mut bytes).expect("a message in time");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// The exit code and all that was logged.
    fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// It cannot read a folder that its configuration did not name at the start, and reloads within those that it did name.
#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_holds_and_reloads_go_on() {
    for is_on in [true, false] {
        let pki = Pki::new();
        let (address, upstream) = (free_address(), echo().await);
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("root.pem"), fs::read(pki.path("ring/root.pem")).unwrap()).unwrap();
        let file = pki.path("serve.toml");
        // Evidence is not kept in the folder for temporary files, where the other ring is.
        let text = format!(
            "sandbox = {is_on}\ncache_dir = 'cache'\n{}",
            configuration(&address.to_string(), &upstream)
        );
        fs::write(&file, &text).unwrap();
        let mut command = program();
        command.args(["serve", "--config", "serve.toml"]);
        let running = Running::start(&pki, command);
        assert_eq!(running.hears(), "READY=1\n");
        let client = pki.client("good");
        let before = shown(&dial(address, &client).await);
        assert!(connect(address, &pki.client("revoked")).await.outcome.is_err());
        pki.write_server("server", "localhost", &Key::p256("serve sandboxed"));
        let reload = || {
            running.signal("HUP");
            assert!(running.hears().starts_with("RELOADING=1\n"));
            assert_eq!(running.hears(), "READY=1\n");
        };
        reload();
        let mut live = dial(address, &client).await;
        assert_ne!(shown(&live), before);
        let ring = format!("ring = ['ring', '{}']", outside.path().display());
        fs::write(&file, text.replace("ring = 'ring'", &ring)).unwrap();
        reload();
        ping(&mut live, b"served all the same").await.unwrap();
        running.signal("TERM");
        drop(live);
        let (code, log) = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
        assert_eq!(code, Some(0), "{log}");
        assert!(fs::read_dir(pki.path("cache")).unwrap().count() > 0, "evidence is kept");
        if log.contains("this kernel has no Landlock") {
            println!("SKIPPED: this kernel has no Landlock, so no sandbox was tested");
            continue;
        }
        assert_eq!(log.contains("only the folders of its configuration"), is_on, "{log}");
        assert_eq!(log.contains("Permission denied"), is_on, "{log}");
        assert_eq!(log.contains("the configuration in use stays"), is_on, "{log}");
    }
}

/// The certificate that the server shows.
fn shown(stream: &TlsStream<tokio::net::TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_reload_and_end_it_and_systemd_hears_of_them() {
    let pki = Pki::new();
    let (address, upstream) = (free_address(), echo().await);
    let file = pki.path("serve.toml");
    fs::write(&file, configuration(&address.to_string(), &upstream)).unwrap();
    let mut command = program();
    command.args(["serve", "--config", "serve.toml"]).env("WATCHDOG_USEC", "300000000");
    let running = Running::start(&pki, command);
    assert_eq!(running.hears(), "READY=1\n");
    assert_eq!(running.hears(), "WATCHDOG=1\n");
    let client = pki.client("good");
    let mut live = dial(address, &client).await;
    ping(&mut live, b"hello").await.unwrap();
    assert!(connect(address, &pki.client("revoked")).await.outcome.is_err());

    let before = shown(&live);
    pki.write_server("server", "localhost", &Key::p256("serve again"));
    running.signal("HUP");
    assert!(running.hears().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(running.hears(), "READY=1\n");
    assert_ne!(shown(&dial(address, &client).await), before);
    ping(&mut live, b"still there").await.unwrap();

    fs::write(&file, "nonsense = 1\n").unwrap();
    running.signal("HUP");
    assert!(running.hears().starts_with("RELOADING=1\n"));
    assert_eq!(running.hears(), "READY=1\n");
    ping(&mut dial(address, &client).await, b"as before").await.unwrap();

    running.signal("TERM");
    assert_eq!(running.hears(), "STOPPING=1\n");
    ping(&mut live, b"drained, and not cut").await.unwrap();
    drop(live);
    let (code, log) = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    for line in [
        "listening",
        "handshake{listener=\"web\"}",
        "client refused",
        "certificate-revoked",
        "connection ended",
        "serve.toml:1:1: no key `nonsense`",
        "no further connection is accepted",
        "all connections have ended",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listener_needs_no_file() {
    let pki = Pki::new();
    let (address, upstream) = (free_address(), hello().await);
    let mut command = program();
    command.args(["serve", "--listen", &address.to_string(), "--upstream", &upstream]);
    command.args(["--cert", "server.pem", "--key", "server.key", "-r", "ring", "--allow-net", "127.0.0.0/8"]);
    let running = Running::start(&pki, command);
    assert_eq!(running.hears(), "READY=1\n");
    assert_eq!(connect(address, &pki.client("ocsp-good")).await.outcome.as_deref(), Ok(HELLO));
    assert!(connect(address, &pki.client("ocsp-revoked")).await.outcome.is_err());
    running.signal("INT");
    let (code, _) = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_of_systemd_is_used_by_its_name() {
    let pki = Pki::new();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let text = configuration("systemd:web", &hello().await);
    fs::write(pki.path("serve.toml"), text + "[log]\nformat = 'json'\nquiet = ['connections']\n").unwrap();
    // As systemd does it: the socket is file descriptor 3.
    let mut command = isolated("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec \"$@\"";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_certcheck"), "serve", "--config", "serve.toml"]);
    command.stdin(Stdio::from(OwnedFd::from(socket)));
    let running = Running::start(&pki, command);
    assert_eq!(running.hears(), "READY=1\n");
    assert_eq!(connect(address, &pki.client("good")).await.outcome.as_deref(), Ok(HELLO));
    running.signal("HUP");
    assert!(running.hears().starts_with("RELOADING=1\n"));
    assert_eq!(running.hears(), "READY=1\n");
    assert_eq!(connect(address, &pki.client("good")).await.outcome.as_deref(), Ok(HELLO));
    // It comes only once from systemd, and a configuration that does not use it does not lose it.
    let used = fs::read_to_string(pki.path("serve.toml")).unwrap();
    for text in [used.replace("systemd:web", "127.0.0.1:0"), used] {
        fs::write(pki.path("serve.toml"), text).unwrap();
        running.signal("HUP");
        assert!(running.hears().starts_with("RELOADING=1\n"));
        assert_eq!(running.hears(), "READY=1\n");
    }
    assert_eq!(connect(address, &pki.client("good")).await.outcome.as_deref(), Ok(HELLO));
    running.signal("TERM");
    let (code, log) = tokio::task::spawn_blocking(|| running.end()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    let events: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |message: &str| events.iter().any(|event| event["message"] == message);
    assert!(has("listening") && !has("connection ended"), "{log}");
}

#[test]
fn a_configuration_is_checked_and_printed_without_listening() {
    let pki = Pki::new();
    let write = |text: &str| fs::write(pki.path("serve.toml"), text).unwrap();
    write(&configuration("127.0.0.1:1", "127.0.0.1:2"));
    let (code, out, err) = run(&pki, &["serve", "--config", "serve.toml", "--check-config"]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(0), "", "certcheck: the configuration can be used: 1 listener\n")
    );
    let (code, out, _) = run(&pki, &["serve", "--config", "serve.toml", "--print-config"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("# serve.toml:6:12\n") && out.contains("# default\n"), "{out}");
    write(&out);
    let (code, again, _) = run(&pki, &["serve", "--config", "serve.toml", "--print-config"]);
    assert_eq!(code, Some(0));
    let values = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split_once(" # ").map(|(value, _)| value.to_owned())).collect()
    };
    assert_eq!(values(&out), values(&again));

    write(&(configuration("127.0.0.1:1", "10.0.0.1:2") + "unknwon_sni = 1\nmax_depth = 'x'\n"));
    let (code, _, err) = run(&pki, &["serve", "--config", "serve.toml"]);
    let expected = "certcheck: serve.toml:10:1: listener `web`: no key `unknwon_sni`; did you mean `unknown_sni`?\n\
                    certcheck: serve.toml:11:13: max_depth: `x` is not a whole number from 0 to 90\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
    write(
        &configuration("127.0.0.1:1", "127.0.0.1:2")
            .replace("'ring'", "'none'")
            .replace("server.key", "ring/ca.pem"),
    );
    let (code, _, err) = run(&pki, &["serve", "--config", "serve.toml", "--check-config"]);
    assert_eq!(code, Some(2));
    for line in
        ["serve.toml:7:8: ring: ", "serve.toml:9:16: certificates: ring/ca.pem: it has no private key in PEM"]
    {
        assert!(err.contains(line), "{line}: {err}");
    }
    for (arguments, said) in [
        (&["serve"][..], "--config <FILE>"),
        (&["serve", "--listen", "127.0.0.1:1"], "--upstream <ADDRESS>"),
        (&["serve", "--config", "x", "--listen", "127.0.0.1:1"], "cannot be used with"),
        (&["serve", "--listen", "x"], "no port"),
        (&["serve", "--config", "none.toml"], "none.toml: it cannot be read"),
    ] {
        let (code, _, err) = run(&pki, arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

/// The fragment of a policy as it is printed, with a key ring in folders.
#[test]
fn an_at_tls_policy_is_checked_and_printed_as_a_configuration() {
    let pki = Pki::new();
    fs::write(pki.path("policy.txt"), include_str!("../../certcheck-serve/tests/data/printed_fragment.txt"))
        .unwrap();
    let flags = ["serve", "--at-tls", "policy.txt", "--keyring-dir", "rings", "--upstream", "127.0.0.1:8080"];
    let with = |more: &[&str]| run(&pki, &[&flags[..], more].concat());
    // Without the option, braces are missing: every statement is named, and nothing is used.
    let (exit, _, said) = with(&["--check-config"]);
    assert_eq!((exit, said.matches("has no braces").count()), (Some(2), 7), "{said}");
    let (exit, _, said) = with(&["--fragment", "--check-config"]);
    assert!(exit == Some(2) && said.contains("rings/keyR1~AZF"), "{said}");
    for (folder, files) in [("anchors", &["ring/root.pem"][..]), ("personal", &["server.pem", "server.key"])]
    {
        let folder = pki.path("rings/keyR1~AZF").join(folder);
        fs::create_dir_all(&folder).unwrap();
        for file in files {
            fs::copy(pki.path(file), folder.join(file.rsplit('/').next().unwrap())).unwrap();
        }
    }
    let (exit, _, said) = with(&["--fragment", "--check-config"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("policy.txt:36:8: `TLSv1.1 On`"), "{said}");
    // The same, named by a configuration.
    let text = "[[listener]]\nat_tls = 'policy.txt'\nkeyring_dir = 'rings'\nat_tls_fragment = true\nupstream = '127.0.0.1:8080'\n";
    fs::write(pki.path("serve.toml"), text).unwrap();
    let (exit, _, said) = run(&pki, &["serve", "--config", "serve.toml", "--check-config"]);
    assert!(exit == Some(0) && said.contains("policy.txt:36:8: `TLSv1.1 On`"), "{said}");
    let (exit, printed, _) = with(&["--fragment", "--print-config"]);
    assert_eq!(exit, Some(0));
    for line in [
        "listen = [\"0.0.0.0:6777\", \"[::]:6777\"]",
        "session_max_age = \"5s\"",
        "handshake_timeout = \"30s\"",
    ] {
        let found = printed.lines().find(|found| found.starts_with(line));
        assert!(found.is_some_and(|found| found.contains("# policy.txt:")), "{line}: {printed}");
    }
}
