//! `certcheck watch`.

use std::path::PathBuf;

use clap::Args;

use super::AskedArguments;
use super::network::LiveArguments;
use super::when::{parse_days, parse_hours};

const WATCH_EXAMPLES: &str = "\
Examples:
  certcheck watch --ring keyring/
  certcheck watch client.pem --ring keyring/ --soon 12
  certcheck watch --ring keyring/ --json
  certcheck watch --ring keyring/ --prometheus /var/lib/node_exporter/certcheck.prom

The sources are those that the CAs of the ring name, and where their CRLs say that deltas are.
Where clients name others, as they do where a CRL tells of them, give one client of each CA. A
source that several certificates name is asked once and judged for each: the worst is told.
Nothing kept between runs is looked at.

A CA to which no path is good has no sources that anyone would ask; it is told as bad, with the
reason. So is a CERT, one that cannot be read too, and the rest is watched all the same. Evidence
that is past its nextUpdate is stale here, though checks take it for as long as clocks may differ.

Exit codes: 0 all is well, 1 something is unreachable, stale, not to be believed, expired, revoked
or without a good path, 2 usage or an unreadable CERT, 3 something will be, soon, or a certificate
names no source, so that there is nothing to watch. Of several the worst counts: 2, then 1, then 3.";

#[derive(Args, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArguments {
    /// Certificates whose sources are watched too; what stands behind one in its file are presented intermediates.
    #[arg(value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Key ring: the sources that its CAs name are asked, each by itself.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Pass over what cannot be parsed in the ring, and name it, instead of refusing the ring. What is distrusted is never
    /// passed over.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// How many hours ahead the end of evidence is told of [default: the last tenth of its life].
    #[arg(long, value_name = "HOURS", value_parser = parse_hours)]
    pub(crate) soon: Option<u32>,

    /// How many days ahead the expiry of a certificate of the ring is told of.
    #[arg(long, value_name = "DAYS", default_value = "60", value_parser = parse_days)]
    pub(crate) expires_within: u32,

    /// Write what was found into this file, in the text format of Prometheus.
    #[arg(long, value_name = "FILE")]
    pub(crate) prometheus: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) network: LiveArguments,
}
