//! Every reason that a verdict can have is provoked through the program, and what its hint says is the remedy.

mod asked;
mod path;
#[path = "../schema/mod.rs"]
mod schema;
mod status;

use std::collections::BTreeSet;
use std::path::Path;

use asked::{Asked, CA, Row, SERIAL};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ocsp::AnswerBuilder;
use certcheck_testkit::server::{OcspResponder, Page, Server};
use path::PATH;
use status::STATUS;

fn folder(name: &str) -> tempfile::TempDir {
    tempfile::Builder::new().prefix(&format!("certcheck-{name}-")).tempdir().expect("folder")
}

/// Provokes it, then does what the hint says.
fn try_row((code, word, start, provoke, remedy): &Row, folder: &Path) {
    let mut asked = start();
    provoke(&mut asked);
    let (output, hint) = asked.ask(folder);
    assert_eq!(output, *code);
    assert!(hint.contains(word), "{code}: the hint is {hint:?}");
    remedy(&mut asked);
    assert_eq!(asked.ask(folder).0, "accept", "{code}: the hint is not true: {hint}");
}

#[test]
fn each_reason_of_a_path_and_its_hint() {
    let folder = folder("reasons-path");
    PATH.iter().for_each(|row| try_row(row, folder.path()));
}

#[test]
fn each_cause_of_not_knowing_and_its_hint() {
    let folder = folder("reasons-status");
    STATUS.iter().for_each(|row| try_row(row, folder.path()));
}

/// Those for which somebody must answer.
#[test]
fn each_cause_that_takes_a_server_and_its_hint() {
    let folder = folder("reasons-online");
    let server = Server::start();
    let try_online = |code: &str, word: &str, mut asked: Asked, remedy: &dyn Fn(&mut Asked)| {
        let (output, hint) = asked.ask(folder.path());
        assert_eq!(output, format!("revocation-unknown:{code}"));
        assert!(hint.contains(word), "{code}: the hint is {hint:?}");
        remedy(&mut asked);
        assert_eq!(asked.ask(folder.path()).0, "accept", "{code}: the hint is not true: {hint}");
    };
    let mut asked = Asked::status();
    server.serve("/ca.crl", Page::new(CrlBuilder::new(CA).issue(&asked.ca_key)));
    asked.names_crl(&server.url("/ca.crl"));
    let allow = |asked: &mut Asked| asked.flag(&["--allow-net", "127.0.0.0/8"]);
    try_online("refused-address", "--allow-net", asked, &allow);

    let mut asked = Asked::status();
    server.serve("/large", Page::new([0x30; 100_000]));
    asked.names_responder(&server.url("/large"));
    allow(&mut asked);
    try_online("too-large", "--ocsp", asked, &|asked| asked.respond(AnswerBuilder::good));

    let mut asked = Asked::status();
    let responder = OcspResponder::new(CA, asked.ca_key.clone());
    responder.good(&SERIAL);
    responder.set_echo_nonce(false);
    server.serve_with("/ocsp", responder.handler());
    asked.names_responder(&server.url("/ocsp"));
    allow(&mut asked);
    asked.flag(&["--nonce", "demand"]);
    let without = |asked: &mut Asked| *asked.flags.last_mut().expect("a word") = "off".to_owned();
    try_online("nonce-mismatch", "turn off the nonce", asked, &without);
}

/// What this file provokes is all that there is: the codes are in the source of the core.
#[test]
fn no_code_is_left_out() {
    let codes = |source: &str| -> BTreeSet<String> {
        let body = source.split("fn code(").nth(1).expect("a function").split("\n    }\n").next();
        let quoted = body.expect("its body").split('"').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    };
    let mut all = codes(include_str!("../../../certcheck-core/src/reason/mod.rs"));
    assert!(all.remove("revocation-unknown"), "{all:?}");
    let causes = codes(include_str!("../../../certcheck-core/src/status/cause.rs"));
    all.extend(causes.iter().map(|cause| format!("revocation-unknown:{cause}")));
    let online = ["refused-address", "too-large", "nonce-mismatch"];
    let mut provoked: BTreeSet<String> =
        PATH.iter().chain(STATUS).map(|(code, ..)| (*code).to_owned()).collect();
    provoked.extend(online.map(|cause| format!("revocation-unknown:{cause}")));
    assert_eq!(provoked, all);
}
