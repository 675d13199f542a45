//! The command line, as clap reads it.

mod bench;
mod cache;
mod config;
mod documents;
mod evidence;
mod fetch;
mod global;
mod lab;
mod mirror;
mod network;
mod output;
mod policy;
mod ring;
mod serve;
mod verify;
mod watch;
mod when;

use certcheck_core::Time;
use clap::{Args, Parser, Subcommand};
pub(crate) use watch::WatchArguments;
use when::parse_time;

pub(crate) use bench::BenchArguments;
pub(crate) use cache::{CacheArguments, CacheClear, CacheCommand, CacheFolder, CachePrefetch, CacheShow};
pub(crate) use config::{ConfigArguments, VersionArguments};
pub(crate) use documents::{CompletionsArguments, ManualArguments, SchemaArguments, SchemaCommand};
pub(crate) use evidence::{CrlArguments, OcspArguments, SerialFlag, magnitude};
pub(crate) use fetch::{FetchArguments, FetchKind};
pub(crate) use global::{ColorFlag, GlobalArguments};
pub(crate) use lab::{LabArguments, LabCommand, LabFault, LabProxy, LabSource};
pub(crate) use mirror::MirrorArguments;
pub(crate) use network::{NetworkArguments, ProxyFlag, ReachArguments};
pub(crate) use output::FormatFlag;
pub(crate) use policy::{PolicyArguments, PolicyCheck, PolicyCommand, PolicyConvert, PolicyFile, PolicyText};
pub(crate) use ring::RingArguments;
pub(crate) use serve::{AtTlsArguments, ProxyProtocolFlag, QuickArguments, ServeArguments};
pub(crate) use verify::{
    NonceFlag, OrderFlag, PurposeFlag, RevocationFlag, ScopeFlag, Switch, VerifyArguments,
};

/// Is this client certificate still good, right now?
#[derive(Debug, Parser)]
#[command(name = "certcheck", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) global: GlobalArguments,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  accepted
  1  rejected
  2  wrong usage, or an input that cannot be read
  3  undetermined: the path is good, the revocation status is unknown
For several inputs the worst counts: 2, then 1, then 3.

The answer goes to standard output, everything else to standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check certificates: path, purpose, revocation.
    Verify(Box<VerifyArguments>),
    /// Show what a key ring holds: paths, weak keys and signatures, expiry dates.
    Ring(RingArguments),
    /// Show a CRL: what it says, who signed it, whether it lists a certificate, what changed.
    Crl(CrlArguments),
    /// Show an OCSP response: what it says, who signed it, what it means for a certificate.
    Ocsp(OcspArguments),
    /// Fetch evidence now, verify it, and show it.
    Fetch(Box<FetchArguments>),
    /// Show, fill or clear the cache of evidence.
    Cache(CacheArguments),
    /// Watch the sources of a ring: which are stale, unreachable or about to expire.
    Watch(Box<WatchArguments>),
    /// Measure revocation checks of a certificate: each source, and the whole decision.
    Bench(Box<BenchArguments>),
    /// Serve mutual TLS in front of any service, and pass plain bytes on to it.
    Serve(Box<ServeArguments>),
    /// Mirror CRLs and OCSP responses for the other machines of a site, certcheck or not.
    Mirror(Box<MirrorArguments>),
    /// Run a local PKI with CRLs, OCSP and a TLS service, to try things out.
    Lab(LabArguments),
    /// Check, explain and convert AT-TLS policies of z/OS.
    Policy(PolicyArguments),
    /// Show which settings hold and where each comes from.
    Config(ConfigArguments),
    /// Print the version and what this build can do.
    Version(VersionArguments),
    /// Print the JSON Schema of the objects that --json prints.
    Schema(SchemaArguments),
    /// Print shell completions.
    Completions(CompletionsArguments),
    /// Write the manual pages into a folder.
    Manual(ManualArguments),
    /// Print the page docs/cli.md.
    #[command(hide = true)]
    Reference,
}

impl Command {
    /// Whether standard output is for JSON alone, errors included.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            // It prints a line for each input and no other: an error that stops it is on standard error.
            Self::Verify(_) => false,
            Self::Ring(arguments) => arguments.json,
            Self::Crl(arguments) => arguments.json,
            Self::Ocsp(arguments) => arguments.json,
            Self::Fetch(arguments) => arguments.json,
            Self::Cache(arguments) => arguments.is_json(),
            Self::Watch(arguments) => arguments.output.is_json(),
            Self::Bench(arguments) => arguments.json,
            Self::Lab(arguments) => arguments.json,
            Self::Policy(arguments) => arguments.command.is_json(),
            Self::Config(arguments) => arguments.json,
            Self::Version(arguments) => arguments.json,
            Self::Serve(_)
            | Self::Mirror(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Manual(_)
            | Self::Reference => false,
        }
    }
}

/// What evidence and certificates are checked by, for commands without a whole policy.
#[derive(Args, Clone, Debug)]
pub(crate) struct AskedArguments {
    /// Accept signatures with SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// Check as of this time: RFC 3339, a date such as 2027-01-01 (midnight UTC), or relative: now+1d, +1d, -2h [default:
    /// now].
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,
}
