//! What a CRL says, for people.

use std::io::{self, Write};

use certcheck_core::der::ViewFault;

use super::diff::Diff;
use super::facts::{CrlObject, FindObject, PointObject};
use super::listed::{EntryObject, Listed};
use crate::numbers::counted;
use crate::signer;
use crate::text::{BAD, GOOD, QUIET};
use crate::visible::Visible;

/// A paragraph.
pub(super) fn print(crl: &CrlObject<'_>, limit: usize) -> anyhow::Result<()> {
    let mut out = crate::output::text();
    let number = crl.number.as_ref().map_or_else(String::new, |number| format!(" {number}"));
    writeln!(out, "{}: {} CRL{number}", crl.issuer, crl.kinds.join(" "))?;
    let CrlObject { input, bytes, memory_bytes: memory, version, .. } = crl;
    let input = Visible(input);
    writeln!(out, "  {QUIET}{input}, {bytes} bytes, {memory} bytes of memory in addition{QUIET:#}")?;
    writeln!(out, "  version {version}, {}", crl.signature_algorithm.shown())?;
    if let Some(base) = &crl.base_number {
        writeln!(out, "  changes since CRL {base}")?;
    }
    if let Some(point) = &crl.distribution_point {
        print_point(&mut out, point)?;
    }
    let (style, word) = signer::currency(crl.cause);
    let next = crl.next_update.as_deref().unwrap_or("none");
    writeln!(out, "  this update {}, next update {next}: {style}{word}{style:#}", crl.this_update)?;
    let reasons: Vec<_> = crl
        .reasons
        .each()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let colon = if reasons.is_empty() { "" } else { ": " };
    writeln!(out, "  {}{colon}{}", counted(crl.entry_count, "entry"), reasons.join(", "))?;
    if !crl.freshest_crl.is_empty() {
        writeln!(out, "  deltas at {}", crl.freshest_crl.join(", "))?;
    }
    if let Some(signature) = &crl.signature {
        signature.print(&mut out)?;
    }
    if let Some(find) = &crl.find {
        print_find(&mut out, find)?;
    }
    if let Some(diff) = &crl.diff {
        print_diff(&mut out, diff, limit)?;
    }
    Ok(())
}

fn print_point(out: &mut impl Write, point: &PointObject) -> io::Result<()> {
    let mut parts = Vec::new();
    if !point.names.is_empty() {
        parts.push(format!("named {}", point.names.join(", ")));
    }
    if let Some(only) = point.only {
        parts.push(format!("only {only} certificates"));
    }
    if let Some(reasons) = &point.only_some_reasons {
        parts.push(format!("only revocations for {}", reasons.join(", ")));
    }
    if point.indirect {
        parts.push("also certificates of other issuers".to_owned());
    }
    if parts.is_empty() { Ok(()) } else { writeln!(out, "  covers: {}", parts.join("; ")) }
}

fn print_find(out: &mut impl Write, find: &FindObject) -> io::Result<()> {
    if !find.listed {
        return writeln!(out, "  {GOOD}not listed{GOOD:#}: {}", find.serial);
    }
    find.entries.iter().try_for_each(|entry| writeln!(out, "  {BAD}listed{BAD:#}: {}", line(entry)))
}

fn line(entry: &EntryObject) -> String {
    let EntryObject { serial, revoked_at, revocation_reason, .. } = entry;
    let mut line = format!("{serial} revoked {revoked_at}, {revocation_reason}");
    if let Some(since) = &entry.invalid_since {
        line = format!("{line}, invalid since {since}");
    }
    match &entry.certificate_issuer {
        Some(issuer) => format!("{line}, of {issuer}"),
        None => line,
    }
}

fn print_diff(out: &mut impl Write, diff: &Diff<'_>, limit: usize) -> anyhow::Result<()> {
    let Diff { added, removed, .. } = diff;
    let old = diff.old();
    writeln!(out, "  since {} of {}: {added} added, {removed} removed", old.source(), old.this_update())?;
    print_some(out, "+", diff.added(), *added, limit)?;
    print_some(out, "-", diff.removed(), *removed, limit)
}

fn print_some<'a>(
    out: &mut impl Write,
    mark: &str,
    entries: impl Iterator<Item = Result<Listed<'a>, ViewFault>>,
    count: usize,
    limit: usize,
) -> anyhow::Result<()> {
    for entry in entries.take(limit.min(count)) {
        writeln!(out, "    {mark} {}", line(&EntryObject::from(&entry?)))?;
    }
    if count > limit {
        writeln!(out, "    {QUIET}{mark} {} more{QUIET:#}", count - limit)?;
    }
    Ok(())
}
