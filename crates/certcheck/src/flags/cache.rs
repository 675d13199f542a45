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
            CacheCommand::Prefetch(_) => false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Tell what is kept, a line each.
    List(CacheFolder),
    /// Tell all about what is kept under a key, or of a URL.
    Show(CacheShow),
    /// Forget what is kept: all of it, or of a URL.
    Clear(CacheClear),
    /// Get the evidence about every CA of a ring, and about certificates.
    Prefetch(Box<CachePrefetch>),
}

#[derive(Args, Debug)]
pub(crate) struct CacheFolder {
    /// Where evidence is kept [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CacheShow {
    /// A key as `list` tells it, or its beginning, or a URL.
    #[arg(value_name = "KEY|URL")]
    pub(crate) what: String,

    #[command(flatten)]
    pub(crate) folder: CacheFolder,
}

#[derive(Args, Debug)]
pub(crate) struct CacheClear {
    /// A key as `list` tells it, or its beginning, or a URL. All without.
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

    /// Certificates whose evidence is got too.
    #[arg(value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// The time to ask about: RFC 3339, a date such as 2027-01-01 (midnight UTC), or from now, such as +1d or -2h. Now by
    /// default.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}
