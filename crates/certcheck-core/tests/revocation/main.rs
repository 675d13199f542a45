//! Revocation as data: each file beside this one is a small PKI with its evidence, and many questions.

#![expect(clippy::disallowed_methods, reason = "scenarios are files")]

#[path = "../alike/mod.rs"]
mod alike;
mod case;
mod flaws;
#[path = "../question/mod.rs"]
mod question;

use std::path::Path;

use alike::Tally;
use case::{Case, Suite};
use certcheck_core::Check;
use question::Question;

/// Asks; the order of evidence says nothing.
fn ask(case: &Case, question: &Question, tally: &mut Tally) -> Result<(), String> {
    let (chain, ring) = (question.presented(), question.key_ring());
    for is_reversed in [false, true] {
        let evidence = question.evidence(is_reversed);
        let mut policy = question.policy.clone();
        policy.explain = true;
        let check = Check::new(&chain, &ring, &policy, question.now()).with_evidence(&evidence);
        case.judge(&check.run())?;
        alike::compare_all(question, &evidence, tally)?;
    }
    Ok(())
}

#[test]
fn every_case() {
    let files = question::files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/revocation"));
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
    assert!(tally.admitted >= 100, "{tally:?}");
    assert!(cases >= 230, "{cases} cases");
}

/// A CA with hundreds of partitions, all of them given: the one that covers the certificate is verified, not each.
#[test]
fn of_many_partitions_one_is_verified() {
    use std::sync::Arc;

    use certcheck_core::crl::Crl;
    use certcheck_core::ring::{Placement, RingBuilder};
    use certcheck_core::{Evidence, Policy, Revocation, Time};
    use certcheck_testkit::crl::{Crl as ForgedCrl, Idp};
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
        let der = ForgedCrl::new("CN=Root").with([idp.ext()]).issue(&key);
        evidence.add_crl(Arc::new(Crl::parse(der.into(), &url(n)).expect("can be read")));
    }
    let chain = [leaf.as_slice().into()];
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time");
    let policy = Policy::client(Revocation::HardFail);
    let report = Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run();
    assert!(report.is_accepted(), "{:?}", report.message());
    assert_eq!(report.spent.signatures, 2, "of the certificate and of one CRL");
}
