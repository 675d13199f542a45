//! The page that the run writes.

use std::fmt::Write as _;

use crate::case::{Direction, Kind, Oracle};
use crate::explain::{Stricter, lines};
use crate::run::Tally;

const BEGINNING: &str = "\
# Differential run

certcheck is compared with two other implementations, with certificates, CRLs and OCSP responses that are broken on purpose. The run generates a
PKI of many shapes, and with `CERTCHECK_CORPORA` it uses content from real documents too. It changes the signed part in one to three ways
(bytes, tags, lengths, elements dropped, doubled or swapped, extensions, criticality, times, identifiers, integers, BOOLEANs, unused
bits, nesting) and **signs it again with the right key**, so that the content is tested and not the signature. A tenth has bytes
flipped after that.

The questions, at 2027-01-02T00:00:00Z:

- for a certificate: is the path of leaf, CA and anchor valid for a TLS client, with revocation off;
- for a CRL: is the leaf good or revoked by this CRL, or can the CRL not be used (a complete path, hard-fail);
- for a response: the same, with only this response (OpenSSL: `OCSP_basic_verify`, then `OCSP_resp_find_status`; webpki has none).

If two results differ, the run looks up the reason in a table, by the error message and by properties of the bytes. **A difference that
is not in the table fails the run.** The run writes this page:

```text
cargo run --release -p certcheck-benches --features openssl --example differential -- 50000,30000,20000 1 --write docs/differential.md
```

The same comparison is a test, with only webpki and fewer cases: `cargo test -p certcheck-benches --test differential`.

";

pub(crate) fn page(tally: &Tally, seed: u64, found: &str) -> String {
    let mut page = BEGINNING.to_owned();
    figures(&mut page, tally, seed, found).unwrap();
    let sections = [
        (
            Stricter::They,
            "Where the other is stricter",
            "*Only we accept*: here a mistake of ours would be dangerous. An example of nearly every line was examined by hand. What OpenSSL does internally is concluded from its results.",
        ),
        (
            Stricter::Neither,
            "Good against revoked",
            "Both accept the evidence, with opposite results. In each case we say revoked.",
        ),
        (Stricter::We, "Where we are stricter", "By design: ambiguous data is refused."),
    ];
    for (stricter, title, about) in sections {
        table(&mut page, tally, (stricter, title, about)).unwrap();
    }
    page
}

fn figures(page: &mut String, tally: &Tally, seed: u64, found: &str) -> std::fmt::Result {
    let total: u64 = tally.asked.values().sum();
    let asked = |kind: &Kind| tally.asked.get(kind).copied().unwrap_or(0);
    let [certificates, crls, responses] = Kind::ALL.map(|kind| asked(&kind));
    writeln!(page, "## Figures\n")?;
    writeln!(
        page,
        "Seed {seed}; {total} cases: {certificates} certificates, {crls} CRLs, {responses} OCSP responses. Put in: {found}. {}.\n",
        versions()
    )?;
    writeln!(page, "| | compared with | both good | both revoked | both refuse | agree | differ |")?;
    writeln!(page, "|---|---|---|---|---|---|---|")?;
    for ((kind, oracle), agreement) in &tally.agreement {
        let differ: u64 = agreement.differ.iter().sum();
        let agree = agreement.good + agreement.revoked + agreement.refused;
        let (good, revoked, refused) = (agreement.good, agreement.revoked, agreement.refused);
        let of_thousand = agree * 1000 / (agree + differ).max(1);
        let share = format!("{}.{} %", of_thousand / 10, of_thousand % 10);
        let (kind, oracle) = (kind.name(), oracle.name());
        writeln!(page, "| {kind} | {oracle} | {good} | {revoked} | {refused} | {share} | {differ} |")?;
    }
    let unexplained: u64 = tally.unexplained.values().map(|unexplained| unexplained.count).sum();
    writeln!(page, "\nWithout an explanation: {unexplained}.\n")?;
    writeln!(page, "How they differ:\n")?;
    writeln!(page, "| | compared with |{}", Direction::ALL.map(|way| format!(" {} |", way.name())).concat())?;
    writeln!(page, "|---|---|{}", "---|".repeat(Direction::ALL.len()))?;
    for ((kind, oracle), agreement) in &tally.agreement {
        let counts = agreement.differ.map(|count| format!(" {count} |")).concat();
        writeln!(page, "| {} | {} |{counts}", kind.name(), oracle.name())?;
    }
    Ok(())
}

fn table(page: &mut String, tally: &Tally, section: (Stricter, &str, &str)) -> std::fmt::Result {
    let (stricter, title, about) = section;
    writeln!(page, "\n## {title}\n\n{about}\n")?;
    writeln!(page, "| of | compared with | how often | why | clause |")?;
    writeln!(page, "|---|---|---|---|---|")?;
    for (at, line) in lines().enumerate().filter(|(_, line)| line.stricter == stricter) {
        for oracle in [Oracle::OpenSsl, Oracle::Webpki] {
            let counted =
                |way: &Direction| tally.explained.get(&(at, oracle, *way)).map(|count| (way.name(), *count));
            let counts: Vec<(&str, u64)> = Direction::ALL.iter().filter_map(counted).collect();
            if counts.is_empty() {
                continue;
            }
            let counts =
                counts.iter().map(|(way, count)| format!("{way}: {count}")).collect::<Vec<_>>().join("; ");
            let kinds = line.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            writeln!(page, "| {kinds} | {} | {counts} | {} | {} |", oracle.name(), line.text, line.clause)?;
        }
    }
    Ok(())
}

fn versions() -> String {
    let webpki = "rustls-webpki 0.103.17";
    #[cfg(feature = "openssl")]
    let text = format!("{}, {webpki}", crate::openssl::OpenSsl::version());
    #[cfg(not(feature = "openssl"))]
    let text = webpki.to_owned();
    text
}
