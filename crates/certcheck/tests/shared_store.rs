//! Two runs of the program that share a store and nothing else: the second one makes no request to the sources.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

use std::fs;
use std::path::Path;

use certcheck_testkit::Cert;
use certcheck_testkit::program;
use certcheck_testkit::world::{ROOT, World};
use serde_json::Value;

/// The address of an engine, and the engine. One whose server is missing is skipped, and says so.
fn engines() -> Vec<(String, Box<dyn std::any::Any>)> {
    let mut engines: Vec<(String, Box<dyn std::any::Any>)> = Vec::new();
    #[cfg(feature = "store-redis")]
    if let Some(redis) = certcheck_testkit::peers::Redis::start(&[]) {
        engines.push((redis.address(), Box::new(redis)));
    }
    #[cfg(feature = "store-nats")]
    if let Some(nats) = certcheck_testkit::peers::Nats::start("") {
        engines.push((nats.address(), Box::new(nats)));
    }
    engines
}

/// The exit code, and where the status of the leaf came from.
fn verify(folder: &Path, store: &str) -> (Option<i32>, String) {
    let output = program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(folder)
        .args(["verify", "client.der", "--ring", "root.der", "--untrusted", "ca.der", "--json"])
        .args(["--at", "2027-01-02T00:00:00Z", "--allow-net", "127.0.0.0/8", "--no-cache"])
        .args(["--shared-store", store])
        .output()
        .expect("runs");
    let line: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let from = &line["path"][0]["revocation"]["from"];
    (output.status.code(), from.as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_second_run_asks_no_source() {
    for (address, _engine) in engines() {
        let world = World::new();
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("root.der", Cert::root(ROOT, &world.root).issue(&world.root)),
            ("ca.der", world.ca_cert.issue(&world.root)),
            ("client.der", world.plain("client").issue(&world.ca)),
        ];
        for (name, der) in files {
            fs::write(folder.path().join(name), der).expect("written");
        }
        assert_eq!(verify(folder.path(), &address), (Some(0), "network".to_owned()), "{address}");
        let asked = world.server.requests().len();
        assert_eq!((world.server.count("/ca.crl"), world.server.count("/root.crl")), (1, 1), "{address}");
        assert_eq!(verify(folder.path(), &address), (Some(0), "shared".to_owned()), "{address}");
        assert_eq!(world.server.requests().len(), asked, "{address}");
    }
}
