//! Configurations whose listeners name AT-TLS policies, and users by their rules.

mod policies;
mod support;

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use certcheck_serve::config::{ConfigError, ListenAddress, Loaded, print, read_text};
use certcheck_serve::{Front, policy_file};
use certcheck_testkit::served::*;
use policies::{FRAGMENT, write_rings};
use support::*;

const RULES: &str = "[listener.identity]\nrule = [{ user = 'alice', cn = 'good' }]\n";

/// The configuration in a file next to the policy, and the warnings about the policy.
fn read(pki: &Pki, policy: &str, more: &str) -> (Result<Loaded, ConfigError>, Vec<String>) {
    write_rings(pki);
    fs::write(pki.path("policy.txt"), policy).expect("written");
    let text = format!(
        "handshake_timeout = '7s'\nallow_net = '127.0.0.0/8'\n\
         [[listener]]\nat_tls = 'policy.txt'\nkeyring_dir = 'rings'\nat_tls_fragment = true\n{more}"
    );
    fs::write(pki.path("serve.toml"), text).expect("written");
    let warnings = RefCell::new(Vec::new());
    let loaded = policy_file::read_config(&pki.path("serve.toml"), &|place, message| {
        let file = place.file.file_name().unwrap_or_default().display();
        warnings.borrow_mut().push(format!("{file}:{}: {message}", place.line));
    });
    (loaded, warnings.into_inner())
}

fn saf_check() -> String {
    FRAGMENT.replace("Required d", "SAFCheck d")
}

#[test]
fn a_listener_is_what_its_policy_says_and_the_file_says_the_rest() {
    let pki = Pki::new();
    let own = "[[listener]]\nname = 'own'\nlisten = '127.0.0.1:1'\nupstream = '127.0.0.1:2'\nring = 'ring'\n\
               certificates = { chain = 'server.pem', key = 'server.key' }\n";
    let (loaded, warnings) =
        read(&pki, FRAGMENT, &format!("upstream = '127.0.0.1:8080'\nmax_connections = 9\n{RULES}{own}"));
    let Loaded { config, origins, policies, .. } = loaded.expect("good");
    assert_eq!(policies, [pki.path("policy.txt")]);
    assert!(
        warnings.iter().any(|warning| warning.starts_with("policy.txt:36: `TLSv1.1 On`")),
        "{warnings:?}"
    );
    let [plain, listener] = config.listeners.as_slice() else { panic!("two: {config:?}") };
    assert_eq!((plain.name.as_str(), plain.limits.handshake_timeout.as_secs()), ("own", 7));
    assert_eq!((listener.name.as_str(), listener.limits.handshake_timeout.as_secs()), ("client_AZF", 30));
    assert_eq!((listener.limits.max_connections, listener.access.users.len()), (9, 1));
    let file_and_line = |key: &str| {
        let place = origins.place(Some(1), key).expect("a place");
        format!("{}:{}", place.file.file_name().unwrap_or_default().display(), place.line)
    };
    for (key, place) in [
        ("handshake_timeout", "policy.txt:26"),
        ("upstream", "serve.toml:7"),
        ("max_connections", "serve.toml:8"),
        ("allow_net", "serve.toml:2"),
    ] {
        assert_eq!(file_and_line(key), place, "{key}");
    }
    let printed = print(&config, &origins);
    let again =
        read_text(Path::new("/serve.toml"), &printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(again.config, config);
}

#[test]
fn faults_of_a_policy_have_their_places() {
    let pki = Pki::new();
    let upstream = "upstream = '127.0.0.1:8080'\n";
    for (policy, more, place, said) in [
        (FRAGMENT.replace("30 c", "3000"), upstream, "policy.txt:26:40: ", "`HandshakeTimeout`"),
        // Without rules that find users, a certificate is not enough.
        (saf_check(), upstream, "policy.txt:30:", "--allow no-user-mapping"),
        (FRAGMENT.to_owned(), "upstream = '192.0.2.1:80'\n", "serve.toml:4:10: ", "not on this machine"),
    ] {
        let error = read(&pki, &policy, more).0.expect_err(said).to_string();
        assert!(error.contains(place) && error.contains(said), "{place}: {error}");
    }
    // What only reads the configuration does not leave the policy out.
    let error = read_text(Path::new("s.toml"), &fs::read_to_string(pki.path("serve.toml")).expect("there"));
    assert!(error.expect_err("a policy").to_string().contains("s.toml:4:10: at_tls: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn saf_check_needs_a_user_by_the_rules() {
    let pki = Pki::new();
    let upstream = hello().await;
    let not_required = "required = false\n";
    let allowed = "at_tls_allow = ['no-user-mapping']\n";
    for (allow, rules, other) in [
        ("", RULES.to_owned(), false),
        // The policy is stricter than the configuration.
        ("", format!("{RULES}{not_required}"), false),
        (allowed, format!("{RULES}{not_required}"), true),
        (allowed, String::new(), true),
    ] {
        let (loaded, _) = read(&pki, &saf_check(), &format!("upstream = '{upstream}'\n{allow}{rules}"));
        let mut loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
        loaded.config.listeners[0].listen =
            vec![ListenAddress::tcp("127.0.0.1:0".parse().expect("an address"))];
        let front = Front::start(loaded).expect("it starts");
        let address = front.addresses("client_AZF")[0];
        for (name, is_served) in [("good", true), ("other", other), ("revoked", false)] {
            let outcome = connect(address, &pki.client(name)).await.outcome;
            assert_eq!(outcome.is_ok_and(|text| text == HELLO), is_served, "{name}: {allow}{rules}");
        }
    }
}
