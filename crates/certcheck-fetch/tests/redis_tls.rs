//! A shared store on Redis over TLS. The test runs itself again in a process whose system trusts the engine's root.
#![cfg(feature = "store-redis")]

mod redis_kit;
mod shared_kit;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use certcheck_fetch::store::{News, Store as _};
use certcheck_testkit::peers::Redis;
use certcheck_testkit::{Cert, Key, ext, pem};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use redis_kit::store_at;
use shared_kit::{bytes_in, crl, is_unavailable, key, runtime, stored};

/// Set in the process that has the variables: the port of the engine.
const CHILD: &str = "CERTCHECK_TEST_REDIS_PORT";
const TEST: &str = "an_engine_is_used_if_the_system_trusts_it";

/// An engine for `localhost` that talks TLS on this port. Its files are in the folder.
fn engine(folder: &Path, port: u16) -> Option<Redis> {
    let (root, own) = (Key::p256("redis root"), Key::p256("redis server"));
    let valid = |cert: Cert| cert.valid("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    let cert = Cert::leaf("CN=redis", &own, "CN=Root", &root)
        .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
    let write = |name: &str, label: &str, der: &[u8]| {
        let file = folder.join(name);
        fs::write(&file, pem(label, der)).expect("written");
        file.display().to_string()
    };
    let roots = write("roots.pem", "CERTIFICATE", &valid(Cert::root("CN=Root", &root)).issue(&root));
    let cert = write("cert.pem", "CERTIFICATE", &valid(cert).issue(&root));
    let key = write("key.pem", "PRIVATE KEY", &own.pkcs8());
    let files = ["--tls-ca-cert-file", &roots, "--tls-cert-file", &cert, "--tls-key-file", &key];
    let port = port.to_string();
    Redis::start(&[&["--tls-port", &port, "--tls-auth-clients", "no"], &files[..]].concat())
}

#[test]
fn an_engine_is_used_if_the_system_trusts_it() {
    let Some(port) = std::env::var_os(CHILD) else {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let Some(_redis) = engine(folder.path(), port) else { return };
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", TEST, "--nocapture"])
            .env(CHILD, port.to_string())
            .env("SSL_CERT_FILE", folder.path().join("roots.pem"))
            .env_remove("SSL_CERT_DIR")
            .output()
            .expect("runs");
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
        return;
    };
    let port = port.to_string_lossy();
    let given = stored(&crl(30_000, "2026-12-01T00:00:00Z", 1));
    let newer = stored(&crl(1, "2026-12-02T00:00:00Z", 2));
    runtime().block_on(async {
        let (address, key) = (format!("rediss://localhost:{port}"), key());
        let own = store_at(&address);
        own.put(&key, given.clone()).await.expect("written");
        assert_eq!(bytes_in(&own, &key).await.expect("reads"), Some(given.body.bytes.clone()));
        let mut news = own.news().expect("news");
        // Connecting takes a moment.
        assert!(timeout(Duration::from_millis(500), news.next()).await.is_err());
        store_at(&address).put(&key, newer).await.expect("written");
        let heard = timeout(Duration::from_secs(5), news.next()).await;
        assert!(matches!(heard, Ok(Some(News::Newer(newer))) if newer == key), "{heard:?}");
        // The certificate is not for this name.
        assert!(is_unavailable(&store_at(&format!("rediss://127.0.0.1:{port}")).get(&key).await));
    });
}
