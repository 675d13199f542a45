//! `certcheck bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::AskedArguments;
use super::network::LiveArguments;
use super::when::parse_pause;

const BENCH_EXAMPLES: &str = "\
Examples:
  certcheck bench client.pem --ring keyring/
  certcheck bench client.pem --ring keyring/ --rounds 50 --pause 0 --report latency.html
  certcheck bench client.pem --ring keyring/ --handshake --key client.key
  certcheck bench client.pem --ring keyring/ --json | jq .decisions

Cold means with a new connection, warm means over one that is open. A round in which a warm
connection had to be opened again is not counted. The sources belong to other people, so the
default is few rounds with pauses. The cache is not used. OCSP by GET is measured if the URL
allows it. The decision from disk and memory is measured only if the first one had a result.
Percentiles need enough rounds: p90 needs 10 samples, p99 needs 100.

Exit codes: 0 measured, 1 the path is not good, 2 wrong usage or unreadable input, 3 a source did
not answer, or decisions had no evidence or differed between rounds.";

#[derive(Args, Debug)]
#[command(after_help = BENCH_EXAMPLES)]
pub(crate) struct BenchArguments {
    /// The certificate. The others in its file are intermediates that the client presented.
    #[arg(value_name = "CERT")]
    pub(crate) input: PathBuf,

    /// Key ring.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// How often to measure everything.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,

    /// How many requests to send to one source at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) concurrency: u32,

    /// The pause between two rounds at one source: 200ms, 1s, or a number of milliseconds.
    #[arg(long, value_name = "DURATION", default_value = "200ms", value_parser = parse_pause)]
    pub(crate) pause: Duration,

    /// Also measure TLS handshakes over loopback as this client. Needs its private key: --key.
    #[arg(long, requires = "key")]
    pub(crate) handshake: bool,

    /// The private key of the client, in PEM, for --handshake.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Write an HTML page with the figures and histograms. The page loads nothing. An existing file is replaced.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    #[command(flatten)]
    pub(crate) network: LiveArguments,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
