//! Configurations: what is read, what is refused and where, and that what is printed can be read again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_rustls::Revocation;
use certcheck_rustls::certcheck_core::policy::{EvidenceOrder, RevocationScope};
use certcheck_serve::config::*;

/// Every fault of a text, as it is printed.
fn faults(text: &str) -> String {
    match read_text(Path::new("serve.toml"), text) {
        Ok(_) => "no fault".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The table of faults: configurations behind `>>>`, what is said about each behind `===`.
const FAULTS: &str = include_str!("config_errors/table.txt");

/// A configuration without fault, whose listener the table's lines are added to.
const GOOD: &str = "\
[[listener]]
name = \"web\"
listen = \"127.0.0.1:6777\"
upstream = \"127.0.0.1:8080\"
certificates = [{ chain = \"server.pem\", key = \"server.key\" }]
ring = \"ring\"
";

#[test]
fn each_fault_is_reported_with_its_place() {
    let mut cases = 0;
    for case in FAULTS.split(">>>").skip(1) {
        let (text, said) = case.split_once("===\n").expect("a case has a text and what is said");
        // `+` adds to the good one, with which lines are counted.
        let text = match text.split_once('\n').expect("a line") {
            ("+", rest) => format!("{GOOD}{rest}"),
            (_, rest) => rest.to_owned(),
        };
        assert_eq!(faults(&text), said.trim_end(), "of this configuration:\n{text}");
        cases += 1;
    }
    assert!(cases >= 50, "{cases}");
}

#[test]
fn the_good_one_has_no_fault_and_defaults_for_the_rest() {
    let Loaded { config, origins, .. } = read_text(Path::new("/etc/cc/serve.toml"), GOOD).expect("good");
    let mut expected = ListenerConfig::new("web", Upstream::Tcp { host: "127.0.0.1".to_owned(), port: 8080 });
    expected.listen = vec![ListenAddress::tcp("127.0.0.1:6777".parse().expect("an address"))];
    let own = |name| PathBuf::from("/etc/cc").join(name);
    expected.tls.certificates = vec![CertificateFiles { chain: own("server.pem"), key: own("server.key") }];
    expected.check.ring = vec![own("ring")];
    assert_eq!(config, ServeConfig { listeners: vec![expected], ..ServeConfig::default() });
    assert_eq!(origins.of(Some(0), "upstream").to_string(), "/etc/cc/serve.toml:4:12");
    assert_eq!(origins.of(Some(0), "certificates.0").to_string(), "/etc/cc/serve.toml:5:17");
    assert_eq!(origins.of(Some(0), "idle_timeout"), ValueOrigin::Default);
}

const FULL: &str = include_str!("config_errors/full.toml");

#[test]
fn what_is_printed_can_be_read_again() {
    for text in [GOOD, FULL] {
        let first = read_text(Path::new("/etc/serve.toml"), text).expect("good");
        let printed = print(&first.config, &first.origins);
        let second = read_text(Path::new("/elsewhere/again.toml"), &printed)
            .unwrap_or_else(|error| panic!("{error}\n{printed}"));
        assert_eq!(first.config, second.config, "{printed}");
        let line = printed.lines().find(|line| line.starts_with("upstream")).expect("a line");
        assert!(line.contains(" # /etc/serve.toml:"), "{line}");
    }
}

#[test]
fn the_password_of_a_proxy_is_not_printed() {
    let text = format!("proxy = 'http://user:open-sesame@proxy.example:3128'\n{GOOD}");
    let Loaded { config, origins, .. } = read_text(Path::new("serve.toml"), &text).expect("good");
    let printed = print(&config, &origins);
    assert!(printed.contains("proxy = \"http://user:not-shown@proxy.example:3128/\""), "{printed}");
    assert!(!printed.contains("open-sesame"), "{printed}");
}

/// No key of the full one has its default, so a key that is not printed is found.
#[test]
fn every_value_says_where_it_comes_from() {
    let Loaded { config, origins, .. } = read_text(Path::new("serve.toml"), FULL).expect("good");
    let printed = print(&config, &origins);
    let first = printed.split("[[listener]]").nth(1).expect("a listener");
    let of_default: Vec<&str> = first.lines().filter(|line| line.ends_with("# default")).collect();
    assert_eq!(of_default, [""; 0], "{printed}");
}

#[test]
fn listeners_inherit_what_is_outside_of_them() {
    let text = "\
ring = 'outer'
revocation = 'soft-fail'
scope = 'leaf'
handshake-timeout = '3s'
certificates = { chain = 'c.pem', key = 'c.key' }
[[listener]]
listen = ['[::]:7000-7010,8443', 'unix:/run/x.sock', 'systemd:web']
upstream = 'unix:/run/app.sock'
order = 'crl-first'
[[listener]]
name = 'own'
listen = '0.0.0.0:1'
upstream = 'LOCALHOST:80'
revocation = ['no-source', 'stale']
ring = ['a', '/b']
";
    let Loaded { config, origins, .. } = read_text(Path::new("serve.toml"), text).expect("good");
    let [first, second] = config.listeners.as_slice() else { panic!("two") };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("listener-1", "own"));
    assert_eq!(first.check.revocation, Revocation::SoftFail);
    assert_eq!((first.check.scope, second.check.scope), (RevocationScope::Leaf, RevocationScope::Leaf));
    assert_eq!(first.check.order, EvidenceOrder::CrlFirst);
    assert_eq!(second.check.ring, [PathBuf::from("a"), PathBuf::from("/b")]);
    let Revocation::Custom(tolerance) = second.check.revocation else { panic!("custom") };
    assert!(tolerance.no_source && tolerance.stale && !tolerance.unreachable);
    assert_eq!(second.limits.handshake_timeout, Duration::from_secs(3));
    assert_eq!(origins.of(Some(1), "handshake_timeout").to_string(), "serve.toml:4:21");
    assert_eq!(origins.of(Some(0), "ring").to_string(), "serve.toml:1:8");
    assert_eq!(second.upstream.to_string(), "localhost:80");
    let sockets: Vec<String> =
        first.listen.iter().flat_map(ListenAddress::sockets).map(|socket| socket.to_string()).collect();
    assert_eq!(sockets.len(), 12);
    assert_eq!(sockets.last().map(String::as_str), Some("[::]:8443"));
    assert_eq!(
        first.listen.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["[::]:7000-7010,8443", "unix:/run/x.sock", "systemd:web"]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = read_file(Path::new("/nowhere/serve.toml")).expect_err("none");
    assert!(error.to_string().starts_with("/nowhere/serve.toml: it cannot be read: "), "{error}");
}
