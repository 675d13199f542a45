//! From policies to the configuration of a front, with key rings in folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_rustls::Revocation;
use certcheck_serve::at_tls::{CompiledPolicy, KeyringName, Permissions, ReadOptions, compile, configure};
use certcheck_serve::config::{
    ClientCertificate, ListenerConfig, Loaded, TlsVersion, Upstream, print, read_text,
};
use certcheck_serve::ring_folders;

const BASE: &str = include_str!("data/base_policy.txt");

fn policy(text: &str, fragment: bool) -> CompiledPolicy {
    let policy = compile(text.as_bytes(), ReadOptions { fragment }, &Permissions::default());
    assert!(!policy.diagnostics.has_errors(), "{:#?}", policy.diagnostics.sorted());
    policy
}

fn base() -> ListenerConfig {
    ListenerConfig::new("", Upstream::parse("127.0.0.1:8080").expect("an upstream"))
}

fn loaded(policy: &CompiledPolicy) -> Loaded {
    let base = base();
    let find =
        |name: &KeyringName, label: Option<&str>| ring_folders::planned(Path::new("/rings"), name, label);
    configure(policy, Path::new("policy.txt"), &base, find).expect("a configuration")
}

#[test]
fn the_printed_fragment_becomes_a_configuration_that_toml_can_say() {
    let loaded = loaded(&policy(include_str!("data/printed_fragment.txt"), true));
    let [listener] = loaded.config.listeners.as_slice() else { panic!("one listener") };
    assert_eq!(listener.name, "client_AZF");
    let addresses: Vec<_> = listener.listen.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["0.0.0.0:6777", "[::]:6777"]);
    assert_eq!(listener.client_auth, ClientCertificate::Required);
    assert_eq!(listener.limits.handshake_timeout, Duration::from_secs(30));
    assert_eq!(listener.tls.session_max_age, Duration::from_secs(5));
    assert_eq!(listener.tls.versions, [TlsVersion::V1_2, TlsVersion::V1_3]);
    assert_eq!(listener.check.revocation, Revocation::IfOffered);
    assert_eq!(listener.check.ring, [PathBuf::from("/rings/keyR1~AZF")]);
    assert_eq!(listener.check.network.limits.ocsp_bytes, 20_480);
    assert_eq!(loaded.origins.of(Some(0), "handshake_timeout").to_string(), "policy.txt:26:8");
    assert_eq!(loaded.origins.of(Some(0), "session_max_age").to_string(), "policy.txt:41:8");
    let printed = print(&loaded.config, &loaded.origins);
    let again =
        read_text(Path::new("/serve.toml"), &printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(again.config, loaded.config);
}

#[test]
fn what_a_policy_sets_is_in_the_configuration() {
    let gsk = "HttpCdpEnable On\nRevocationSecurityLevel High\nAIACDPPriority Off\nMaxSrcRevExtLocValues 4\nTTLSGskHttpCdpParms\n{\n\
               HttpCdpMaxResponseSize 1000000\nHttpCdpResponseTimeout 9\nHttpCdpProxyServerName proxy.example\n\
               HttpCdpProxyServerPort 3128\n}\nTTLSGskLdapParms\n{\nGSK_LDAP_SERVER l.example\nGSK_LDAP_SERVER_PORT 1389\n}";
    let text = BASE.replace("HttpCdpEnable On", gsk).replace(
        "ClientAuthType Required",
        "ClientAuthType Full\nPeerMinRsaKeySize 3072\nCertificateLabel web~1",
    );
    let loaded = loaded(&policy(&text, false));
    let listener = &loaded.config.listeners[0];
    let check = &listener.check;
    assert_eq!(listener.client_auth, ClientCertificate::Optional);
    assert_eq!((check.revocation, check.max_locations, check.min_rsa_bits), (Revocation::HardFail, 4, 3072));
    let network = &check.network;
    assert_eq!((network.limits.crl_bytes, network.limits.crl_whole), (1_000_000, Duration::from_secs(9)));
    assert_eq!(network.ldap_server.as_deref(), Some("l.example:1389"));
    let printed = print(&loaded.config, &loaded.origins);
    for line in ["proxy = \"http://proxy.example:3128/\"", "order = \"crl-first\"", "max_crl_bytes = 1000000"]
    {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert!(listener.tls.certificates[0].key.ends_with("SRV/ring/personal/web~1.key"));
    assert_eq!(check.policy().limits.locations, 4);
}

#[test]
fn clients_are_those_of_the_networks() {
    let clients = |lines: &str| {
        let text = BASE.replace("LocalPortRange 6777", &format!("LocalPortRange 6777\n{lines}"));
        let listener = loaded(&policy(&text, false)).config.listeners.remove(0);
        listener.clients.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(clients(""), [""; 0]);
    assert_eq!(clients("RemoteAddr 192.0.2.7"), ["192.0.2.7/32"]);
    assert_eq!(clients("RemoteAddr 0.0.0.0/0"), ["0.0.0.0/0"]);
    assert_eq!(clients("RemoteAddr ::/0"), ["::/0"]);
    assert_eq!(
        clients("RemoteAddr 192.0.2.1-192.0.2.6"),
        ["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32"]
    );
    assert_eq!(clients("RemoteAddr 255.255.255.254-255.255.255.255"), ["255.255.255.254/31"]);
    assert_eq!(clients("RemoteAddr ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
    assert_eq!(clients("RemoteAddr 2001:db8::/33"), ["2001:db8::/33"]);
}

#[test]
fn key_rings_are_folders_and_lead_nowhere_else() {
    let rings = Path::new("/rings");
    for (name, folder) in [
        ("USER/ring", "/rings/USER/ring"),
        ("ring", "/rings/ring"),
        ("*AUTH*/*", "/rings/AUTH"),
        ("*SITE*/*", "/rings/SITE"),
        ("USER/*", "/rings/USER/ALL"),
        ("U$@#1/a.b-c_d~e", ""),
        ("U$@1/a.b-c_d~e", "/rings/U$@1/a.b-c_d~e"),
    ] {
        let found = KeyringName::parse(name).map(|name| name.folders(rings)[0].clone());
        assert_eq!(found.unwrap_or_default(), PathBuf::from(folder), "{name}");
    }
    for name in [
        "",
        "/",
        "..",
        ".",
        "../x",
        "x/..",
        "x/../y",
        "a/b/c",
        "/etc",
        "a\\b",
        "a\0b",
        "*AUTH*/x",
        "*TOKEN*/t",
        "x/.y",
        "a b",
        "USERTOOLONG/r",
    ] {
        assert!(KeyringName::parse(name).is_err(), "{name}");
    }
    let ring = KeyringName::parse("USER/ring").expect("a ring");
    for label in ["../server", "a/b", "", ".hidden", "a\\b", "x\0"] {
        assert!(ring_folders::planned(rings, &ring, Some(label)).is_err(), "{label}");
    }
    assert!(ring_folders::planned(rings, &ring, Some("My Server Cert")).is_ok());
}

#[test]
fn the_certificate_of_the_server_is_the_one_with_the_label_or_the_usual_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let ring = KeyringName::parse("USER/ring").expect("a ring");
    let find = |label: Option<&str>| ring_folders::find(folder.path(), &ring, label);
    let chain = |label: Option<&str>| {
        let files = find(label).unwrap_or_else(|error| panic!("{error}"));
        files.certificates[0].chain.file_name().and_then(|name| name.to_str()).map(str::to_owned)
    };
    assert!(find(None).expect_err("no folder").contains("USER/ring"));
    let personal = folder.path().join("USER/ring/personal");
    fs::create_dir_all(&personal).expect("made");
    assert!(find(None).expect_err("nothing in it").contains("default.pem"));
    let put = |name: &str| fs::write(personal.join(name), b"").expect("written");
    put("web.pem");
    assert!(find(None).expect_err("no key").contains("web.key"));
    put("web.key");
    assert_eq!(chain(None).as_deref(), Some("web.pem"));
    put("other.pem");
    put("other.key");
    assert!(find(None).expect_err("two").contains("CertificateLabel"));
    assert_eq!(chain(Some("other")).as_deref(), Some("other.pem"));
    put("default.pem");
    put("default.key");
    assert_eq!(chain(None).as_deref(), Some("default.pem"));
    assert!(find(Some("third")).expect_err("none").contains("third.pem"));
}

#[test]
fn a_ring_that_is_not_there_is_reported_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = base();
    let find = |name: &KeyringName, label: Option<&str>| ring_folders::find(folder.path(), name, label);
    let error = configure(&policy(BASE, false), Path::new("policy.txt"), &base, find).expect_err("no ring");
    assert!(error.to_string().starts_with("policy.txt:34:3: the key ring `SRV/ring`"), "{error}");
}
