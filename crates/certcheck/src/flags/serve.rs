//! `certcheck serve`.

use std::path::PathBuf;

use certcheck_serve::at_tls::vocabulary::Permission;
use certcheck_serve::config::{ListenAddress, Upstream};
use clap::{ArgGroup, Args, ValueEnum};
use ipnet::IpNet;

use super::network::parse_net;
use super::policy::permission_parser;
use super::verify::RevocationFlag;

const SERVE_EXAMPLES: &str = "\
Examples:
  certcheck serve --config serve.toml
  certcheck serve --config serve.toml --check-config
  certcheck serve --config serve.toml --print-config
  certcheck serve --listen 0.0.0.0:6777 --upstream 127.0.0.1:8080 \\
    --cert server.pem --key server.key --ring keyring/
  certcheck serve --at-tls policy.txt --keyring-dir rings --upstream 127.0.0.1:8080

SIGHUP reloads the configuration, rings, evidence and certificates; what cannot be used is logged
with its place, and changes nothing. Files that change are used by themselves. SIGTERM and SIGINT
end it: no further connection is accepted, and the others have `drain_timeout`; a second signal
ends it at once. Other settings files and variables have no effect on this command.

Exit codes: 0 ended by a signal, or the configuration can be used; 2 wrong usage, or a
configuration that cannot be used.";

#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES, group = ArgGroup::new("without_file").args(["listen", "at_tls"]))]
pub(crate) struct ServeArguments {
    /// The configuration, in TOML. docs/serve.md lists its keys.
    #[arg(long, value_name = "FILE", required_unless_present = "without_file")]
    pub(crate) config: Option<PathBuf>,

    /// Check the configuration and all files that it names, and end. No address is listened on.
    #[arg(long, conflicts_with = "print_config")]
    pub(crate) check_config: bool,

    /// Print the whole configuration with where each value comes from, and end.
    #[arg(long)]
    pub(crate) print_config: bool,

    #[command(flatten)]
    pub(crate) quick: QuickArguments,

    #[command(flatten)]
    pub(crate) at_tls: AtTlsArguments,
}

/// One listener without a file.
#[derive(Args, Debug)]
#[command(next_help_heading = "One listener without a file")]
pub(crate) struct QuickArguments {
    /// Where to listen: `0.0.0.0:6777`, `[::]:7000-7010`, `unix:/run/x.sock` or `systemd:NAME`. Repeat the flag for each.
    #[arg(long, value_name = "ADDRESS", value_parser = ListenAddress::parse, conflicts_with = "config",
          requires_all = ["upstream", "cert", "key"])]
    pub(crate) listen: Vec<ListenAddress>,

    /// The service that plain bytes are passed on to: 127.0.0.1:8080, localhost:8080 or unix:/run/app.sock.
    #[arg(long, value_name = "ADDRESS", value_parser = Upstream::parse, requires = "without_file")]
    pub(crate) upstream: Option<Upstream>,

    /// Allow a service on another machine. Bytes to it are not encrypted.
    #[arg(long, requires = "without_file")]
    pub(crate) allow_remote_upstream: bool,

    /// The server's certificate chain, in PEM.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) cert: Option<PathBuf>,

    /// The server's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) key: Option<PathBuf>,

    /// Key ring: the CAs of clients. A file, a directory of files, or a directory with anchors/, intermediates/,
    /// distrusted/.
    #[arg(short, long, value_name = "PATH", requires = "listen")]
    pub(crate) ring: Vec<PathBuf>,

    /// CRLs: a PEM, DER or PKCS #7 file, or a directory of them. Repeat the flag for each.
    #[arg(long, value_name = "FILE|DIR", requires = "without_file")]
    pub(crate) crl: Vec<PathBuf>,

    /// What to do when the revocation status of a client is unknown.
    #[arg(long, value_name = "HOW", requires = "listen")]
    pub(crate) revocation: Option<RevocationFlag>,

    /// A network that URLs in certificates may lead to although it is refused by default, such as loopback.
    #[arg(long, value_name = "CIDR", value_parser = parse_net, requires = "without_file")]
    pub(crate) allow_net: Vec<IpNet>,

    /// The folder in which CRLs and OCSP responses are kept over restarts [default: none are kept].
    #[arg(long, value_name = "DIR", requires = "without_file")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// The PROXY protocol header that the service is sent.
    #[arg(long, value_name = "VERSION", requires = "without_file")]
    pub(crate) proxy_protocol: Option<ProxyProtocolFlag>,
}

/// An AT-TLS policy.
#[derive(Args, Debug)]
#[command(next_help_heading = "An AT-TLS policy")]
pub(crate) struct AtTlsArguments {
    /// An AT-TLS policy of z/OS. docs/at-tls.md says what is applied; what would accept more than on z/OS needs --allow.
    #[arg(long, value_name = "FILE", conflicts_with = "config", requires_all = ["upstream", "keyring_dir"])]
    pub(crate) at_tls: Option<PathBuf>,

    /// The folder of key rings: USER/ring is the folder USER/ring in it.
    #[arg(long, value_name = "DIR", requires = "at_tls")]
    pub(crate) keyring_dir: Option<PathBuf>,

    /// The policy is a part of one, as documentation prints it: braces may be missing.
    #[arg(long, requires = "at_tls")]
    pub(crate) fragment: bool,

    /// Allow what makes a service accept more than on z/OS, by its name in the error.
    #[arg(long, value_name = "NAME", value_parser = permission_parser(), requires = "at_tls")]
    pub(crate) allow: Vec<Permission>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ProxyProtocolFlag {
    None,
    V1,
    V2,
}
