//! LDAP URLs (RFC 4516), and the search that one asks for (RFC 4511).

use bytes::BytesMut;
use ldap3::asn1::ASNTag as _;
use ldap3::asn1::{Boolean, Enumerated, Integer, OctetString, Sequence, Tag, TagClass, write};
use url::{Host, Url};

use crate::transport::guard::Target;
use crate::transport::refusal::Refusal;

/// Attributes that a URL asks for.
const MAX_ATTRIBUTES: usize = 8;
/// Parentheses in a filter: they are parsed with recursion.
const MAX_PARENTHESES: usize = 16;
/// Characters of a scope that are reported.
const MAX_SCOPE: usize = 16;
/// The attributes of a search whose URL names none.
const ANY_ENTRY: &str = "(objectClass=*)";

/// An LDAP URL that the guard allows, parsed strictly and with limits.
///
/// ```text
/// ldap[s]://[host[:port]]/dn[?[attributes][?[scope][?[filter][?extensions]]]]
/// ```
///
/// It names one entry, so the scope is always `base`. RFC 5280 4.2.1.13 wants "the distinguished name of the entry
/// holding the CRL", and a search below that entry would have no limit on work and entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LdapUrl {
    /// `ldaps`.
    pub(crate) is_tls: bool,
    /// In lower case, an IPv6 address without brackets. `None` is the configured directory.
    pub(crate) host: Option<String>,
    /// 389, or 636 with TLS, unless given.
    pub(crate) port: u16,
    dn: String,
    attributes: Vec<String>,
    filter: String,
}

impl LdapUrl {
    /// The search of a URL that the guard has validated: its length, characters, user information and port. The URL
    /// is not parsed a second time, so what was validated is what is asked.
    ///
    /// # Errors
    /// What is wrong with the URL.
    ///
    /// RFC 4516 2.
    #[doc(alias = "RFC 4516 section 2")]
    pub(crate) fn of(target: &Target) -> Result<Self, Refusal> {
        // RFC 4511 4.5.1.2: `base` is the entry itself. Other faults are reported first.
        let (read, scope) = Self::with_scope(&target.url).map_err(Refusal::LdapUrl)?;
        match scope {
            None => Ok(read),
            Some(scope) => Err(Refusal::LdapScope(scope)),
        }
    }

    /// The URL, and its scope if that is not `base`.
    fn with_scope(url: &Url) -> Result<(Self, Option<String>), &'static str> {
        if url.fragment().is_some() {
            return Err("has a character that must be percent-encoded");
        }
        if !url.has_authority() {
            return Err("not a URL with an authority");
        }
        let is_tls = match url.scheme() {
            "ldap" => false,
            "ldaps" => true,
            _ => return Err("neither ldap nor ldaps"),
        };
        let dn = url.path().strip_prefix('/').ok_or("names no entry")?;
        let host = host_of(url)?;
        let mut parts = url.query().unwrap_or_default().split('?');
        let mut next = || parts.next().unwrap_or_default();
        let (attributes, scope, filter, extensions) = (next(), next(), next(), next());
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
            port: url.port().unwrap_or(if is_tls { 636 } else { 389 }),
            dn,
            attributes: attributes_of(attributes)?,
            filter: filter_of(filter)?,
        };
        Ok((read, other))
    }

    /// Sets these attributes if the URL names none.
    pub(crate) fn with_default_attributes(&mut self, names: &[&str]) {
        if self.attributes.is_empty() {
            self.attributes = names.iter().map(|name| (*name).to_owned()).collect();
        }
    }

    /// Whether values of this attribute are asked for, with the option `binary` or without it: RFC 4523 and servers
    /// differ in that. With other options it is another attribute.
    ///
    /// RFC 4523 2.
    #[doc(alias = "RFC 4523 section 2")]
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
    ///
    /// RFC 4511 4.5.
    #[doc(alias = "RFC 4511 section 4.5")]
    pub(super) fn request(&self) -> Option<BytesMut> {
        let text = |text: &str| Tag::OctetString(OctetString { inner: text.into(), ..Default::default() });
        let number = |inner| Tag::Integer(Integer { inner, ..Default::default() });
        let choice = |inner| Tag::Enumerated(Enumerated { inner, ..Default::default() });
        let list = |inner| Tag::Sequence(Sequence { inner, ..Default::default() });
        // Scope and aliases, then the limit of entries, the limit of seconds (the caller counts them), and whether
        // values are left out.
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

/// The host in lower case, if there is one: a name of letters, digits, `-`, `.` and `_`, or an address.
fn host_of(url: &Url) -> Result<Option<String>, &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has user information");
    }
    match url.host() {
        None | Some(Host::Domain("")) => Ok(None),
        Some(Host::Ipv4(address)) => Ok(Some(address.to_string())),
        Some(Host::Ipv6(address)) => Ok(Some(address.to_string())),
        Some(Host::Domain(name)) => {
            let is_name = name.len() <= 253
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            if is_name { Ok(Some(name.to_ascii_lowercase())) } else { Err("bad host") }
        }
    }
}

fn attributes_of(part: &str) -> Result<Vec<String>, &'static str> {
    if part.is_empty() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for name in part.split(',') {
        let name = decoded(name)?;
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.;".contains(&byte));
        if !is_name {
            return Err("bad attribute");
        }
        names.push(name);
    }
    if names.len() > MAX_ATTRIBUTES { Err("asks for too many attributes") } else { Ok(names) }
}

/// With or without the outer parentheses, which URLs of Microsoft's CAs leave out.
///
/// RFC 4516 2.
#[doc(alias = "RFC 4516 section 2")]
fn filter_of(part: &str) -> Result<String, &'static str> {
    if part.is_empty() {
        return Ok(ANY_ENTRY.to_owned());
    }
    let filter = decoded(part)?;
    let parentheses = filter.bytes().filter(|byte| *byte == b'(').count();
    if parentheses > MAX_PARENTHESES || ldap3::parse_filter(&filter).is_err() {
        return Err("bad filter");
    }
    Ok(filter)
}

/// Decodes percent-encoding, and refuses control characters.
///
/// RFC 4516 2.
#[doc(alias = "RFC 4516 section 2")]
fn decoded(part: &str) -> Result<String, &'static str> {
    const BAD: &str = "bad percent-encoding";
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(BAD);
        bytes.push(match byte {
            b'%' => u8::try_from(digit()? * 16 + digit()?).map_err(|_| BAD)?,
            _ => byte,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    if text.chars().any(char::is_control) { Err("has a control character") } else { Ok(text) }
}

/// For tests and fuzzers: a URL that the guard allows.
#[cfg(any(test, fuzzing))]
pub(crate) fn validated(text: &str) -> Result<LdapUrl, Refusal> {
    let guard = crate::Guard::new().allow_tls(true);
    let target = guard.validate_url(text).map_err(|refused| refused.refusal)?;
    LdapUrl::of(&target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_URL;

    fn url(text: &str) -> LdapUrl {
        validated(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn reads_urls() {
        let cases = [
            ("ldap://h/o=A", false, Some("h"), 389, "o=A", "", ANY_ENTRY),
            ("LDAPS://H.Example/o=A?", true, Some("h.example"), 636, "o=A", "", ANY_ENTRY),
            ("ldap:///o=A?x;binary", false, None, 389, "o=A", "x;binary", ANY_ENTRY),
            ("ldap://[2001:DB8::1]:1389/o=A?x,y", false, Some("2001:db8::1"), 1389, "o=A", "x,y", ANY_ENTRY),
            ("ldap://h/cn=a%20b%3Fc,o=%C3%84", false, Some("h"), 389, "cn=a b?c,o=Ä", "", ANY_ENTRY),
            ("ldap://h:/o=A B", false, Some("h"), 389, "o=A B", "", ANY_ENTRY),
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
        let deep = format!("ldap://h/o=A???{}(a=b){}", "(!".repeat(100), ")".repeat(100));
        let many = format!("ldap://h/o=A?{}", ["x"; MAX_ATTRIBUTES + 1].join(","));
        let cases = [
            ("ldap:/o=A", "not a URL with an authority"),
            ("http://h/o=A", "neither ldap nor ldaps"),
            ("ldap://h/o=A#b", "has a character that must be percent-encoded"),
            ("ldap://h", "names no entry"),
            ("ldap://h/", "names no entry"),
            ("ldap://h/?x", "names no entry"),
            ("ldap://h?x/o=A", "names no entry"),
            ("ldap://h%2e/o=A", "bad host"),
            ("ldap://h/o=%4", "bad percent-encoding"),
            ("ldap://h/o=%+4", "bad percent-encoding"),
            ("ldap://h/o=%ff", "not UTF-8"),
            ("ldap://h/o=%00", "has a control character"),
            ("ldap://h/o=A???(a=%0d%0a)", "has a control character"),
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
            assert_eq!(validated(text), Err(Refusal::LdapUrl(fault)), "{text}");
        }
        for scope in ["one", "sub", "Sub", "children"] {
            let url = format!("ldap://h/o=A??{scope}");
            assert_eq!(validated(&url), Err(Refusal::LdapScope(scope.to_owned())), "{url}");
        }
    }

    /// A URL that the guard refuses is not parsed further.
    #[test]
    fn the_guard_comes_first() {
        let long = format!("ldap://h/o={}", "a".repeat(MAX_URL));
        for (text, refusal) in [
            (long.as_str(), Refusal::TooLong { max: MAX_URL }),
            ("ldapi://%2Ftmp/o=A", Refusal::Scheme("ldapi".to_owned())),
            ("ldap://h/o=Ä", Refusal::Characters),
            ("ldap://user@h/o=A", Refusal::UserInformation),
            ("ldap://user:word@h:389/o=A", Refusal::UserInformation),
            ("ldap://h:0/o=A", Refusal::Port(0)),
        ] {
            assert_eq!(validated(text), Err(refusal), "{text}");
        }
        for text in [
            "",
            "ldap://:389/o=A",
            "ldap://2001:db8::1/o=A",
            "ldap://[2001:db8::1/o=A",
            "ldap://[fe80::1%25eth0]/o=A",
            "ldap://[127.0.0.1]/o=A",
            "ldap://[::1]389/o=A",
            "ldap://h:+1/o=A",
            "ldap://h:65536/o=A",
        ] {
            assert!(matches!(validated(text), Err(Refusal::NotAUrl(_))), "{text}: {:?}", validated(text));
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
