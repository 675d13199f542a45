//! LDAP URLs (RFC 4516), and the search that one asks for (RFC 4511).

use std::net::Ipv6Addr;

use crate::transport::refusal::Refusal;
use bytes::BytesMut;
use ldap3::asn1::ASNTag as _;
use ldap3::asn1::{Boolean, Enumerated, Integer, OctetString, Sequence, Tag, TagClass, write};

/// Octets of a URL.
const MAX_URL: usize = 2_048;
/// Attributes that a URL asks for.
const MAX_ATTRIBUTES: usize = 8;
/// Parentheses of a filter: their nesting is read with recursion.
const MAX_PARENTHESES: usize = 16;
/// Characters of a scope that are told.
const MAX_SCOPE: usize = 16;
/// What a search asks for where its URL does not say.
const ANY_ENTRY: &str = "(objectClass=*)";

/// An LDAP URL, read strictly and bounded.
///
/// ```text
/// ldap[s]://[host[:port]]/dn[?[attributes][?[scope][?[filter][?extensions]]]]
/// ```
///
/// It names one entry, so the scope is always `base`: RFC 5280 4.2.1.13 wants "the distinguished name of the entry
/// holding the CRL", and of a search below it nothing bounds the work and the entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LdapUrl {
    /// `ldaps`.
    pub(crate) is_tls: bool,
    /// In lower case, an IPv6 address without brackets; `None` is the directory that the configuration names.
    pub(crate) host: Option<String>,
    /// 389, or 636 with TLS, unless given.
    pub(crate) port: u16,
    dn: String,
    attributes: Vec<String>,
    filter: String,
}

impl LdapUrl {
    /// # Errors
    /// What is wrong.
    pub(crate) fn parse(url: &str) -> Result<Self, Refusal> {
        // RFC 4511 4.5.1.2: `base` is the entry itself. Whatever else is wrong counts first.
        let (read, scope) = Self::parse_all(url).map_err(Refusal::LdapUrl)?;
        match scope {
            None => Ok(read),
            Some(scope) => Err(Refusal::LdapScope(scope)),
        }
    }

    /// The URL, and its scope if that is not `base`.
    fn parse_all(url: &str) -> Result<(Self, Option<String>), &'static str> {
        if url.len() > MAX_URL {
            return Err("longer than 2048 octets");
        }
        if !url.bytes().all(|octet| octet.is_ascii_graphic()) || url.contains('#') {
            return Err("holds a character that has to be percent-encoded");
        }
        let (scheme, rest) = url.split_once("://").ok_or("not a URL with an authority")?;
        let is_tls = match scheme {
            _ if scheme.eq_ignore_ascii_case("ldap") => false,
            _ if scheme.eq_ignore_ascii_case("ldaps") => true,
            _ => return Err("neither ldap nor ldaps"),
        };
        let (authority, rest) = rest.split_once('/').ok_or("names no entry")?;
        let (host, port) = host_and_port(authority)?;
        let mut parts = rest.split('?');
        let mut next = || parts.next().unwrap_or_default();
        let (dn, attributes, scope, filter, extensions) = (next(), next(), next(), next(), next());
        if parts.next().is_some() {
            return Err("has more than four question marks");
        }
        let dn = decoded(dn)?;
        if dn.is_empty() {
            return Err("names no entry");
        }
        let is_base = scope.is_empty() || scope.eq_ignore_ascii_case("base");
        let other = (!is_base).then(|| scope.chars().take(MAX_SCOPE).collect());
        for extension in extensions.split(',') {
            if decoded(extension)?.starts_with('!') {
                return Err("has a critical extension");
            }
        }
        let read = Self {
            is_tls,
            host,
            port: port.unwrap_or(if is_tls { 636 } else { 389 }),
            dn,
            attributes: attributes_of(attributes)?,
            filter: filter_of(filter)?,
        };
        Ok((read, other))
    }

    /// Asks for these attributes where the URL names none.
    pub(crate) fn with_default_attributes(&mut self, names: &[&str]) {
        if self.attributes.is_empty() {
            self.attributes = names.iter().map(|name| (*name).to_owned()).collect();
        }
    }

    /// Whether values of this attribute are asked for: with the option `binary` or without, as RFC 4523 and servers
    /// differ. Other options make other attributes.
    pub(super) fn asks_for(&self, attribute: &[u8]) -> bool {
        let base = |name: &str| match name.split_once(';') {
            None => Some(name.len()),
            Some((base, option)) => option.eq_ignore_ascii_case("binary").then_some(base.len()),
        };
        let Ok(attribute) = std::str::from_utf8(attribute) else { return false };
        let Some(found) = base(attribute).and_then(|end| attribute.get(..end)) else { return false };
        self.attributes
            .iter()
            .filter_map(|name| base(name).and_then(|end| name.get(..end)))
            .any(|wanted| wanted.eq_ignore_ascii_case(found))
    }

    /// A search for the one entry. Without a bind before it, it is anonymous (RFC 4511 4.2.1).
    pub(super) fn request(&self) -> Option<BytesMut> {
        let text = |text: &str| Tag::OctetString(OctetString { inner: text.into(), ..Default::default() });
        let number = |inner| Tag::Integer(Integer { inner, ..Default::default() });
        let choice = |inner| Tag::Enumerated(Enumerated { inner, ..Default::default() });
        let list = |inner| Tag::Sequence(Sequence { inner, ..Default::default() });
        // Scope and aliases, then how many entries, how many seconds (the caller counts them), and whether values are
        // left out.
        let (base, never) = (choice(0), choice(0));
        let (entries, seconds) = (number(1), number(0));
        let only_types = Tag::Boolean(Boolean { inner: false, ..Default::default() });
        let filter = ldap3::parse_filter(&self.filter).ok()?;
        let attributes = list(self.attributes.iter().map(|name| text(name)).collect());
        let search = Tag::Sequence(Sequence {
            class: TagClass::Application,
            id: 3,
            inner: vec![text(&self.dn), base, never, entries, seconds, only_types, filter, attributes],
        });
        let mut request = BytesMut::new();
        write::encode_into(&mut request, list(vec![number(1), search]).into_structure()).ok()?;
        Some(request)
    }
}

fn host_and_port(authority: &str) -> Result<(Option<String>, Option<u16>), &'static str> {
    const BAD_HOST: &str = "bad host";
    if authority.is_empty() {
        return Ok((None, None));
    }
    if authority.contains('@') {
        return Err("names a user");
    }
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(BAD_HOST)?;
        (address.parse::<Ipv6Addr>().map_err(|_| BAD_HOST)?.to_string(), port)
    } else {
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let is_name = (1..=253).contains(&name.len())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
        if !is_name {
            return Err(BAD_HOST);
        }
        (name.to_ascii_lowercase(), port)
    };
    if port.is_empty() {
        return Ok((Some(host), None));
    }
    let port = port
        .strip_prefix(':')
        .filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u16>().ok())
        .filter(|port| *port != 0)
        .ok_or("bad port")?;
    Ok((Some(host), Some(port)))
}

fn attributes_of(part: &str) -> Result<Vec<String>, &'static str> {
    if part.is_empty() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for name in part.split(',') {
        let name = decoded(name)?;
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.;".contains(&octet));
        if !is_name {
            return Err("bad attribute");
        }
        names.push(name);
    }
    if names.len() > MAX_ATTRIBUTES { Err("asks for too many attributes") } else { Ok(names) }
}

/// With or without the outer parentheses, which the URLs of Microsoft's CAs leave out.
fn filter_of(part: &str) -> Result<String, &'static str> {
    if part.is_empty() {
        return Ok(ANY_ENTRY.to_owned());
    }
    let filter = decoded(part)?;
    let parentheses = filter.bytes().filter(|octet| *octet == b'(').count();
    if parentheses > MAX_PARENTHESES || ldap3::parse_filter(&filter).is_err() {
        return Err("bad filter");
    }
    Ok(filter)
}

/// Percent-decoded, without control characters.
fn decoded(part: &str) -> Result<String, &'static str> {
    const BAD: &str = "bad percent-encoding";
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(octet) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(BAD);
        octets.push(match octet {
            b'%' => u8::try_from(digit()? * 16 + digit()?).map_err(|_| BAD)?,
            _ => octet,
        });
    }
    let text = String::from_utf8(octets).map_err(|_| "not UTF-8")?;
    if text.chars().any(char::is_control) { Err("holds a control character") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> LdapUrl {
        LdapUrl::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn reads_urls() {
        let cases = [
            ("ldap://h/o=A", false, Some("h"), 389, "o=A", "", ANY_ENTRY),
            ("LDAPS://H.Example/o=A?", true, Some("h.example"), 636, "o=A", "", ANY_ENTRY),
            ("ldap:///o=A?x;binary", false, None, 389, "o=A", "x;binary", ANY_ENTRY),
            ("ldap://[2001:DB8::1]:1389/o=A?x,y", false, Some("2001:db8::1"), 1389, "o=A", "x,y", ANY_ENTRY),
            ("ldap://h/cn=a%20b%3Fc,o=%C3%84", false, Some("h"), 389, "cn=a b?c,o=Ä", "", ANY_ENTRY),
            ("ldap://h/o=A??BASE??x,y=1", false, Some("h"), 389, "o=A", "", ANY_ENTRY),
            ("ldap://h/o=A?x?base?objectClass=b", false, Some("h"), 389, "o=A", "x", "objectClass=b"),
            ("ldap://h/o=A?x??(%26(a=b)(!(c=*)))", false, Some("h"), 389, "o=A", "x", "(&(a=b)(!(c=*)))"),
        ];
        for (text, is_tls, host, port, dn, attributes, filter) in cases {
            let expected = LdapUrl {
                is_tls,
                host: host.map(str::to_owned),
                port,
                dn: dn.to_owned(),
                attributes: attributes.split_terminator(',').map(str::to_owned).collect(),
                filter: filter.to_owned(),
            };
            assert_eq!(url(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_urls() {
        let long = format!("ldap://h/o={}", "a".repeat(MAX_URL));
        let deep = format!("ldap://h/o=A???{}(a=b){}", "(!".repeat(100), ")".repeat(100));
        let many = format!("ldap://h/o=A?{}", ["x"; MAX_ATTRIBUTES + 1].join(","));
        let cases = [
            ("", "not a URL with an authority"),
            ("ldap:/o=A", "not a URL with an authority"),
            ("ldapi://%2Ftmp/o=A", "neither ldap nor ldaps"),
            ("http://h/o=A", "neither ldap nor ldaps"),
            (long.as_str(), "longer than 2048 octets"),
            ("ldap://h/o=A B", "holds a character that has to be percent-encoded"),
            ("ldap://h/o=Ä", "holds a character that has to be percent-encoded"),
            ("ldap://h/o=A#b", "holds a character that has to be percent-encoded"),
            ("ldap://h", "names no entry"),
            ("ldap://h/", "names no entry"),
            ("ldap://h/?x", "names no entry"),
            ("ldap://user@h/o=A", "names a user"),
            ("ldap://user:word@h:389/o=A", "names a user"),
            ("ldap://h%2e/o=A", "bad host"),
            ("ldap://h?x/o=A", "bad host"),
            ("ldap://:389/o=A", "bad host"),
            ("ldap://2001:db8::1/o=A", "bad port"),
            ("ldap://[2001:db8::1/o=A", "bad host"),
            ("ldap://[fe80::1%25eth0]/o=A", "bad host"),
            ("ldap://[127.0.0.1]/o=A", "bad host"),
            ("ldap://[::1]389/o=A", "bad port"),
            ("ldap://h:/o=A", "bad port"),
            ("ldap://h:0/o=A", "bad port"),
            ("ldap://h:+1/o=A", "bad port"),
            ("ldap://h:65536/o=A", "bad port"),
            ("ldap://h/o=%4", "bad percent-encoding"),
            ("ldap://h/o=%+4", "bad percent-encoding"),
            ("ldap://h/o=%ff", "not UTF-8"),
            ("ldap://h/o=%00", "holds a control character"),
            ("ldap://h/o=A???(a=%0d%0a)", "holds a control character"),
            ("ldap://h/o=A?*", "bad attribute"),
            ("ldap://h/o=A?x,", "bad attribute"),
            (many.as_str(), "asks for too many attributes"),
            ("ldap://h/o=A???(a=b", "bad filter"),
            (deep.as_str(), "bad filter"),
            ("ldap://h/o=A????a,!b", "has a critical extension"),
            ("ldap://h/o=A????%21b", "has a critical extension"),
            ("ldap://h/o=A?????", "has more than four question marks"),
        ];
        for (text, fault) in cases {
            assert_eq!(LdapUrl::parse(text), Err(Refusal::LdapUrl(fault)), "{text}");
        }
        for scope in ["one", "sub", "Sub", "children"] {
            let url = format!("ldap://h/o=A??{scope}");
            assert_eq!(LdapUrl::parse(&url), Err(Refusal::LdapScope(scope.to_owned())), "{url}");
        }
    }

    #[test]
    fn takes_attributes_with_and_without_binary() {
        let mut url = url("ldap:///o=A");
        url.with_default_attributes(&["certificateRevocationList;binary", "cACertificate"]);
        url.with_default_attributes(&["other"]);
        for name in ["CERTIFICATERevocationList", "certificateRevocationList;Binary", "cacertificate;binary"]
        {
            assert!(url.asks_for(name.as_bytes()), "{name}");
        }
        for name in ["other", "cACertificate;lang-de", "cACertificate;binary;x", "cACert", "", ";binary"] {
            assert!(!url.asks_for(name.as_bytes()), "{name}");
        }
        assert!(!url.asks_for(b"\xff"));
    }

    #[test]
    fn asks_anonymously_for_one_entry() {
        let request = url("ldap:///o=A?x??a=b").request().expect("encodes");
        let expected = b"\x30\x26\x02\x01\x01\x63\x21\x04\x03o=A\x0a\x01\x00\x0a\x01\x00\x02\x01\x01\x02\x01\x00\x01\x01\x00\
            \xa3\x06\x04\x01a\x04\x01b\x30\x03\x04\x01x";
        assert_eq!(&request[..], expected);
    }
}
