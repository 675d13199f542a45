//! The configuration of a front by the printed fragment of a policy.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::path::{Path, PathBuf};

use certcheck_serve::at_tls::{KeyringName, Permissions, ReadOptions, compile, configure};
use certcheck_serve::config::{ListenAddress, ListenerConfig, Loaded, Upstream};
use certcheck_serve::ring_folders;

use crate::support::Pki;

/// A policy as documentation prints it, with the letters of its callouts.
pub(crate) const FRAGMENT: &str = include_str!("../data/printed_fragment.txt");

/// The fragment on a free port of loopback, with a key ring of the PKI. What the policy does not say is given: where
/// evidence may come from, and the service.
pub(crate) fn loaded(pki: &Pki, text: &str, upstream: &str) -> Loaded {
    let rings = write_rings(pki);
    let policy = compile(text.as_bytes(), ReadOptions { fragment: true }, &Permissions::default());
    assert!(!policy.diagnostics.has_errors(), "{:?}", policy.diagnostics.sorted());
    let mut base = ListenerConfig::new("", Upstream::parse(upstream).expect("an upstream"));
    base.check.network.allow_net = vec!["127.0.0.0/8".parse().expect("a network")];
    let find = |name: &KeyringName, label: Option<&str>| ring_folders::find(&rings, name, label);
    let mut loaded = configure(&policy, Path::new("policy.txt"), &base, find).expect("a configuration");
    loaded.config.listeners[0].listen = vec![ListenAddress::tcp("127.0.0.1:0".parse().expect("an address"))];
    loaded
}

/// The key ring of the fragment, in folders. Returns the folder of all rings.
pub(crate) fn write_rings(pki: &Pki) -> PathBuf {
    let rings = pki.path("rings");
    let ring = rings.join("keyR1~AZF");
    for (folder, files) in [
        ("anchors", &["ring/root.pem"][..]),
        ("intermediates", &["ring/ca.pem"]),
        ("personal", &["server.pem", "server.key"]),
    ] {
        fs::create_dir_all(ring.join(folder)).expect("a folder");
        for file in files {
            let name = Path::new(file).file_name().expect("a name");
            fs::copy(pki.path(file), ring.join(folder).join(name)).expect("copied");
        }
    }
    rings
}
