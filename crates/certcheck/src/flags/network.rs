//! How evidence is fetched and kept: the same flags wherever a network is used. Who asks what sources say now has none of
//! those that are about what is kept.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use url::Url;

use super::when::parse_duration;

/// How evidence is fetched and kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network and cache")]
pub(crate) struct NetworkArguments {
    /// Use no network: evidence comes from files and the cache.
    #[arg(long)]
    pub(crate) offline: bool,

    /// How long a certificate's evidence may take in all: 500ms, 5s, 1m, or a bare number of seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    /// Where evidence is kept between runs [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Keep nothing between runs.
    #[arg(long, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

    /// Take CRLs out of the cache as verified: fast for large ones, and as safe as the folder is.
    #[arg(long)]
    pub(crate) trust_cache: bool,

    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}

/// How sources are asked that must answer now, whatever is kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct LiveArguments {
    /// How long one answer may take, or the whole of a check: 500ms, 5s, 1m, or a bare number of seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}

/// Where URLs may lead, and how.
#[derive(Args, Debug)]
pub(crate) struct ReachArguments {
    /// An HTTP proxy for all that is fetched.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Url>,

    /// Addresses to which URLs may lead whatever they are: loopback, say.
    #[arg(long, value_name = "CIDR", value_parser = parse_net)]
    pub(crate) allow_net: Vec<IpNet>,

    /// A port under 1024 to which URLs may lead, beside 80, 389, 443 and 636.
    #[arg(long, value_name = "PORT")]
    pub(crate) allow_port: Vec<u16>,

    /// Refuse private addresses.
    #[arg(long)]
    pub(crate) deny_private: bool,

    /// Follow https and ldaps URLs too.
    #[arg(long)]
    pub(crate) allow_https: bool,

    /// The directory for ldap URLs without a host.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) ldap_server: Option<String>,
}

fn parse_net(text: &str) -> Result<IpNet, String> {
    let net = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.map_err(|_| "not a network, such as 127.0.0.0/8 or ::1".to_owned())
}
