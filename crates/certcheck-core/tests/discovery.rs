//! Paths that are found by fetching: certificates of issuers from where certificates say they are (RFC 5280 4.2.2.1).

use std::collections::BTreeSet;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_core::status::Cause;
use certcheck_core::{Check, KeyRing, Policy, Report, Revocation, Time};
use certcheck_testkit::bridge::Bridge;
use certcheck_testkit::{Cert, Key, ext};
use pki_types::CertificateDer;

const SITE: &str = "http://ca.example";

fn ring_of(anchor: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("anchor", anchor, Placement::Anchor).expect("it can be read");
    builder.build().expect("builds")
}

fn policy() -> Policy {
    let mut policy = Policy::client(Revocation::Off);
    policy.aia = true;
    policy
}

/// Runs a check that is answered from these pages. What was asked is kept; asking twice fails the test.
fn discover(
    chain: &[Vec<u8>],
    ring: &KeyRing,
    policy: &Policy,
    pages: &[(String, Vec<Vec<u8>>)],
    assert_report: impl FnOnce(&Report<'_>, &BTreeSet<String>),
) {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| der.as_slice().into()).collect();
    let now = Time::from_rfc3339("2027-01-01T00:00:00Z").expect("a time");
    let mut session = Check::new(&chain, ring, policy, now).begin();
    let mut asked = BTreeSet::new();
    while let Some(need) = session.needs().first() {
        let ask = need.request.clone();
        let EvidenceRequest::Issuers { url } = &ask else { panic!("{ask:?}") };
        assert!(asked.insert(url.to_string()), "{url} twice");
        let page = pages.iter().find(|(path, _)| url.strip_prefix(SITE) == Some(path));
        let answer = page.map_or(Answer::Failed(Cause::Unreachable), |(_, certificates)| {
            Answer::Issuers(certificates.iter().map(|der| der.clone().into()).collect())
        });
        session.answer(&ask, answer);
        let (kept, again) = (session.finish(), session.finish_from_nothing());
        assert_eq!((kept.verdict, &kept.reason), (again.verdict, &again.reason));
        assert_eq!(kept.attempts.len(), again.attempts.len());
    }
    assert_report(&session.finish(), &asked);
}

#[test]
fn bridges_are_crossed_by_fetching_alone() {
    for bridges in 0..=4 {
        let Bridge { anchor, leaf, pages } = Bridge::new(SITE, bridges);
        discover(&[leaf], &ring_of(&anchor), &policy(), &pages, |report, asked| {
            assert!(report.is_accepted(), "{bridges} bridges: {:?}, {asked:?}", report.reason);
            assert_eq!(report.path.len(), bridges + 3);
        });
    }
}

#[test]
fn bridges_are_crossed_from_a_chain_that_stops_halfway() {
    let Bridge { anchor, leaf, pages } = Bridge::new(SITE, 3);
    // What a client sends: its CA's certificates, the useful one among them, and the self-signed one of a bridge.
    let mut chain = vec![leaf];
    chain.extend(pages[0].1.clone());
    chain.push(pages[2].1[0].clone());
    discover(&chain, &ring_of(&anchor), &policy(), &pages, |report, asked| {
        assert!(report.is_accepted(), "{:?}, {asked:?}", report.reason);
        assert!(!asked.contains("http://ca.example/agency"), "it was there: {asked:?}");
    });
}

#[test]
fn the_limit_on_locations_ends_a_search() {
    let Bridge { anchor, leaf, pages } = Bridge::new(SITE, 4);
    let mut policy = policy();
    policy.limits.issuer_locations = 5;
    discover(&[leaf], &ring_of(&anchor), &policy, &pages, |report, asked| {
        let code = report.reason.as_ref().map(|rejection| rejection.reason.code());
        assert_eq!((code, asked.len()), (Some("unknown-issuer"), 5));
    });
}

#[test]
fn what_no_signature_ties_to_the_client_is_not_followed() {
    let key = |name: &str| Key::p256(&format!("not followed {name}"));
    let url = |name: &str| format!("{SITE}/{name}");
    let anchor = Cert::root("CN=Anchor", &key("anchor")).issue(&key("anchor"));
    let with_url = |cert: Cert, to: &str| cert.with([ext::aia(&[] as &[&str], &[url(to).as_str()])]);
    let leaf =
        with_url(Cert::leaf("CN=client", &key("client"), "CN=CA", &key("ca")), "leaf").issue(&key("ca"));
    // Of the issuer's name and another key; of another name; a CA's that may not sign certificates.
    let namesake = with_url(Cert::ca("CN=CA", &key("other"), "CN=X", &key("x")), "namesake").issue(&key("x"));
    let stranger = with_url(Cert::ca("CN=Y", &key("y"), "CN=X", &key("x")), "stranger").issue(&key("x"));
    let no_ca = Cert::ca("CN=CA", &key("ca"), "CN=X", &key("x")).with([ext::basic_constraints(false, None)]);
    let no_ca = with_url(no_ca, "no-ca").issue(&key("x"));
    discover(&[leaf, namesake, stranger, no_ca], &ring_of(&anchor), &policy(), &[], |report, asked| {
        assert!(!report.is_accepted());
        assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), ["http://ca.example/leaf"]);
    });
}
