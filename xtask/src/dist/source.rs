//! The source as one file, and the Homebrew formula that builds from it.

use std::fs;

use anyhow::{Result, bail};

use super::archive::gzip;
use super::{Dist, Outcome, sums};
use crate::command;

const FORMULA: &str = "packaging/homebrew/certcheck.rb";

pub(super) fn make(dist: &Dist<'_>) -> Result<Outcome> {
    let name = format!("certcheck-{}", dist.version);
    let mut archive = dist.workspace.git();
    // Its entries have the time of the commit.
    archive.args(["archive", "--format=tar", &format!("--prefix={name}/"), "HEAD"]);
    let source = gzip(&command::output(&mut archive)?)?;
    let file = dist.file(&format!("{name}-src.tar.gz"));
    fs::write(&file, &source)?;

    let formula = with_sum(&dist.workspace.read(FORMULA)?, &sums::sha256(&source))?;
    let formula_file = dist.file("certcheck.rb");
    fs::write(&formula_file, formula)?;
    let tried = "the committed files; the formula has the SHA-256 of the source".to_owned();
    Ok(Outcome::Made { files: vec![file, formula_file], tried })
}

/// Returns the formula with this SHA-256 in place of the zeros.
pub(crate) fn with_sum(formula: &str, sum: &str) -> Result<String> {
    let zeros = "0".repeat(64);
    if formula.matches(&zeros).count() != 1 {
        bail!("{FORMULA}: there must be one SHA-256 of zeros");
    }
    Ok(formula.replace(&zeros, sum))
}

#[cfg(test)]
mod tests {
    use super::{FORMULA, with_sum};
    use crate::workspace::Workspace;

    #[test]
    fn the_formula_takes_the_sum_of_the_source() {
        let formula = Workspace::load().unwrap().read(FORMULA).unwrap();
        let sum = "a1".repeat(32);
        assert!(with_sum(&formula, &sum).unwrap().contains(&format!("sha256 \"{sum}\"")));
        assert!(with_sum("class Certcheck < Formula\nend\n", &sum).is_err());
    }
}
