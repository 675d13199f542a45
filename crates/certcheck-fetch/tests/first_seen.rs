//! Clients that are seen for the first time under a known issuer: what is kept of the issuer accepts exactly whom a whole
//! check accepts, for the same reasons and by the same evidence.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::oid::OidBuf;
use certcheck_core::policy::{AnchorValidity, Nonce, RevocationScope};
use certcheck_core::{Evidence, KeyRing, Policy, Revocation, Time, Verdict};
use certcheck_fetch::{CheckReport, Engine};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, ROOT, World, at, loopback, now};
use certcheck_testkit::{Cert, keys};
use pki_types::CertificateDer;

const WITHIN: Duration = Duration::from_secs(60);

/// All that a report says, and whom it asked, but for how long that took.
fn outcome_of(report: &CheckReport) -> String {
    let details = report.details();
    let view = details.view();
    let path: Vec<_> = view
        .path
        .iter()
        .map(|member| (member.role, member.certificate.der().to_vec(), &member.revocation))
        .collect();
    let mut sources: Vec<_> = report
        .sources()
        .iter()
        .map(|source| {
            format!("{} {:?} {} {:?} {:?}", source.at, source.kind, source.url, source.from, source.failure)
        })
        .collect();
    sources.sort();
    format!(
        "{:?} {:?}\nuntil {:?}, policies {:?}, warnings {:?}, attempts {}, spent {:?}\n{path:?}\n{sources:?}",
        view.verdict,
        view.reason,
        view.valid_until,
        view.policies,
        view.warnings,
        view.attempts.len(),
        view.spent,
    )
}

/// Whether no whole check was needed: nothing was waited for then, not for a moment.
fn was_accepted_fast(report: &CheckReport) -> bool {
    report.is_accepted() && report.sources().iter().all(|source| source.elapsed.is_zero())
}

/// What the leaves of a world have in common.
#[derive(Clone, Copy)]
struct Sources {
    by_crl: bool,
    by_ocsp: bool,
}

fn leaf(world: &World, name: &str, sources: Sources) -> Cert {
    let some = |is: bool, path: &str| is.then(|| world.server.url(path)).into_iter().collect::<Vec<_>>();
    world
        .client(name, &some(sources.by_crl, "/ca.crl"), &some(sources.by_ocsp, "/ocsp"))
        .with([ext::policies(&["1.2.3"]), ext::san(&[format!("email:{name}@good.example")])])
}

/// Leaves, right and wrong in one way each.
fn leaves(world: &World, sources: Sources) -> Vec<(&'static str, Vec<u8>)> {
    let plain = |name: &str| leaf(world, name, sources);
    let issue = |cert: Cert| cert.issue(&world.ca);
    let good = |cert: Cert| {
        world.responder.good(&cert.serial);
        issue(cert)
    };
    let mut forged = good(plain("forged"));
    let last = forged.len() - 3;
    forged[last] ^= 1;
    let revoked = plain("revoked");
    world.responder.revoke(&revoked.serial, "2026-12-01T00:00:00Z", Some("keyCompromise"));
    let mut weak = plain("weak");
    weak.spki = Cert::new("CN=x", &keys::rsa1024("weak"), CA).spki;
    let mut of_ca = plain("of the CA's key");
    of_ca.spki.clone_from(&world.ca_cert.spki);
    let mut namesake = plain("namesake");
    namesake.subject.clone_from(&world.ca_cert.subject);
    vec![
        ("good", good(plain("good"))),
        ("another", good(plain("another"))),
        ("long lived", good(plain("long").valid("2026-01-01T00:00:00Z", "2045-01-01T00:00:00Z"))),
        ("expired", good(plain("expired").valid("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"))),
        ("early", good(plain("early").valid("2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"))),
        ("forged", forged),
        ("stranger's", plain("stranger's").issue(&world.stranger)),
        ("revoked", issue(revoked)),
        ("bad name", good(plain("bad").without("2.5.29.17").with([ext::san(&["email:x@bad.example"])]))),
        ("no name", good(plain("no name").without("2.5.29.17"))),
        ("other policy", good(plain("policy").without("2.5.29.32").with([ext::policies(&["1.2.4"])]))),
        ("other use", good(plain("use").without("2.5.29.37").with([ext::eku(&["1.3.6.1.5.5.7.3.1"])]))),
        ("critical", good(plain("critical").with([ext::unknown(true)]))),
        ("no source", good(world.client("no source", &[], &[]))),
        ("no evidence", issue(plain("no evidence"))),
        ("distrusted", good(plain("distrusted"))),
        ("weak", good(weak)),
        ("of the CA's key", good(of_ca)),
        ("namesake", good(namesake)),
    ]
}

fn ring(world: &World, is_in_ring: bool, distrusted: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    let root = Cert::root(ROOT, &world.root).issue(&world.root);
    builder.add("root", &root, Placement::Anchor).expect("reads");
    if is_in_ring {
        builder.add("ca", &world.ca_cert.issue(&world.root), Placement::Intermediate).expect("reads");
    }
    builder.add("distrusted", distrusted, Placement::Distrusted).expect("reads");
    builder.build().expect("builds")
}

fn policies(world: &World) -> Vec<(&'static str, Policy)> {
    let with = |word: &'static str, change: &dyn Fn(&mut Policy)| {
        let mut policy = world.policy();
        change(&mut policy);
        (word, policy)
    };
    vec![
        with("hard-fail", &|_| {}),
        with("CRLs first", &|policy| *policy = world.crl_first()),
        with("if-offered", &|policy| policy.revocation = Revocation::IfOffered),
        with("soft-fail", &|policy| policy.revocation = Revocation::SoftFail),
        with("off", &|policy| policy.revocation = Revocation::Off),
        with("leaf alone", &|policy| policy.revocation_scope = RevocationScope::Leaf),
        with("explicit policy", &|policy| {
            policy.require_explicit_policy = true;
            policy.initial_policies = vec![OidBuf::from_dotted("1.2.3").expect("an OID")];
        }),
        with("pedantic", &|policy| policy.pedantic = true),
        with("nonce", &|policy| policy.nonce = Nonce::Ask),
        with("anchor's validity", &|policy| policy.anchor_validity = AnchorValidity::Enforce),
    ]
}

fn engine(world: &World, ring: KeyRing, policy: Policy) -> Engine {
    Engine::builder(ring, policy)
        .guard(loopback())
        .limits(certcheck_testkit::world::patient())
        .refreshes(false)
        .clock(now)
        .build()
        .unwrap_or_else(|error| panic!("{error} {:?}", world.server.address()))
}

#[test]
fn the_fast_path_accepts_whom_a_check_accepts() {
    let (mut compared, mut accepted) = (0, 0);
    for sources in [
        Sources { by_crl: true, by_ocsp: false },
        Sources { by_crl: false, by_ocsp: true },
        Sources { by_crl: true, by_ocsp: true },
    ] {
        for is_in_ring in [true, false] {
            let mut world = World::new();
            let constraints = ext::name_constraints(&["email:good.example"], &[]);
            world.ca_cert = world.ca_cert.clone().with([ext::policies(&["1.2.3"]), constraints]);
            let leaves = leaves(&world, sources);
            let listed = leaf(&world, "revoked", sources);
            world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&listed])));
            let distrusted = leaf(&world, "distrusted", sources).issue(&world.ca);
            let chain = |der: &[u8]| -> Vec<CertificateDer<'static>> {
                let ca = (!is_in_ring).then(|| world.ca_cert.issue(&world.root).into());
                core::iter::once(der.to_vec().into()).chain(ca).collect()
            };
            for (word, policy) in policies(&world) {
                let fresh = || ring(&world, is_in_ring, &distrusted);
                let engine = engine(&world, fresh(), policy.clone());
                for (_, der) in &leaves {
                    let _report = engine.check_blocking(&chain(der), now(), WITHIN);
                }
                // By what is in memory now: of a time when all of it is current, and of others.
                for time in ["2027-01-02T00:00:00Z", "2029-01-01T00:00:00Z", "2044-01-01T00:00:00Z"] {
                    for (name, der) in &leaves {
                        let time = at(time);
                        // A snapshot that has seen nobody, then one that has seen a good one.
                        engine.reload(fresh(), policy.clone(), Evidence::new());
                        let slow = engine.look_up(&chain(der), time);
                        engine.reload(fresh(), policy.clone(), Evidence::new());
                        let _seen = engine.look_up(&chain(&leaves[1].1), now());
                        engine.forget_paths();
                        let fast = engine.look_up(&chain(der), time);
                        assert_eq!(
                            outcome_but_signatures(&fast),
                            outcome_but_signatures(&slow),
                            "{word}: {name}"
                        );
                        compared += 1;
                        accepted +=
                            usize::from(was_accepted_fast(&fast) && policy.revocation != Revocation::Off);
                    }
                }
            }
        }
    }
    println!("{compared} compared, {accepted} accepted");
    assert!(accepted >= 100, "{accepted} of {compared}");
}

/// A snapshot that has seen nobody verifies the CA's signature too.
fn outcome_but_signatures(report: &CheckReport) -> String {
    let mut shown = outcome_of(report);
    // How many, how many of them on evidence, and what the others cost.
    for field in [" signatures: ", "evidence_signatures: ", "signature_cost: "] {
        let (before, after) = shown.split_once(field).expect("it is there");
        shown = format!("{before}{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    shown
}

fn warm(world: &World) -> Engine {
    let engine = world.engine();
    for name in ["first", "second"] {
        assert!(engine.check_blocking(&world.chain(&world.plain(name)), now(), WITHIN).is_accepted());
    }
    engine
}

#[test]
fn the_first_client_of_a_profile_is_checked_and_the_others_are_accepted_fast() {
    let world = World::new();
    let engine = warm(&world);
    let report = engine.look_up(&world.chain(&world.plain("third")), now());
    assert!(was_accepted_fast(&report), "{report:?}");
    assert_eq!((report.sources().len(), report.details().view().spent.signatures), (2, 1));
    assert!(engine.check_cached(&world.chain(&world.plain("third")), now()).is_of_known_path());
    // Who can wait is accepted as well.
    let report = engine.check_blocking(&world.chain(&world.plain("fourth")), now(), WITHIN);
    assert!(was_accepted_fast(&report), "{report:?}");
}

/// Of the leaf, of the CA, given from the start: from wherever evidence comes that someone is revoked, it counts at once.
#[test]
fn what_arrives_counts_for_the_next_client() {
    let world = World::new();
    let engine = warm(&world);
    let (leaf, other) = (world.plain("listed"), world.plain("other"));
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&leaf])));
    engine.forget();
    assert!(engine.check_blocking(&world.chain(&other), now(), WITHIN).is_accepted());
    assert_eq!(
        certcheck_testkit::world::outcome_of(&engine.look_up(&world.chain(&leaf), now())).1,
        "certificate-revoked"
    );
    let next = engine.look_up(&world.chain(&world.plain("not listed")), now());
    assert!(was_accepted_fast(&next), "the new places are found: {next:?}");

    // The CA itself.
    let entry = certcheck_testkit::crl::RevokedCertificate::new(&world.ca_cert.serial);
    world.server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).revoking([entry]).issue(&world.root)));
    engine.forget();
    let report = engine.check_blocking(&world.chain(&world.plain("last")), now(), WITHIN);
    assert_eq!(report.reason().map(|rejection| rejection.at), Some(1));
    let report = engine.look_up(&world.chain(&world.plain("the very last")), now());
    assert_eq!((report.verdict(), report.reason().map(|rejection| rejection.at)), (Verdict::Reject, Some(1)));
}

/// A CA with two certificates, each for other names. What is learnt of a client of one says nothing about the other, which
/// is revoked meanwhile.
#[test]
fn the_statuses_of_one_path_are_not_those_of_another() {
    let mut world = World::new();
    let second = certcheck_testkit::Key::p256("first seen second root");
    let for_names = |permitted: &str| ext::name_constraints(&[format!("email:{permitted}")], &[]);
    let points = |path: &str| ext::cdp(&[Point::urls(&[world.server.url(path)])]);
    let cross = Cert::ca(CA, &world.ca, "CN=Second Root", &second)
        .with([points("/second.crl"), for_names("other.example")])
        .valid("2020-01-01T00:00:00Z", "2045-01-01T00:00:00Z");
    world.ca_cert = world.ca_cert.clone().with([for_names("good.example")]);
    world.server.serve("/second.crl", Page::new(CrlBuilder::new("CN=Second Root").issue(&second)));
    let mut builder = RingBuilder::new();
    let roots = [(ROOT, &world.root), ("CN=Second Root", &second)];
    for (name, key) in roots {
        builder.add(name, &Cert::root(name, key).issue(key), Placement::Anchor).expect("parsed");
    }
    for (name, der) in [("ca", world.ca_cert.issue(&world.root)), ("cross", cross.issue(&second))] {
        builder.add(name, &der, Placement::Intermediate).expect("parsed");
    }
    let engine = engine(&world, builder.build().expect("builds"), world.policy());
    let client = |name: &str, host: &str| {
        let cert = world.plain(name).with([ext::san(&[format!("email:{name}@{host}")])]);
        engine.check_blocking(&world.chain(&cert), now(), WITHIN)
    };
    assert!(client("first", "good.example").is_accepted());
    assert!(client("second", "good.example").is_accepted());
    let entry = certcheck_testkit::crl::RevokedCertificate::new(&world.ca_cert.serial);
    world.server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).revoking([entry]).issue(&world.root)));
    engine.forget();
    assert!(client("third", "other.example").is_accepted(), "on the path of the second root");
    let report = client("fourth", "good.example");
    assert_eq!(
        report.reason().map(|rejection| (rejection.at, rejection.reason.code())),
        Some((1, "certificate-revoked"))
    );
}

#[test]
fn what_is_given_has_a_say() {
    let world = World::new();
    let engine = warm(&world);
    let leaf = world.plain("given");
    let mut given = Evidence::new();
    let crl = Crl::parse(world.revoking(2, &[&leaf]).into(), "given").expect("reads");
    given.add_crl(Arc::new(crl));
    engine.reload(world.ring(), world.policy(), given);
    for name in ["fifth", "sixth"] {
        assert!(engine.look_up(&world.chain(&world.plain(name)), now()).is_accepted());
    }
    assert_eq!(
        certcheck_testkit::world::outcome_of(&engine.look_up(&world.chain(&leaf), now())).1,
        "certificate-revoked"
    );
}

/// Who can wait is not accepted by what is due: something newer is asked for first, as ever.
#[test]
fn nobody_is_accepted_fast_by_evidence_that_is_due() {
    let world = World::new();
    let crl = CrlBuilder::new(CA).valid("2027-01-01T00:00:00Z", Some("2027-01-02T12:00:00Z"));
    world.server.serve("/ca.crl", Page::new(crl.issue(&world.ca)));
    let engine = warm(&world);
    let later: Time = at("2027-01-02T12:00:01Z");
    assert!(was_accepted_fast(&engine.look_up(&world.chain(&world.plain("in time")), now())));
    world.server.serve("/ca.crl", Page::new(CrlBuilder::new(CA).issue(&world.ca)));
    let report = engine.check_blocking(&world.chain(&world.plain("late")), later, WITHIN);
    assert!(report.is_accepted() && !was_accepted_fast(&report), "{report:?}");
    assert_eq!(world.server.count("/ca.crl"), 2);
}

/// CAs with other points, and leaves with others presented, are other kinds.
#[test]
fn profiles_are_not_confused() {
    let world = World::new();
    let engine = warm(&world);
    world.server.serve("/other.crl", Page::new(CrlBuilder::new(CA).issue(&world.ca)));
    let other = world.plain("elsewhere").without("2.5.29.31");
    let other = other.with([ext::cdp(&[Point::urls(&[world.server.url("/other.crl")])])]);
    assert_eq!(
        certcheck_testkit::world::outcome_of(&engine.look_up(&world.chain(&other), now())).2,
        "not-tried"
    );
    let mut chain = world.chain(&world.plain("with more"));
    chain.push(Cert::root("CN=Unasked", &world.stranger).issue(&world.stranger).into());
    assert!(engine.look_up(&chain, now()).is_accepted());
    chain[0] = world.plain("with the same").issue(&world.ca).into();
    assert!(was_accepted_fast(&engine.look_up(&chain, now())));
}

/// What speaks of the CA alone comes to its end without a nextUpdate.
#[test]
fn nobody_is_accepted_fast_by_evidence_too_old_for_the_ca() {
    let world = World::new();
    world.server.serve(
        "/root.crl",
        Page::new(CrlBuilder::new(ROOT).valid("2027-01-01T00:00:00Z", None).issue(&world.root)),
    );
    let mut policy = world.policy();
    policy.freshness.max_age = 36 * 3_600;
    let engine = engine(&world, world.ring(), policy);
    for name in ["first", "second"] {
        assert!(engine.check_blocking(&world.chain(&world.plain(name)), now(), WITHIN).is_accepted());
    }
    assert!(was_accepted_fast(&engine.look_up(&world.chain(&world.plain("third")), now())));
    let report = engine.look_up(&world.chain(&world.plain("fourth")), at("2027-01-03T00:00:00Z"));
    assert_eq!(report.verdict(), Verdict::Undetermined, "{report:?}");
}

/// A CA whose new certificate begins to be valid, and whose old one ends: the path is the one that the search finds then.
#[test]
fn the_path_is_the_one_of_its_time() {
    let world = World::new();
    let of_ca = |from: &str, to: &str| world.ca_cert.clone().valid(from, to).issue(&world.root);
    let old = of_ca("2026-01-01T00:00:00Z", "2027-06-01T00:00:00Z");
    let new = of_ca("2027-03-01T00:00:00Z", "2029-01-01T00:00:00Z");
    let ring = || {
        let mut builder = RingBuilder::new();
        let root = Cert::root(ROOT, &world.root).issue(&world.root);
        builder.add("root", &root, Placement::Anchor).expect("reads");
        builder.add("old", &old, Placement::Intermediate).expect("reads");
        builder.add("new", &new, Placement::Intermediate).expect("reads");
        builder.build().expect("builds")
    };
    let mut policy = world.policy();
    policy.revocation = Revocation::Off;
    let chain = world.chain(&world.plain("someone").valid("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"));
    let times =
        ["2027-01-02T00:00:00Z", "2027-04-01T00:00:00Z", "2027-07-01T00:00:00Z", "2029-06-01T00:00:00Z"];
    let slow = engine(&world, ring(), policy.clone());
    for learnt in times {
        let fast = engine(&world, ring(), policy.clone());
        let _learnt = fast.look_up(&world.chain(&world.plain("first")), at(learnt));
        for time in times {
            slow.reload(ring(), policy.clone(), Evidence::new());
            fast.forget_paths();
            let (fast, slow) = (fast.look_up(&chain, at(time)), slow.look_up(&chain, at(time)));
            assert_eq!(outcome_but_signatures(&fast), outcome_but_signatures(&slow), "{learnt}, {time}");
        }
    }
}

/// A CA that has changed its key and certifies the new one with the old: what is asked about the CA may list the leaf.
#[test]
fn what_is_asked_about_the_ca_may_list_the_leaf() {
    let world = World::new();
    let mut builder = RingBuilder::new();
    let old = Cert::root(CA, &world.root).issue(&world.root);
    builder.add("old", &old, Placement::Anchor).expect("reads");
    let point = ext::cdp(&[Point::urls(&[world.server.url("/old.crl")])]);
    let new = Cert::ca(CA, &world.ca, CA, &world.root).with([point]).issue(&world.root);
    builder.add("new", &new, Placement::Intermediate).expect("reads");
    let listed = world.plain("listed by the old key");
    let entry = certcheck_testkit::crl::RevokedCertificate::new(&listed.serial);
    world.server.serve("/old.crl", Page::new(CrlBuilder::new(CA).revoking([entry]).issue(&world.root)));
    let engine = engine(&world, builder.build().expect("builds"), world.policy());
    for name in ["first", "second"] {
        let report = engine.check_blocking(&world.chain(&world.plain(name)), now(), WITHIN);
        assert!(report.is_accepted(), "{report:?}");
    }
    let report = engine.look_up(&world.chain(&listed), now());
    assert_eq!(certcheck_testkit::world::outcome_of(&report).1, "certificate-revoked", "{report:?}");
}
