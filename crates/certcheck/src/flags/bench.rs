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

Cold is a connection that has to be made, warm one that stands; where one that stood had to be
made anew, that counts for neither. The sources are other people's: the default is few rounds,
with a pause between. Nothing kept between runs is looked at. OCSP with GET is measured where the
URL allows it. Decisions are told by what they came to; from disk and memory only where one was
reached.

Exit codes: 0 measured, 1 the path is not good, 2 usage or unreadable input, 3 some source did not
answer, or decisions lacked evidence or differed between rounds.";

#[derive(Args, Debug)]
#[command(after_help = BENCH_EXAMPLES)]
pub(crate) struct BenchArguments {
    /// The certificate; what stands behind it in the file are presented intermediates.
    #[arg(value_name = "CERT")]
    pub(crate) input: PathBuf,

    /// Key ring.
    #[arg(short, long, required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// How often everything is measured.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,

    /// How many ask one source at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) concurrency: u32,

    /// How long between two rounds at one source: 200ms, 1s, or a bare number of milliseconds.
    #[arg(long, value_name = "DURATION", default_value = "200ms", value_parser = parse_pause)]
    pub(crate) pause: Duration,

    /// Measure handshakes over loopback too, as this client: --key has its private key.
    #[arg(long, requires = "key")]
    pub(crate) handshake: bool,

    /// The client's private key, in PEM, for --handshake.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Write a page with the figures and their histograms. It loads nothing; a file that is there is replaced.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    #[command(flatten)]
    pub(crate) network: LiveArguments,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
