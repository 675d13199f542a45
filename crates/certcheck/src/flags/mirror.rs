//! `certcheck mirror`.

use std::path::PathBuf;
use std::time::Duration;

use certcheck_serve::config::ListenAddress;
use clap::Args;
use ipnet::IpNet;
use url::Url;

use super::network::{ReachArguments, parse_net};
use super::when::parse_duration;

const MIRROR_EXAMPLES: &str = "\
Examples:
  certcheck mirror --ring keyring/
  certcheck mirror --ring keyring/ --listen 0.0.0.0:8790 --host crl.example --host ocsp.example
  certcheck mirror --ring keyring/ --source http://crl.example/ca.crl --cache-dir /var/cache/mirror
  certcheck mirror --ring keyring/ --tree /srv/crls --host crl.example

The CRL of http://crl.example/ca.crl is at /http/crl.example/ca.crl below the mirror's own URL, and
an OCSP responder in the same way. Proxies ask with the source's own URL. Others use it with
`--mirror URL` or `mirrors = [\"URL\"]`. docs/mirror.md says how other programs do.

SIGHUP reads the ring again, and changed files are read by themselves. SIGTERM and SIGINT end it.
`certcheck serve` runs the same mirror, with more settings, by `[mirror]` in its configuration.
Settings files and variables have no effect on this command.

Exit codes: 0 ended by a signal; 2 wrong usage, or a ring that cannot be used.";

#[derive(Args, Debug)]
#[command(after_help = MIRROR_EXAMPLES)]
pub(crate) struct MirrorArguments {
    /// Key ring: the CAs whose CRLs and responses are served. A file, a directory of files, or a directory with anchors/,
    /// intermediates/, distrusted/.
    #[arg(short, long, value_name = "PATH", required = true)]
    pub(crate) ring: Vec<PathBuf>,

    /// Where to listen: `0.0.0.0:8790`, `unix:/run/x.sock` or `systemd:NAME`. Repeat the flag for each.
    #[arg(long, value_name = "ADDRESS", value_parser = ListenAddress::parse, default_value = "127.0.0.1:8790")]
    pub(crate) listen: Vec<ListenAddress>,

    /// A network of clients that may connect [default: all]. Repeat the flag for each.
    #[arg(long, value_name = "CIDR", value_parser = parse_net)]
    pub(crate) client: Vec<IpNet>,

    /// The URL of a CRL that is kept from the start, in addition to those that the CAs of the ring name. Repeat the flag for
    /// each.
    #[arg(long, value_name = "URL")]
    pub(crate) source: Vec<Url>,

    /// A host whose CRLs and responders clients may ask for, with its port if that is not the usual one. Those of sources
    /// and of the CAs of the ring need not be named. Repeat the flag for each.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) host: Vec<String>,

    /// Read CRLs from a tree of files instead of the network: http/crl.example/ca.crl in it, as `wget -x` and rsync write it.
    #[arg(long, value_name = "DIR")]
    pub(crate) tree: Option<PathBuf>,

    /// The longest time between two looks at a source.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub(crate) refresh: Duration,

    /// The folder in which evidence is kept over restarts [default: none is kept].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Where to serve health and metrics: `127.0.0.1:9777` or `unix:/run/x.sock` [default: nowhere].
    #[arg(long, value_name = "ADDRESS", value_parser = ListenAddress::parse)]
    pub(crate) admin: Option<ListenAddress>,

    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}
