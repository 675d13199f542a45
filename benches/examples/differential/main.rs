//! certcheck beside OpenSSL and rustls-webpki over mutated certificates, CRLs and OCSP responses.
//!
//! `cargo run --release -p certcheck-benches --features openssl --example differential -- [COUNT] [SEED] [--write FILE]`:
//! COUNT is of each kind, or three numbers with commas. Whatever differs and is not explained is printed, saved below
//! `target/differential`, and fails the run.
#![allow(clippy::unwrap_used, reason = "an experiment")]

mod case;
mod corpus;
mod explain;
mod facts;
mod forge;
mod mutate;
#[cfg(feature = "openssl")]
mod openssl;
mod ours;
mod report;
mod run;
mod table;
mod tree;
mod webpki;

use std::path::Path;
use std::process::ExitCode;

use case::{Case, Kind};
use corpus::Corpus;
use forge::Forge;
use run::{Judges, Tally};

/// What is asked for.
struct Wish {
    counts: Vec<u64>,
    seed: u64,
    write: Option<String>,
    /// One case alone, of this kind and number.
    only: Option<(Kind, u64)>,
}

impl Wish {
    fn read() -> Self {
        let mut wish = Self { counts: vec![2_000; 3], seed: 1, write: None, only: None };
        let mut arguments = std::env::args().skip(1);
        let mut place = 0;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--write" => wish.write = arguments.next(),
                "--only" => {
                    let kind: usize = arguments.next().unwrap().parse().unwrap();
                    wish.only = Some((Kind::ALL[kind], arguments.next().unwrap().parse().unwrap()));
                }
                text if place == 0 => {
                    let counts: Vec<u64> = text.split(',').map(|count| count.parse().unwrap()).collect();
                    wish.counts = if counts.len() == 3 { counts } else { vec![counts[0]; 3] };
                    place = 1;
                }
                text => wish.seed = text.parse().unwrap(),
            }
        }
        wish
    }
}

fn main() -> ExitCode {
    let wish = Wish::read();
    let corpus = Corpus::from_environment();
    println!("found: {}", corpus.describe());
    let found = corpus.describe();
    let forge = Forge::new(wish.seed, corpus);
    let judges = Judges::new(&forge.case(Kind::Certificate, 0).root);
    if let Some((kind, number)) = wish.only {
        report(&forge.case(kind, number), &judges);
        return ExitCode::SUCCESS;
    }
    let mut tally = Tally::default();
    for (kind, count) in Kind::ALL.into_iter().zip(&wish.counts) {
        tally.run(&forge, &judges, kind, 0..*count);
    }
    let page = report::page(&tally, wish.seed, &found);
    match &wish.write {
        Some(file) => std::fs::write(file, page).unwrap(),
        None => println!("{page}"),
    }
    print!("{}", tally.puzzles());
    if tally.unexplained.is_empty() {
        return ExitCode::SUCCESS;
    }
    let folder = Path::new("target/differential");
    for unexplained in tally.unexplained.values() {
        let case = &unexplained.case;
        save(&folder.join(format!("{:?}-{}-{}", case.kind, wish.seed, unexplained.number)), case);
    }
    println!("{} without an explanation, saved in {}", tally.unexplained.len(), folder.display());
    ExitCode::FAILURE
}

fn save(folder: &Path, case: &Case) {
    std::fs::create_dir_all(folder).unwrap();
    let files = [
        ("leaf.der", &case.leaf),
        ("ca.der", &case.ca),
        ("root.der", &case.root),
        ("evidence.der", &case.evidence),
    ];
    for (name, der) in files.into_iter().filter(|(_, der)| !der.is_empty()) {
        std::fs::write(folder.join(name), der).unwrap();
    }
}

fn report(case: &Case, judges: &Judges) {
    println!("changed: {}", case.changes);
    let ours = judges.ours(case);
    println!("certcheck: {:?} {}", ours.word, ours.why);
    for (oracle, answer) in judges.others(case) {
        println!("{}: {:?} {}", oracle.name(), answer.word, answer.why);
    }
    save(Path::new("target/differential/only"), case);
}
