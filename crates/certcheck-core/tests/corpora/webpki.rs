//! rustls-webpki's client authentication.

use certcheck_core::{Policy, Revocation};

use super::{Judge, ask, corpus, flat_ring, json, read, text, time};

#[test]
fn client_auth() {
    let Some(base) = corpus("webpki") else { return };
    let manifest = json(&base.join("manifest.json"));
    let now = time(text(&manifest, "time"));
    let mut judge = Judge::new("webpki-client");
    for case in manifest["client_auth"].as_array().expect("cases") {
        let ring = flat_ring(&[base.join(text(case, "anchor"))]);
        let chain = read(&base.join(text(case, "target")));
        let expected = if case["expected_ok"] == true { "accept" } else { "refuse" };
        judge.case(
            text(case, "id"),
            expected,
            &ask(&chain, ring.as_ref(), &Policy::client(Revocation::Off), now),
        );
    }
    judge.close(4);
}
