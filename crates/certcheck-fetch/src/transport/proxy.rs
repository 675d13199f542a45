//! HTTP proxies: which request goes through which one.

use core::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use crate::transport::guard::{Scheme, Target};

/// The proxies for HTTP, for HTTPS and for LDAP, and the hosts that are reached without one.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    /// No HTTP proxy carries LDAP. With a proxy here, LDAP is refused.
    ldap: Option<Url>,
    bypass: Vec<Bypass>,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Bypass {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Hosts {
    All,
    /// A domain and every name below it, in lower case.
    Domain(String),
    Net(IpNet),
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may have a password.
        let origin = |proxy: &Option<Url>| proxy.as_ref().map(|url| url.origin().ascii_serialization());
        f.debug_struct("Proxies")
            .field("http", &origin(&self.http))
            .field("https", &origin(&self.https))
            .field("ldap", &origin(&self.ldap))
            .field("bypass", &self.bypass)
            .finish()
    }
}

impl Proxies {
    /// One proxy for everything.
    pub(crate) fn all(proxy: Url) -> Self {
        Self { http: Some(proxy.clone()), https: Some(proxy.clone()), ldap: Some(proxy), bypass: Vec::new() }
    }

    /// The proxies that these environment variables name.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name)?;
                let value = value.trim();
                (!value.is_empty()).then(|| (*name, value.to_owned()))
            })
        };
        let proxy = |names: &[&'static str]| match first(names) {
            Some((name, value)) => proxy_url(name, &value).map(Some),
            None => Ok(None),
        };
        // A CGI program finds the header `Proxy` of a client in HTTP_PROXY (CVE-2016-5385).
        let http_names: &[&'static str] = match variable("REQUEST_METHOD") {
            Some(_) => &["http_proxy"],
            None => &["http_proxy", "HTTP_PROXY"],
        };
        let all = proxy(&["all_proxy", "ALL_PROXY"])?;
        let http = proxy(http_names)?.or_else(|| all.clone());
        let https = proxy(&["https_proxy", "HTTPS_PROXY"])?.or_else(|| all.clone());
        let bypass = match first(&["no_proxy", "NO_PROXY"]) {
            Some((name, value)) => value
                .split([',', ' ', '\t'])
                .filter(|entry| !entry.is_empty())
                .map(|entry| Bypass::parse(entry).ok_or_else(|| bad_entry(name, entry)))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { http, https, ldap: all, bypass })
    }

    /// The proxy for a request, if it goes through one.
    pub(crate) fn proxy_for(&self, target: &Target) -> Option<&Url> {
        let proxy = match target.scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
            Scheme::Ldap | Scheme::Ldaps => &self.ldap,
        };
        let host = target.name().unwrap_or_default();
        let is_direct = || self.bypass.iter().any(|entry| entry.contains(host, target.port()));
        proxy.as_ref().filter(|_| !is_direct())
    }

    pub(crate) const fn http(&self) -> Option<&Url> {
        self.http.as_ref()
    }

    pub(crate) const fn https(&self) -> Option<&Url> {
        self.https.as_ref()
    }

    /// Whether a proxy is itself reached over TLS.
    pub(crate) fn use_tls(&self) -> bool {
        self.http().into_iter().chain(self.https()).any(|proxy| proxy.scheme() == "https")
    }

    /// The hosts of the proxies.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.http().into_iter().chain(self.https()).filter_map(Url::host_str).map(str::to_owned).collect()
    }
}

/// A proxy as variables name it: a URL, or a host with a port. The value may hold a password and is not repeated.
fn proxy_url(name: &str, value: &str) -> Result<Url, String> {
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).map_err(|error| format!("{name} is not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("{name}: the scheme {other} is not supported; use http or https")),
    }
}

fn bad_entry(name: &str, entry: &str) -> String {
    let entry = entry.escape_debug();
    format!(
        "{name}: cannot use the entry {entry}; write a domain, an address or a network (10.0.0.0/8), each with or \
         without a port, or *"
    )
}

/// A name in lower case, without the dot at its end.
fn normalized(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl Bypass {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        // An IPv6 address has colons of its own: without brackets it has no port.
        let is_plain = entry.parse::<IpAddr>().is_ok() || entry.parse::<IpNet>().is_ok();
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !is_plain && !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (entry, None),
        };
        let bare = host.strip_prefix('[').map_or(Some(host), |rest| rest.strip_suffix(']'))?;
        if let Ok(net) = bare.parse::<IpNet>() {
            return Some(Self { hosts: Hosts::Net(net), port });
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self { hosts: Hosts::Net(address.into()), port });
        }
        let domain = normalized(bare.strip_prefix('*').unwrap_or(bare).trim_start_matches('.'));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        (!domain.is_empty() && domain.bytes().all(is_name))
            .then_some(Self { hosts: Hosts::Domain(domain), port })
    }

    /// Whether this entry is about a host: a name, or an address with or without brackets.
    fn contains(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        match &self.hosts {
            Hosts::All => true,
            Hosts::Domain(domain) => {
                let host = normalized(host);
                let above = host.strip_suffix(domain.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            Hosts::Net(net) => {
                let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
                address.is_ok_and(|address| net.contains(&address.to_canonical()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::guard::Guard;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, String> {
        Proxies::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    /// The proxy for a URL, or `None` for a direct connection.
    fn proxy_for(proxies: &Proxies, url: &str) -> Option<String> {
        let guard = Guard::new().allow_tls(true).allow_net("::/0".parse().unwrap());
        let target = guard.validate_url(url).unwrap();
        proxies.proxy_for(&target).map(Url::to_string)
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let http = ("HTTP_PROXY", "http://a.example:3128");
        let https = ("HTTPS_PROXY", "http://b.example:3128");
        let all = ("ALL_PROXY", "http://c.example:3128");
        let [a, b, c] = ["a", "b", "c"].map(|host| Some(format!("http://{host}.example:3128/")));
        for (variables, http, https, ldap) in [
            (&[][..], None, None, None),
            (&[http], a.clone(), None, None),
            (&[https], None, b.clone(), None),
            (&[all], c.clone(), c.clone(), c.clone()),
            (&[http, all], a.clone(), c.clone(), c.clone()),
            (&[http, https, all], a, b, c),
        ] {
            let proxies = proxies(variables).unwrap();
            assert_eq!(proxy_for(&proxies, "http://crl.test/"), http, "{variables:?}");
            assert_eq!(proxy_for(&proxies, "https://crl.test/"), https, "{variables:?}");
            assert_eq!(proxy_for(&proxies, "ldap://dir.test/cn=a"), ldap, "{variables:?}");
        }
    }

    #[test]
    fn lower_case_comes_first_and_empty_is_unset() {
        let both = proxies(&[("http_proxy", "low.example:1"), ("HTTP_PROXY", "up.example:1")]).unwrap();
        assert_eq!(proxy_for(&both, "http://crl.test/").unwrap(), "http://low.example:1/");
        let empty = proxies(&[("http_proxy", " "), ("HTTP_PROXY", "up.example:1")]).unwrap();
        assert_eq!(proxy_for(&empty, "http://crl.test/").unwrap(), "http://up.example:1/");
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil.example")];
        assert_eq!(proxy_for(&proxies(&cgi).unwrap(), "http://crl.test/"), None);
    }

    #[test]
    fn hosts_without_a_proxy() {
        for (no_proxy, direct, proxied) in [
            ("*", &["http://crl.test/", "http://192.0.2.1/", "ldap:///cn=a"][..], &[][..]),
            (
                "crl.test",
                &["http://crl.test/", "http://a.crl.test/", "http://CRL.test./", "http://crl.test:8080/"],
                &["http://notcrl.test/", "http://test/", "http://crl.test.example/"],
            ),
            (".crl.test", &["http://crl.test/", "http://a.crl.test/"], &["http://notcrl.test/"]),
            ("*.crl.test", &["http://a.crl.test/"], &["http://notcrl.test/"]),
            (
                "crl.test:8080",
                &["http://crl.test:8080/", "http://a.crl.test:8080/"],
                &["http://crl.test/", "https://crl.test/"],
            ),
            ("crl.test:443", &["https://crl.test/"], &["http://crl.test/"]),
            ("crl.test:389", &["ldap://crl.test/cn=a"], &["ldap://crl.test:1389/cn=a"]),
            (
                "10.0.0.0/8, 192.0.2.1",
                &[
                    "http://10.1.2.3/",
                    "http://192.0.2.1/",
                    "http://[::ffff:10.1.2.3]/",
                    "ldap://10.0.0.1/cn=a",
                ],
                &["http://11.0.0.1/", "http://192.0.2.2/", "http://10.example/"],
            ),
            ("192.0.2.0/24:8080", &["http://192.0.2.7:8080/"], &["http://192.0.2.7/"]),
            (
                "2001:db8::/32\t[2001:db9::1]:8080",
                &["http://[2001:db8::7]/", "http://[2001:db9::1]:8080/"],
                &["http://[2001:db9::1]/", "http://[2001:dba::1]:8080/"],
            ),
            ("2001:db8::1", &["http://[2001:db8::1]:8080/"], &["http://[2001:db8::2]/"]),
            (",, ,", &[], &["http://crl.test/"]),
        ] {
            let proxies = proxies(&[("ALL_PROXY", "http://p.example"), ("NO_PROXY", no_proxy)]).unwrap();
            for url in direct {
                assert_eq!(proxy_for(&proxies, url), None, "{no_proxy}: {url}");
            }
            for url in proxied {
                assert!(proxy_for(&proxies, url).is_some(), "{no_proxy}: {url}");
            }
        }
    }

    #[test]
    fn faults_name_the_variable_and_keep_passwords() {
        for (variable, message) in [
            (("HTTP_PROXY", "http://"), "HTTP_PROXY is not a URL: empty host"),
            (
                ("all_proxy", "socks5://user:secret@p.example"),
                "all_proxy: the scheme socks5 is not supported; use http or https",
            ),
            (
                ("NO_PROXY", "a.example,10.0.0.0/40"),
                "NO_PROXY: cannot use the entry 10.0.0.0/40; write a domain, an address or a network (10.0.0.0/8), each \
                 with or without a port, or *",
            ),
        ] {
            assert_eq!(proxies(&[variable]).unwrap_err(), message);
        }
        for entry in ["a.example:port", "a.example:70000", "[::1", "192.168.*", ":8080", "."] {
            assert_eq!(Bypass::parse(entry), None, "{entry}");
        }
        let proxies = proxies(&[("ALL_PROXY", "http://user:secret@p.example")]).unwrap();
        assert!(!format!("{proxies:?}").contains("secret"), "{proxies:?}");
    }
}
