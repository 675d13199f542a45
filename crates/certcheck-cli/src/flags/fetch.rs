//! `certcheck fetch`.

use std::path::PathBuf;

use certcheck_core::Time;
use clap::{Args, ValueEnum};

use super::network::NetworkArguments;
use super::parse_time;

const FETCH_EXAMPLES: &str = "\
Examples:
  certcheck fetch http://crl.example/ca.crl
  certcheck fetch http://crl.example/ca.crl --ring keyring/ --out crls/
  certcheck fetch client.pem --ring keyring/

Nothing is kept; certcheck cache prefetch does that. Without --ring nothing is verified, only read.

Exit codes: 0 all came, and verifies with the ring if one is given, 1 something does not verify,
2 usage or unreadable input, 3 something did not come.";

#[derive(Args, Debug)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct FetchArguments {
    /// A URL, or a file with a certificate whose sources are all asked.
    #[arg(value_name = "URL|CERT")]
    pub(crate) what: String,

    /// Key ring: verifies what comes. With a certificate it is needed.
    #[arg(long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// What is at the URL.
    #[arg(long, value_name = "KIND", default_value = "crl")]
    pub(crate) kind: FetchKind,

    /// Write what comes into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Take signatures over SHA-1, for old rings.
    #[arg(long)]
    pub(crate) allow_sha1: bool,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,

    /// One JSON object a line for each source.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FetchKind {
    /// A CRL.
    Crl,
    /// Certificates of an issuer (caIssuers).
    Issuers,
}
