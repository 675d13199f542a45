//! A check under a known issuer path decides as a check that searches, whatever is presented.

mod alike;

use std::sync::Arc;

use alike::summary;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Begun, Check, Evidence, ParsedCheck, Policy, Purpose, Revocation, Time};
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
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
        let Begun::Open(under) = ParsedCheck::new(check).begin_under(&issuer_path, None, &|_| None) else {
            panic!("{about}: the statuses of the CAs are not known")
        };
        assert_eq!(summary(&under.finish()), summary(&searched), "{about}");
        assert_eq!(searched.is_accepted(), is_accepted, "{about}: {:?}", searched.reason);
    }
}
