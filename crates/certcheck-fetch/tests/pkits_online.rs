//! PKITS in the edition that is fetched: only target and anchor are given, all else is behind URLs, through a proxy. Skipped,
//! and it says so, where the corpus is not found (`CERTCHECK_CORPORA`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certcheck_core::oid::OidBuf;
use certcheck_core::{KeyRing, Policy, Purpose, Revocation, Time, certificates_of};
use certcheck_fetch::Engine;
use certcheck_testkit::server::{Page, Server};
use serde::Deserialize;

/// Where this edition and the engine differ, and why. One that differs no longer fails the test.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("4.5.4", "its only distribution point leads to a CRL whose issuingDistributionPoint is another"),
    ("4.14.30", "a CRL issuer's certificate names a namesake of another edition"),
    ("4.14.34", "the CRL of this edition does not list the certificate"),
];

#[derive(Deserialize)]
struct Manifest {
    validation_time: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    target: String,
    trust_anchor: String,
    #[serde(default)]
    fetch_complete: bool,
    should_validate: bool,
    validation_time: Option<String>,
    initial: Initial,
}

#[derive(Deserialize)]
struct Initial {
    #[serde(default)]
    user_initial_policy_set: Vec<String>,
    #[serde(default)]
    initial_explicit_policy: bool,
    #[serde(default)]
    initial_policy_mapping_inhibit: bool,
    #[serde(default)]
    initial_any_policy_inhibit: bool,
}

fn corpus() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let roots = std::env::var_os("CERTCHECK_CORPORA").map(PathBuf::from).into_iter().chain([own]);
    roots.map(|root| root.join("fpki/pkits-online")).find(|path| path.join("manifest.json").is_file())
}

fn policy(initial: &Initial) -> Policy {
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.aia = true;
    let wanted = initial.user_initial_policy_set.iter().filter(|oid| *oid != "2.5.29.32.0");
    policy.initial_policies = wanted.map(|oid| OidBuf::from_dotted(oid).expect("an OID")).collect();
    policy.require_explicit_policy = initial.initial_explicit_policy;
    policy.inhibit_policy_mapping = initial.initial_policy_mapping_inhibit;
    policy.inhibit_any_policy = initial.initial_any_policy_inhibit;
    policy
}

fn server_of(tree: PathBuf) -> Server {
    let server = Server::start();
    server.serve_with("/", move |request| {
        let path = tree.join(&request.host).join(request.plain_path().trim_start_matches('/'));
        std::fs::read(path).map_or_else(|_| Page::not_found(), Page::new)
    });
    server
}

#[test]
fn pkits_fetched() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: no corpus pkits-online here");
        return;
    };
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).expect("a manifest");
    let manifest: Manifest = serde_json::from_str(&manifest).expect("reads");
    let (mut right, mut wrong) = (0, Vec::new());
    for case in manifest.cases.iter().filter(|case| case.fetch_complete) {
        // One for each: a request that the case before did not wait for may come late.
        let server = server_of(corpus.join("http"));
        let ring = KeyRing::from_paths(&[corpus.join(&case.trust_anchor)]).expect("a ring");
        let chain =
            certificates_of(&std::fs::read(corpus.join(&case.target)).expect("a file")).expect("reads");
        let time = case.validation_time.as_ref().or(manifest.validation_time.as_ref()).expect("a time");
        let engine = Engine::builder(ring, policy(&case.initial))
            .proxy(server.url("/").parse().expect("a URL"))
            .refreshes(false)
            .build()
            .expect("builds");
        let now = Time::from_rfc3339(time).expect("a time");
        let report = engine.check_blocking(&chain, now, Duration::from_secs(20));
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for request in server.requests() {
            *asked.entry(format!("{}{}", request.host, request.path)).or_default() += 1;
        }
        assert!(asked.values().all(|times| *times == 1), "{}: {asked:?}", case.id);
        let is_right = report.is_accepted() == case.should_validate;
        match (is_right, EXCEPTIONS.iter().find(|(id, _)| *id == case.id)) {
            (true, None) => right += 1,
            (false, Some(_)) => {}
            (true, Some((id, why))) => panic!("{id} does not differ any more: {why}"),
            (false, None) => wrong.push(format!("{}: {report:?}", case.id)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("pkits-online: {right} right, {} excepted, no URL asked twice", EXCEPTIONS.len());
    assert!(right > 200);
}
