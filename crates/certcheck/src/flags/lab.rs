//! `certcheck lab`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

const LAB_EXAMPLES: &str = "\
Examples:
  certcheck lab
  certcheck lab --dir pki --port 8440
  certcheck lab --proxy nginx
  certcheck lab status
  certcheck lab revoke good
  certcheck lab revoke device-ca
  certcheck lab release on-hold
  certcheck lab break cdp --how hang
  certcheck lab repair
  certcheck lab stop

The lab runs in the foreground until Ctrl-C, SIGTERM or certcheck lab stop. The other commands
act on it from another terminal, and find it by its folder. It listens only on 127.0.0.1, and
every key is new at each start. Do not trust its certificates anywhere else.

When the lab ends, its folder stays: keys, certificates, ring. Start it again with the same
command, which makes new keys, or remove the folder.

Evidence lives for 2 seconds: revoke and release are seen everywhere within 3. verify sees the
effect of break at once with --no-cache; with a cache it accepts the evidence it has for the 5
minutes that clocks may differ.

Exit codes: 0 done, 2 not done: no lab is running, an unknown name, revoked already, and so on.";

#[derive(Args, Debug)]
#[command(after_help = LAB_EXAMPLES)]
pub(crate) struct LabArguments {
    #[command(subcommand)]
    pub(crate) command: Option<LabCommand>,

    /// The folder of the lab. It is made if it is not there; the files of an earlier lab are replaced.
    #[arg(long, global = true, value_name = "DIR", default_value = "certcheck-lab")]
    pub(crate) dir: PathBuf,

    /// The port of the echo service. The next one is for the CRLs, the one after it for the OCSP responder. Free ones by
    /// default.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1024..=65533))]
    pub(crate) port: Option<u16>,

    /// Answer this proxy about its clients too, and write a configuration for it into DIR/proxy, with which it runs. With
    /// --port it listens on the fourth port after that one.
    #[arg(long, value_name = "PROXY")]
    pub(crate) proxy: Option<LabProxy>,

    /// Log every request of the echo service, also if the answer is the same as before.
    #[arg(long)]
    pub(crate) all: bool,

    /// One JSON object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Revoke a client, or a CA and so all its clients.
    Revoke {
        /// A name that status lists.
        #[arg(value_name = "NAME")]
        name: String,

        /// Put it on hold instead (certificateHold), which a CA may take back.
        #[arg(long)]
        hold: bool,
    },
    /// Take a hold back. The lab takes a revocation back too, which a real CA cannot.
    Release {
        /// A name that status lists.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Break a source of evidence.
    Break {
        /// The source.
        #[arg(value_name = "SOURCE")]
        source: LabSource,

        /// The way in which it fails.
        #[arg(long, value_name = "HOW", default_value = "refuse")]
        how: LabFault,
    },
    /// Repair all broken sources.
    Repair,
    /// Show addresses, clients and their status, and broken sources.
    Status,
    /// End the lab.
    Stop,
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

/// A way to fail.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LabFault {
    /// Take requests, and never answer.
    Hang,
    /// Reset connections.
    Refuse,
    /// Answer with bytes that cannot be parsed.
    Garbage,
    /// Answer with evidence that ended an hour ago.
    Stale,
}

/// A proxy that ends TLS and asks about its clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LabProxy {
    /// With `auth_request`.
    Nginx,
    /// By a script in Lua.
    Haproxy,
    /// With `ext_authz` over HTTP.
    Envoy,
    /// With ForwardAuth.
    Traefik,
    /// With `forward_auth`.
    Caddy,
    /// By a hook in Lua.
    Apache,
}

impl LabProxy {
    /// The stable word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Apache => "apache",
        }
    }
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
