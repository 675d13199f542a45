//! Which clients are accepted, and as which user: by tables of certificates and rules. Certificates are accepted by a real check.

use certcheck_rustls::certcheck_core::Check;
use certcheck_rustls::certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_rustls::pki_types::CertificateDer;
use certcheck_rustls::{Identity, Policy, Revocation, Time};
use certcheck_serve::identity::*;
use certcheck_testkit::ext::{self, Ext};
use certcheck_testkit::{Cert, Key, der};
use proptest::prelude::*;

const ROOT: &str = "C=US,O=Acme,CN=Root";

fn issued(leaf: Cert) -> Identity {
    let key = Key::p256("root");
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &key).issue(&key), Placement::Anchor).expect("a root");
    let ring = builder.build().expect("a ring");
    let chain = [CertificateDer::from(leaf.issue(&key))];
    let now = Time::from_rfc3339("2026-06-01T00:00:00Z").expect("a time");
    let policy = Policy::client(Revocation::Off);
    let report = Check::new(&chain, &ring, &policy, now).run();
    Identity::of(&report).expect("accepted")
}

fn leaf(subject: &str, names: &[&str]) -> Cert {
    let san = (!names.is_empty()).then(|| ext::san(names));
    Cert::leaf(subject, &Key::p256("leaf"), ROOT, &Key::p256("root")).with(san)
}

fn client(subject: &str, names: &[&str]) -> Identity {
    issued(leaf(subject, names))
}

fn condition(field: Field, patterns: &[&str]) -> Condition {
    let pattern = |text: &&str| Pattern::parse(field, text).unwrap_or_else(|fault| panic!("{text} {fault}"));
    Condition::new(field, patterns.iter().map(pattern).collect())
}

fn field(key: &str) -> Field {
    Field::ALL.iter().find(|(known, _)| *known == key).unwrap_or_else(|| panic!("{key}")).1
}

/// `cn=x, dns=y` as conditions.
fn conditions(text: &str) -> Vec<Condition> {
    let one = |text: &str| {
        let (key, pattern) = text.split_once('=').expect("KEY=PATTERN");
        condition(field(key), &[pattern])
    };
    text.split("; ").filter(|text| !text.is_empty()).map(one).collect()
}

fn allowing(rules: &[&str]) -> AccessRules {
    let allow = rules.iter().map(|text| AllowRule { conditions: conditions(text) }).collect();
    AccessRules { allow, ..AccessRules::default() }
}

fn mapping(rules: &[(&str, &str)]) -> AccessRules {
    let rule = |(user, text): &(&str, &str)| UserRule {
        user: Template::parse(user).unwrap_or_else(|fault| panic!("{user} {fault}")),
        conditions: conditions(text),
    };
    AccessRules { users: rules.iter().map(rule).collect(), is_user_required: true, ..AccessRules::default() }
}

/// The user, or the code and the message without its hint.
fn outcome(rules: &AccessRules, identity: &Identity) -> String {
    match rules.user_of(Some(identity)) {
        Ok(user) => user.unwrap_or_else(|| "-".to_owned()),
        Err(refusal) => {
            let text = refusal.to_string();
            let sentence = text.strip_suffix(refusal.hint()).and_then(|text| text.strip_suffix("; "));
            format!("{}: {}", refusal.code(), sentence.expect("a sentence and a hint"))
        }
    }
}

#[test]
fn patterns_match_by_the_rules_of_their_field() {
    let all = client(
        "C=US,O=Acme,OU=Sales,OU=Röhre,CN=Alice Smith",
        &[
            "dns:A.Example.com",
            "dns:*.wild.example",
            "uri:spiffe://acme.example/ns/prod/sa/web",
            "uri:https://acme.example/a/%2e%2e/b",
            "uri:https://acme.example/a/b?c=d",
            "email:Alice@Acme.Example",
            "upn:alice@corp.acme.example",
        ],
    );
    for (key, pattern, matches) in [
        ("subject", "CN=Alice Smith,OU=Röhre,OU=Sales,O=Acme,C=US", true),
        ("subject", "cn=alice  smith,ou=röhre,ou=sales,o=ACME,c=us", true),
        ("subject", "CN=Alice Smith,OU=Sales,O=Acme,C=US", false),
        ("subject", "O=Acme,C=US", false),
        ("subject", "*,O=Acme,C=US", true),
        ("subject", "*,O=Acm,C=US", false),
        ("subject", "*,C=US,O=Acme", false),
        ("subject", "*,CN=Alice Smith", false),
        ("issuer", "CN=Root,O=Acme,C=US", true),
        ("issuer", "*,O=Acme,C=US", true),
        ("issuer", "CN=Root", false),
        ("cn", "Alice Smith", true),
        ("cn", "alice smith", false),
        ("cn", "Alice", false),
        ("cn", "Alice*", true),
        ("cn", "*Smith", true),
        ("cn", "A*e*i*", true),
        ("cn", "*", true),
        ("cn", "*Alice Smith*", true),
        ("cn", "Alice Smith*Smith", false),
        ("ou", "Sales", true),
        ("ou", "Röhre", true),
        ("ou", "Sale", false),
        ("o", "Acme", true),
        ("uid", "*", false),
        ("dns", "a.example.COM", true),
        ("dns", "*.example.com", true),
        ("dns", "*.*.com", true),
        ("dns", "*.com", false),
        ("dns", "*", false),
        ("dns", "example.com", false),
        ("dns", "*.a.example.com", false),
        // The certificate's own wildcard is no name of a client.
        ("dns", "*.wild.example", false),
        ("dns", "x.wild.example", false),
        ("uri", "spiffe://acme.example/ns/prod/sa/web", true),
        ("uri", "spiffe://acme.example/ns/*/sa/*", true),
        ("uri", "spiffe://acme.example/**", true),
        ("uri", "spiffe://acme.example/ns/prod/**", true),
        ("uri", "spiffe://acme.example/ns/prod/sa/web/**", false),
        ("uri", "spiffe://acme.example/ns/prod/sa", false),
        ("uri", "spiffe://acme.example/ns/*", false),
        ("uri", "SPIFFE://acme.example/**", false),
        ("uri", "https://acme.example/a/%2e%2e/b", true),
        // What a service could read differently is not what `*` stands for.
        ("uri", "https://acme.example/a/*/b", false),
        ("uri", "https://acme.example/a/*", false),
        ("uri", "https://acme.example/**", false),
        ("email", "Alice@acme.example", true),
        ("email", "alice@acme.example", false),
        ("email", "*@acme.example", true),
        ("email", "A*@*.example", true),
        ("email", "*@example", false),
        ("upn", "*@corp.acme.example", true),
        ("upn", "*@acme.example", false),
        ("policy", "2.5.29.32.0", false),
        ("serial", "01", false),
    ] {
        let is_allowed = allowing(&[&format!("{key}={pattern}")]).user_of(Some(&all)).is_ok();
        assert_eq!(is_allowed, matches, "{key} = {pattern}");
    }
}

#[test]
fn numbers_and_digests_match_exactly() {
    let cert = Cert { serial: vec![0, 0xab, 0xcd], ..leaf("CN=device", &[]) };
    let cert = cert.with([ext::policies(&["1.2.3.4"])]);
    let identity = issued(cert);
    let hex = data_encoding::HEXUPPER.encode(&identity.sha256());
    let colons = hex.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
    let pin = data_encoding::BASE64.encode(&identity.spki_sha256());
    let other = data_encoding::BASE64.encode(&[7; 32]);
    for (key, pattern, matches) in [
        ("sha256", hex.as_str(), true),
        ("sha256", &colons, true),
        ("sha256", &"00".repeat(32), false),
        ("spki", &pin, true),
        ("spki", &format!("sha256/{pin}"), true),
        ("spki", &other, false),
        ("serial", "00:AB:CD", true),
        ("serial", "abcd", true),
        ("serial", "cd", false),
        ("policy", "1.2.3.4", true),
        ("policy", "1.2.3.5", false),
    ] {
        let is_allowed = allowing(&[&format!("{key}={pattern}")]).user_of(Some(&identity)).is_ok();
        assert_eq!(is_allowed, matches, "{key} = {pattern}");
    }
    // A pin is an addition: the other conditions of the rule must hold too.
    let rules = allowing(&[&format!("spki={pin}; cn=other")]);
    assert_eq!(rules.user_of(Some(&identity)), Err(AccessRefusal::NotAllowed));
    // One of several rules is enough, and one of several patterns.
    let rules = allowing(&["cn=other", "cn=device"]);
    assert_eq!(rules.user_of(Some(&identity)), Ok(None));
    let allow = vec![AllowRule { conditions: vec![condition(Field::CommonName, &["other", "dev*"])] }];
    let rules = AccessRules { allow, ..AccessRules::default() };
    assert_eq!(rules.user_of(Some(&identity)), Ok(None));
}

#[test]
fn the_first_rule_that_matches_makes_the_user() {
    let rules = mapping(&[
        ("root", "cn=admin; issuer=CN=Root,O=Acme,C=US"),
        ("{upn.local}", "upn=*@corp.example"),
        ("{email.local}-at-{email.domain}", "email=*@*.example"),
        ("svc:{spiffe}", ""),
        ("{{{uid}}}", ""),
        ("{cn}", "ou=People"),
    ]);
    for (subject, names, user) in [
        ("CN=admin", &[][..], "root"),
        ("CN=admin", &["upn:alice@corp.example"], "root"),
        ("CN=x", &["upn:alice@CORP.example"], "alice"),
        ("CN=x", &["upn:alice@other.example", "email:Al@Mail.Example"], "Al-at-mail.example"),
        ("CN=x", &["uri:spiffe://a.example/b"], "svc:spiffe://a.example/b"),
        ("UID=u7,CN=x", &[], "{u7}"),
        ("OU=People,CN=some one", &[], "some one"),
        ("CN=x", &[], "no-identity: the certificate is good, but no rule finds a user for it"),
    ] {
        assert_eq!(outcome(&rules, &client(subject, names)), user, "{subject} {names:?}");
    }
    // Without a user, where none is asked for.
    let rules = AccessRules { is_user_required: false, ..rules };
    assert_eq!(outcome(&rules, &client("CN=x", &[])), "-");
}

#[test]
fn hostile_names_are_refused_and_no_later_rule_is_tried() {
    let by_cn = mapping(&[("{cn}", ""), ("fallback", "")]);
    let by_dns = mapping(&[("x", "dns=a.example"), ("fallback", "")]);
    let by_two = mapping(&[("{cn}@{o}", "")]);
    let what = "attribute of the subject";
    for (rules, subject, names, said) in [
        (&by_cn, "CN=a\0b", &[][..], format!(r#"{what} "a\0b" has a control character"#)),
        (
            &by_cn,
            "CN=a\r\nX-Client-User: root",
            &[],
            format!(r#"{what} "a\r\nX-Client-User: root" has a control character"#),
        ),
        (&by_cn, "CN=a\u{202e}b", &[], format!(r#"{what} "a\u{{202e}}b" has a control character"#)),
        (
            &by_cn,
            "CN=good,CN=other",
            &[],
            "the common name of the subject occurs 2 times, so it identifies nobody".to_owned(),
        ),
        (
            &by_cn,
            "CN=good+CN=other",
            &[],
            "the common name of the subject occurs 2 times, so it identifies nobody".to_owned(),
        ),
        (&by_cn, "CN= root", &[], r#"the user name " root" begins or ends with white space"#.to_owned()),
        (
            &by_cn,
            "CN=Zoë",
            &[],
            r#"the user name "Zoë" has characters beyond ASCII, which `allow_non_ascii` would accept"#
                .to_owned(),
        ),
        (
            &by_dns,
            "CN=x",
            &["dns:a.example\0.b.example"],
            r#"dNSName of subjectAltName "a.example\0.b.example" has a control character"#.to_owned(),
        ),
        (
            &by_two,
            "O=b@c,CN=a@b",
            &[],
            r#"the value "a@b" has "@" in it, which ends it in the template"#.to_owned(),
        ),
    ] {
        assert_eq!(outcome(rules, &client(subject, names)), format!("no-identity: {said}"), "{subject:?}");
    }
    // The last value may have it: what is before the first one is known.
    assert_eq!(outcome(&by_two, &client("O=b@c,CN=a", &[])), "a@b@c");
    assert_eq!(outcome(&by_cn, &client("O=only", &[])), "fallback");
    let long = format!("CN={}", "x".repeat(257));
    assert!(outcome(&by_cn, &client(&long, &[])).ends_with("is longer than 256 bytes"));
    let wide = AccessRules { allow_non_ascii: true, ..by_cn.clone() };
    assert_eq!(outcome(&wide, &client("CN=Zoë", &[])), "Zoë");

    // A value that is not text, in an attribute of several values.
    let unreadable = der::set(&[
        der::seq(&[der::oid("2.5.4.3"), der::tlv(0x0c, b"good")]),
        der::seq(&[der::oid("2.5.4.3"), der::tlv(0x0c, b"\xff")]),
    ]);
    let cert = Cert { subject: der::seq(&[unreadable]), ..leaf("CN=x", &[]) };
    assert_eq!(outcome(&by_cn, &issued(cert)), format!("no-identity: {what} \"ff\" is not text"));
    // Two UPNs identify nobody, also where one of them matches.
    let upn = |text: &str| {
        let value = der::concat(&[
            der::oid("1.3.6.1.4.1.311.20.2.3"),
            der::ctx_c(0, &der::tlv(0x0c, text.as_bytes())),
        ]);
        der::ctx_c(0, &value)
    };
    let san = Ext::new("2.5.29.17", false, der::seq(&[upn("a@corp.example"), upn("b@corp.example")]));
    let rules = mapping(&[("{upn.local}", "upn=*@corp.example"), ("fallback", "")]);
    let said = outcome(&rules, &issued(leaf("CN=x", &[]).with([san])));
    assert!(said.starts_with("no-identity: ") && said.contains("occurs 2 times"), "{said}");
}

#[test]
fn a_client_without_a_certificate() {
    let rules = mapping(&[("x", "")]);
    assert_eq!(rules.user_of(None), Err(AccessRefusal::NoCertificate));
    assert_eq!(AccessRefusal::NoCertificate.code(), "no-identity");
    assert_eq!(AccessRules { is_user_required: false, ..rules }.user_of(None), Ok(None));
    assert_eq!(allowing(&["cn=*"]).user_of(None), Err(AccessRefusal::NotAllowed));
    assert_eq!(AccessRefusal::NotAllowed.code(), "not-allowed");
    // A rule without conditions accepts nobody.
    let empty = AccessRules { allow: vec![AllowRule { conditions: Vec::new() }], ..AccessRules::default() };
    assert_eq!(empty.user_of(Some(&client("CN=x", &[]))), Err(AccessRefusal::NotAllowed));
    assert!(AccessRules::default().are_empty());
}

#[test]
fn patterns_and_templates_that_cannot_be_used() {
    for (key, pattern) in [
        ("subject", "Alice"),
        ("subject", "*,"),
        ("issuer", "CN=a,*"),
        ("dns", "a*.example"),
        ("dns", "bücher.example"),
        ("dns", "a..example"),
        ("dns", ".example"),
        ("uri", "spiffe://*/x"),
        ("uri", "spiffe://a/x*"),
        ("uri", "spiffe://a/**/x"),
        ("uri", "urn:*"),
        ("email", "example.com"),
        ("email", "@example.com"),
        ("email", "a@b@c"),
        ("upn", "a@*b"),
        ("policy", "anyPolicy"),
        ("serial", "xyz"),
        ("serial", ""),
        ("sha256", "abcd"),
        ("sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("spki", "AAAA"),
        ("cn", "a\0"),
        ("cn", ""),
    ] {
        assert!(Pattern::parse(field(key), pattern).is_err(), "{key} = {pattern}");
    }
    for (text, fault) in [
        ("", TemplateFault::Empty),
        ("{cn", TemplateFault::Brace),
        ("cn}", TemplateFault::Brace),
        ("{cn}{o}", TemplateFault::Adjacent),
        ("{name}", TemplateFault::Unknown("name".to_owned())),
        ("a\n", TemplateFault::Control),
    ] {
        assert_eq!(Template::parse(text), Err(fault), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `*` matches as a search over all ways to cut the value does.
    #[test]
    fn wildcards_match_as_their_definition(pattern in "[ab*]{1,8}", value in "[ab]{1,8}") {
        fn slow(pattern: &[u8], value: &[u8]) -> bool {
            match pattern.split_first() {
                None => value.is_empty(),
                Some((b'*', rest)) => (0..=value.len()).any(|at| slow(rest, &value[at..])),
                Some((byte, rest)) => value.first() == Some(byte) && slow(rest, &value[1..]),
            }
        }
        let is_allowed = allowing(&[&format!("cn={pattern}")]).user_of(Some(&client(&format!("CN={value}"), &[]))).is_ok();
        prop_assert_eq!(is_allowed, slow(pattern.as_bytes(), value.as_bytes()));
    }

    /// A DNS pattern has as many labels as what it matches, and each equal or `*`.
    #[test]
    fn dns_patterns_match_label_by_label(
        pattern in "(\\*|[abA]{1,2})(\\.(\\*|[abA]{1,2})){0,3}",
        name in "[abA]{1,2}(\\.[abA]{1,2}){0,3}",
    ) {
        let is_allowed = allowing(&[&format!("dns={pattern}")]).user_of(Some(&client("CN=x", &[&format!("dns:{name}")]))).is_ok();
        let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
        let labels = pattern.split('.').zip(name.split('.')).all(|(one, other)| one == "*" || one == other);
        let expected = labels && pattern.split('.').count() == name.split('.').count();
        prop_assert_eq!(is_allowed, expected);
    }

    /// Whatever a subject has, a user is printable ASCII without white space around it, or there is none.
    #[test]
    fn users_are_always_printable(value in any::<String>(), other in any::<String>()) {
        let attribute = |oid: &str, text: &str| der::set(&[der::seq(&[der::oid(oid), der::tlv(0x0c, text.as_bytes())])]);
        let subject = der::seq(&[attribute("2.5.4.10", &other), attribute("2.5.4.3", &value)]);
        let identity = issued(Cert { subject, ..leaf("CN=x", &[]) });
        if let Ok(Some(user)) = mapping(&[("{cn}/{o}", "")]).user_of(Some(&identity)) {
            prop_assert!(user.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{:?}", user);
            // Different names make different users: it can be read back.
            prop_assert_eq!(user.split_once('/'), Some((value.as_str(), other.as_str())));
        }
    }

    /// No text makes a parser panic, and what is accepted is shown as it was written.
    #[test]
    fn patterns_show_as_they_were_written(text in "\\PC{0,40}", at in 0..Field::ALL.len()) {
        if let Ok(pattern) = Pattern::parse(Field::ALL[at].1, &text) {
            prop_assert_eq!(pattern.to_string(), text.clone());
        }
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(template.to_string(), text);
        }
    }
}
