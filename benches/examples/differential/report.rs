//! The page that the run writes.

use std::fmt::Write as _;

use crate::run::Tally;

pub(crate) fn page(tally: &Tally, seed: u64, found: &str) -> String {
    let mut page = String::new();
    for ((kind, oracle), agreement) in &tally.agreement {
        writeln!(
            page,
            "{} {}: good {} revoked {} refused {} differ {:?}",
            kind.name(),
            oracle.name(),
            agreement.good,
            agreement.revoked,
            agreement.refused,
            agreement.differ
        )
        .unwrap();
    }
    writeln!(page, "{seed} {found}").unwrap();
    page
}
