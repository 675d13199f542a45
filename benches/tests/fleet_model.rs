//! Fleets in virtual time: the laws hold whatever fails, and a defect breaks the law that it is against.

use certcheck_benches::fleet_model::{Defect, Law, Mode, Setup, run};

/// A small fleet for two days, with short-lived evidence and all faults.
fn small(mode: Mode, seed: u64) -> Setup {
    Setup {
        crls: 4,
        validity_hours: 4,
        period_hours: 2,
        extra_changes: 40,
        has_faults: true,
        ..Setup::new(mode, 12, 2, seed)
    }
}

#[test]
fn laws_hold_whatever_fails() {
    for mode in Mode::ALL {
        for seed in 0..20 {
            // In every other run the origin says when there may be something newer.
            let max_age = (seed % 2 == 1).then_some(900);
            let figures =
                run(Setup { max_age, ..small(mode, seed) }).unwrap_or_else(|broken| panic!("{broken}"));
            let decided = figures.split.good + figures.split.revoked;
            assert!(decided > 1_000 && figures.complete > 20, "{mode:?}, seed {seed}: {figures:?}");
        }
    }
}

#[test]
fn a_seed_is_a_run() {
    for mode in Mode::ALL {
        let of = |seed| run(small(mode, seed)).unwrap_or_else(|broken| panic!("{broken}"));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7).digest, of(8).digest);
    }
}

#[test]
fn each_law_finds_the_defect_against_it() {
    for (mode, defect, law) in [
        (Mode::Alone, Defect::TakesOlder, Law::NoRollback),
        (Mode::Store, Defect::TakesOlder, Law::NoRollback),
        (Mode::Mirror, Defect::ForgetsRevoked, Law::NoGoodThoughRevoked),
        (Mode::Alone, Defect::UsesEnded, Law::NothingEnded),
        (Mode::Mirror, Defect::OnlyAsksHub, Law::OriginIsEnough),
        (Mode::Store, Defect::OnlyAsksHub, Law::OriginIsEnough),
        (Mode::Mirror, Defect::NeverRenews, Law::ReachesAll),
        (Mode::Store, Defect::NeverRenews, Law::ReachesAll),
    ] {
        let found = (0..20).any(|seed| {
            let broken = run(Setup { defect: Some(defect), max_age: Some(900), ..small(mode, seed) }).err();
            broken.is_some_and(|broken| broken.law == law && !broken.last.is_empty())
        });
        assert!(found, "{mode:?} {defect:?}");
    }
}
