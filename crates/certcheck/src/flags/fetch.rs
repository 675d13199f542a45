//! `certcheck fetch`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::AskedArguments;
use super::network::NetworkArguments;

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
    #[arg(short, long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// What is at the URL.
    #[arg(long, value_name = "KIND", default_value = "crl")]
    pub(crate) kind: FetchKind,

    /// Write what comes into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// One JSON object a line for each source.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FetchKind {
    /// A CRL.
    Crl,
    /// Certificates of an issuer (caIssuers).
    Issuers,
}
