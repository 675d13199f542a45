//! `certcheck watch`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::AskedArguments;
use super::network::LiveArguments;
use super::output::OutputArguments;
use super::when::{parse_days, parse_hours, parse_interval};

const WATCH_EXAMPLES: &str = "\
Examples:
  certcheck watch --ring keyring/
  certcheck watch client.pem --ring keyring/ --soon 12
  certcheck watch --ring keyring/ --json
  certcheck watch --ring keyring/ --prometheus /var/lib/node_exporter/certcheck.prom
  certcheck watch --ring keyring/ --interval 5m --listen 127.0.0.1:9464

The sources are those that the CAs of the ring name, and the deltas that their CRLs name. Give one
CERT of each CA whose clients name other sources: a sample. A source is asked once, is checked for
every certificate that names it, and the worst result is reported. No cache is used.

Sources, certificates of the ring and samples are reported apart. A source that lists a
certificate as revoked is good: it answers with usable evidence. A CA of the ring that is revoked,
expired or without a good path is bad. A sample that is expired or has no good path cannot show
its sources; they are not watched until you give another one. Evidence past its nextUpdate is
stale here, although checks accept it for as long as clocks may differ.

With --interval it stays and looks again and again, each time up to a tenth later, at most one
minute. It prints a report if something changed, or with --json one line each round; --format sarif
and junit are for one round. SIGTERM and
SIGINT end it with exit code 0. SIGHUP reloads the ring; if that fails the old ring stays in use.

Exit codes: 0 all is good, 1 a source or a certificate of the ring is bad, 2 usage, or a CERT that
cannot be read, 3 something ends soon, or the sources of a CERT are not watched, or there is
nothing to watch. Of several the worst counts: 2, then 1, then 3. Whether a CERT itself is revoked
does not count: verify answers that.";

#[derive(Args, Clone, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArguments {
    /// Samples: certificates whose sources are watched too. Others in the same file are presented intermediates.
    #[arg(value_name = "CERT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Key ring: the sources that its CAs name are asked.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Skip certificates of the ring that cannot be parsed, and name them, instead of refusing the ring. Distrusted ones
    /// are never skipped.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// How many hours ahead the end of evidence is reported [default: the last tenth of its life].
    #[arg(long, value_name = "HOURS", value_parser = parse_hours)]
    pub(crate) soon: Option<u32>,

    /// How many days ahead the expiry of a certificate of the ring is reported.
    #[arg(long, value_name = "DAYS", default_value = "60", value_parser = parse_days)]
    pub(crate) expires_within: u32,

    /// Stay, and look again at this interval: 30s, 5m, 1h, 1d, from 1s to 7d.
    #[arg(long, value_name = "DURATION", value_parser = parse_interval, conflicts_with = "at")]
    pub(crate) interval: Option<Duration>,

    /// Serve metrics over HTTP at this address: GET /metrics, GET /healthz.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "interval")]
    pub(crate) listen: Option<SocketAddr>,

    /// Write metrics into this file, in the text format of Prometheus; with --interval each round.
    #[arg(long, value_name = "FILE")]
    pub(crate) prometheus: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(flatten)]
    pub(crate) network: LiveArguments,
}
