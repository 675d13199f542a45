//! Several CRLs at one URL: the right one is served, and one that was replaced does not come back.

mod mirroring;
mod support;

use certcheck_rustls::certcheck_core::ocsp::{CertIdHash, OcspRequest};
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_testkit::crl::{self, CrlBuilder, Idp};
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::ROOT;
use certcheck_testkit::{Cert, Key};

use mirroring::*;
use support::Pki;

const LAST: &str = "2026-03-01T00:00:00Z";

/// A CRL of this issuer, issued at this time.
fn issued(issuer: &str, number: i64, from: &str, key: &Key) -> Vec<u8> {
    CrlBuilder::new(issuer).valid(from, Some(UNTIL)).with([crl::number(number)]).issue(key)
}

/// Serves each page in turn, and waits until the mirror says this of it and has the body at this place.
fn play(pki: &Pki, mirror: &Mirror, path: &str, steps: &[(&[u8], &str, &[u8])]) {
    let url = pki.world.server.url(path);
    for (number, (page, state, body)) in steps.iter().enumerate() {
        pki.world.server.serve(path, Page::new(page));
        until(&format!("{path}: step {number} is {state}"), || {
            mirror.state(&url) == *state && mirror.served(&url).body == *body
        });
    }
}

/// Nobody knows which CA is meant: a URL that no certificate of the ring names. A CA with a new key goes on, and goes back
/// neither in time nor, with the same key, in numbers.
#[tokio::test(flavor = "multi_thread")]
async fn a_ca_with_a_new_key_goes_on_and_not_back() {
    let pki = Pki::new();
    let (old, new) = (&pki.world.ca, Key::p256("mirror renewed"));
    let renewed = Cert::ca(CA, &new, ROOT, &pki.world.root);
    pki.write("ring/renewed.pem", "CERTIFICATE", &renewed.issue(&pki.world.root));
    let of_old = issued(CA, 7, FROM, old);
    // It counts its CRLs from one again.
    let of_new = issued(CA, 1, LATER, &new);
    pki.world.server.serve("/renewed.crl", Page::new(&of_old));
    let mirror = Mirror::start(&pki, "");
    assert_eq!(mirror.served(&pki.world.server.url("/renewed.crl")).body, of_old);
    let last = issued(CA, 2, LAST, &new);
    play(
        &pki,
        &mirror,
        "/renewed.crl",
        &[
            (&of_new, "served", &of_new),
            (&of_old, "rollback", &of_new),
            (&issued(CA, 8, FROM, old), "rollback", &of_new),
            (&last, "served", &last),
            (&of_new, "rollback", &last),
            (&issued(ROOT, 9, LAST, &pki.world.root), "other-series", &last),
        ],
    );
}

/// A CA whose certificates name the URL, and which has a new key: both keys are its own, if a signature says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_named_ca_with_a_new_key_goes_on_and_not_back() {
    let pki = Pki::new();
    let (old, new) = (&pki.world.root, Key::p256("mirror new root"));
    pki.write("ring/new.pem", "CERTIFICATE", &Cert::root(ROOT, &new).issue(&new));
    pki.write("ring/new-with-old.pem", "CERTIFICATE", &Cert::ca(ROOT, &new, ROOT, old).issue(old));
    let of_old = issued(ROOT, 7, FROM, old);
    let (of_new, last) = (issued(ROOT, 1, LATER, &new), issued(ROOT, 2, LAST, &new));
    pki.world.server.serve("/root.crl", Page::new(&of_old));
    let mirror = Mirror::start(&pki, "");
    until("the first one is there", || mirror.served(&pki.world.server.url("/root.crl")).body == of_old);
    play(
        &pki,
        &mirror,
        "/root.crl",
        &[
            (&of_new, "served", &of_new),
            (&of_old, "rollback", &of_new),
            (&issued(ROOT, 8, FROM, old), "rollback", &of_new),
            (&last, "served", &last),
            (&of_new, "rollback", &last),
        ],
    );
}

/// The CRL of the CA that the ring names at a URL takes its place there from any other, and keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn the_crl_of_the_ca_that_names_the_url_wins() {
    let pki = Pki::new();
    // Another root of the same name, and with another key.
    let twin = Key::p256("mirror twin");
    pki.write("ring/twin.pem", "CERTIFICATE", &Cert::root(ROOT, &twin).issue(&twin));
    let others =
        [issued(CA, 9, LAST, &pki.world.ca), issued(ROOT, 9, LAST, &twin), issued(ROOT, 8, FROM, &twin)];
    let right = issued(ROOT, 3, LATER, &pki.world.root);
    let newer = issued(ROOT, 4, LAST, &pki.world.root);
    for other in &others {
        pki.world.server.serve("/root.crl", Page::new(other));
        let mirror = Mirror::start(&pki, "");
        let url = pki.world.server.url("/root.crl");
        until("the wrong one is there", || mirror.served(&url).body == *other);
        play(
            &pki,
            &mirror,
            "/root.crl",
            &[
                (&right, "served", &right),
                (other, "other-series", &right),
                (&issued(ROOT, 2, FROM, &pki.world.root), "rollback", &right),
                (&newer, "served", &newer),
                (&right, "rollback", &newer),
            ],
        );
    }
}

/// The issuer of an indirect CRL is the one that the distribution point names, and a partition is the one of its URL.
#[tokio::test(flavor = "multi_thread")]
async fn indirect_crls_and_partitions_have_their_places() {
    const ISSUER: &str = "CN=CRL Issuer,O=Fetch";
    let pki = Pki::new();
    let (issuer, below) = (Key::p256("mirror crl issuer"), Key::p256("mirror below"));
    let root = &pki.world.root;
    pki.write("ring/issuer.pem", "CERTIFICATE", &Cert::ca(ISSUER, &issuer, ROOT, root).issue(root));
    let url = pki.world.server.url("/indirect.crl");
    let point = Point { crl_issuer: vec![format!("dir:{ISSUER}")], ..Point::urls(&[&url]) };
    let below = Cert::ca("CN=Below,O=Fetch", &below, ROOT, root).with([ext::cdp(&[point])]);
    pki.write("ring/below.pem", "CERTIFICATE", &below.issue(root));
    let indirect = |number, from: &str| {
        let scope = Idp { indirect: true, point: Point::urls(&[&url]), ..Idp::default() };
        let crl = CrlBuilder::new(ISSUER).valid(from, Some(UNTIL)).with([crl::number(number), scope.ext()]);
        crl.issue(&issuer)
    };
    let direct = issued(ROOT, 9, LAST, root);
    pki.world.server.serve("/indirect.crl", Page::new(&direct));
    let of = |path: &str, number| {
        let scope = Idp { point: Point::urls(&[pki.world.server.url(path)]), ..Idp::default() };
        let crl = CrlBuilder::new(CA).valid(FROM, Some(UNTIL)).with([crl::number(number), scope.ext()]);
        crl.issue(&pki.world.ca)
    };
    let (one, two) = (of("/part-1.crl", 1), of("/part-2.crl", 2));
    pki.world.server.serve("/part-1.crl", Page::new(&two));
    let mirror = Mirror::start(&pki, "");
    until("the wrong one is there", || mirror.served(&url).body == direct);
    let (right, newer) = (indirect(1, FROM), indirect(2, LATER));
    play(
        &pki,
        &mirror,
        "/indirect.crl",
        &[
            (&right, "served", &right),
            (&direct, "other-series", &right),
            (&newer, "served", &newer),
            (&right, "rollback", &newer),
        ],
    );
    assert_eq!(mirror.served(&pki.world.server.url("/part-1.crl")).body, two);
    play(&pki, &mirror, "/part-1.crl", &[(&one, "served", &one), (&two, "other-series", &one)]);
}

/// A source has one place, however its URL is written, and one client cannot fill the mirror with one CRL.
#[tokio::test(flavor = "multi_thread")]
async fn one_crl_has_few_places_whatever_it_is_called() {
    let pki = Pki::new();
    let crl = crl_of(&pki, 1, FROM, &[]);
    pki.world.server.serve("/ca.crl", Page::new(&crl));
    let mirror = Mirror::start_slow(&pki);
    let url = pki.world.server.url("/ca.crl");
    let sources = || -> Vec<String> {
        // The list is a second old at most.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let answer = mirror.get("/v1/sources", &[]);
        let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let all = value["sources"].as_array().expect("a list").iter();
        all.filter_map(|source| source["url"].as_str())
            .filter(|of| of.contains("/ca.crl"))
            .map(Into::into)
            .collect()
    };
    // A client that writes it in a strange way comes first, and the source is asked for it as others write it.
    for path in ["/c%61.crl", "/x/../ca.crl", "/%63%61%2ecrl", "/ca.crl", "/ca.crl#part"] {
        assert_eq!(mirror.served(&pki.world.server.url(path)).body, crl, "{path}");
    }
    assert_eq!(sources(), std::slice::from_ref(&url));
    assert_eq!(pki.world.server.count("/ca.crl"), 1);
    for number in 0..20 {
        let alias = format!("/ca.crl?{number}");
        pki.world.server.serve(&alias, Page::new(&crl));
        assert_eq!(mirror.served(&pki.world.server.url(&alias)).body, crl, "{number}");
    }
    assert_eq!(sources().len(), 4, "{:?}", sources());
}

/// An OCSP request about several certificates is passed on if all of their issuers are in the ring.
#[tokio::test(flavor = "multi_thread")]
async fn all_certificates_of_a_request_are_of_the_ring() {
    let pki = Pki::new();
    let mirror = Mirror::start_slow(&pki);
    let (one, two) = (client(&pki, "one", "", "/ocsp"), client(&pki, "two", "", "/ocsp"));
    pki.world.responder.good(&one.serial);
    pki.world.responder.good(&two.serial);
    let ders = [
        one.issue(&pki.world.ca),
        two.issue(&pki.world.ca),
        pki.world.ca_cert.issue(&pki.world.root),
        Cert::root("CN=Strange", &stranger()).issue(&stranger()),
    ];
    let [one, two, issuer, strange] = [0, 1, 2, 3].map(|at| Certificate::parse(&ders[at]).expect("parses"));
    let path = Mirror::path_of(&pki.world.server.url("/ocsp"));
    let kind = [("content-type", "application/ocsp-request")];
    let about = |first: &Certificate<'_>, second: &Certificate<'_>| {
        let request = OcspRequest::new().about(&one, first, CertIdHash::Sha1);
        request.about(&two, second, CertIdHash::Sha1).encode()
    };
    for (first, second, is_asked) in
        [(&issuer, &issuer, true), (&issuer, &strange, false), (&strange, &issuer, false)]
    {
        let before = pki.world.server.count("/ocsp");
        let answer = ask(mirror.address, "POST", &path, &kind, &about(first, second));
        let code = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(pki.world.server.count("/ocsp") > before, is_asked, "{} {code}", answer.status);
        if !is_asked {
            assert_eq!((answer.status, code.starts_with("other-issuer")), (404, true), "{code}");
        }
    }
}
