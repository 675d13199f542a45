//! Certificates, CRLs and OCSP responses that were changed somewhere and signed again, put to certcheck, rustls-webpki and
//! OpenSSL: `cargo run --release -p certcheck-benches --features openssl --example differential -- [COUNT [SEED [FILE.md]]]`.
//!
//! Whatever they disagree about has an explanation, or the run fails.
#![allow(unsafe_code, missing_docs, clippy::unwrap_used, reason = "a measurement, of a C library too")]

mod explain;
mod mutate;
mod ours;
mod peers;
mod seeds;

use std::collections::BTreeMap;

use explain::{Kind, Peer};
use ours::Ours;
use peers::{OpenSsl, Webpki};
use seeds::Seeds;

/// When everything is asked: 2027-01-02.
pub(crate) const NOW: i64 = 1_798_848_000;

/// An answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Said {
    Good,
    Revoked,
    /// Not good, and why.
    Refused(String),
}

impl Said {
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Refused(_) => "refused",
        }
    }

    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Refused(why) => why,
            _ => "",
        }
    }
}

/// A way to disagree: of what, with whom, what was said.
type Disagreement = (Kind, Peer, Said, Said);

#[derive(Default)]
struct Tally {
    asked: BTreeMap<(Kind, Peer), [u64; 2]>,
    /// How often, and octets to look at.
    found: BTreeMap<Disagreement, (u64, Vec<u8>)>,
}

impl Tally {
    fn compare(&mut self, kind: Kind, peer: Peer, ours: &Said, theirs: &Said, der: &[u8]) {
        let [all, agreed] = self.asked.entry((kind, peer)).or_default();
        *all += 1;
        if ours.word() == theirs.word() {
            *agreed += 1;
            return;
        }
        let key = (kind, peer, without_values(ours), without_values(theirs));
        self.found.entry(key).or_insert_with(|| (0, der.to_vec())).0 += 1;
    }
}

/// What differs from case to case is no other reason.
fn without_values(said: &Said) -> Said {
    let Said::Refused(why) = said else { return said.clone() };
    let mut out = String::new();
    for word in why.split(' ') {
        let has_digit = word.bytes().any(|octet| octet.is_ascii_digit());
        let word = if has_digit || !word.is_ascii() || word.len() > 40 { "#" } else { word };
        if !(word == "#" && out.ends_with("# ")) {
            out.push_str(word);
            out.push(' ');
        }
    }
    Said::Refused(out.trim_end().to_owned())
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().map_or(100_000, |text| text.parse().unwrap());
    let seed: u64 = arguments.next().map_or(1, |text| text.parse().unwrap());
    let file = arguments.next();
    let mut random = fastrand::Rng::with_seed(seed);
    let seeds = Seeds::new();
    let (ours, webpki, openssl) =
        (Ours::new(&seeds.root), Webpki::new(&seeds.root), OpenSsl::new(&seeds.root));
    let mut tally = Tally::default();
    for _ in 0..count / 2 {
        let chain = seeds.chain(&mut random);
        let der = [&chain.leaf[..], &chain.ca, &seeds.root].concat();
        let said = ours.path(&chain.leaf, &chain.ca);
        tally.compare(Kind::Path, Peer::Webpki, &said, &webpki.path(&chain.leaf, &chain.ca), &der);
        tally.compare(Kind::Path, Peer::OpenSsl, &said, &openssl.path(&chain.leaf, &chain.ca), &der);
    }
    let (leaf, ca) = (&seeds.leaf[..], &seeds.ca[..]);
    for _ in 0..count * 3 / 10 {
        let crl = seeds.crl(&mut random);
        let said = ours.crl(leaf, ca, &crl);
        tally.compare(Kind::Crl, Peer::Webpki, &said, &webpki.crl(leaf, ca, &crl), &crl);
        tally.compare(Kind::Crl, Peer::OpenSsl, &said, &openssl.crl(leaf, ca, &crl), &crl);
    }
    for _ in 0..count / 5 {
        let response = seeds.response(&mut random);
        let said = ours.ocsp(leaf, ca, &response);
        tally.compare(Kind::Ocsp, Peer::OpenSsl, &said, &openssl.ocsp(leaf, ca, &response), &response);
    }
    let page = explain::page(&tally.asked, &tally.found, count, seed);
    if let Some(file) = file {
        std::fs::write(file, &page.text).unwrap();
    }
    println!("{}", page.text);
    for ((kind, peer, ours, theirs), (count, der)) in page.unexplained {
        let (what, than) = (ours.word(), theirs.word());
        println!(
            "UNEXPLAINED {count} {kind:?} {peer:?}: we {what} ({}), it {than} ({})",
            ours.why(),
            theirs.why()
        );
        if std::env::var_os("HEX").is_some() {
            println!("  {}", der.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        }
    }
    std::process::exit(i32::from(page.has_unexplained));
}
