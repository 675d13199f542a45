//! The addresses that a store on Redis understands.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use url::Url;

use crate::store::remote::{HAS_PASSWORD, RemoteError, parts};

/// Nodes that an address may name.
const MAX_NODES: usize = 32;
/// The ports of engines and of sentinels.
const PORT: u16 = 6_379;
const SENTINEL_PORT: u16 = 26_379;

/// What an address names.
#[derive(Clone, Debug)]
pub(super) enum Place {
    One(ConnectionInfo),
    Cluster(Vec<ConnectionInfo>),
    Sentinel { sentinels: Vec<ConnectionAddr>, name: String, settings: RedisConnectionInfo, uses_tls: bool },
}

impl Place {
    /// The place of an address.
    pub(super) fn parse(address: &str, password: Option<&str>) -> Result<Self, RemoteError> {
        let fault = |why: &str| RemoteError(format!("{}: {why}", without_password(address)));
        let (scheme, rest) = address.split_once("://").ok_or_else(|| fault(SCHEMES))?;
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let uses_tls = match base {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(fault(SCHEMES)),
        };
        let plain = if uses_tls { "rediss" } else { "redis" };
        match kind {
            "" => Ok(Self::One(info(&format!("{plain}://{rest}"), password).map_err(|why| fault(&why))?)),
            "unix" if !uses_tls => {
                Ok(Self::One(info(&format!("unix://{rest}"), password).map_err(|why| fault(&why))?))
            }
            "cluster" => {
                let (user, hosts, path) = parts(rest);
                if !path.is_empty() && path != "0" {
                    return Err(fault("a cluster has no databases but 0"));
                }
                let nodes = nodes(plain, user, hosts, PORT, password).map_err(|why| fault(&why))?;
                Ok(Self::Cluster(nodes))
            }
            "sentinel" => {
                let (user, hosts, path) = parts(rest);
                let (name, database) = path.split_once('/').unwrap_or((path, "0"));
                if name.is_empty() {
                    return Err(fault("the name of the primary is missing: redis+sentinel://HOST:PORT/NAME"));
                }
                let database = database.parse().map_err(|_| fault("the database is not a number"))?;
                let sentinels = nodes(plain, None, hosts, SENTINEL_PORT, None).map_err(|why| fault(&why))?;
                let mut settings = RedisConnectionInfo::default().set_db(database);
                if let Some(user) = user {
                    settings = settings.set_username(user);
                }
                if let Some(password) = password {
                    settings = settings.set_password(password);
                }
                let sentinels = sentinels.iter().map(|info| info.addr().clone()).collect();
                Ok(Self::Sentinel { sentinels, name: name.to_owned(), settings, uses_tls })
            }
            _ => Err(fault(SCHEMES)),
        }
    }

    pub(super) fn uses_tls(&self) -> bool {
        let is_tls = |info: &ConnectionInfo| matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        match self {
            Self::One(info) => is_tls(info),
            Self::Cluster(nodes) => nodes.iter().any(is_tls),
            Self::Sentinel { uses_tls, .. } => *uses_tls,
        }
    }
}

const SCHEMES: &str =
    "a shared store is named by redis://, rediss://, redis+unix://, redis+cluster:// or redis+sentinel://";

/// The nodes of a list of hosts.
fn nodes(
    scheme: &str,
    user: Option<&str>,
    hosts: &str,
    port: u16,
    password: Option<&str>,
) -> Result<Vec<ConnectionInfo>, String> {
    let hosts: Vec<&str> = hosts.split(',').collect();
    if hosts.len() > MAX_NODES {
        return Err(format!("it names more than {MAX_NODES} hosts"));
    }
    let node = |host: &&str| {
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let port = if has_port { String::new() } else { format!(":{port}") };
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        info(&format!("{scheme}://{user}{host}{port}"), password)
    };
    hosts.iter().map(node).collect()
}

/// The connection of one URL. A password is not taken from it, since addresses are shown.
fn info(url: &str, password: Option<&str>) -> Result<ConnectionInfo, String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    if parsed.password().is_some() {
        return Err(HAS_PASSWORD.into());
    }
    if parsed.fragment().is_some() || parsed.query().is_some() {
        return Err("`?` and `#` have no meaning here".into());
    }
    let info = parsed.into_connection_info().map_err(|error| error.to_string())?;
    let Some(password) = password else { return Ok(info) };
    let settings = info.redis_settings().clone().set_password(password);
    Ok(info.set_redis_settings(settings))
}

/// An address as messages show it.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return "the address of the shared store".into();
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let place = |address| Place::parse(address, Some("secret"));
        for address in ["redis://h:6379/0", "redis://user@h", "redis+unix:///run/redis.sock", "valkey://h/3"]
        {
            assert!(matches!(place(address), Ok(Place::One(_))), "{address}");
        }
        let tls = place("rediss://h:6380/1").expect("TLS");
        assert!(tls.uses_tls());
        let Ok(Place::Cluster(nodes)) = place("redis+cluster://user@a:1,b,[::1]:3") else {
            panic!("a cluster");
        };
        let ports: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(ports, ["a:1", "b:6379", "::1:3"]);
        assert!(nodes.iter().all(|node| node.redis_settings().username() == Some("user")));
        let Ok(Place::Sentinel { sentinels, name, settings, .. }) = place("redis+sentinel://a,b:2/primary/5")
        else {
            panic!("sentinels");
        };
        assert_eq!((sentinels.len(), name.as_str(), settings.db()), (2, "primary", 5));
        assert_eq!(settings.password(), Some("secret"));
    }

    #[test]
    fn what_is_no_address() {
        for address in [
            "h:6379",
            "http://h",
            "redis+other://h",
            "rediss+unix:///s",
            "redis+cluster://a/5",
            "redis+sentinel://a,b",
            "redis+sentinel://a/primary/x",
            "redis://h?protocol=resp3",
            "redis://h/x",
        ] {
            assert!(Place::parse(address, None).is_err(), "{address}");
        }
    }

    #[test]
    fn no_password_in_messages() {
        for address in ["redis://:hunter2@h", "redis://u:hunter2@h/0", "redis+cluster://u:hunter2@a,b"] {
            let error = Place::parse(address, None).expect_err("a password");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
