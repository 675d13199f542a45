//! Revocation as data: each file beside this one is a small PKI with its evidence, and many questions.

#[path = "../alike/mod.rs"]
mod alike;
mod flaws;

use std::path::Path;

use alike::Tally;

use certcheck_core::Check;
use certcheck_testkit::scenarios::{Case, Question, Suite, files_of};

/// Asks; the order of evidence says nothing.
fn ask(case: &Case, question: &Question, tally: &mut Tally) -> Result<(), String> {
    let (chain, ring) = (question.presented(), question.key_ring());
    for is_reversed in [false, true] {
        let evidence = question.evidence(is_reversed);
        let mut policy = question.policy.clone();
        policy.explain = true;
        let check = Check::new(&chain, &ring, &policy, question.now()).with_evidence(&evidence);
        case.compare(&check.run())?;
        alike::compare_all(question, &evidence, tally)?;
    }
    Ok(())
}

#[test]
fn every_case() {
    let files = files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation"));
    let (mut cases, mut wrong, mut tally) = (0, Vec::new(), Tally::default());
    for (name, text) in &files {
        let suite = Suite::parse(text);
        for (case, question) in suite.questions() {
            cases += 1;
            wrong.extend(ask(case, &question, &mut tally).err().map(|fault| format!("{name}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{cases} cases, {tally:?}");
    assert!(tally.admitted >= 100 && tally.at_once >= 100, "{tally:?}");
    assert!(cases >= 230, "{cases} cases");
}

/// A CA with hundreds of partitions, all of them given: the one that covers the certificate is verified, not each.
#[test]
fn of_many_partitions_one_is_verified() {
    use std::sync::Arc;

    use certcheck_core::crl::Crl;
    use certcheck_core::key_ring::{Placement, RingBuilder};
    use certcheck_core::{Evidence, Policy, Revocation, Time};
    use certcheck_testkit::crl::{CrlBuilder, Idp};
    use certcheck_testkit::ext::{self, Point};
    use certcheck_testkit::{Cert, Key};

    let key = Key::p384("partitions");
    let url = |n: usize| format!("http://a.example/{n}.crl");
    let leaf = Cert::leaf("CN=client", &Key::p256("client of partitions"), "CN=Root", &key)
        .with([ext::cdp(&[Point::urls(&[url(150)])])])
        .issue(&key);
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root("CN=Root", &key).issue(&key), Placement::Anchor).expect("can be read");
    let ring = builder.build().expect("builds");
    let mut evidence = Evidence::new();
    for n in 0..200 {
        let idp = Idp { point: Point::urls(&[url(n)]), ..Idp::default() };
        let der = CrlBuilder::new("CN=Root").with([idp.ext()]).issue(&key);
        evidence.add_crl(Arc::new(Crl::parse(der.into(), &url(n)).expect("can be read")));
    }
    let chain = [leaf.as_slice().into()];
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time");
    let policy = Policy::client(Revocation::HardFail);
    let report = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run();
    assert!(report.is_accepted(), "{:?}", report.message());
    assert_eq!(report.spent.signatures, 2, "of the certificate and of one CRL");
}

/// A limit that is hit never makes a verdict better: whatever is not looked at for want of signatures may be what revokes.
#[test]
fn no_limit_makes_a_verdict_better() {
    let files = files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation"));
    let (mut asked, mut wrong) = (0, Vec::new());
    for (name, text) in &files {
        for (_, question) in Suite::parse(text).questions() {
            let (chain, ring) = (question.presented(), question.key_ring());
            let run = |signatures: u32| {
                let evidence = question.evidence(false);
                let mut policy = question.policy.clone();
                policy.limits.signatures = signatures;
                let check = Check::new(&chain, &ring, &policy, question.now()).with_evidence(&evidence);
                check.run().is_accepted()
            };
            let whole = run(100);
            for signatures in 0..16 {
                asked += 1;
                if run(signatures) && !whole {
                    wrong.push(format!("{name}: {}: {signatures} signatures accept", question.about));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 3_000, "{asked}");
}

/// Junk that a client presents takes no signature away from revocation.
#[test]
fn junk_beside_a_revoked_client_leaves_it_revoked() {
    use std::sync::Arc;

    use certcheck_core::crl::Crl;
    use certcheck_core::key_ring::{Placement, RingBuilder};
    use certcheck_core::{Evidence, Policy, Revocation, Time};
    use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
    use certcheck_testkit::{Cert, Key};

    let (root, ca, junk) = (Key::p256("junk root"), Key::p256("junk ca"), Key::p256("junk"));
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root("CN=Root", &root).issue(&root), Placement::Anchor).expect("can be read");
    let ring = builder.build().expect("builds");
    let leaf = Cert::leaf("CN=client", &Key::p256("client"), "CN=CA", &ca);
    let mut evidence = Evidence::new();
    let clear = CrlBuilder::new("CN=CA").with([crl::number(1)]).issue(&ca);
    let listing = CrlBuilder::new("CN=CA")
        .revoking([RevokedCertificate::new(&leaf.serial)])
        .with([crl::number(2)])
        .issue(&ca);
    for (name, der) in
        [("clear", clear), ("listing", listing), ("root", CrlBuilder::new("CN=Root").issue(&root))]
    {
        evidence.add_crl(Arc::new(Crl::parse(der.into(), name).expect("can be read")));
    }
    let good = Cert::ca("CN=CA", &ca, "CN=Root", &root).issue(&root);
    let policy = Policy::client(Revocation::HardFail);
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time");
    for count in 90..110_u32 {
        let mut chain = vec![leaf.clone().issue(&ca)];
        chain.extend((0..count).map(|n| {
            let mut cert = Cert::ca("CN=CA", &ca, "CN=Root", &root);
            cert.serial = [&[0x40][..], &n.to_be_bytes()].concat();
            cert.issue(&junk)
        }));
        chain.push(good.clone());
        let chain: Vec<_> = chain.iter().map(|der| der.as_slice().into()).collect();
        let report = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run();
        let code = report.reason.as_ref().map(|rejection| rejection.reason.code());
        assert!(matches!(code, Some("certificate-revoked" | "limit-exceeded")), "{count}: {code:?}");
    }
}
