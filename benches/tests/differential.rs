//! A small differential run beside rustls-webpki: nothing may differ for a reason that is not known. The whole of it, with
//! OpenSSL, is the example of the same name.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    reason = "what the example has beside it is not asked here"
)]

#[path = "../examples/differential/case.rs"]
mod case;
#[path = "../examples/differential/corpus.rs"]
mod corpus;
#[path = "../examples/differential/explain.rs"]
mod explain;
#[path = "../examples/differential/facts.rs"]
mod facts;
#[path = "../examples/differential/forge.rs"]
mod forge;
#[path = "../examples/differential/mutate.rs"]
mod mutate;
#[cfg(feature = "openssl")]
#[path = "../examples/differential/openssl.rs"]
mod openssl;
#[path = "../examples/differential/ours.rs"]
mod ours;
#[path = "../examples/differential/run.rs"]
mod run;
#[path = "../examples/differential/table/mod.rs"]
mod table;
#[path = "../examples/differential/tree.rs"]
mod tree;
#[path = "../examples/differential/webpki.rs"]
mod webpki;

use case::Kind;
use corpus::Corpus;
use forge::Forge;
use run::{Judges, Tally};

#[test]
fn nothing_differs_without_an_explanation() {
    let forge = Forge::new(1, Corpus::default());
    let judges = Judges::new(&forge.case(Kind::Certificate, 0).root);
    let mut tally = Tally::default();
    for (kind, count) in [(Kind::Certificate, 1_500), (Kind::Crl, 1_500), (Kind::Response, 1_500)] {
        tally.run(&forge, &judges, kind, 0..count);
    }
    assert!(tally.unexplained.is_empty(), "{}", tally.puzzles());
    // It is a comparison only if there is something to compare.
    assert!(tally.agreement.values().all(|agreement| agreement.good > 50), "hardly anything is good");
}

#[test]
fn a_case_is_the_same_each_time() {
    let forges = [1, 1, 2].map(|seed| Forge::new(seed, Corpus::default()));
    let [one, same, other] = forges.map(|forge| forge.case(Kind::Crl, 7).evidence);
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn no_explanation_explains_everything() {
    assert!(explain::lines().all(explain::Explanation::is_specific));
}
