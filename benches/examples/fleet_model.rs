//! A fleet in virtual time, by each way to get evidence:
//! `cargo run --release -p certcheck-benches --example fleet_model -- NODES DAYS SEED [CRLS [CHANGES [FAULTS [MAX_AGE]]]]`.
//!
//! There are 50 CRLs of 4.62 MB each, or as many as CRLS says. Each has a new version a day; CHANGES are further ones a day,
//! of all CRLs together. With FAULTS of 1 nodes, origin, network and clocks fail. With MAX_AGE the origin says for how many
//! seconds it has nothing newer.
//! A law that is broken ends the run, with the seed and the last events.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::time::Instant;

use certcheck_benches::fleet_model::{Decisions, Mode, Setup, Spread, run};

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).map(|number| number.parse().unwrap()).collect();
    let number = |at: usize, usual: u64| arguments.get(at).copied().unwrap_or(usual);
    let (nodes, days, seed) = (number(0, 100) as u32, number(1, 7) as u32, number(2, 1));
    println!(
        "| evidence | origin GB/day | inside GB/day | publication to last node: median, p99, max | first node to last: median, p99, max | complete | run |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut decided = Vec::new();
    for mode in Mode::ALL {
        let setup = Setup {
            crls: number(3, 50) as u16,
            bytes: number(3, 50) * 4_620_000,
            extra_changes: number(4, 0) as u32,
            has_faults: number(5, 0) == 1,
            max_age: arguments.get(6).map(|age| *age as u32),
            // About as many decisions in all, whatever the number of nodes.
            decide_every: (nodes / 4).max(60),
            ..Setup::new(mode, nodes, days, seed)
        };
        let begun = Instant::now();
        let figures = match run(setup) {
            Ok(figures) => figures,
            Err(broken) => {
                println!("{broken}");
                std::process::exit(1);
            }
        };
        println!(
            "| {} | {:.2} | {:.2} | {} | {} | {} of {} | {:.0} s |",
            mode.name(),
            figures.origin_bytes as f64 / 1e9,
            figures.inside_bytes as f64 / 1e9,
            times(&figures.to_last),
            times(&figures.first_to_last),
            figures.complete,
            figures.published,
            begun.elapsed().as_secs_f64(),
        );
        decided.push((mode, figures.whole, figures.split));
    }
    println!(
        "\n| evidence | good | good, revoked since | revoked | refused: unknown | while split: the same four |"
    );
    println!("|---|---|---|---|---|---|");
    for (mode, whole, split) in decided {
        println!("| {} | {} | {} |", mode.name(), kinds(&whole), kinds(&split).replace(" |", ","));
    }
}

fn kinds(decisions: &Decisions) -> String {
    let Decisions { good, late, revoked, unknown, .. } = decisions;
    format!("{good} | {late} | {revoked} | {unknown}")
}

fn times(spread: &Spread) -> String {
    let one = |time: u64| match time {
        0..1_000 => format!("{time} ms"),
        1_000..120_000 => format!("{:.1} s", time as f64 / 1e3),
        120_000..7_200_000 => format!("{:.0} min", time as f64 / 6e4),
        _ => format!("{:.1} h", time as f64 / 3.6e6),
    };
    format!("{}, {}, {}", one(spread.median), one(spread.p99), one(spread.max))
}
