//! PKIs made to exhaust: each must end at once, with a true reason. Times are asserted nowhere; what was spent is.

#![expect(clippy::disallowed_methods, reason = "a test may look at the clock")]

use certcheck_core::crl::{Crl, CrlReader};
use certcheck_core::der::Rule;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::Limit;
use certcheck_core::reason::Reason;
use certcheck_core::{Check, KeyRing, Policy, Report, Revocation, Time};
use certcheck_testkit::bulk::{self, Mesh, Onslaught};
use certcheck_testkit::crl::{self, RevokedCertificate};
use certcheck_testkit::ext::{self, Ext, Point};
use certcheck_testkit::{Cert, Key, der, keys};
use pki_types::CertificateDer;

fn ring_of(anchor: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("anchor", anchor, Placement::Anchor).expect("anchor reads");
    builder.build().expect("ring builds")
}

fn policy() -> Policy {
    Policy::client(Revocation::Off)
}

/// Runs a check and hands its report to `assert_report`; the time it took is printed for who watches.
fn run(name: &str, onslaught: &Onslaught, policy: &Policy, assert_report: impl FnOnce(Report<'_>)) {
    let ring = ring_of(&onslaught.anchor);
    let chain: Vec<CertificateDer<'_>> = core::iter::once(&onslaught.leaf)
        .chain(&onslaught.presented)
        .map(|der| der.as_slice().into())
        .collect();
    let begun = std::time::Instant::now();
    let report = Check::new(&chain, &ring, policy, Time::from_unix(1_800_000_000)).run();
    println!("{name}: {:?}, {:?}, {:?}", begun.elapsed(), report.reason, report.spent);
    assert_report(report);
}

fn code(report: &Report<'_>) -> &'static str {
    report.reason.as_ref().map_or("accepted", |rejection| rejection.reason.code())
}

#[test]
fn exponential_path_building_by_cross_certified_same_name_cas() {
    for shape in
        [Mesh::SameNameSameKey, Mesh::SameNameOtherKeys, Mesh::OtherNamesSameKey, Mesh::Layers { width: 5 }]
    {
        run(&format!("{shape:?}"), &bulk::mesh(shape, 200), &policy(), |report| {
            assert!(!report.is_accepted());
            assert!(report.spent.steps <= policy().limits.steps);
            assert!(report.spent.signatures <= policy().limits.signatures);
        });
    }
}

#[test]
fn a_mesh_that_exceeds_the_steps_says_so() {
    let mut policy = policy();
    policy.limits.steps = 500;
    run("few steps", &bulk::mesh(Mesh::SameNameOtherKeys, 200), &policy, |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::Steps), "{reason}");
    });
}

#[test]
fn junk_beside_a_good_chain_changes_nothing() {
    let good = bulk::pair([], []);
    let mut presented = bulk::mesh(Mesh::SameNameOtherKeys, 100).presented;
    let ca_key = Key::p256("bulk ca");
    // Namesakes of the real CA, issued in the anchor's name by somebody else.
    for n in 0..50 {
        let (own, forger) = (Key::p256(&format!("namesake {n}")), Key::p256("forger"));
        presented.push(Cert::ca("CN=Bulk CA", &own, "CN=Bulk Root", &forger).issue(&forger));
    }
    presented.push(b"no certificate".to_vec());
    presented.extend(good.presented);
    assert!(!ca_key.spki().is_empty());
    run("junk", &Onslaught { presented, ..good }, &policy(), |report| assert!(report.is_accepted()));
}

#[test]
fn names_times_constraints_are_bounded() {
    // With room for the certificates themselves, the comparisons are what ends it.
    let mut policy = policy();
    policy.limits.certificate_bytes = 4 << 20;
    run("10,000 x 10,000", &bulk::names_and_constraints(10_000, 10_000), &policy, |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(
            matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::NameComparisons),
            "{reason}"
        );
    });
    run("400 x 400", &bulk::names_and_constraints(400, 400), &policy, |report| assert!(report.is_accepted()));
}

#[test]
fn exponential_policy_tree_is_a_graph() {
    run("20 policies, 8 deep", &bulk::policy_bomb(20, 8), &policy(), |report| {
        assert!(report.is_accepted(), "{:?}", report.reason);
        assert_eq!(report.policies.len(), 20);
    });
    run("120 policies, 8 deep", &bulk::policy_bomb(120, 8), &policy(), |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::PolicyNodes), "{reason}");
    });
}

#[test]
fn oversized_certificates_and_deep_nesting() {
    run("20 MB", &bulk::large(20_000_000), &policy(), |report| {
        let reason = report.reason.expect("refused").reason;
        assert!(
            matches!(reason, Reason::LimitExceeded(hit) if hit.limit == Limit::CertificateBytes),
            "{reason}"
        );
    });
    run("10,000 extensions", &bulk::many_extensions(10_000), &policy(), |report| {
        assert_eq!(code(&report), "malformed")
    });
    let nested = Onslaught { leaf: bulk::nested(5_000), ..bulk::pair([], []) };
    run("nested", &nested, &policy(), |report| assert_eq!(code(&report), "malformed"));
}

#[test]
fn no_certificate_is_a_reason() {
    let ring = ring_of(&bulk::pair([], []).anchor);
    let policy = policy();
    let report = Check::new(&[], &ring, &policy, Time::from_unix(0)).run();
    assert_eq!(code(&report), "no-certificate");
}

/// What is told of a refusal goes into logs and to terminals: it does not grow with what was sent.
#[test]
fn reports_about_huge_names_are_short() {
    const FEW_KIB: usize = 4_096;
    let long = "a".repeat(60_000);
    let constraint = || ext::name_constraints(&["dns:example.com", "uri:example.com"], &[]);
    for name in [format!("dns:{long}.example"), format!("uri:https://{long}.example/")] {
        let onslaught = bulk::pair([constraint()], [ext::san(&[name])]);
        run("a name of 60,000 bytes", &onslaught, &policy(), |report| {
            assert_eq!(code(&report), "name-constraint");
            let found = report.reason.expect("refused").to_string();
            assert!(found.len() < FEW_KIB, "{} bytes", found.len());
        });
    }
    let rdn: Vec<String> = (0..32).map(|n| format!("1.2.3.{n}={}", "\u{1}".repeat(50))).collect();
    let subject = vec![rdn.join("+"); 32].join(",");
    let key = Key::p256("bulk ca");
    let leaf = Cert::leaf(&subject, &Key::p256("bulk leaf"), "CN=Bulk CA", &key).issue(&key);
    assert!(leaf.len() > 60_000, "{} bytes", leaf.len());
    let below_names = bulk::pair([ext::name_constraints(&["dir:O=Else"], &[])], []);
    for onslaught in
        [Onslaught { leaf: leaf.clone(), ..bulk::pair([], []) }, Onslaught { leaf, ..below_names }]
    {
        run("32 RDNs of 32 attributes", &onslaught, &policy(), |report| {
            if let Some(rejection) = &report.reason {
                assert_eq!(code(&report), "name-constraint");
                assert!(rejection.to_string().len() < FEW_KIB, "{} bytes", rejection.to_string().len());
            }
            for member in &report.path {
                let found = member.certificate.subject().to_string();
                assert!(found.len() < FEW_KIB, "{} bytes", found.len());
            }
        });
    }
}

#[test]
fn huge_entries_of_crls_end_at_once() {
    let key = Key::p256("bulk root");
    let wide = RevokedCertificate::new(&[1]).with([Ext::new("1.3.6.1.4.1.99999.3", false, vec![4; 65_536])]);
    let mut many = RevokedCertificate::new(&[2]);
    many.extensions =
        (0..10_000).map(|n| Ext::new(&format!("1.3.6.1.4.1.99999.{n}"), false, vec![5, 0])).collect();
    let der = crl::CrlBuilder::new("CN=Bulk Root").revoking([wide, many]).issue(&key);
    let whole = Crl::parse(der.clone().into(), "wide").expect("reads");
    let mut reader = CrlReader::new();
    der.chunks(1_000).for_each(|bytes| reader.push(bytes).expect("reads"));
    let streamed = reader.finish("wide").expect("reads");
    for crl in [whole, streamed] {
        assert_eq!(crl.len(), 2);
        assert!(crl.find_unverified(&[1], None).is_some() && crl.find_unverified(&[2], None).is_some());
        assert!(crl.overhead() < 10_000, "{} bytes beside the CRL", crl.overhead());
    }
    // A header that claims 4 GiB less one: nothing is made ready for what has not come.
    let claims = |length: u32| [&[0x30, 0x84][..], &length.to_be_bytes(), &der[4..]].concat();
    for length in [u32::MAX, u32::MAX / 2] {
        assert!(Crl::parse(claims(length).into(), "claims").is_err());
        let mut reader = CrlReader::new();
        let pushed = reader.push(&claims(length));
        assert!(pushed.and_then(|()| reader.finish("claims")).is_err());
    }
}

/// What stands in a CRL's extensions is compared before anybody knows who signed it.
#[test]
fn extensions_of_crls_are_bounded_together() {
    let key = Key::p256("bulk root");
    let with = |names: usize, others: usize| {
        let urls: Vec<String> = (0..names).map(|n| format!("http://crl.example/{n:08}")).collect();
        let point = crl::Idp { point: Point::urls(&urls), ..crl::Idp::default() };
        let other = |n| Ext::new(&format!("1.3.6.1.4.1.99999.{n}"), false, vec![5, 0]);
        let extensions = [point.ext()].into_iter().chain((0..others).map(other));
        Crl::parse(crl::CrlBuilder::new("CN=Bulk Root").with(extensions).issue(&key).into(), "wide")
    };
    assert_eq!(with(2_000, 10).map(drop), Ok(()));
    for (names, others) in [(100_000, 0), (1, 20_000), (2_400, 0), (1, 5_000)] {
        let fault = with(names, others).map(drop).map_err(|fault| (fault.field, fault.rule));
        assert_eq!(fault, Err(("crlExtensions", Rule::TooLong)), "{names} names, {others} others");
    }
}

/// Arithmetic on keys is bounded by the algorithms: none takes more than 8,192 bits.
#[test]
fn huge_rsa_keys_end_at_once() {
    let huge = der::int_bytes(&[&[0x7f][..], &vec![0x55; 500_000]].concat());
    let modulus = der::int_bytes(&[&[0][..], &vec![0xd5; 256]].concat());
    let root_key = Key::p256("bulk root");
    let ca_key = keys::rsa2048("bulk huge");
    let rsa = der::seq(&[der::oid("1.2.840.113549.1.1.1"), der::null()]);
    for (n, e, found) in
        [(huge.clone(), der::int(65_537), "unsupported-algorithm"), (modulus, huge, "malformed")]
    {
        let spki = der::seq(&[rsa.clone(), der::bits(&der::seq(&[n, e]))]);
        let odd_key = ca_key.clone().with_spki(spki);
        let ca = Cert::ca("CN=Bulk CA", &odd_key, "CN=Bulk Root", &root_key).issue(&root_key);
        let leaf = Cert::leaf("CN=leaf", &Key::p256("bulk leaf"), "CN=Bulk CA", &odd_key).issue(&ca_key);
        let anchor = Cert::root("CN=Bulk Root", &root_key).issue(&root_key);
        run("RSA of 500,000 bytes", &Onslaught { anchor, leaf, presented: vec![ca] }, &policy(), |report| {
            assert_eq!(code(&report), found);
            assert!(report.spent.signatures <= 2, "{:?}", report.spent);
        });
    }
}

/// A chain of so many intermediates, under a policy that allows so many and a limit on the whole path.
fn chain_of(intermediates: usize, max_depth: u32, path_length: u32) -> (String, Option<usize>) {
    let key = Key::p256("deep");
    let name = |at: usize| if at == 0 { "CN=Root".to_owned() } else { format!("CN=CA {at}") };
    let root = Cert::root("CN=Root", &key).issue(&key);
    let mut chain: Vec<Vec<u8>> =
        (1..=intermediates).map(|at| Cert::ca(&name(at), &key, &name(at - 1), &key).issue(&key)).collect();
    chain.push(Cert::leaf("CN=client", &key, &name(intermediates), &key).issue(&key));
    chain.reverse();
    let mut builder = RingBuilder::new();
    builder.add("root", &root, Placement::Anchor).expect("it can be read");
    let ring = builder.build().expect("builds");
    let mut policy = Policy::client(Revocation::Off);
    policy.max_depth = max_depth;
    policy.limits.path_length = path_length;
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| der.as_slice().into()).collect();
    let now = Time::from_rfc3339("2027-01-01T00:00:00Z").expect("a time");
    let report = Check::new(&chain, &ring, &policy, now).run();
    let code = report.reason.as_ref().map_or("accept", |rejection| rejection.reason.code());
    (code.to_owned(), report.is_accepted().then_some(report.path.len()))
}

#[test]
fn a_long_path_is_found_or_the_limit_is_named() {
    for (intermediates, max_depth, path_length, wanted) in [
        (10, 10, 20, ("accept", Some(12))),
        (11, 10, 20, ("limit-exceeded", None)),
        (18, 40, 20, ("accept", Some(20))),
        (19, 40, 20, ("limit-exceeded", None)),
        (40, 40, 44, ("accept", Some(42))),
        (41, 40, 44, ("limit-exceeded", None)),
        (90, 90, 256, ("accept", Some(92))),
        (254, u32::MAX, u32::MAX, ("limit-exceeded", None)),
        (300, u32::MAX, u32::MAX, ("limit-exceeded", None)),
    ] {
        let (code, length) = chain_of(intermediates, max_depth, path_length);
        assert_eq!((code.as_str(), length), wanted, "{intermediates} intermediates");
    }
}

/// What these cost is measured by the benchmark `hostile`; here it is shown that each ends within its limits, and by which.
#[test]
fn the_worst_of_64_kib_ends_within_its_budget() {
    let policy = Policy::client(Revocation::HardFail);
    let limits = policy.limits.clone();
    let mut hit = std::collections::BTreeSet::new();
    for (about, onslaught) in certcheck_testkit::hostile::all() {
        run(about, &onslaught, &policy, |report| {
            assert!(!report.is_accepted(), "{about}");
            let spent = report.spent;
            assert!(spent.signature_cost <= limits.signature_cost && spent.steps <= limits.steps, "{about}");
            assert!(spent.name_bytes <= limits.name_bytes && spent.paths <= limits.paths, "{about}");
            if let Some(Reason::LimitExceeded(limit)) = report.reason.map(|rejection| rejection.reason) {
                hit.insert(limit.limit.to_string());
            }
        });
    }
    for limit in
        [Limit::NameBytes, Limit::NameComparisons, Limit::SignatureCost, Limit::Signatures, Limit::Steps]
    {
        assert!(hit.contains(&limit.to_string()), "nothing reaches the limit of {limit}: {hit:?}");
    }
}

/// The keys of a CA that certify each other are tried in rows of three at most, not in every order.
#[test]
fn a_dozen_keys_of_one_ca_do_not_use_up_the_steps() {
    let root_key = Key::p256("dozen root");
    let key = |n: usize| Key::p256(&format!("dozen {n}"));
    let ca = |own: usize, by: usize| Cert::ca("CN=CA", &key(own), "CN=CA", &key(by)).issue(&key(by));
    let good = Cert::ca("CN=CA", &key(0), "CN=Root", &root_key).issue(&root_key);
    let presented: Vec<Vec<u8>> = (1..=12).map(|n| ca(n, (n + 1) % 13)).collect();
    let leaf =
        |signer: usize| Cert::leaf("CN=client", &Key::p256("c"), "CN=CA", &key(signer)).issue(&key(signer));
    let anchor = Cert::root("CN=Root", &root_key).issue(&root_key);
    let with = |leaf: Vec<u8>, more: &[Vec<u8>]| Onslaught {
        anchor: anchor.clone(),
        leaf,
        presented: presented.iter().chain(more).cloned().collect(),
    };
    run("a dozen keys, none good", &with(leaf(1), &[]), &policy(), |report| {
        assert_eq!(code(&report), "unknown-issuer");
    });
    run("a dozen keys, one good", &with(leaf(0), core::slice::from_ref(&good)), &policy(), |report| {
        assert!(report.is_accepted(), "{:?}", report.reason);
    });
    run("a dozen keys, a good one two keys away", &with(leaf(11), &[good]), &policy(), |report| {
        assert!(report.is_accepted(), "{:?}", report.reason);
    });
}
