//! A shared store on NATS over TLS. The test runs itself again in a process whose system trusts the server's root.
#![cfg(feature = "store-nats")]

mod nats_kit;
mod shared_kit;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use certcheck_fetch::store::{NatsStore, RemoteOptions, Store, StoreError};
use certcheck_testkit::peers::Nats;
use certcheck_testkit::world::now;
use certcheck_testkit::{Cert, Key, ext, pem};

use nats_kit::{Hostile, Sends, When};
use shared_kit::{bytes_in, crl, key, runtime, stored};

/// Set in the process that has the variables: the port of the server.
const CHILD: &str = "CERTCHECK_TEST_NATS_PORT";

fn store(address: &str) -> NatsStore {
    let mut options = RemoteOptions::new(address);
    options.clock = now;
    options.patience = Duration::from_secs(5);
    options.password = Some("secret".to_owned());
    NatsStore::new(options).expect("an address")
}

/// A server for `localhost` that talks TLS alone. Its files are in the folder.
fn server(folder: &Path) -> Option<Nats> {
    let (root, own) = (Key::p256("nats root"), Key::p256("nats server"));
    let valid = |cert: Cert| cert.valid("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    let cert = Cert::leaf("CN=nats", &own, "CN=Root", &root)
        .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
    let write = |name: &str, label: &str, der: &[u8]| {
        fs::write(folder.join(name), pem(label, der)).expect("written");
    };
    write("roots.pem", "CERTIFICATE", &valid(Cert::root("CN=Root", &root)).issue(&root));
    write("other.pem", "CERTIFICATE", &valid(Cert::root("CN=Root", &own)).issue(&own));
    write("cert.pem", "CERTIFICATE", &valid(cert).issue(&root));
    write("key.pem", "PRIVATE KEY", &own.pkcs8());
    Nats::start(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}\nauthorization {{ user: site, password: secret }}",
        folder.join("cert.pem"),
        folder.join("key.pem")
    ))
}

fn run_again(test: &str, port: u16, roots: &Path) {
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, port.to_string())
        .env("SSL_CERT_FILE", roots)
        .env_remove("SSL_CERT_DIR")
        .output()
        .expect("runs");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

fn why<T>(outcome: Result<T, StoreError>) -> &'static str {
    match outcome {
        Err(StoreError::Unavailable(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => "it is there",
    }
}

#[test]
fn a_server_is_used_if_the_system_trusts_it() {
    let Some(port) = std::env::var_os(CHILD) else {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(nats) = server(folder.path()) else { return };
        let test = "a_server_is_used_if_the_system_trusts_it";
        return run_again(test, nats.port(), &folder.path().join("roots.pem"));
    };
    let port = port.to_string_lossy();
    let given = stored(&crl(30_000, "2026-12-01T00:00:00Z", 1));
    runtime().block_on(async {
        let (own, key) = (store(&format!("tls://site@localhost:{port}")), key());
        own.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&own, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        for (address, hint) in [
            ("tls://site@127.0.0.1", "no connection"),
            ("tls://other@localhost", "refuses this user"),
            ("nats://site@localhost", "tls://"),
        ] {
            let why = why(store(&format!("{address}:{port}")).get(&key).await);
            assert!(why.contains(hint), "{address}: {why}");
        }
    });
}

#[test]
fn a_server_is_not_used_if_another_root_issued_its_certificate() {
    let Some(port) = std::env::var_os(CHILD) else {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(nats) = server(folder.path()) else { return };
        let test = "a_server_is_not_used_if_another_root_issued_its_certificate";
        return run_again(test, nats.port(), &folder.path().join("other.pem"));
    };
    runtime().block_on(async {
        let own = store(&format!("tls://site@localhost:{}", port.to_string_lossy()));
        let why = why(own.get(&key()).await);
        assert!(why.contains("no connection"), "{why}");
    });
}

/// What someone on the way sends before TLS counts for nothing, and ends nothing.
#[test]
fn what_comes_before_tls() {
    for (sends, hint) in [
        (Sends::Text("INFO {\"max_payload\":0,\"auth_required\":true}\r\n"), "in time"),
        (Sends::Text("INFO {\"tls_required\":true}\r\n+OK\r\nPONG\r\n"), "not expected"),
        (Sends::Text("INFO {\"tls_required\":true}\r\nMSG"), "not expected"),
        (Sends::Text("-ERR\r\n"), "not expected"),
        (Sends::Endless("INFO {}\r\n", "x"), ""),
        (Sends::End("INFO {}\r\n"), "no connection"),
    ] {
        let server = Hostile::start(When::Info, sends);
        let address = server.address().replace("nats://", "tls://");
        let why = runtime().block_on(async { why(store(&address).get(&key()).await) });
        assert!(why.contains(hint) && !why.contains("it is there"), "{sends:?}: {why}");
    }
}
