//! `certcheck lab`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

const LAB_EXAMPLES: &str = "\
Examples:
  certcheck lab
  certcheck lab --dir pki --port 8440
  certcheck lab status
  certcheck lab revoke good
  certcheck lab revoke device-ca
  certcheck lab release on-hold
  certcheck lab break cdp --how hang
  certcheck lab mend

The lab runs in the foreground until Ctrl-C or SIGTERM. The other commands act on it from
another terminal, and find it by its folder. All of it listens on 127.0.0.1 alone, and every
key is new at each start. Nothing of it is to be trusted outside.

Evidence lives for 2 seconds: what revoke and release do is seen by all within 3. What break
does verify sees at once with --no-cache; with a cache it makes do with what it has for the
5 minutes that clocks may differ.

Exit codes: 0 done, 2 it could not be done.";

#[derive(Args, Debug)]
#[command(after_help = LAB_EXAMPLES)]
pub(crate) struct LabArguments {
    #[command(subcommand)]
    pub(crate) command: Option<LabCommand>,

    /// The lab's folder. A new one is made, that of an old lab is made anew.
    #[arg(long, global = true, value_name = "DIR", default_value = "certcheck-lab")]
    pub(crate) dir: PathBuf,

    /// The port of the echo service; the two after it are the CRLs' and the OCSP responder's. Free ones by default.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1024..=65533))]
    pub(crate) port: Option<u16>,

    /// Tell of every request of the echo service, also where the answer is the same as before.
    #[arg(long)]
    pub(crate) all: bool,

    /// One JSON object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Revoke a client, or a CA with all its clients.
    Revoke {
        /// Whom, by the name that status tells.
        #[arg(value_name = "NAME")]
        name: String,

        /// Put on hold instead (certificateHold).
        #[arg(long)]
        hold: bool,
    },
    /// Take a hold or a revocation back.
    Release {
        /// Whom, by the name that status tells.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Break a source of evidence.
    Break {
        /// Which.
        #[arg(value_name = "SOURCE")]
        source: LabSource,

        /// How.
        #[arg(long, value_name = "HOW", default_value = "refuse")]
        how: LabFault,
    },
    /// Mend all that is broken.
    Mend,
    /// Tell what runs where, who is revoked, what is broken.
    Status,
}

/// A source of evidence.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LabSource {
    /// The distribution points of CRLs.
    Cdp,
    /// The OCSP responders.
    Ocsp,
}

/// A way to be broken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LabFault {
    /// Take requests, and never answer.
    Hang,
    /// Reset connections.
    Refuse,
    /// Answer with bytes that mean nothing.
    Garbage,
    /// Answer with what ended an hour ago.
    Stale,
}

impl LabSource {
    /// The stable word.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Cdp => "cdp",
            Self::Ocsp => "ocsp",
        }
    }
}

impl LabFault {
    /// The stable word.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Refuse => "refuse",
            Self::Garbage => "garbage",
            Self::Stale => "stale",
        }
    }
}
