//! How evidence is fetched and cached: the same flags for every command with a network. Commands that ask what sources say
//! now have no flags about the cache.

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
    /// Use no network: take evidence from files and the cache.
    #[arg(long)]
    pub(crate) offline: bool,

    /// The time limit for all evidence of one certificate: 500ms, 5s, 1m, or a number of seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    /// The folder of the cache [default: ~/.cache/certcheck].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Use no cache.
    #[arg(long, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

    /// Trust CRLs in the cache without verifying them again: fast for large ones, and as safe as the folder is.
    #[arg(long)]
    pub(crate) trust_cache: bool,

    /// A store that hosts share, such as redis://cache.example:6379/0 or nats://cache.example:4222, in a build that has it.
    #[arg(long, value_name = "URL", conflicts_with = "trust_cache")]
    pub(crate) shared_store: Option<String>,

    /// The file that has the password of the shared store.
    #[arg(long, value_name = "FILE", requires = "shared_store")]
    pub(crate) shared_store_password_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}

/// How sources are asked now, without a cache.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct LiveArguments {
    /// The time limit for one answer, or for a whole check: 500ms, 5s, 1m, or a number of seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}

/// Where URLs may lead, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReachArguments {
    /// An HTTP proxy for everything that is fetched: a URL, or `env` for HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.
    /// Without this flag these variables are ignored.
    #[arg(long, value_name = "URL|env", value_parser = parse_proxy)]
    pub(crate) proxy: Option<ProxyFlag>,

    /// A mirror of the site, which is asked before the sources: `certcheck mirror`, or what serves the same paths. What it
    /// sends is verified. Repeat the flag for others to ask if it fails.
    #[arg(long, value_name = "URL", value_parser = parse_mirror)]
    pub(crate) mirror: Vec<Url>,

    /// A network that URLs may lead to although it is refused by default, such as loopback.
    #[arg(long, value_name = "CIDR", value_parser = parse_net)]
    pub(crate) allow_net: Vec<IpNet>,

    /// A port below 1024 that URLs may lead to, in addition to 80, 389, 443 and 636.
    #[arg(long, value_name = "PORT")]
    pub(crate) allow_port: Vec<u16>,

    /// Refuse private addresses.
    #[arg(long)]
    pub(crate) deny_private: bool,

    /// Follow https and ldaps URLs too.
    #[arg(long)]
    pub(crate) allow_https: bool,

    /// The LDAP server for ldap URLs without a host.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_ldap_server)]
    pub(crate) ldap_server: Option<String>,
}

/// Where the proxy comes from.
#[derive(Clone, Debug)]
pub(crate) enum ProxyFlag {
    Url(Url),
    Environment,
}

fn parse_proxy(text: &str) -> Result<ProxyFlag, String> {
    if text == "env" {
        return Ok(ProxyFlag::Environment);
    }
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.has_host());
    url.map(ProxyFlag::Url).ok_or_else(|| {
        "neither the URL of an HTTP proxy, such as http://proxy.example:3128, nor `env`".to_owned()
    })
}

fn parse_mirror(text: &str) -> Result<Url, String> {
    certcheck_fetch::mirror::parse_mirror(text)
        .ok_or_else(|| "not the URL of a mirror, such as http://mirror.example:8790".to_owned())
}

fn parse_ldap_server(text: &str) -> Result<String, String> {
    let url = Url::parse(&format!("ldap://{text}")).ok().filter(|url| {
        url.has_host() && url.path().is_empty() && url.query().is_none() && url.username().is_empty()
    });
    let is_plain = !text.contains(|sign: char| sign.is_whitespace() || sign == '%');
    url.filter(|_| is_plain).map(|_| text.to_owned()).ok_or_else(|| {
        "not a host with or without a port, such as ldap.example or ldap.example:389".to_owned()
    })
}

pub(super) fn parse_net(text: &str) -> Result<IpNet, String> {
    let net = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.map_err(|_| "not a network or address, such as 127.0.0.0/8 or ::1".to_owned())
}
