//! The addresses that a store on NATS understands.

use url::{Host, Url};

use super::wire::Server;
use crate::store::remote::{HAS_PASSWORD, RemoteError, parts};

/// The port of a server whose address names none.
const PORT: u16 = 4222;
/// Servers that an address may name.
const MAX_SERVERS: usize = 32;
/// The longest name of a bucket or a prefix.
const MAX_NAME: usize = 64;

/// What an address names.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) servers: Vec<Server>,
    pub(super) user: Option<String>,
    pub(super) bucket: String,
    pub(super) uses_tls: bool,
}

impl Place {
    /// The place of an address.
    pub(super) fn parse(address: &str) -> Result<Self, RemoteError> {
        const SCHEMES: &str = "a store on NATS is named by nats:// or tls://";
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let (user, hosts, bucket) = parts(rest);
        let fault = |why: &str| RemoteError(format!("{scheme}://{hosts}/{bucket}: {why}"));
        if !matches!(scheme, "nats" | "tls") {
            return Err(RemoteError(SCHEMES.to_owned()));
        }
        if user.is_some_and(|user| user.contains(':')) {
            return Err(fault(HAS_PASSWORD));
        }
        let bucket = if bucket.is_empty() { "certcheck" } else { bucket };
        if !is_name(bucket) {
            return Err(fault(
                "the name of a bucket has letters, digits, `-` and `_`, and 64 of them at most",
            ));
        }
        let hosts: Vec<&str> = hosts.split(',').collect();
        if hosts.len() > MAX_SERVERS {
            return Err(fault(&format!("it names more than {MAX_SERVERS} servers")));
        }
        let servers: Result<Vec<_>, String> = hosts.iter().map(|host| server(scheme, host)).collect();
        let servers = servers.map_err(|why| fault(&why))?;
        let user = user.map(ToOwned::to_owned);
        Ok(Self { servers, user, bucket: bucket.to_owned(), uses_tls: scheme == "tls" })
    }
}

fn server(scheme: &str, host: &str) -> Result<Server, String> {
    let url = Url::parse(&format!("{scheme}://{host}")).map_err(|error| error.to_string())?;
    let is_host = url.path().is_empty() && url.query().is_none() && url.fragment().is_none();
    let name = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    };
    if name.is_empty() || !is_host || !url.username().is_empty() {
        return Err(format!("{host} is not a host with or without a port"));
    }
    Ok(Server { host: name, port: url.port().unwrap_or(PORT) })
}

/// Whether this can be a part of a subject, and of the name of a stream.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// The prefix, if it can be a part of a subject.
pub(super) fn prefix(text: &str) -> Result<String, RemoteError> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err(RemoteError("the prefix of a store on NATS has letters, digits, `-` and `_`".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, servers, user, bucket, uses_tls) in [
            ("nats://h", 1, None, "certcheck", false),
            ("nats://h:4333/site-1", 1, None, "site-1", false),
            ("nats://user@a,b:2,[::1]:3/x_y", 3, Some("user"), "x_y", false),
            ("tls://h/", 1, None, "certcheck", true),
        ] {
            let place = Place::parse(address).expect(address);
            let found = (place.servers.len(), place.user.as_deref(), &*place.bucket, place.uses_tls);
            assert_eq!(found, (servers, user, bucket, uses_tls), "{address}");
        }
    }

    #[test]
    fn servers() {
        let place = Place::parse("nats://user@a,b.test:2,[::1]:3,127.0.0.1").expect("an address");
        let servers = place.servers.into_iter().map(|server| (server.host, server.port));
        let expected = [("a", 4222), ("b.test", 2), ("::1", 3), ("127.0.0.1", 4222)];
        assert!(servers.eq(expected.map(|(host, port)| (host.to_owned(), port))));
    }

    #[test]
    fn what_is_no_address() {
        for address in [
            "h:4222",
            "http://h",
            "redis://h",
            "nats://",
            "nats://,h",
            "nats://h/a/b",
            "nats://h/a.b",
            "nats://h/>",
            "nats://h/a b",
            "nats://h?x=1",
        ] {
            assert!(Place::parse(address).is_err(), "{address}");
        }
        let long = format!("nats://h/{}", "x".repeat(65));
        assert!(Place::parse(&long).is_err());
        assert!(Place::parse(&format!("nats://{}", ["h"; 33].join(","))).is_err());
        for text in ["", "a.b", "*", ">", "a b"] {
            assert!(prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_password_in_messages() {
        for address in ["nats://:hunter2@h", "nats://u:hunter2@h,i/b"] {
            let error = Place::parse(address).expect_err("a password");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
