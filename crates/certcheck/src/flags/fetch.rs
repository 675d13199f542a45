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

Nothing is added to the cache; `certcheck cache prefetch` does that. Without --ring nothing is
verified, only parsed.

Exit codes: 0 everything was fetched, and verifies if --ring is given, 1 something does not verify,
2 wrong usage or unreadable input, 3 something could not be fetched.";

#[derive(Args, Debug)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct FetchArguments {
    /// A URL, or a file with a certificate: then all its sources are fetched.
    #[arg(value_name = "URL|CERT")]
    pub(crate) what: String,

    /// Key ring to verify with. Needed for a certificate.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// The kind of evidence at the URL.
    #[arg(long, value_name = "KIND", default_value = "crl")]
    pub(crate) kind: FetchKind,

    /// Write what was fetched into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) asked: AskedArguments,

    /// Print one JSON object a line for each source.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FetchKind {
    /// A CRL.
    Crl,
    /// Issuer certificates (caIssuers).
    Issuers,
}
