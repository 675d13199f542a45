//! The check as a state machine: whatever the world answers, in whatever order, the verdict is the same, and nothing
//! is accepted on the word of who may not give it.

mod alike;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::{EvidenceOrder, Nonce};
use certcheck_core::revocation::{Answer, EvidenceRequest, OcspEvidence};
use certcheck_core::status::{Cause, Status};
use certcheck_core::{
    BegunCheck, Check, CheckSession, Evidence, KeyRing, ParsedCheck, Policy, Purpose, Revocation, Time,
    Verdict,
};
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;
use proptest::prelude::*;

const ROOT: &str = "CN=Root";
const ROOT_2: &str = "CN=Second Root";
const CA: &str = "CN=CA";

/// What a source may answer. The first of each list is the plain good answer.
struct Pki {
    ring: KeyRing,
    chain: Vec<CertificateDer<'static>>,
    sources: BTreeMap<&'static str, Vec<(&'static str, Answer)>>,
}

static PKI: LazyLock<Pki> = LazyLock::new(Pki::forge);

fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").expect("a time")
}

fn crl_answer(crl: &CrlBuilder, signer: &Key) -> Answer {
    let read = Crl::parse(crl.issue(signer).into(), "test").expect("reads");
    Answer::Crl(Arc::new(read))
}

fn ocsp_answer(response: &Response, signer: &Key) -> Answer {
    let read = OcspEvidence::parse(response.issue(signer).into(), "test").expect("reads");
    Answer::Ocsp(Arc::new(read))
}

impl Pki {
    fn forge() -> Self {
        let key = |name: &str| Key::p256(&format!("machine {name}"));
        let (root, root_2, ca, stranger) = (key("root"), key("root 2"), key("ca"), key("stranger"));
        let point = |url: &str| ext::cdp(&[Point::urls(&[url])]);
        let ca_cert = Cert::ca(CA, &ca, ROOT, &root)
            .with([point("http://crl/root"), ext::aia(&["http://ocsp/ca"], &[])])
            .valid("2026-01-01T00:00:00Z", "2125-01-01T00:00:00Z");
        let cross = Cert::ca(CA, &ca, ROOT_2, &root_2).with([point("http://crl/root2")]);
        let leaf = Cert::leaf("CN=client", &key("client"), CA, &ca).with([
            ext::aia(&["http://ocsp/1", "http://ocsp/2"], &[]),
            ext::cdp(&[Point::urls(&["http://crl/ca", "http://crl/ca-mirror"])]),
            ext::freshest_crl(&[Point::urls(&["http://crl/ca-delta"])]),
        ]);
        let mut builder = RingBuilder::new();
        builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).expect("reads");
        builder.add("root2", &Cert::root(ROOT_2, &root_2).issue(&root_2), Placement::Anchor).expect("reads");
        let chain = [leaf.issue(&ca), ca_cert.issue(&root), cross.issue(&root_2)];
        Self {
            ring: builder.build().expect("builds"),
            chain: chain.into_iter().map(CertificateDer::from).collect(),
            sources: BTreeMap::from([
                ("http://crl/root", crls_of(ROOT, &root, &stranger, &ca_cert)),
                ("http://crl/root2", crls_of(ROOT_2, &root_2, &stranger, &cross)),
                ("http://crl/ca", crls_of(CA, &ca, &stranger, &leaf)),
                ("http://crl/ca-mirror", crls_of(CA, &ca, &stranger, &leaf)),
                ("http://crl/ca-delta", deltas_of(CA, &ca, &stranger, &leaf)),
                ("http://ocsp/ca", responses(&root, &stranger, &ca_cert)),
                ("http://ocsp/1", responses(&ca, &stranger, &leaf)),
                ("http://ocsp/2", responses(&ca, &stranger, &leaf)),
            ]),
        }
    }
}

fn crls_of(issuer: &str, key: &Key, stranger: &Key, about: &Cert) -> Vec<(&'static str, Answer)> {
    let plain = CrlBuilder::new(issuer).with([crl::number(5)]);
    let listing = |reason: &str| {
        plain.clone().revoking([RevokedCertificate::new(&about.serial).with([crl::reason(reason)])])
    };
    let old = |crl: CrlBuilder| crl.valid("2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"));
    vec![
        ("good", crl_answer(&plain, key)),
        ("listed", crl_answer(&listing("keyCompromise"), key)),
        ("held", crl_answer(&listing("certificateHold"), key)),
        ("old", crl_answer(&old(plain.clone()), key)),
        ("old and listed", crl_answer(&old(listing("superseded")), key)),
        ("forged", crl_answer(&plain, stranger)),
        ("forged and listed", crl_answer(&listing("keyCompromise"), stranger)),
        (
            "partition",
            crl_answer(&plain.clone().with([crl::Idp { attribute: true, ..<_>::default() }.ext()]), key),
        ),
        ("unreachable", Answer::Failed(Cause::Unreachable)),
        ("malformed", Answer::Failed(Cause::Malformed)),
        ("of another kind", ocsp_answer(&Response::new(ocsp::by_key(key), []), key)),
    ]
}

fn deltas_of(issuer: &str, key: &Key, stranger: &Key, about: &Cert) -> Vec<(&'static str, Answer)> {
    let plain = CrlBuilder::new(issuer).with([crl::number(6), crl::delta(5)]);
    let listing = |reason: &str| {
        plain.clone().revoking([RevokedCertificate::new(&about.serial).with([crl::reason(reason)])])
    };
    vec![
        ("good", crl_answer(&plain, key)),
        ("listed", crl_answer(&listing("superseded"), key)),
        ("lifted", crl_answer(&listing("removeFromCRL"), key)),
        ("forged and lifted", crl_answer(&listing("removeFromCRL"), stranger)),
        ("unreachable", Answer::Failed(Cause::Unreachable)),
    ]
}

fn responses(issuer: &Key, stranger: &Key, about: &Cert) -> Vec<(&'static str, Answer)> {
    let id = || ocsp::cert_id("sha1", &about.issuer, issuer, &about.serial);
    let one = |answer: AnswerBuilder| Response::new(ocsp::by_key(issuer), [answer]);
    let revoked = || one(AnswerBuilder::revoked(id(), "2026-03-01T00:00:00Z", Some("keyCompromise")));
    let old =
        AnswerBuilder { next_update: Some(ocsp::time("2026-12-02T00:00:00Z")), ..AnswerBuilder::good(id()) };
    let old = AnswerBuilder { this_update: ocsp::time("2026-12-01T00:00:00Z"), ..old };
    let other = AnswerBuilder::good(ocsp::cert_id("sha1", &about.issuer, issuer, &[1]));
    let error = OcspEvidence::parse(Response::error(3).into(), "test").expect("reads");
    vec![
        ("good", ocsp_answer(&one(AnswerBuilder::good(id())), issuer)),
        ("revoked", ocsp_answer(&revoked(), issuer)),
        ("unknown", ocsp_answer(&one(AnswerBuilder::unknown(id())), issuer)),
        ("old", ocsp_answer(&one(old), issuer)),
        ("forged", ocsp_answer(&one(AnswerBuilder::good(id())), stranger)),
        ("forged and revoked", ocsp_answer(&revoked(), stranger)),
        (
            "by a stranger",
            ocsp_answer(&Response::new(ocsp::by_key(stranger), [AnswerBuilder::good(id())]), stranger),
        ),
        ("about another", ocsp_answer(&one(other), issuer)),
        ("error", Answer::Ocsp(Arc::new(error))),
        ("unreachable", Answer::Failed(Cause::Unreachable)),
    ]
}

/// Which answer each source gives, by its place in the list.
type World = BTreeMap<&'static str, usize>;

fn word(world: &World, url: &str) -> &'static str {
    let (url, choices) = PKI.sources.get_key_value(url).expect("a source");
    choices[world[url]].0
}

/// Drives a check to its end, taking the needs in an order that the seed says: as they come for 0.
fn drive(session: &mut CheckSession<Check<'_>>, world: &World, mut seed: u64) -> Vec<String> {
    let mut asked = Vec::new();
    while !session.needs().is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7);
        let needs = session.needs();
        let at = usize::try_from(seed >> 33).expect("fits") % needs.len();
        let ask: EvidenceRequest = needs[at].request.clone();
        let (url, choices) = PKI.sources.get_key_value(&**ask.url()).expect("a source that was named");
        session.answer(&ask, choices[world[url]].1.clone());
        assert_eq!(alike::summary(&session.finish()), alike::summary(&session.finish_from_nothing()));
        asked.push(url.to_string());
        assert!(asked.len() <= 64, "asked without end: {asked:?}");
    }
    asked
}

fn policy(revocation: Revocation) -> Policy {
    Policy::client(revocation).with_purpose(Purpose::Any)
}

/// What it came to: verdict, code, and where the path went.
fn outcome(
    world: &World,
    policy: &Policy,
    seed: u64,
) -> (Verdict, Option<&'static str>, Vec<String>, Vec<String>) {
    let mut session = Check::new(&PKI.chain, &PKI.ring, policy, now()).begin();
    let asked = drive(&mut session, world, seed);
    let report = session.finish();
    let statuses = report.path.iter().map(|member| match &member.revocation {
        Status::Unknown(cause) => cause.code().to_owned(),
        status => status.code().to_owned(),
    });
    let code = report.reason.as_ref().map(|rejection| rejection.reason.code());
    (report.verdict, code, statuses.collect(), asked)
}

fn worlds() -> impl Strategy<Value = World> {
    let urls: Vec<&'static str> = PKI.sources.keys().copied().collect();
    let choices: Vec<_> = urls.iter().map(|url| 0..PKI.sources[url].len()).collect();
    choices.prop_map(move |picks| urls.iter().copied().zip(picks).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Previews and offers that come to nothing leave no trace, and what a session keeps is what a new evaluation finds.
    #[test]
    fn a_session_agrees_with_an_evaluation_from_nothing(
        world in worlds(), other in worlds(), seed in any::<u64>(),
    ) {
        for revocation in [Revocation::HardFail, Revocation::SoftFail, Revocation::IfOffered] {
            let policy = policy(revocation);
            let mut session = Check::new(&PKI.chain, &PKI.ring, &policy, now()).begin();
            let mut seed = seed;
            while let Some(need) = session.needs().get(usize::try_from(seed % 3).unwrap_or(0).min(session.needs().len().max(1) - 1)).cloned() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(9);
                let ask = need.request;
                let (url, choices) = PKI.sources.get_key_value(&**ask.url()).expect("a source that was named");
                let (given, supposed) = (&choices[world[url]].1, &choices[other[url]].1);
                let before = (alike::summary(&session.finish()), session.needs().to_vec());
                let previewed = session.preview(&ask, supposed).fault;
                prop_assert_eq!(&before, &(alike::summary(&session.finish()), session.needs().to_vec()));
                if seed & 1 == 0 && let Err(fault) = session.offer(&ask, supposed.clone()) {
                    prop_assert_eq!(Some(fault), previewed);
                    prop_assert_eq!(&before, &(alike::summary(&session.finish()), session.needs().to_vec()));
                }
                match seed & 6 {
                    0 => session.answer_from(&|known| (*known == ask).then(|| given.clone())),
                    _ => session.answer(&ask, given.clone()),
                }
                if session.needs().iter().any(|need| need.request == ask) {
                    session.answer(&ask, given.clone());
                }
                prop_assert_eq!(alike::summary(&session.finish()), alike::summary(&session.finish_from_nothing()));
            }
            let finished = alike::summary(&session.finish());
            prop_assert_eq!(finished, alike::summary(&session.into_report().view(&PKI.ring)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_answers_changes_a_verdict(world in worlds(), seeds in prop::array::uniform4(any::<u64>())) {
        for revocation in [Revocation::HardFail, Revocation::SoftFail] {
            let policy = policy(revocation);
            let (verdict, code, _, _) = outcome(&world, &policy, 0);
            for seed in seeds {
                let (other, other_code, _, _) = outcome(&world, &policy, seed);
                prop_assert_eq!((verdict, code), (other, other_code));
            }
        }
    }

    /// Under a known path, with the evidence about the CAs as it was, a check reports what a check reports that searches:
    /// at once or in a session, whatever memory has about the leaf.
    #[test]
    fn a_known_path_changes_no_report(world in worlds(), in_memory in any::<u16>(), crl_first in any::<bool>()) {
        let mut world = world;
        for url in ["http://ocsp/ca", "http://crl/root"] {
            world.insert(PKI.sources.get_key_value(url).expect("a source").0, 0);
        }
        let source = |ask: &EvidenceRequest| {
            let at = PKI.sources.keys().position(|url| **url == **ask.url())?;
            let (_, answer) = &PKI.sources[&**ask.url()][world[&**ask.url()]];
            // What is known of the CAs is known by evidence that is in memory.
            let is_of_ca = matches!(&**ask.url(), "http://ocsp/ca" | "http://crl/root");
            let is_known = is_of_ca || in_memory >> at & 1 == 1 && !matches!(answer, Answer::Failed(_));
            is_known.then(|| answer.clone())
        };
        for revocation in [Revocation::HardFail, Revocation::SoftFail, Revocation::IfOffered] {
            let mut policy = policy(revocation);
            if crl_first {
                policy.evidence_order = EvidenceOrder::CrlFirst;
            }
            let check = || Check::new(&PKI.chain, &PKI.ring, &policy, now());
            let mut learnt = check().begin();
            drive(&mut learnt, &all("good"), 0);
            let issuer_path = learnt.issuer_path().expect("it is accepted");
            let statuses = learnt.issuer_statuses(&issuer_path).expect("all evidence is good");
            let under = ParsedCheck::new(check()).begin_under(&issuer_path, Some(&statuses), &source);
            let mut searched = ParsedCheck::new(check()).begin(&source);
            match under {
                BegunCheck::Accepted(report) => {
                    prop_assert_eq!(searched.needs(), &[]);
                    let searched = searched.into_report();
                    let summaries = [&report, &searched].map(|report| alike::summary(&report.view(&PKI.ring)));
                    prop_assert_eq!(&summaries[0], &summaries[1]);
                }
                BegunCheck::Open(mut under) => {
                    prop_assert_eq!(under.needs(), searched.needs());
                    for session in [&mut under, &mut searched] {
                        while let Some(need) = session.needs().first().cloned() {
                            let answer = &PKI.sources[&**need.request.url()][world[&**need.request.url()]].1;
                            session.answer(&need.request, answer.clone());
                        }
                    }
                    let summaries = [under, searched].map(CheckSession::into_report);
                    let summaries = summaries.map(|report| alike::summary(&report.view(&PKI.ring)));
                    prop_assert_eq!(&summaries[0], &summaries[1]);
                }
            }
        }
    }

    #[test]
    fn what_is_listed_is_never_accepted(world in worlds(), seed in any::<u64>()) {
        for revocation in [Revocation::HardFail, Revocation::IfOffered, Revocation::SoftFail] {
            let (verdict, _, _, asked) = outcome(&world, &policy(revocation), seed);
            for url in &asked {
                let said = word(&world, url);
                let is_of_leaf = !url.contains("root") && url != "http://ocsp/ca";
                let lists = matches!(said, "listed" | "old and listed" | "revoked");
                if is_of_leaf && lists && url != "http://crl/ca-delta" {
                    prop_assert_eq!(verdict, Verdict::Reject, "{} said {}", url, said);
                }
            }
        }
    }

    #[test]
    fn nothing_is_accepted_from_who_may_not_say_it(world in worlds(), seed in any::<u64>()) {
        let (verdict, _, _, asked) = outcome(&world, &policy(Revocation::HardFail), seed);
        let good = |url: &&String| matches!(word(&world, url), "good" | "lifted");
        let of_leaf = asked.iter().filter(|url| !url.contains("root") && **url != "http://ocsp/ca");
        let has_good = of_leaf.clone().filter(good).any(|url| url != "http://crl/ca-delta");
        if !has_good && verdict == Verdict::Accept {
            prop_assert!(of_leaf.clone().any(|url| word(&world, url) == "held"), "{:?}", asked);
            prop_assert!(of_leaf.clone().any(|url| word(&world, url) == "lifted"), "{:?}", asked);
        }
    }
}

fn all(word: &str) -> World {
    let place =
        |choices: &Vec<(&str, Answer)>| choices.iter().position(|(known, _)| *known == word).unwrap_or(0);
    PKI.sources.iter().map(|(url, choices)| (*url, place(choices))).collect()
}

/// With all evidence in memory a good leaf needs no session, in either order; with a revoked one, or with a piece missing,
/// there is one.
#[test]
fn a_good_leaf_under_a_known_path_is_accepted_at_once() {
    for order in [EvidenceOrder::OcspFirst, EvidenceOrder::CrlFirst] {
        let mut policy = policy(Revocation::HardFail);
        policy.evidence_order = order;
        let check = || Check::new(&PKI.chain, &PKI.ring, &policy, now());
        let mut learnt = check().begin();
        drive(&mut learnt, &all("good"), 0);
        let issuer_path = learnt.issuer_path().expect("it is accepted");
        let statuses = learnt.issuer_statuses(&issuer_path).expect("all evidence is good");
        let begin = |world: World, missing: &str| {
            let source = |ask: &EvidenceRequest| {
                let answer = &PKI.sources[&**ask.url()][world[&**ask.url()]].1;
                (**ask.url() != *missing).then(|| answer.clone())
            };
            ParsedCheck::new(check()).begin_under(&issuer_path, Some(&statuses), &source)
        };
        assert!(matches!(begin(all("good"), ""), BegunCheck::Accepted(_)), "{order:?}");
        for word in ["revoked", "listed", "forged"] {
            let is_of_order = PKI.sources[first_of(order)].iter().any(|(known, _)| *known == word);
            if is_of_order {
                assert!(matches!(begin(all(word), ""), BegunCheck::Open(_)), "{order:?} {word}");
            }
        }
        assert!(matches!(begin(all("good"), first_of(order)), BegunCheck::Open(_)), "{order:?}");
    }
}

fn first_of(order: EvidenceOrder) -> &'static str {
    if order == EvidenceOrder::CrlFirst { "http://crl/ca" } else { "http://ocsp/1" }
}

#[test]
fn a_certain_answer_stops_asking() {
    let (verdict, _, statuses, asked) = outcome(&all("good"), &policy(Revocation::HardFail), 0);
    assert_eq!(verdict, Verdict::Accept);
    assert_eq!(statuses, ["good", "good", "not-checked"]);
    assert_eq!(asked, ["http://ocsp/1", "http://ocsp/ca"]);
    let (verdict, code, _, asked) = outcome(&all("revoked"), &policy(Revocation::HardFail), 0);
    assert_eq!((verdict, code), (Verdict::Reject, Some("certificate-revoked")));
    assert_eq!(asked, ["http://ocsp/1"]);
}

#[test]
fn a_responder_that_may_have_misunderstood_the_hash_is_asked_with_the_other() {
    let (_, _, _, asked) = outcome(&all("error"), &policy(Revocation::HardFail), 0);
    assert_eq!(asked.iter().filter(|url| *url == "http://ocsp/1").count(), 2);
}

#[test]
fn the_mirror_is_asked_only_when_the_first_name_of_a_point_fails() {
    let mut policy = policy(Revocation::HardFail);
    policy.evidence_order = EvidenceOrder::CrlFirst;
    let (_, _, _, asked) = outcome(&all("good"), &policy, 0);
    assert!(!asked.iter().any(|url| url == "http://crl/ca-mirror"), "{asked:?}");
    assert!(asked.iter().any(|url| url == "http://crl/ca-delta"), "{asked:?}");
    let (_, _, _, asked) = outcome(&all("unreachable"), &policy, 0);
    assert!(asked.iter().any(|url| url == "http://crl/ca-mirror"), "{asked:?}");
}

#[test]
fn a_delta_lifts_a_hold() {
    let mut policy = policy(Revocation::HardFail);
    policy.evidence_order = EvidenceOrder::CrlFirst;
    let with = |url: &'static str, word: &str, mut world: World| {
        let place = PKI.sources[url].iter().position(|(known, _)| *known == word).expect("a choice");
        world.insert(url, place);
        world
    };
    let held = with("http://crl/ca", "held", all("good"));
    let (verdict, code, _, asked) = outcome(&held, &policy, 0);
    assert_eq!((verdict, code), (Verdict::Reject, Some("certificate-revoked")));
    assert!(asked.iter().any(|url| url == "http://crl/ca-delta"), "{asked:?}");
    let (verdict, ..) = outcome(&with("http://crl/ca-delta", "lifted", held), &policy, 0);
    assert_eq!(verdict, Verdict::Accept);
}

#[test]
fn unusable_evidence_is_reported_before_it_is_given() {
    let mut policy = policy(Revocation::HardFail);
    policy.evidence_order = EvidenceOrder::CrlFirst;
    let mut session = Check::new(&PKI.chain, &PKI.ring, &policy, now()).begin();
    let ask = EvidenceRequest::Crl { url: "http://crl/ca".into() };
    let faults = [
        ("good", None),
        ("listed", None),
        ("old", Some(Cause::Stale)),
        ("forged", Some(Cause::BadSignature)),
        ("partition", Some(Cause::OutOfScope)),
        ("unreachable", Some(Cause::Unreachable)),
        ("of another kind", Some(Cause::Malformed)),
    ];
    for (word, fault) in faults {
        let (_, answer) =
            PKI.sources["http://crl/ca"].iter().find(|(known, _)| *known == word).expect("a choice");
        let supposed = session.preview(&ask, answer);
        assert_eq!(supposed.fault.map(|fault| fault.cause()), fault, "{word}");
        // What is of no use leaves the mirror to be asked.
        assert_eq!(supposed.asks_on, word != "listed", "{word}");
    }
    // Nothing was given: the same is still needed.
    assert!(session.needs().iter().any(|need| need.request == ask));
    session.answer(&ask, Answer::Failed(Cause::Unreachable));
    assert!(session.needs().iter().any(|need| &**need.request.url() == "http://crl/ca-mirror"));
}

#[test]
fn a_revoked_ca_gives_way_to_its_cross_certificate() {
    let mut world = all("good");
    for url in ["http://crl/root", "http://ocsp/ca"] {
        let choices = &PKI.sources[url];
        let place = choices.iter().position(|(word, _)| matches!(*word, "listed" | "revoked"));
        world.insert(PKI.sources.get_key_value(url).expect("a source").0, place.expect("a choice"));
    }
    let (verdict, _, _, asked) = outcome(&world, &policy(Revocation::HardFail), 0);
    assert_eq!(verdict, Verdict::Accept);
    assert!(asked.iter().any(|url| url == "http://crl/root2"), "{asked:?}");
}

#[test]
fn nothing_is_needed_for_a_path_that_does_not_validate() {
    let policy = policy(Revocation::HardFail);
    let stranger = Key::p256("stranger");
    let mut builder = RingBuilder::new();
    let root = Cert::root("CN=Stranger", &stranger).issue(&stranger);
    builder.add("stranger", &root, Placement::Anchor).expect("parsed");
    let strange = builder.build().expect("builds");
    let session = Check::new(&PKI.chain, &strange, &policy, now()).begin();
    assert_eq!(session.needs(), []);
    assert_eq!(session.finish().verdict, Verdict::Reject);
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_taken() {
    let policy = policy(Revocation::HardFail);
    let mut session = Check::new(&PKI.chain, &PKI.ring, &policy, now()).begin();
    let before = session.needs().to_vec();
    let (_, good) = &PKI.sources["http://crl/ca"][0];
    session.answer(&EvidenceRequest::Crl { url: "http://crl/ca".into() }, good.clone());
    assert_eq!(session.needs(), before);
}

#[test]
fn a_nonce_is_the_seed_s_and_another_is_refused() {
    let mut policy = policy(Revocation::HardFail);
    policy.nonce = Nonce::Demand;
    let begin =
        |seed: u8| Check::new(&PKI.chain, &PKI.ring, &policy, now()).with_nonce_seed([seed; 32]).begin();
    let ask = |session: &CheckSession<Check<'_>>| session.needs()[0].request.clone();
    let (EvidenceRequest::Ocsp { nonce: Some(a), request, .. }, EvidenceRequest::Ocsp { nonce: Some(b), .. }) =
        (ask(&begin(1)), ask(&begin(2)))
    else {
        panic!("OCSP is asked first");
    };
    assert_ne!(a, b);
    assert_eq!(a.len(), 32);
    assert!(request.windows(32).any(|window| window == &a[..]), "the nonce is in the request");
    // A good answer without the nonce does not do where it is demanded.
    let mut session = begin(1);
    drive(&mut session, &all("good"), 0);
    let status = session.finish().path[0].revocation.clone();
    assert!(status.proof().is_some_and(|proof| proof.by.code() == "crl"), "{status:?}");
    // Nor if there is nothing else.
    let mut session = begin(1);
    let mut world = all("unreachable");
    world.extend([("http://ocsp/1", 0), ("http://ocsp/2", 0)]);
    drive(&mut session, &world, 0);
    let status = session.finish().path[0].revocation.clone();
    assert_eq!(status, Status::Unknown(Cause::NonceMismatch));
}

#[test]
fn evidence_given_at_first_is_not_asked_for() {
    let policy = policy(Revocation::HardFail);
    let mut evidence = Evidence::new();
    for url in ["http://crl/root", "http://crl/ca"] {
        let (_, Answer::Crl(crl)) = &PKI.sources[url][0] else { panic!("a CRL") };
        evidence.add_crl(Arc::clone(crl));
    }
    let check = Check::new(&PKI.chain, &PKI.ring, &policy, now()).with_evidence(&evidence);
    assert_eq!(check.run().verdict, Verdict::Accept);
    // The delta alone might know better.
    let needs = check.begin().needs().to_vec();
    assert_eq!(needs.iter().map(|need| &**need.request.url()).collect::<Vec<_>>(), ["http://crl/ca-delta"]);
}

/// A client, its CA behind a URL, and a CRL whose own signer is behind another.
#[test]
fn issuers_are_asked_for_where_policy_follows_ca_issuers() {
    let key = |name: &str| Key::p256(&format!("issuers {name}"));
    let (root, ca, signer) = (key("root"), key("ca"), key("signer"));
    let ca_cert = Cert::ca(CA, &ca, ROOT, &root).with([ext::key_usage(&["keyCertSign"])]).issue(&root);
    let signing = Cert::ca(CA, &signer, ROOT, &root)
        .with([ext::basic_constraints(false, None), ext::key_usage(&["cRLSign"]), ext::no_rev_avail()])
        .issue(&root);
    let leaf = Cert::leaf("CN=client", &key("client"), CA, &ca)
        .with([ext::aia(&[], &["http://aia/ca"]), ext::cdp(&[Point::urls(&["http://crl/ca"])])])
        .issue(&ca);
    let crl = CrlBuilder::new(CA).with([ext::aia(&[], &["http://aia/signer"])]);
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).expect("reads");
    let ring = builder.build().expect("builds");
    let chain = [CertificateDer::from(leaf)];
    let mut policy = policy(Revocation::HardFail);
    policy.revocation_scope = certcheck_core::policy::RevocationScope::Leaf;
    assert!(
        Check::new(&chain, &ring, &policy, now()).begin().needs().is_empty(),
        "only where policy says so"
    );

    policy.aia = true;
    let mut session = Check::new(&chain, &ring, &policy, now()).begin();
    let answers = [
        ("http://aia/ca", Answer::Issuers(vec![vec![0].into(), ca_cert.into()])),
        ("http://crl/ca", crl_answer(&crl, &signer)),
        ("http://aia/signer", Answer::Issuers(vec![signing.into()])),
    ];
    for (url, answer) in answers {
        let asks: Vec<EvidenceRequest> = session.needs().iter().map(|need| need.request.clone()).collect();
        assert_eq!(asks.iter().map(|ask| &**ask.url()).collect::<Vec<_>>(), [url]);
        session.answer(&asks[0], answer);
    }
    let report = session.finish();
    assert_eq!(report.verdict, Verdict::Accept, "{:?}", report.reason);
    assert_eq!(report.path.len(), 3);
}

#[test]
fn locations_are_bounded() {
    let key = Key::p256("many locations");
    let urls: Vec<String> = (0..1_000).map(|n| format!("http://{n}/crl")).collect();
    let points: Vec<Point> = urls.iter().map(|url| Point::urls(&[url])).collect();
    let leaf = Cert::leaf("CN=client", &Key::p256("client"), ROOT, &key).with([ext::aia(&urls, &[])]);
    let many_points = leaf.clone().with([ext::cdp(&points)]);
    let many_names = leaf.with([ext::cdp(&[Point::urls(&urls)])]);
    let mut builder = RingBuilder::new();
    builder.add("root", &Cert::root(ROOT, &key).issue(&key), Placement::Anchor).expect("reads");
    let ring = builder.build().expect("builds");
    let policy = policy(Revocation::HardFail);
    for leaf in [many_points, many_names] {
        let chain = [CertificateDer::from(leaf.issue(&key))];
        let mut session = Check::new(&chain, &ring, &policy, now()).begin();
        let mut asked = 0;
        while let Some(need) = session.needs().first() {
            let ask = need.request.clone();
            session.answer(&ask, Answer::Failed(Cause::Unreachable));
            asked += 1;
        }
        assert_eq!(asked, policy.limits.locations);
        let status = session.finish().path[0].revocation.clone();
        assert_eq!(status, Status::Unknown(Cause::TooLarge));
    }
}
