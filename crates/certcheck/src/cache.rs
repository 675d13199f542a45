//! `certcheck cache`: the evidence that is cached between runs.

use std::io::Write as _;

use anyhow::{anyhow, bail};
use certcheck_core::crl::Crl;
use certcheck_core::revocation::{EvidenceRequest, OcspEvidence};
use certcheck_core::{Evidence, Policy, Revocation, Time, Verdict};
use certcheck_fetch::CheckReport;
use certcheck_fetch::store::{DiskStore, Entry, Store as _};
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::{CacheArguments, CacheClear, CacheCommand, CacheFolder, CachePrefetch, CacheShow};
use crate::json::{self, Document, kind_of};
use crate::numbers::counted;
use crate::text::{BAD, GOOD, QUIET, UNSURE, shown};
use crate::visible::{self, Visible};
use crate::{crl, input, network, ocsp, ring_files, setup};

#[derive(Serialize)]
struct EntryObject {
    key: String,
    kind: &'static str,
    url: String,
    bytes: u64,
    fetched_at: String,
    this_update: Option<String>,
    next_update: Option<String>,
    current: Option<bool>,
}

impl Document for EntryObject {
    const TYPE: &'static str = "cache-entry";
}

pub(crate) fn run(arguments: &CacheArguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        CacheCommand::List(folder) => list(folder),
        CacheCommand::Show(show) => show_one(show),
        CacheCommand::Clear(clear) => clear_some(clear),
        CacheCommand::Prefetch(prefetch) => fill(prefetch),
    }
}

/// The store, and a runtime to ask it in.
fn open(folder: &CacheFolder) -> anyhow::Result<(DiskStore, tokio::runtime::Runtime)> {
    let store = network::store(folder.cache_dir.as_deref(), false)?;
    Ok((store, tokio::runtime::Builder::new_current_thread().enable_all().build()?))
}

/// What is named: by its URL, its key, or the beginning of one.
fn find(entries: Vec<Entry>, what: &str) -> Vec<Entry> {
    let is_it = |entry: &Entry| {
        **entry.request.url() == *what || (what.len() >= 4 && entry.key.to_hex().starts_with(what))
    };
    entries.into_iter().filter(is_it).collect()
}

fn list(folder: &CacheFolder) -> anyhow::Result<Exit> {
    let (store, runtime) = open(folder)?;
    let now = setup::time(None);
    let entries = runtime.block_on(store.list())?;
    let mut out = crate::output::text();
    for entry in &entries {
        if folder.json {
            json::print(&reported(entry, now))?;
            continue;
        }
        let key = entry.key.to_hex();
        let until = match entry.next_update {
            Some(next) if next < now => format!("{UNSURE}stale since {next}{UNSURE:#}"),
            Some(next) => format!("until {next}"),
            None => "without nextUpdate".to_owned(),
        };
        let (kind, url) = (kind_of(&entry.request), shown(entry.request.url()));
        let short = key.get(..12).unwrap_or_default();
        writeln!(out, "{short}  {kind:<7} {:>10}  {until}  {url}", entry.bytes)?;
    }
    let total: u64 = entries.iter().map(|entry| entry.bytes).sum();
    visible::note(format_args!("{}, {total} bytes", counted(entries.len(), "entry")))?;
    Ok(Exit::Accepted)
}

fn reported(entry: &Entry, now: Time) -> EntryObject {
    EntryObject {
        key: entry.key.to_hex(),
        kind: kind_of(&entry.request),
        url: entry.request.url().to_string(),
        bytes: entry.bytes,
        fetched_at: entry.fetched_at.to_string(),
        this_update: entry.this_update.map(|time| time.to_string()),
        next_update: entry.next_update.map(|time| time.to_string()),
        current: entry.next_update.map(|next| next >= now),
    }
}

fn show_one(show: &CacheShow) -> anyhow::Result<Exit> {
    let (store, runtime) = open(&show.folder)?;
    let found = find(runtime.block_on(store.list())?, &show.what);
    if found.is_empty() {
        bail!("{}: not in the cache; `certcheck cache list` shows what is", show.what);
    }
    let (policy, now) = (Policy::client(Revocation::Off), setup::time(None));
    let is_json = show.folder.json;
    let mut worst = Exit::Accepted;
    for entry in found {
        if is_json {
            json::print(&reported(&entry, now))?;
        } else {
            let mut out = crate::output::text();
            let (kind, url) = (kind_of(&entry.request), shown(entry.request.url()));
            writeln!(
                out,
                "{kind} {url}  {QUIET}{}, fetched {}{QUIET:#}",
                entry.key.to_hex(),
                entry.fetched_at
            )?;
        }
        let Some(stored) = runtime.block_on(store.get(&entry.key))? else { continue };
        let url = entry.request.url();
        worst = worst.max(match &entry.request {
            EvidenceRequest::Crl { .. } => {
                let crl = Crl::parse(stored.body.bytes, url).map_err(|fault| anyhow!("{url}: {fault}"))?;
                crl::report_fetched(&crl, None, &policy, now, is_json)?
            }
            EvidenceRequest::Ocsp { .. } => {
                let response = OcspEvidence::parse(stored.body.bytes, url);
                let response = response.map_err(|fault| anyhow!("{url}: {fault}"))?;
                ocsp::report_fetched(&response, None, &policy, now, is_json)?
            }
            _ => Exit::Accepted,
        });
    }
    Ok(worst)
}

fn clear_some(clear: &CacheClear) -> anyhow::Result<Exit> {
    let (store, runtime) = open(&clear.folder)?;
    let entries = runtime.block_on(store.list())?;
    let now = setup::time(None);
    let chosen = match &clear.what {
        Some(what) => find(entries, what),
        None => entries,
    };
    for entry in &chosen {
        runtime.block_on(store.remove(&entry.key))?;
        if clear.folder.json {
            json::print(&reported(entry, now))?;
        }
    }
    visible::note(format_args!("{} removed", counted(chosen.len(), "entry")))?;
    Ok(Exit::Accepted)
}

fn fill(prefetch: &CachePrefetch) -> anyhow::Result<Exit> {
    if prefetch.network.no_cache {
        bail!("--no-cache leaves no cache to fill; use it without");
    }
    let ring = ring_files::load(&prefetch.ring, false)?;
    let now = setup::time(prefetch.at);
    let within = prefetch.network.timeout;
    let policy = Policy::client(Revocation::HardFail).with_purpose(certcheck_core::Purpose::Any);
    let engine = network::engine(&prefetch.network, true, ring, policy, Evidence::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut reports = runtime.block_on(engine.prefetch_ring(now, within));
    for path in &prefetch.inputs {
        let chain = input::certificates(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        reports.push(engine.check_blocking(&chain, now, within));
    }
    engine.flush_blocking();
    let mut out = crate::output::text();
    let mut worst = Exit::Accepted;
    for report in &reports {
        print_filled(&mut out, report)?;
        // Whether it is revoked is not the question here; whether that is known is.
        if report.verdict() == Verdict::Undetermined {
            worst = Exit::Undetermined;
        }
    }
    Ok(worst)
}

/// A certificate, whether its status is known now, and the sources that were tried for it.
fn print_filled(out: &mut impl std::io::Write, report: &CheckReport) -> std::io::Result<()> {
    let details = report.details();
    let view = details.view();
    let subject = view.path.first().map(|member| member.certificate.subject().to_string());
    let subject = subject.unwrap_or_else(|| "a certificate that cannot be parsed".to_owned());
    let subject = Visible(&subject);
    match (&view.reason, view.verdict) {
        (_, Verdict::Accept) => writeln!(out, "{GOOD}ready{GOOD:#}    {subject}")?,
        (Some(rejection), verdict) => {
            let (style, word) =
                if verdict == Verdict::Undetermined { (UNSURE, "missing") } else { (BAD, "rejected") };
            let sentence = view.sentence().unwrap_or_default();
            let code = rejection.reason.code();
            writeln!(out, "{style}{word:<8}{style:#} {subject}  {code}: {}", Visible(&sentence))?;
        }
        (None, _) => writeln!(out, "{UNSURE}missing{UNSURE:#}  {subject}")?,
    }
    for tried in report.sources() {
        let (kind, url) = (tried.kind.code(), shown(&tried.url));
        match (&tried.failure, tried.from) {
            (Some((cause, detail)), _) => {
                writeln!(out, "  {BAD}failed{BAD:#}  {kind} {url}  {}: {}", cause.code(), Visible(detail))?;
            }
            (None, from) => {
                let from = from.map_or("nowhere", certcheck_fetch::Origin::code);
                writeln!(out, "  {kind} {url}  {QUIET}{} bytes from {from}{QUIET:#}", tried.bytes)?;
            }
        }
    }
    Ok(())
}
