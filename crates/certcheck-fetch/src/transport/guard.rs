//! The network guard: which URLs of certificates are followed, and to which addresses.
//!
//! A certificate must not be able to make the server connect to its neighbours. A URL is validated before anything is
//! resolved, because addresses in URLs never reach a resolver. Then every address of a name is validated, and the
//! validated address is the one that is connected to, so a second look-up cannot change it.

use core::fmt;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use url::{Host, Url};

use crate::transport::address::{
    AddressKind, embedded, is_own, kind_of_v4, kind_of_v6, locally_embedded, v4_behind,
};
use crate::transport::refusal::Refusal;

/// The longest URL that is followed, in bytes.
pub const MAX_URL: usize = 2_048;

/// A URL, or an address of its host, that the guard refuses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockedUrl {
    pub(crate) refusal: Refusal,
    /// The name that has this address, if it is not in the URL.
    pub(crate) name: Option<String>,
}

impl From<Refusal> for BlockedUrl {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, name: None }
    }
}

impl BlockedUrl {
    /// The rule by which it is refused.
    #[must_use]
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl fmt::Display for BlockedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.refusal),
            None => write!(f, "{}", self.refusal),
        }
    }
}

impl core::error::Error for BlockedUrl {}

/// A scheme that evidence is fetched with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`: refused unless allowed. Evidence is signed, so it needs no TLS. A responder behind TLS whose own
    /// certificate has to be checked by that responder could not be asked.
    Https,
    /// `ldap`.
    Ldap,
    /// `ldaps`: as for `https`.
    Ldaps,
}

/// A URL that the guard allows.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) scheme: Scheme,
}

impl Scheme {
    /// The default port.
    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ldap => 389,
            Self::Ldaps => 636,
        }
    }
}

impl Target {
    /// The host to be resolved. `None` for the configured directory.
    pub(crate) fn name(&self) -> Option<&str> {
        self.url.host_str().filter(|host| !host.is_empty())
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port().unwrap_or_else(|| self.scheme.port())
    }

    /// Scheme, host and port: the key of breakers and limits.
    pub(crate) fn host_key(&self) -> String {
        let host = self.url.host_str().unwrap_or_default().trim_end_matches('.');
        format!("{}://{host}:{}", self.url.scheme(), self.port())
    }
}

/// The rules for sources of evidence.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
    allowed_ports: Vec<u16>,
    nat64: Vec<Ipv6Net>,
    deny_private: bool,
    allow_tls: bool,
}

impl Guard {
    /// The default rules: `http` and `ldap`, private and public addresses, ports 80, 389, 443, 636 and those from
    /// 1024.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows all addresses of this network, whatever the other rules say.
    #[must_use]
    pub fn allow_net(mut self, net: IpNet) -> Self {
        self.allowed.push(net);
        self
    }

    /// Adds a prefix by which this network reaches IPv4 (RFC 6052), in addition to the well-known one and those for
    /// local use (RFC 8215), which always count. Addresses below it are validated by the IPv4 address inside. Its
    /// length is 32, 40, 48, 56, 64 or 96. Below a prefix of another length every address is refused.
    #[must_use]
    pub fn nat64(mut self, prefix: Ipv6Net) -> Self {
        self.nat64.push(prefix);
        self
    }

    /// Allows a port below 1024.
    #[must_use]
    pub fn allow_port(mut self, port: u16) -> Self {
        self.allowed_ports.push(port);
        self
    }

    /// Refuses private addresses (RFC 1918, RFC 4193, RFC 6598), except in allowed networks.
    #[must_use]
    pub const fn deny_private(mut self, deny: bool) -> Self {
        self.deny_private = deny;
        self
    }

    /// Allows `https` and `ldaps`.
    #[must_use]
    pub const fn allow_tls(mut self, allow: bool) -> Self {
        self.allow_tls = allow;
        self
    }

    /// Validates a URL: its scheme, length, characters, user information, port, and a host that is an address.
    ///
    /// RFC 3986 has no raw spaces, but CAs write them (AD CS, EJBCA). Spaces around a URL are dropped, and those
    /// after its host are sent as `%20`. Other characters that a URL must not have (`"<>^`{|}`) are percent-encoded
    /// by the parser where it can. Refused are control characters, which the parser would drop, a backslash, which
    /// some programs treat as a slash, and characters beyond ASCII, which an IA5String cannot have. What is validated
    /// is always what is sent.
    pub(crate) fn validate_url(&self, text: &str) -> Result<Target, BlockedUrl> {
        let too_long = Refusal::TooLong { max: MAX_URL };
        if text.len() > MAX_URL {
            return Err(too_long.into());
        }
        let text = without_spaces(text).ok_or(Refusal::Characters)?;
        if !text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'\\') {
            return Err(Refusal::Characters.into());
        }
        let url = Url::parse(&text).map_err(|error| Refusal::NotAUrl(error.to_string()))?;
        // The sent URL is longer where the parser writes a byte as three.
        if url.as_str().len() > MAX_URL {
            return Err(too_long.into());
        }
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ldap" => Scheme::Ldap,
            "ldaps" => Scheme::Ldaps,
            other => return Err(Refusal::Scheme(other.to_owned()).into()),
        };
        // Faults that no rule can allow come before those that a rule could allow.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInformation.into());
        }
        match scheme {
            Scheme::Https if !self.allow_tls => return Err(Refusal::Tls("https").into()),
            Scheme::Ldaps if !self.allow_tls => return Err(Refusal::Tls("ldaps").into()),
            _ => {}
        }
        let is_ldap = matches!(scheme, Scheme::Ldap | Scheme::Ldaps);
        match url.host() {
            // Such a URL is for the configured directory, if there is one (RFC 4516 2).
            None if is_ldap => {}
            None => return Err(Refusal::NoHost.into()),
            Some(Host::Ipv4(address)) => self.validate_address(address.into())?,
            Some(Host::Ipv6(address)) => self.validate_address(address.into())?,
            // For a scheme that the URL standard does not know, the host is left as it is written.
            Some(Host::Domain(name)) => self.validate_name(name)?,
        }
        let port = url.port().unwrap_or_else(|| scheme.port());
        if port < 1_024 && !matches!(port, 80 | 389 | 443 | 636) && !self.allowed_ports.contains(&port) {
            return Err(Refusal::Port(port).into());
        }
        Ok(Target { url, scheme })
    }

    pub(crate) const fn allows_tls(&self) -> bool {
        self.allow_tls
    }

    /// Validates a name: some names mean this host and are never resolved. For a request through a proxy, which
    /// resolves names, no further validation is possible.
    pub(crate) fn validate_name(&self, name: &str) -> Result<(), BlockedUrl> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse() {
            return self.validate_address(address);
        }
        if name.is_empty() {
            return Err(Refusal::NoHost.into());
        }
        // `2130706433` and `0x7f.1` are addresses to some resolvers, even where the rules of URLs treat them as
        // names.
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::NumericHost(name).into());
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return self.validate_address(Ipv4Addr::LOCALHOST.into());
        }
        Ok(())
    }

    /// Validates an address.
    pub(crate) fn validate_address(&self, address: IpAddr) -> Result<(), BlockedUrl> {
        // An IPv4 address inside an IPv6 address is treated as the IPv4 address.
        let (plain, perhaps) = match address {
            IpAddr::V6(v6) => match self.translated(v6).map_err(|what| Refusal::Address { address, what })? {
                Some(inside) => (IpAddr::V4(inside), Vec::new()),
                None => (embedded(v6).map_or(address, IpAddr::V4), locally_embedded(v6)),
            },
            IpAddr::V4(_) => (address, Vec::new()),
        };
        let is_allowed = |address: IpAddr| self.allowed.iter().any(|net| net.contains(&address));
        if is_allowed(address) {
            return Ok(());
        }
        // The length of a prefix for local use is unknown: an address that could lead to one of these is refused.
        if let Some(_reached) = perhaps.into_iter().find(|v4| is_own(*v4) && !is_allowed((*v4).into())) {
            let what = "NAT64 that may lead to loopback, link-local or a metadata service";
            return Err(Refusal::Address { address, what }.into());
        }
        if is_allowed(plain) {
            return Ok(());
        }
        let kind = match plain {
            IpAddr::V4(plain) => kind_of_v4(plain),
            IpAddr::V6(plain) => kind_of_v6(plain),
        };
        match kind {
            AddressKind::Blocked(what) => Err(Refusal::Address { address, what }.into()),
            AddressKind::Private if self.deny_private => Err(Refusal::Private(address).into()),
            AddressKind::Private | AddressKind::Public => Ok(()),
        }
    }

    /// The IPv4 address behind a configured prefix.
    fn translated(&self, address: Ipv6Addr) -> Result<Option<Ipv4Addr>, &'static str> {
        let Some(prefix) = self.nat64.iter().find(|prefix| prefix.contains(&address)) else {
            return Ok(None);
        };
        let inside = v4_behind(address, prefix.prefix_len());
        inside.map(Some).ok_or("below a NAT64 prefix of a length that none has (RFC 6052 2.2)")
    }
}

/// The URL without the spaces around it, and with those after its host as `%20`. `None` if there is one before.
fn without_spaces(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_matches(' ');
    let Some(first) = text.find(' ') else { return Some(text.into()) };
    let authority = text.find("://")? + 3;
    let path = authority + text.get(authority..)?.find(['/', '?', '#'])?;
    (first >= path).then(|| text.replace(' ', "%20").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let refused = [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a9fe:a9fe",
            "2002:7f00:1::",
            "::ffff:0:127.0.0.1",
            "2001:0:7f00:1::",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            // Below prefixes for local use of 48, 56 and 64 bits.
            "64:ff9b:1:7f00:0:100::",
            "64:ff9b:1:ab7f:0:1::",
            "64:ff9b:1:abcd:7f:0:100:0",
            "64:ff9b:1:a9fe:a9:fe00:0:7",
        ];
        let private = ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"];
        let public = ["192.0.2.1", "8.8.8.8", "2001:db8::1", "64:ff9b::808:808", "172.32.0.1"];
        let guard = Guard::new();
        let strict = Guard::new().deny_private(true);
        for text in refused {
            assert!(guard.validate_address(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in private {
            assert!(guard.validate_address(text.parse().unwrap()).is_ok(), "{text}");
            assert!(strict.validate_address(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in public {
            assert!(strict.validate_address(text.parse().unwrap()).is_ok(), "{text}");
        }
        let allowed = Guard::new().allow_net("127.0.0.0/8".parse().unwrap());
        assert!(allowed.validate_address("::ffff:127.0.0.1".parse().unwrap()).is_ok());
        assert!(allowed.validate_address("::1".parse().unwrap()).is_err());
        assert!(allowed.validate_address("64:ff9b:1:7f00:0:100:808:808".parse().unwrap()).is_ok());
        assert!(strict.validate_address("64:ff9b:1:fffe::808:808".parse().unwrap()).is_ok());
    }

    /// RFC 6052 2.4: 192.0.2.33 below prefixes of each length.
    #[test]
    fn nat64() {
        for (prefix, public, loopback) in [
            ("2001:db8::/32", "2001:db8:c000:221::", "2001:db8:7f00:1::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::", "2001:db8:17f:0:1::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::", "2001:db8:122:7f00:0:100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::", "2001:db8:122:37f:0:1::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::", "2001:db8:122:344:7f:0:100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33", "2001:db8:122:344::127.0.0.1"),
        ] {
            let net: Ipv6Net = prefix.parse().unwrap();
            let [public, loopback] = [public, loopback].map(|text| text.parse::<Ipv6Addr>().unwrap());
            assert_eq!(v4_behind(public, net.prefix_len()), Some(Ipv4Addr::new(192, 0, 2, 33)), "{prefix}");
            assert_eq!(v4_behind(loopback, net.prefix_len()), Some(Ipv4Addr::LOCALHOST), "{prefix}");
            let guard = Guard::new().nat64(net);
            assert!(guard.validate_address(public.into()).is_ok(), "{prefix}");
            assert!(guard.validate_address(loopback.into()).is_err(), "{prefix}");
            assert!(Guard::new().validate_address(loopback.into()).is_ok(), "not configured: {prefix}");
            let allowed = guard.allow_net("127.0.0.0/8".parse().unwrap());
            assert!(allowed.validate_address(loopback.into()).is_ok(), "{prefix}");
        }
        let strict = Guard::new().nat64("2001:db8::/96".parse().unwrap()).deny_private(true);
        assert!(strict.validate_address("2001:db8::10.0.0.1".parse().unwrap()).is_err());
        let odd = Guard::new().nat64("2001:db8::/33".parse().unwrap());
        assert!(odd.validate_address("2001:db8::1".parse().unwrap()).is_err());
    }

    #[test]
    fn spaces_are_sent_encoded() {
        for (written, sent) in [
            (" http://crl.example/a b.crl  ", "http://crl.example/a%20b.crl"),
            ("http://crl.example/a%20b  c?d e", "http://crl.example/a%20b%20%20c?d%20e"),
            (
                "ldap:///CN=A CA,O=X Y?certificateRevocationList",
                "ldap:///CN=A%20CA,O=X%20Y?certificateRevocationList",
            ),
            ("http://crl.example/\"<>^`{|}", "http://crl.example/%22%3C%3E^%60%7B|%7D"),
            ("http://crl.example/50%", "http://crl.example/50%"),
        ] {
            assert_eq!(
                Guard::new().validate_url(written).map(|target| target.url.to_string()),
                Ok(sent.into())
            );
        }
        for bad in [
            "http://crl .example/a",
            "http://crl.example /a",
            "ht tp://crl.example/a",
            "http://crl.example:8 0/a",
        ] {
            let refused = Guard::new().validate_url(bad).map(drop).map_err(|refused| refused.refusal);
            assert_eq!(refused, Err(Refusal::Characters), "{bad}");
        }
    }

    /// Each rule has its own refusal.
    #[test]
    fn each_rule_has_its_own_refusal() {
        let refused =
            |text: &str| Guard::new().deny_private(true).validate_url(text).map(drop).unwrap_err().refusal;
        let loopback = IpAddr::from([127, 0, 0, 1]);
        for (text, refusal) in [
            ("https://crl.example/", Refusal::Tls("https")),
            ("ldaps://crl.example/cn=x", Refusal::Tls("ldaps")),
            ("https://user@crl.example/", Refusal::UserInformation),
            ("ftp://crl.example/", Refusal::Scheme("ftp".into())),
            ("http://crl.example:22/", Refusal::Port(22)),
            ("http://127.0.0.1/", Refusal::Address { address: loopback, what: "loopback" }),
            ("http://localhost/", Refusal::Address { address: loopback, what: "loopback" }),
            ("http://10.0.0.1/", Refusal::Private([10, 0, 0, 1].into())),
            ("ldap://2130706433/cn=x", Refusal::NumericHost("2130706433".into())),
            ("http://crl.example/\t", Refusal::Characters),
            ("http://crl.example\\@other.example/", Refusal::Characters),
            ("a b", Refusal::Characters),
            ("crl.example", Refusal::NotAUrl("relative URL without a base".into())),
        ] {
            assert_eq!(refused(text), refusal, "{text}");
        }
        let long = format!("http://crl.example/{}", "a".repeat(MAX_URL));
        assert_eq!(refused(&long), Refusal::TooLong { max: MAX_URL });
    }

    #[test]
    fn urls() {
        let good = [
            "http://crl.example/a.crl",
            "http://crl.example:8080/a?b=c",
            "ldap://dir.example/cn=ca?certificateRevocationList",
            "ldap:///cn=ca?certificateRevocationList",
            "http://10.0.0.1/x",
            "http://[2001:db8::1]/x",
        ];
        let bad = [
            "",
            "crl.example/a",
            "https://crl.example/a",
            "file:///etc/passwd",
            "gopher://x/",
            "ftp://x/y",
            "http://user@crl.example/",
            "http://user:pw@crl.example/",
            "http://crl.example:22/",
            "http://crl.example:25/",
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://localhost/",
            "http://localhost./",
            "http://LOCALHOST/",
            "http://a.localhost/",
            "http://169.254.169.254/latest",
            "http://crl.example/\r\nHost: x",
            "http://crl.example/\u{e9}",
            "ldap://2130706433/cn=x",
            "ldap://0x7f.1/cn=x",
            "ldap://127.0.0.1/cn=x",
            "ldap://localhost/cn=x",
            "ldap://[::1]/cn=x",
            "http://\t127.0.0.1/",
            "jar:http://x!/y",
            "http://%31%32%37.0.0.1/",
        ];
        let guard = Guard::new();
        for text in good {
            assert!(guard.validate_url(text).is_ok(), "{text}: {:?}", guard.validate_url(text));
        }
        for text in bad {
            assert!(guard.validate_url(text).is_err(), "{text}");
        }
        assert!(guard.validate_url(&format!("http://crl.example/{}", "a".repeat(MAX_URL))).is_err());
        // Each of these is sent as three bytes.
        assert!(guard.validate_url(&format!("http://crl.example/{}", "`".repeat(700))).is_err());
        assert!(guard.validate_url(&format!("http://crl.example/{}", "`".repeat(600))).is_ok());
        assert!(Guard::new().allow_tls(true).validate_url("https://crl.example/a").is_ok());
        assert!(Guard::new().allow_port(81).validate_url("http://crl.example:81/a").is_ok());
    }
}
