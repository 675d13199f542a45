//! `certcheck cache`: the evidence that is cached between runs.

mod prefetch;

use std::io::Write as _;

use anyhow::{anyhow, bail};
use certcheck_core::crl::Crl;
use certcheck_core::revocation::{EvidenceRequest, OcspEvidence};
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::store::{DiskStore, Entry, Store as _};
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::{CacheArguments, CacheClear, CacheCommand, CacheFolder, CacheShow};
use crate::json::{self, Document, kind_of};
use crate::numbers::counted;
use crate::text::{QUIET, UNSURE, shown};
use crate::{crl, network, ocsp, setup, visible};

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
        CacheCommand::Prefetch(arguments) => prefetch::run(arguments),
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
