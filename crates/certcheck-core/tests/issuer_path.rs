//! A check under a known issuer path decides as a check that searches, whatever is presented.

mod alike;

use std::sync::Arc;

use alike::summary;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::RevocationScope;
use certcheck_core::report::OwnedReport;
use certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_core::{
    BegunCheck, Check, Evidence, KeyRing, ParsedCheck, Policy, Purpose, Revocation, Time, VerifiedIssuers,
};
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;

const ROOT: &str = "CN=Root";
const ISSUER: &str = "CN=Issuer";
const UPPER: &str = "CN=Upper";

/// The issuer is certified by the root and by an upper CA. A client has the name and the key of the upper CA, so no path
/// of its own may contain that CA (RFC 4158 2.4.2), also when the issuer's certificate by the root is revoked.
#[test]
fn a_client_that_is_also_a_presented_ca_does_not_certify_its_own_issuer() {
    let key = |name: &str| Key::p256(&format!("issuer path {name}"));
    let (root, issuer, upper) = (key("root"), key("issuer"), key("upper"));
    let by_root = Cert::ca(ISSUER, &issuer, ROOT, &root);
    let above = [
        by_root.issue(&root),
        Cert::ca(ISSUER, &issuer, UPPER, &upper).issue(&upper),
        Cert::ca(UPPER, &upper, ROOT, &root).issue(&root),
    ];
    let chain = |subject: &str, key: &Key| -> Vec<CertificateDer<'static>> {
        let leaf = Cert::leaf(subject, key, ISSUER, &issuer).issue(&issuer);
        [leaf].into_iter().chain(above.iter().cloned()).map(CertificateDer::from).collect()
    };
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).expect("reads");
    let ring = builder.build().expect("builds");
    let evidence = |revoked: &[&Cert]| {
        let entries = revoked.iter().map(|cert| RevokedCertificate::new(&cert.serial)).collect::<Vec<_>>();
        let mut evidence = Evidence::new();
        for (crl, signer) in [
            (CrlBuilder::new(ROOT).revoking(entries), &root),
            (CrlBuilder::new(ISSUER), &issuer),
            (CrlBuilder::new(UPPER), &upper),
        ] {
            evidence.add_crl(Arc::new(Crl::parse(crl.issue(signer).into(), "test").expect("reads")));
        }
        evidence
    };
    let policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Client);
    let now = Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time");
    let (good, revoked) = (evidence(&[]), evidence(&[&by_root]));
    let other = chain("CN=other", &key("other"));
    let learnt = Check::new(&other, &ring, &policy, now).with_evidence(&good).begin();
    let issuer_path = learnt.issuer_path().expect("it is accepted");
    for (about, chain, is_accepted) in [
        ("another client", chain("CN=second", &key("second")), true),
        ("the name of the upper CA", chain(UPPER, &key("second")), true),
        ("the name and the key of the upper CA", chain(UPPER, &upper), false),
    ] {
        let check = Check::new(&chain, &ring, &policy, now).with_evidence(&revoked);
        let searched = check.run();
        let BegunCheck::Open(under) = ParsedCheck::new(check).begin_under(&issuer_path, None, &|_| None)
        else {
            panic!("{about}: the statuses of the CAs are not known")
        };
        assert_eq!(summary(&under.finish()), summary(&searched), "{about}");
        assert_eq!(searched.is_accepted(), is_accepted, "{about}: {:?}", searched.reason);
    }
}

fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time")
}

fn key(name: &str) -> Key {
    Key::p256(&format!("issuer path {name}"))
}

/// A CRL that nobody has verified yet.
fn fresh_crl(issuer: &str, signer: &Key, revoked: &[&[u8]]) -> Answer {
    let crl = CrlBuilder::new(issuer).revoking(revoked.iter().map(|serial| RevokedCertificate::new(serial)));
    Answer::Crl(Arc::new(Crl::parse(crl.issue(signer).into(), "test").expect("reads")))
}

/// What has the answers to requests.
type Source<'s> = Box<dyn Fn(&EvidenceRequest) -> Option<Answer> + 's>;

/// What is learnt of one client, and how another is checked by that: with the statuses of the CAs, without them, and by a
/// search.
struct Learnt<'l> {
    ring: &'l KeyRing,
    policy: &'l Policy,
    first: &'l [CertificateDer<'l>],
    by: &'l dyn Fn(&EvidenceRequest) -> Option<Answer>,
}

#[derive(Debug)]
struct Checked {
    was_at_once: bool,
    report: OwnedReport,
}

impl Learnt<'_> {
    /// The checks of a client. Each gets its own evidence, so that what one has verified is not known to the next.
    fn check(&self, chain: &[CertificateDer<'_>], by: &dyn Fn() -> Source<'static>) -> [Checked; 3] {
        let issuers = VerifiedIssuers::new();
        let check = |chain| Check::new(chain, self.ring, self.policy, now()).with_verified_issuers(&issuers);
        let learnt = ParsedCheck::new(check(self.first)).begin(self.by);
        let path = learnt.issuer_path().expect("the first client is accepted");
        let statuses = learnt.issuer_statuses(&path);
        let under = |statuses| match ParsedCheck::new(check(chain)).begin_under(&path, statuses, &*by()) {
            BegunCheck::Accepted(report) => Checked { was_at_once: true, report },
            BegunCheck::Open(session) => Checked { was_at_once: false, report: session.into_report() },
        };
        let searched = ParsedCheck::new(check(chain)).begin(&*by());
        let searched = Checked { was_at_once: false, report: searched.into_report() };
        [under(statuses.as_ref()), under(None), searched]
    }
}

/// A client whose status is learnt from a CRL that was not verified before: the same is reported as spent, whether it was
/// accepted at once, or an attempt came before a session.
#[test]
fn what_an_attempt_spends_is_reported() {
    let (root, ca) = (key("root"), key("ca"));
    let point = |url: &str| ext::cdp(&[Point::urls(&[url])]);
    let ca_cert = Cert::ca(ISSUER, &ca, ROOT, &root).with([point("http://crl/root")]).issue(&root);
    let leaf = |name: &str| {
        Cert::leaf(&format!("CN={name}"), &key(name), ISSUER, &ca).with([point("http://crl/ca")])
    };
    let chain = |leaf: &Cert| [CertificateDer::from(leaf.issue(&ca)), ca_cert.clone().into()];
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).expect("reads");
    let ring = builder.build().expect("builds");
    let second = leaf("second");
    let root_crl = fresh_crl(ROOT, &root, &[]);
    let by = |of_ca: Answer| {
        let root_crl = root_crl.clone();
        move |ask: &EvidenceRequest| {
            Some(if &**ask.url() == "http://crl/root" { root_crl.clone() } else { of_ca.clone() })
        }
    };
    let policy = |change: fn(&mut Policy)| {
        let mut policy = Policy::client(Revocation::HardFail);
        change(&mut policy);
        policy
    };
    for (about, policy, is_revoked, is_at_once) in [
        ("good", policy(|_| {}), false, true),
        ("revoked", policy(|_| {}), true, false),
        ("explained", policy(|policy| policy.explain = true), false, false),
        ("the leaf's status alone", policy(|p| p.revocation_scope = RevocationScope::Leaf), false, true),
        ("no revocation", policy(|policy| policy.revocation = Revocation::Off), false, true),
    ] {
        let first = chain(&leaf("first"));
        let clean = by(fresh_crl(ISSUER, &ca, &[]));
        let learnt = Learnt { ring: &ring, policy: &policy, first: &first, by: &clean };
        let revoked: &[&[u8]] = if is_revoked { &[&second.serial] } else { &[] };
        let [with, without, _] =
            learnt.check(&chain(&second), &|| Box::new(by(fresh_crl(ISSUER, &ca, revoked))));
        assert_eq!(with.was_at_once, is_at_once, "{about}");
        assert_eq!(with.report.is_accepted(), !is_revoked, "{about}");
        let [with, without] = [&with, &without].map(|checked| checked.report.view(&ring).spent);
        assert_eq!(with, without, "{about}");
    }
}

/// Two CAs have one name, and a key each. The signature of a client is verified with the key of the known path, then with the
/// other. Those two are all that is allowed, and the certificate of the other CA would be the third.
#[test]
fn an_attempt_counts_against_the_limits() {
    let (root, a, b) = (key("root"), key("a"), key("b"));
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).expect("reads");
    for (name, key) in [("a", &a), ("b", &b)] {
        let ca = Cert::ca(ISSUER, key, ROOT, &root).issue(&root);
        builder.add(name, &ca, Placement::Intermediate).expect("reads");
    }
    let ring = builder.build().expect("builds");
    // Without an identifier of the key that orders the CAs.
    let leaf = |name: &str, ca: &Key| {
        let cert = Cert::leaf(&format!("CN={name}"), &key(name), ISSUER, ca).without("2.5.29.35");
        [CertificateDer::from(cert.with([ext::cdp(&[Point::urls(&["http://crl/ca"])])]).issue(ca))]
    };
    let mut policy = Policy::client(Revocation::HardFail);
    policy.revocation_scope = RevocationScope::Leaf;
    policy.limits.signatures = 2;
    let mut compared = 0;
    for (first, second) in [(&a, &b), (&b, &a)] {
        let chain = leaf("first", first);
        let crl = fresh_crl(ISSUER, first, &[]);
        let by = |_: &EvidenceRequest| Some(crl.clone());
        let session = ParsedCheck::new(Check::new(&chain, &ring, &policy, now())).begin(&by);
        if session.issuer_path().is_none() {
            // The search tries the other CA before it.
            continue;
        }
        let learnt = Learnt { ring: &ring, policy: &policy, first: &chain, by: &by };
        let [with, without, searched] = learnt.check(&leaf("second", second), &|| {
            let crl = fresh_crl(ISSUER, second, &[]);
            Box::new(move |_| Some(crl.clone()))
        });
        let [with, without, searched] =
            [with, without, searched].map(|checked| summary(&checked.report.view(&ring)));
        assert_eq!(with, without);
        assert_eq!(with, searched);
        assert!(with.contains("Signatures"), "{with}");
        compared += 1;
    }
    assert!(compared > 0, "no path was learnt");
}
