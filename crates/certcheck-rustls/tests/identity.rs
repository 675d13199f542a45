//! Who a certificate speaks of, by tables: what it holds on the left, what the accessor says on the right. Certificates
//! are forged, and accepted by a real check.

mod people;

use certcheck_core::digest::sha256;
use certcheck_core::{Check, Policy, Revocation, Time, Verdict};
use certcheck_rustls::{Edipi, Identity, IdentityError};
use certcheck_testkit::ext::{self, Ext};
use certcheck_testkit::name::general_name;
use certcheck_testkit::{Cert, Key, der};
use people::*;
use pki_types::CertificateDer;

#[test]
fn only_an_accepted_report_identifies() {
    let (off, hard) = (Policy::client(Revocation::Off), Policy::client(Revocation::HardFail));
    let leaf = leaf("CN=leaf").valid("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    for (policy, now, verdict) in [
        (&off, "2026-06-01T00:00:00Z", Verdict::Accept),
        (&off, "2027-06-01T00:00:00Z", Verdict::Reject),
        (&hard, "2026-06-01T00:00:00Z", Verdict::Undetermined),
    ] {
        match (check(&root(), &leaf, policy, now), verdict) {
            (Ok(_), Verdict::Accept) => {}
            (Err(error), _) => assert_eq!(error, IdentityError::NotAccepted { verdict }),
            (Ok(identity), _) => panic!("{identity} at {now}"),
        }
    }
    let ring = ring_of(&root().issue(&Key::p256("root")));
    let chain = [CertificateDer::from(&b"no certificate"[..])];
    let report = Check::new(&chain, &ring, &off, Time::from_unix(1_800_000_000)).run();
    let said = outcome(Identity::of(&report));
    assert_eq!(said, "the certificate was not accepted, so it identifies nobody: the verdict is reject");
}

#[test]
fn what_a_certificate_says_beside_names() {
    let leaf =
        leaf("C=US,O=Acme,CN=device;17+UID=x").with([ext::policies(&["2.16.840.1.101.3.2.1.3.13", "1.2.3"])]);
    let leaf =
        Cert { serial: vec![0, 0xab, 0xcd], ..leaf }.valid("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let bytes = leaf.issue(&Key::p256("root"));
    let identity = issued_by(&root(), &leaf);

    // It outlives all that it came from, and clones.
    let identity = identity.clone();
    assert_eq!(identity.subject(), r"UID=x+CN=device\;17,O=Acme,C=US");
    assert_eq!(identity.issuer(), "CN=Root,O=Acme,C=US");
    assert_eq!(identity.anchor(), "CN=Root,O=Acme,C=US");
    assert_eq!(identity.serial(), "abcd");
    assert_eq!(identity.certificate(), CertificateDer::from(&bytes[..]));
    assert_eq!(identity.view().der(), bytes);
    assert_eq!(identity.sha256(), sha256(&bytes));
    assert_eq!(identity.spki_sha256(), sha256(Key::p256("leaf").spki()));
    assert_eq!(identity.not_after().to_string(), "2027-01-01T00:00:00Z");
    let policies: Vec<_> = identity.policies().iter().map(ToString::to_string).collect();
    assert_eq!(policies.len(), 2);
    assert!(policies.contains(&"1.2.3".to_owned()), "{policies:?}");
    assert_eq!(identity.to_string(), r"UID=x+CN=device\;17,O=Acme,C=US, serial abcd of CN=Root,O=Acme,C=US");
    assert_eq!(format!("{identity:?}"), format!("Identity({identity})"));
}

#[test]
fn a_subject_of_no_name_is_shown_by_serial_and_issuer() {
    let san = Ext { critical: true, ..ext::san(&["dns:a.example"]) };
    let identity = issued_by(&root(), &Cert { serial: vec![7], ..leaf("").with([san]) });
    assert_eq!(identity.subject(), "");
    assert_eq!(identity.to_string(), "serial 07 of CN=Root,O=Acme,C=US");
    assert_eq!(identity.common_name(), None);
}

#[test]
fn common_names_are_shown_and_no_more() {
    for (subject, shown) in [
        ("O=Acme,CN=first,CN=last", Some("last")),
        ("CN=bmp:Zoë", Some("Zoë")),
        ("CN=printable:under_score", Some("under_score")),
        ("O=Acme", None),
        ("CN=a\0b", None),
        ("CN=good,CN=a\u{202e}b", None),
    ] {
        let identity = identity(subject, &[]);
        assert_eq!(identity.common_name().as_deref(), shown, "{subject}");
    }
    // The last counts, also where it is not text.
    let unreadable = der::seq(&[der::set(&[der::seq(&[der::oid("2.5.4.3"), der::tlv(0x0c, b"\xff")])])]);
    let subject = [&certcheck_testkit::name::name("CN=good")[2..], &unreadable[2..]].concat();
    let leaf = Cert { subject: der::tlv(0x30, &subject), ..leaf("CN=leaf") };
    assert_eq!(issued_by(&root(), &leaf).common_name(), None);

    // Whatever the common name looks like, nothing falls back to it.
    for subject in
        ["CN=a.example", "CN=spiffe://a.example/b", "CN=j@a.example", "CN=10.0.0.1", "CN=1234567890@mil"]
    {
        let identity = identity(&format!("{subject},emailAddress=j@a.example"), &[]);
        let said = [
            outcome(identity.emails()),
            outcome(identity.dns_names()),
            outcome(identity.uris()),
            outcome(identity.ip_addresses()),
            outcome(identity.other_names()),
        ];
        assert_eq!(said, ["[]"; 5], "{subject}");
        let said = [
            outcome(identity.spiffe_id()),
            outcome(identity.upn()),
            outcome(identity.edipi()),
            outcome(identity.fasc_n()),
            outcome(identity.card_uuid()),
            outcome(identity.sid()),
        ];
        assert_eq!(said, ["None"; 6], "{subject}");
    }
}

#[test]
fn values_of_the_subject() {
    let unit = certcheck_core::oid::OidBuf::from_dotted("2.5.4.11").expect("an identifier");
    for (subject, values) in [
        ("OU=a,O=Acme,OU=bmp:Zoë+OU=c", r#"["a", "c", "Zoë"]"#),
        ("O=Acme", "[]"),
        ("OU=good,OU=a\0b", r#"attribute of the subject "a\0b" has a control character"#),
    ] {
        assert_eq!(outcome(identity(subject, &[]).subject_values(unit.as_oid())), values, "{subject}");
    }
}

#[test]
fn lists_of_names() {
    type Accessor = fn(&Identity) -> String;
    let emails: Accessor = |identity| outcome(identity.emails());
    let dns: Accessor = |identity| outcome(identity.dns_names());
    let uris: Accessor = |identity| outcome(identity.uris());
    let ips: Accessor = |identity| outcome(identity.ip_addresses());
    let cases: &[(Accessor, &[&str], &str)] = &[
        (emails, &["dns:a.example"], "[]"),
        (emails, &["smtp:é@a.example", "email:j@a.example"], r#"["é@a.example", "j@a.example"]"#),
        (
            emails,
            &["email:good@a.example", "email:j@a.example\0.b.example"],
            r#"rfc822Name of subjectAltName "j@a.example\0.b.example" has a control character"#,
        ),
        (
            emails,
            &["smtp:é\r@a.example"],
            r#"SmtpUTF8Mailbox of subjectAltName "é\r@a.example" has a control character"#,
        ),
        (
            emails,
            &["smtp:é\u{202e}@a.example"],
            r#"SmtpUTF8Mailbox of subjectAltName "é\u{202e}@a.example" has a control character"#,
        ),
        (emails, &["email:"], r#"rfc822Name of subjectAltName "" is empty"#),
        (emails, &["email:j@a.example", "dns:a\0b"], r#"["j@a.example"]"#),
        (dns, &["dns:A.example", "email:j@a.example", "dns:*.b.example"], r#"["A.example", "*.b.example"]"#),
        (dns, &["x400:", "dns:a.example", "edi:x", "rid:1.2"], r#"["a.example"]"#),
        (
            dns,
            &["dns:a.example\0.evil.example"],
            r#"dNSName of subjectAltName "a.example\0.evil.example" has a control character"#,
        ),
        (
            dns,
            &["dns:good.example", "dns:a\u{7f}"],
            r#"dNSName of subjectAltName "a\u{7f}" has a control character"#,
        ),
        (dns, &["dns:"], r#"dNSName of subjectAltName "" is empty"#),
        (uris, &["uri:https://a.example/", "uri:x"], r#"["https://a.example/", "x"]"#),
        (
            uris,
            &["uri:https://a.example/\n"],
            r#"URI of subjectAltName "https://a.example/\n" has a control character"#,
        ),
        (ips, &["ip:10.0.0.1", "dns:10.0.0.2", "ip:2001:db8::1"], "[10.0.0.1, 2001:db8::1]"),
    ];
    for (accessor, names, said) in cases {
        assert_eq!(accessor(&identity("CN=leaf", names)), *said, "{names:?}");
    }

    let identity = identity("CN=leaf", &["other:1.2.3=x", "dns:a.example", "upn:j"]);
    let names = identity.other_names().expect("two");
    let names: Vec<_> = names.iter().map(|name| (name.type_id.to_string(), name.value)).collect();
    let upn = "1.3.6.1.4.1.311.20.2.3".to_owned();
    assert_eq!(names, [("1.2.3".to_owned(), &b"\x0c\x01x"[..]), (upn, &b"\x0c\x01j"[..])]);
}

#[test]
fn reports_about_a_bad_name_are_bounded() {
    let said = outcome(identity("CN=leaf", &[&format!("dns:{}\0", "a".repeat(60_000))]).dns_names());
    assert_eq!(
        said,
        format!(r#"dNSName of subjectAltName "{}..." has a control character"#, "a".repeat(128))
    );
    let blob = other_name("1.3.6.1.4.1.311.20.2.3", &der::bytes(&[7; 60_000]));
    let said = outcome(issued_by(&root(), &leaf("CN=leaf").with([raw_san(&[blob])])).upn());
    assert!(said.len() < 200 && said.ends_with("...\" is not a UTF8String"), "{said}");
}

#[test]
fn user_principal_names() {
    for (names, said) in [
        (&["dns:a.example"][..], "None"),
        (&["upn:jane@corp.example", "dns:a.example"], r#"Some("jane@corp.example")"#),
        (&["upn:a@x", "upn:b@x"], "UPN of subjectAltName occurs 2 times, so it identifies nobody"),
        (&["upn:a@x", "upn:a@x"], "UPN of subjectAltName occurs 2 times, so it identifies nobody"),
        (&["upn:admin\0@x"], r#"UPN of subjectAltName "admin\0@x" has a control character"#),
        (&["upn:good@x", "upn:admin\0@x"], r#"UPN of subjectAltName "admin\0@x" has a control character"#),
        (&["upn:"], r#"UPN of subjectAltName "" is empty"#),
    ] {
        assert_eq!(outcome(identity("CN=leaf", names).upn()), said, "{names:?}");
    }
    for (value, said) in [
        (der::tlv(0x16, b"j@x"), r#"UPN of subjectAltName "16036a4078" is not a UTF8String"#),
        (der::tlv(0x0c, b"\xff"), r#"UPN of subjectAltName "0c01ff" is not a UTF8String"#),
    ] {
        let san = raw_san(&[other_name("1.3.6.1.4.1.311.20.2.3", &value)]);
        assert_eq!(outcome(issued_by(&root(), &leaf("CN=leaf").with([san])).upn()), said);
    }
}

#[test]
fn edipis() {
    const DOE: &str = "C=US,O=U.S. Government,OU=DoD,CN=DOE.JANE.Q.1234567890";
    const NONE: &str = "None";
    const SOME: &str = "Some(Edipi(1234567890))";
    for (subject, names, said) in [
        (DOE, &[][..], SOME),
        (DOE, &["upn:1234567890@mil"], SOME),
        ("CN=leaf", &["upn:1234567890@mil"], SOME),
        ("CN=leaf", &["upn:1234567890117002@MIL"], SOME),
        (DOE, &["upn:1234567890117002@mil"], SOME),
        // A UPN of another form says nothing of it.
        (DOE, &["upn:jane@corp.example"], SOME),
        (DOE, &["upn:9876543210@mil.example"], SOME),
        (DOE, &["upn:9876543210@mil"], "two EDIPIs, 9876543210 and 1234567890, in one certificate"),
        (
            DOE,
            &["upn:1234567890@mil", "upn:1234567890@mil"],
            "UPN of subjectAltName occurs 2 times, so it identifies nobody",
        ),
        (
            DOE,
            &["upn:1234567890\0@mil"],
            r#"UPN of subjectAltName "1234567890\0@mil" has a control character"#,
        ),
        ("CN=A.1234567890,CN=B.9876543210", &[], "two EDIPIs, 1234567890 and 9876543210, in one certificate"),
        ("CN=A.1234567890,CN=B", &[], SOME),
        (
            "CN=DOE\0.1234567890",
            &[],
            r#"common name of the subject "DOE\0.1234567890" has a control character"#,
        ),
        ("CN=leaf", &["upn:123456789@mil"], NONE),
        ("CN=leaf", &["upn:1234567890x@mil"], NONE),
        ("CN=leaf", &["upn:1234567890@x@mil"], NONE),
        ("CN=leaf", &["upn:1234567890"], NONE),
        ("CN=leaf", &["email:1234567890@mil"], NONE),
        ("CN=1234567890", &[], NONE),
        ("CN=DOE.JANE.123456789", &[], NONE),
        ("CN=DOE.JANE.12345678901", &[], NONE),
        ("CN=DOE.JANE.١٢٣٤٥", &[], NONE),
        ("OU=DOE.JANE.Q.1234567890", &[], NONE),
    ] {
        assert_eq!(outcome(identity(subject, names).edipi()), said, "{subject} {names:?}");
    }
    let edipi = Edipi::from_digits("0000000007").expect("ten digits");
    assert_eq!((edipi.as_str(), edipi.to_string()), ("0000000007", "0000000007".to_owned()));
}

#[test]
fn spiffe_ids() {
    let refused = |id: &str, flaw: &str| format!("SPIFFE ID of subjectAltName {id:?} {flaw}");
    let ill_segment = "has a path segment that is empty, . or ..";
    let ill_domain = "has a character that a trust domain does not have";
    let ill_path = "has a character that a path segment does not have";
    let longest = format!("spiffe://a/{}", "b".repeat(2048 - 11));
    let too_long = format!("{longest}b");
    let long_domain = format!("spiffe://{}/b", "a".repeat(255));
    let longer_domain = format!("spiffe://{}/b", "a".repeat(256));
    for good in [
        "spiffe://example.org/ns/default/sa/web",
        "spiffe://a_b-c.1/Z.z/-_",
        "spiffe://a/.../..x",
        &longest,
        &long_domain,
    ] {
        let said = outcome(identity("CN=leaf", &[&format!("uri:{good}")]).spiffe_id());
        assert_eq!(said, format!("Some({good:?})"));
    }
    for (id, flaw) in [
        ("spiffe://a/b?c", "has a query or a fragment"),
        ("spiffe://a?c", "has a query or a fragment"),
        ("spiffe://a/b#c", "has a query or a fragment"),
        ("spiffe://j@a/b", "has user information or a port"),
        ("spiffe://a:443/b", "has user information or a port"),
        ("spiffe:///b", "has no trust domain"),
        ("spiffe://", "has no trust domain"),
        ("spiffe://A.example/b", ill_domain),
        ("spiffe://a%2f/b", ill_domain),
        ("spiffe://a\\b/c", ill_domain),
        ("spiffe://a", "has no path, so it names no workload"),
        ("spiffe://a/", ill_segment),
        ("spiffe://a/b/", ill_segment),
        ("spiffe://a//b", ill_segment),
        ("spiffe://a/./b", ill_segment),
        ("spiffe://a/b/..", ill_segment),
        ("spiffe://a/b%20c", ill_path),
        ("spiffe://a/b c", ill_path),
        ("spiffe:a/b", "does not begin with spiffe://"),
        ("SPIFFE://a/b", "does not begin with spiffe://"),
        (&longer_domain, "has a trust domain longer than 255 bytes"),
    ] {
        let said = outcome(identity("CN=leaf", &[&format!("uri:{id}")]).spiffe_id());
        if id.len() > 128 {
            assert!(said.ends_with(flaw), "{said}");
        } else {
            assert_eq!(said, refused(id, flaw));
        }
    }
    assert!(
        outcome(identity("CN=leaf", &[&format!("uri:{too_long}")]).spiffe_id())
            .ends_with("is longer than 2048 bytes")
    );

    let not_alone = refused("spiffe://a/b", "is not the only URI");
    for (names, said) in [
        (&["dns:a"][..], "None"),
        (&["uri:https://a/b"], "None"),
        (&["uri:https://a/b", "uri:urn:x"], "None"),
        (&["uri:spiffe://a/b", "dns:a", "email:j@a", "x400:"], r#"Some("spiffe://a/b")"#),
        (&["uri:spiffe://a/b", "uri:spiffe://a/c"], &not_alone),
        (&["uri:spiffe://a/b", "uri:spiffe://a/b"], &not_alone),
        (&["uri:https://a/b", "uri:spiffe://a/b"], &not_alone),
        (&["uri:spiffe://a/b\0"], r#"URI of subjectAltName "spiffe://a/b\0" has a control character"#),
    ] {
        assert_eq!(outcome(identity("CN=leaf", names).spiffe_id()), said, "{names:?}");
    }
}

#[test]
fn a_spiffe_id_is_of_a_leaf_in_the_domain_of_its_anchor() {
    let svid = leaf("CN=leaf").with([ext::san(&["uri:spiffe://a/b"])]);
    let signs = "is in a certificate whose keyUsage has keyCertSign or cRLSign";
    for (extensions, flaw) in [
        (vec![ext::basic_constraints(false, None)], None),
        (vec![ext::basic_constraints(true, None)], Some("is in the certificate of a CA")),
        (vec![ext::key_usage(&["digitalSignature", "cRLSign"])], Some(signs)),
        (
            vec![ext::basic_constraints(true, None), ext::key_usage(&["digitalSignature", "keyCertSign"])],
            Some("is in the certificate of a CA"),
        ),
    ] {
        let said = outcome(issued_by(&root(), &svid.clone().with(extensions)).spiffe_id());
        match flaw {
            Some(flaw) => assert_eq!(said, format!(r#"SPIFFE ID of subjectAltName "spiffe://a/b" {flaw}"#)),
            None => assert_eq!(said, r#"Some("spiffe://a/b")"#),
        }
    }
    let foreign = r#"SPIFFE ID of subjectAltName "spiffe://a/b" is of another trust domain than the anchor"#;
    for (names, said) in [
        (&["uri:https://a.example"][..], r#"Some("spiffe://a/b")"#),
        (&["uri:spiffe://a"], r#"Some("spiffe://a/b")"#),
        (&["uri:spiffe://c", "uri:spiffe://a/"], r#"Some("spiffe://a/b")"#),
        (&["uri:spiffe://c"], foreign),
        (&["uri:spiffe://a.example"], foreign),
        (&["uri:SPIFFE://a"], foreign),
        (&["uri:spiffe:a"], foreign),
    ] {
        let root = root().with([ext::san(names)]);
        assert_eq!(outcome(issued_by(&root, &svid).spiffe_id()), said, "{names:?}");
    }
}

#[test]
fn card_uuids() {
    const UUID: &str = "9b8c1f2e-0d3a-4b5c-8d7e-6f0a1b2c3d4e";
    let some = format!("Some({UUID:?})");
    let good = format!("uri:urn:uuid:{UUID}");
    let upper = format!("uri:URN:UUID:{}", UUID.to_uppercase());
    let cut = format!("uri:urn:uuid:{}", &UUID[..35]);
    let braced = format!("uri:urn:uuid:{{{}}}", &UUID[..34]);
    let flat = format!("uri:urn:uuid:{}", UUID.replace('-', "0"));
    for (names, said) in [
        (&["uri:https://a.example/"][..], "None"),
        (&["uri:urn:uui"], "None"),
        (&[&good, "uri:https://a.example/"], &some),
        (&[&upper], &some),
        (&[&good, &good], "card UUID of subjectAltName occurs 2 times, so it identifies nobody"),
    ] {
        assert_eq!(outcome(identity("CN=leaf", names).card_uuid()), said, "{names:?}");
    }
    for bad in ["uri:urn:uuid:", &cut, &braced, &flat] {
        let said = outcome(identity("CN=leaf", &[&good, bad]).card_uuid());
        assert_eq!(said, format!("card UUID of subjectAltName {:?} is not a UUID", &bad[4..]));
    }
}

#[test]
fn security_identifiers() {
    const EXTENSION: &str = "1.3.6.1.4.1.311.25.2";
    const OBJECT_SID: &str = "1.3.6.1.4.1.311.25.2.1";
    const SID: &str = "S-1-5-21-3623811015-3361044348-30300820-1013";
    let member = |text: &str| other_name(OBJECT_SID, &der::bytes(text.as_bytes()));
    let some = format!("Some({SID:?})");
    let refused =
        |text: &str| format!("SID of the NTDS security extension {text:?} is not a SID of the NT authority");
    let mut cases = vec![
        (der::seq(&[member(SID)]), some.clone()),
        (der::seq(&[other_name("1.2.3", &der::null()), member(SID)]), some.clone()),
        (der::seq(&[member("S-1-5-18")]), r#"Some("S-1-5-18")"#.to_owned()),
        (
            der::seq(&[member(SID), member(SID)]),
            "SID of the NTDS security extension occurs 2 times, so it identifies nobody".to_owned(),
        ),
        (
            der::seq(&[member("S-1-5-21-1\0-2")]),
            r#"SID of the NTDS security extension "S-1-5-21-1\0-2" has a control character"#.to_owned(),
        ),
        (der::seq(&[member("")]), r#"SID of the NTDS security extension "" is empty"#.to_owned()),
    ];
    let many = format!("S-1-5{}", "-1".repeat(16));
    for bad in [
        "S-1-5",
        "S-1-5-",
        "S-1-5-21-",
        "S-1-5-021",
        "S-1-5-4294967296",
        "S-1-5-+1",
        "s-1-5-21",
        "S-1-12-1-2",
        "S-1-5-21 ",
        &many,
    ] {
        cases.push((der::seq(&[member(bad)]), refused(bad)));
    }
    for (value, said) in cases {
        assert_eq!(
            outcome(issued_by(&root(), &leaf("CN=leaf").with([Ext::new(EXTENSION, false, value)])).sid()),
            said
        );
    }
    let not_text = der::seq(&[other_name(OBJECT_SID, &der::bytes(b"\xff"))]);
    let said =
        outcome(issued_by(&root(), &leaf("CN=leaf").with([Ext::new(EXTENSION, false, not_text)])).sid());
    assert_eq!(said, r#"SID of the NTDS security extension "ff" is not a SID of the NT authority"#);
    // What does not read is told with its place, and is never no SID.
    for (value, rule) in [
        (vec![], "the length goes past the end of the data"),
        (der::seq::<Vec<u8>>(&[]), "list is empty, at least one member is required"),
        (der::seq(&[other_name("1.2.3", &der::null())]), "list is empty, at least one member is required"),
        (der::bytes(SID.as_bytes()), "tag 0x04 found, 0x30 expected"),
        (der::seq(&[general_name("dns:a")]), "tag 0x82 found, 0xa0 expected"),
        (
            der::seq(&[other_name(OBJECT_SID, &der::tlv(0x0c, SID.as_bytes()))]),
            "tag 0x0c found, 0x04 expected",
        ),
        (der::concat(&[der::seq(&[member(SID)]), der::null()]), "unexpected bytes after the last field"),
    ] {
        let said =
            outcome(issued_by(&root(), &leaf("CN=leaf").with([Ext::new(EXTENSION, false, value)])).sid());
        assert!(said.starts_with("szOID_NTDS_CA_SECURITY_EXT at byte ") && said.ends_with(rule), "{said}");
    }
}
