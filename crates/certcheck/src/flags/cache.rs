//! `certcheck cache`.

use std::path::PathBuf;

use certcheck_core::Time;
use clap::{Args, Subcommand};

use super::network::NetworkArguments;
use super::when::parse_time;

const CACHE_EXAMPLES: &str = "\
Examples:
  certcheck cache list
  certcheck cache show http://crl.example/ca.crl
  certcheck cache clear
  certcheck cache prefetch --ring keyring/ client.pem";

#[derive(Args, Debug)]
#[command(after_help = CACHE_EXAMPLES)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

impl CacheArguments {
    pub(super) const fn is_json(&self) -> bool {
        match &self.command {
            CacheCommand::List(folder) => folder.json,
            CacheCommand::Show(show) => show.folder.json,
            CacheCommand::Clear(clear) => clear.folder.json,
            CacheCommand::Prefetch(prefetch) => prefetch.json,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// List what is in the cache, one line each.
    List(CacheFolder),
    /// Show everything about one entry, by key or URL.
    Show(CacheShow),
    /// Remove entries: all, or those of a key or URL.
    Clear(CacheClear),
    /// Fetch the evidence about every CA of a ring, and about certificates.
    Prefetch(Box<CachePrefetch>),
}

#[derive(Args, Debug)]
pub(crate) struct CacheFolder {
    /// Where evidence is kept [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CacheShow {
    /// A key as `list` shows it, its beginning, or a URL.
    #[arg(value_name = "KEY|URL")]
    pub(crate) what: String,

    #[command(flatten)]
    pub(crate) folder: CacheFolder,
}

#[derive(Args, Debug)]
pub(crate) struct CacheClear {
    /// A key as `list` shows it, its beginning, or a URL [default: all entries].
    #[arg(value_name = "KEY|URL")]
    pub(crate) what: Option<String>,

    #[command(flatten)]
    pub(crate) folder: CacheFolder,
}

#[derive(Args, Debug)]
pub(crate) struct CachePrefetch {
    /// Key ring.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Certificates whose evidence is fetched too.
    #[arg(value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Check as of this time: RFC 3339, a date such as 2027-01-01 (midnight UTC), or relative: now+1d, +1d, -2h [default:
    /// now].
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}
