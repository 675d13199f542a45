//! What policies mean: which rule counts, which level, and what a listener does for it.

use std::net::IpAddr;
use std::time::Duration;

use certcheck_rustls::Revocation;
use certcheck_rustls::certcheck_core::policy::{EvidenceOrder, Nonce};
use certcheck_serve::at_tls::vocabulary::Permission;
use certcheck_serve::at_tls::{
    Code, CompiledPolicy, ListenerPlan, Permissions, PlannedCertificate, ReadOptions, Severity, compile,
};

fn read(text: &str, permissions: &[Permission]) -> CompiledPolicy {
    compile(text.as_bytes(), ReadOptions::default(), &permissions.iter().copied().collect::<Permissions>())
}

/// A policy without errors.
fn good(text: &str, permissions: &[Permission]) -> Vec<ListenerPlan> {
    let policy = read(text, permissions);
    assert!(!policy.diagnostics.has_errors(), "{:#?}", policy.diagnostics.sorted());
    policy.listeners
}

/// The errors of a policy, each with its line and code.
fn errors(text: &str, permissions: &[Permission]) -> Vec<String> {
    let policy = read(text, permissions);
    assert!(policy.listeners.is_empty() || !policy.diagnostics.has_errors());
    let errors = policy.diagnostics.sorted().into_iter().filter(|it| it.severity == Severity::Error);
    errors.map(|it| format!("{} {}", it.at.line, it.code.word())).collect()
}

/// A rule in two lines of conditions, with the action of this name.
fn rule(name: &str, conditions: &str, action: &str) -> String {
    format!(
        "TTLSRule {name}\n{{\n{conditions}\nDirection Inbound\nTTLSGroupActionRef {action}\nTTLSEnvironmentActionRef {action}\n}}\n"
    )
}

/// Actions of this name, with lines for the advanced parameters of the environment.
fn actions(name: &str, lines: &str) -> String {
    format!(
        "TTLSGroupAction {name}\n{{\nTTLSEnabled On\n}}\nTTLSEnvironmentAction {name}\n{{\nHandshakeRole ServerWithClientAuth\n\
         TTLSKeyringParms\n{{\nKeyring SRV/ring\n}}\nTTLSEnvironmentAdvancedParms\n{{\n{lines}\n}}\n}}\n"
    )
}

#[test]
fn the_printed_fragment_is_a_listener() {
    let options = ReadOptions { fragment: true };
    let policy = compile(include_bytes!("data/printed_fragment.txt"), options, &Permissions::default());
    assert!(!policy.diagnostics.has_errors(), "{:#?}", policy.diagnostics.sorted());
    let [listener] = policy.listeners.as_slice() else { panic!("{:?}", policy.listeners) };
    assert_eq!(listener.rules, ["client_AZF"]);
    assert_eq!(listener.ports, [(6777, 6777)]);
    assert!(listener.addresses.is_empty() && listener.clients.is_empty());
    let settings = &listener.settings;
    assert_eq!(settings.certificate, PlannedCertificate::Required);
    assert_eq!(settings.handshake_timeout, Duration::from_secs(30));
    assert_eq!(settings.session_max_age, Duration::from_secs(5));
    assert_eq!(settings.revocation, Revocation::IfOffered);
    assert_eq!(settings.order, EvidenceOrder::OcspFirst);
    assert!(settings.tls12 && settings.tls13 && settings.suites.is_empty());
    assert_eq!(settings.keyring.to_string(), "keyR1~AZF");
    let warnings: Vec<_> = policy
        .diagnostics
        .sorted()
        .into_iter()
        .filter(|it| it.severity == Severity::Warning)
        .map(|it| format!("{} {}", it.at.line, it.code.word()))
        .collect();
    assert_eq!(
        warnings,
        [
            "1 missing-brace",
            "18 missing-reference",
            "21 missing-reference",
            "36 not-applied",
            "39 misplaced",
            "40 misplaced",
        ]
    );
}

#[test]
fn a_whole_policy_is_a_listener() {
    let policy = read(include_str!("data/whole_policy.txt"), &[]);
    assert!(!policy.diagnostics.has_errors(), "{:#?}", policy.diagnostics.sorted());
    let [listener] = policy.listeners.as_slice() else { panic!("{:?}", policy.listeners) };
    assert_eq!(listener.addresses, ["192.0.2.10".parse::<IpAddr>().expect("an address")]);
    assert_eq!(listener.ports, [(6777, 6777), (7443, 7445)]);
    let clients: Vec<_> = listener.clients.iter().map(ToString::to_string).collect();
    assert_eq!(clients, ["2001:db8::1-2001:db8::ff", "198.51.100.7", "203.0.113.0/24"]);
    let settings = &listener.settings;
    assert_eq!(settings.handshake_timeout, Duration::from_secs(25));
    assert_eq!(settings.revocation, Revocation::HardFail);
    assert_eq!(settings.order, EvidenceOrder::CrlFirst);
    assert_eq!(settings.nonce, Nonce::Demand);
    assert_eq!(settings.suites, [0xc030, 0x1301, 0xc02b]);
    assert!(!settings.tls12 && settings.tls13);
    assert_eq!(settings.ocsp_bytes, Some(30_000));
    assert_eq!(settings.crl_time, Some(Duration::from_secs(20)));
    assert_eq!(settings.ldap_server.as_deref(), Some("ldap.example.com:389"));
    assert_eq!(settings.label, None);
    assert_eq!(settings.keyring.to_string(), "PAYSRV/PayRing");
}

#[test]
fn the_rule_with_the_higher_priority_counts_then_the_alphabet() {
    let rule_of = |first: (&str, u32), second: (&str, u32)| {
        let text = format!(
            "{}{}{}{}",
            rule(first.0, &format!("LocalPortRange 6777\nPriority {}", first.1), "slow"),
            rule(second.0, &format!("LocalPortRange 6777\nPriority {}", second.1), "fast"),
            actions("slow", "HandshakeTimeout 60"),
            actions("fast", "HandshakeTimeout 5"),
        );
        let [listener] = &good(&text, &[])[..] else { panic!("one listener") };
        assert_eq!(listener.rules.len(), 1, "a rule for all addresses hides the other");
        listener.rules[0].clone()
    };
    assert_eq!(rule_of(("a", 1), ("b", 2)), "b");
    assert_eq!(rule_of(("a", 2), ("b", 1)), "a");
    assert_eq!(rule_of(("a", 7), ("b", 7)), "a");
    assert_eq!(rule_of(("b", 7), ("a", 7)), "a");
    let text = format!(
        "{}{}{}",
        rule("x", "LocalPortRange 1-9", "a"),
        rule("y", "LocalPortRange 3", "a"),
        actions("a", "")
    );
    let policy = read(&text, &[]);
    assert!(
        policy.diagnostics.sorted().iter().any(|it| it.code == Code::Shadowed && it.message.contains("`y`"))
    );
}

#[test]
fn ranges_of_ports_are_divided_by_the_rules_that_hold() {
    let text = format!(
        "{}{}{}{}",
        rule("outer", "LocalPortRange 7000-7010", "slow"),
        rule("inner", "LocalPortRange 7004:7005\nPriority 9", "fast"),
        actions("slow", "HandshakeTimeout 60"),
        actions("fast", "HandshakeTimeout 5"),
    );
    let listeners = good(&text, &[]);
    let ports: Vec<_> =
        listeners.iter().map(|listener| (listener.rules[0].as_str(), listener.ports.clone())).collect();
    assert_eq!(ports, [("outer", vec![(7000, 7003), (7006, 7010)]), ("inner", vec![(7004, 7005)])]);
}

#[test]
fn conditions_are_anded_and_groups_are_ored() {
    let text = format!(
        "{}{}IpAddrGroup clients\n{{\nIpAddr\n{{\nAddr 10.0.0.1\n}}\nIpAddrSet\n{{\nPrefix 10.1.0.0/16\n}}\n}}\n\
         PortGroup both\n{{\nPortRange\n{{\nPort 6777\n}}\nPortRange\n{{\nPort 6790 6791\n}}\n}}\n",
        rule("r", "RemoteAddrGroupRef clients\nLocalPortGroupRef both", "a"),
        actions("a", ""),
    );
    let [listener] = &good(&text, &[])[..] else { panic!("one listener") };
    let clients: Vec<_> = listener.clients.iter().map(ToString::to_string).collect();
    assert_eq!(clients, ["10.0.0.1", "10.1.0.0/16"]);
    assert_eq!(listener.ports, [(6777, 6777), (6790, 6791)]);
}

#[test]
fn rules_for_one_port_share_a_listener_or_are_refused() {
    let two = |second: &str| {
        format!(
            "{}{}{}{}",
            rule("a", "LocalPortRange 6777\nRemoteAddr 10.0.0.0/8", "one"),
            rule("b", "LocalPortRange 6777\nRemoteAddr 192.168.0.0/16", "two"),
            actions("one", "HandshakeTimeout 20"),
            actions("two", second),
        )
    };
    let [listener] = &good(&two("HandshakeTimeout 20"), &[])[..] else { panic!("one listener") };
    assert_eq!((listener.rules.len(), listener.clients.len()), (2, 2));
    assert_eq!(errors(&two("HandshakeTimeout 21"), &[]), ["9 conflict"]);
    // On different addresses they are two listeners.
    let text = two("HandshakeTimeout 21");
    let text = text.replacen("RemoteAddr 10.0.0.0/8", "LocalAddr 10.0.0.1", 1);
    let text = text.replacen("RemoteAddr 192.168.0.0/16", "LocalAddr 10.0.0.2", 1);
    assert_eq!(good(&text, &[]).len(), 2);
}

#[test]
fn a_connection_counts_before_its_environment_and_that_before_the_group() {
    let text = format!(
        "{}{}TTLSConnectionAction c\n{{\nHandshakeRole ServerWithClientAuth\nTrace 4\nTTLSCipherParms\n{{\n\
         V3CipherSuites4Char C02F\n}}\nTTLSConnectionAdvancedParms\n{{\nHandshakeTimeout 44\nApplicationControlled Off\n}}\n}}\n",
        rule("r", "LocalPortRange 6777\nTTLSConnectionActionRef c", "a"),
        actions("a", "HandshakeTimeout 33\nApplicationControlled On\nClientAuthType Full").replace(
            "HandshakeRole ServerWithClientAuth",
            "HandshakeRole Server\nTTLSCipherParms\n{\nV3CipherSuites4Char C030\n}"
        ),
    );
    let [listener] = &good(&text, &[])[..] else { panic!("one listener") };
    assert_eq!(listener.settings.handshake_timeout, Duration::from_secs(44));
    assert_eq!(listener.settings.suites, [0xc02f]);
    // What only the environment says still holds.
    assert_eq!(listener.settings.certificate, PlannedCertificate::Optional);
    let levels: Vec<_> = listener
        .sources
        .iter()
        .filter(|source| source.parameter == "HandshakeTimeout")
        .map(|source| source.level.map(|level| level.word()))
        .collect();
    assert_eq!(levels, [Some("connection")]);
}

#[test]
fn what_would_accept_more_needs_a_permission() {
    let base = |conditions: &str, lines: &str| {
        format!("{}{}", rule("r", &format!("LocalPortRange 6777\n{conditions}"), "a"), actions("a", lines))
    };
    let times = "IpTimeCondition t\n{\nTimeOfDayRange 08:00-17:00\n}\n";
    let off = "TTLSRule o\n{\nLocalPortRange 6777\nRemoteAddr 10.0.0.0/8\nPriority 9\nDirection Inbound\nTTLSGroupActionRef off\n}\n\
               TTLSGroupAction off\n{\nTTLSEnabled Off\n}\n";
    for (permission, text) in [
        (Permission::PassThru, base("", "ClientAuthType PassThru")),
        (Permission::NoUserMapping, base("", "ClientAuthType SAFCheck")),
        (Permission::ApplicationControlled, base("", "ApplicationControlled On")),
        (Permission::Jobname, base("Jobname PAY*", "")),
        (Permission::Jobname, base("Userid PAYSRV", "")),
        (Permission::TimeCondition, base("IpTimeConditionRef t", "") + times),
        (Permission::RemotePorts, base("RemotePortRange 1024-65535", "")),
        (Permission::TlsOff, base("", "") + off),
        (Permission::ManyPorts, base("", "").replace("6777", "2000-4000")),
        (Permission::NoFips, base("", "").replace("TTLSEnabled On", "TTLSEnabled On\nFIPS140 On")),
        (Permission::NoClientCertificate, base("", "").replace("ServerWithClientAuth", "Server")),
    ] {
        let policy = read(&text, &[]);
        assert!(policy.diagnostics.has_errors() && policy.listeners.is_empty(), "{permission}");
        let says_how = |it: &&certcheck_serve::at_tls::Diagnostic| {
            let allow = format!("--allow {permission}");
            it.help.as_deref().is_some_and(|help| help.contains(&allow)) || it.message.contains(&allow)
        };
        assert!(
            policy.diagnostics.sorted().iter().any(says_how),
            "{permission}: {:?}",
            policy.diagnostics.sorted()
        );
        let allowed = read(&text, &[permission]);
        assert_eq!(allowed.listeners.len(), 1, "{permission}: {:?}", allowed.diagnostics.sorted());
        let warned = |it: &&certcheck_serve::at_tls::Diagnostic| it.code == Code::NeedsPermission;
        assert!(allowed.diagnostics.sorted().iter().any(warned), "{permission}");
    }
}

/// Rules that find users are what SAFCheck asks for. A permission to do without them is named, rules or not.
#[test]
fn saf_check_needs_a_user_unless_that_is_allowed_and_named() {
    let text =
        format!("{}{}", rule("r", "LocalPortRange 6777", "a"), actions("a", "ClientAuthType SAFCheck"));
    for (given, needs_user, is_named) in [(&[][..], true, false), (&[Permission::NoUserMapping], false, true)]
    {
        let permissions = given.iter().copied().collect::<Permissions>().with_user_rules();
        let policy = compile(text.as_bytes(), ReadOptions::default(), &permissions);
        assert_eq!(policy.listeners[0].settings.needs_user, needs_user);
        let named = |it: &certcheck_serve::at_tls::Diagnostic| it.code == Code::NeedsPermission;
        assert_eq!(policy.diagnostics.sorted().into_iter().any(named), is_named, "{given:?}");
    }
}

#[test]
fn without_a_source_of_evidence_revocation_is_checked_all_the_same() {
    let text = format!("{}{}", rule("r", "LocalPortRange 6777", "a"), actions("a", ""));
    let policy = read(&text, &[]);
    assert_eq!(policy.listeners[0].settings.revocation, Revocation::IfOffered);
    assert!(
        policy
            .diagnostics
            .sorted()
            .iter()
            .any(|it| it.help.as_deref().is_some_and(|help| help.contains("no-revocation")))
    );
    assert_eq!(good(&text, &[Permission::NoRevocation])[0].settings.revocation, Revocation::Off);
}

#[test]
fn the_stricter_level_counts_where_there_are_two() {
    let level = |gsk: &str| {
        let gsk = format!("TTLSGskAdvancedParms\n{{\n{gsk}\n}}\nTTLSEnvironmentAdvancedParms\n");
        let text = format!("{}{}", rule("r", "LocalPortRange 6777", "a"), actions("a", ""));
        good(&text.replacen("TTLSEnvironmentAdvancedParms\n", &gsk, 1), &[])[0].settings.revocation
    };
    let ldap = |level: &str| {
        format!("TTLSGskLdapParms\n{{\nGSK_LDAP_SERVER l.example\nGSK_CRL_SECURITY_LEVEL {level}\n}}")
    };
    assert_eq!(level("HttpCdpEnable On\nRevocationSecurityLevel Low"), Revocation::SoftFail);
    assert_eq!(level("HttpCdpEnable On\nRevocationSecurityLevel High"), Revocation::HardFail);
    assert_eq!(level(&format!("RevocationSecurityLevel Low\n{}", ldap("High"))), Revocation::HardFail);
    assert_eq!(level(&format!("RevocationSecurityLevel Low\n{}", ldap("Low"))), Revocation::SoftFail);
    // A responder of the policy is a source.
    let url = "TTLSGskOcspParms\n{\nOcspUrl http://ocsp.example/\n}";
    assert_eq!(level(&format!("RevocationSecurityLevel Low\n{url}")), Revocation::SoftFail);
}

#[test]
fn sessions_have_one_age_which_is_never_longer_than_on_z_os() {
    let age = |lines: &str, gsk: &str| {
        let gsk =
            format!("TTLSGskAdvancedParms\n{{\nHttpCdpEnable On\n{gsk}\n}}\nTTLSEnvironmentAdvancedParms\n");
        let text = format!("{}{}", rule("r", "LocalPortRange 6777", "a"), actions("a", lines));
        good(&text.replacen("TTLSEnvironmentAdvancedParms\n", &gsk, 1), &[])[0]
            .settings
            .session_max_age
            .as_secs()
    };
    assert_eq!(age("", ""), 300);
    assert_eq!(age("", "GSK_V3_SESSION_TIMEOUT 0"), 0);
    assert_eq!(age("", "GSK_V3_SESSION_TIMEOUT 3600"), 3600);
    assert_eq!(age("TLSv1.3 On", "GSK_V3_SESSION_TIMEOUT 3600"), 300);
    assert_eq!(age("TLSv1.3 On", "GSK_V3_SESSION_TIMEOUT 3600\nGSK_SESSION_TICKET_SERVER_TIMEOUT 60"), 60);
    assert_eq!(age("", "GSK_SESSION_TICKET_SERVER_ENABLE Off"), 0);
}

#[test]
fn rules_that_certcheck_cannot_serve_are_named_and_left_out() {
    let text = format!(
        "{}{}{}{}{}",
        rule("in", "LocalPortRange 6777", "a"),
        rule("out", "RemotePortRange 443", "a").replace("Inbound", "Outbound"),
        rule("plain", "LocalPortRange 6789", "s"),
        actions("a", ""),
        actions("s", "").replace("ServerWithClientAuth", "Server"),
    );
    let policy = read(&text, &[]);
    assert_eq!(policy.listeners.len(), 1);
    let left_out: Vec<_> =
        policy.diagnostics.sorted().into_iter().filter(|it| it.code == Code::NotServed).collect();
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    assert_eq!(good(&text, &[Permission::NoClientCertificate]).len(), 2);
}
