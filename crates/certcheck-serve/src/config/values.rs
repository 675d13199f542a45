//! What values can be parsed from, and what is said about one that cannot.

use std::path::{Path, PathBuf};

use certcheck_rustls::certcheck_core::oid::OidBuf;
use certcheck_rustls::certcheck_core::policy::Tolerance;
use certcheck_rustls::certcheck_fetch::mirror::parse_mirror;
use certcheck_rustls::rustls::CipherSuite;
use certcheck_rustls::{Purpose, Revocation};
use ipnet::IpNet;
use toml::de::DeValue;
use url::Url;

use super::address::{AddressFault, ListenAddress, Upstream};
use super::check::ProxyFor;
use super::document::Value;
use super::model::{CertificateFiles, ProxyPeers};
use super::nearest::did_you_mean;
use super::words::{CAUSES, Word};

/// How much of a value is shown in a message.
const SHOWN: usize = 60;
/// The longest application protocol (RFC 7301 3.1).
const MAX_ALPN: usize = 255;

/// What is wrong with a value, and where.
pub(super) struct Flaw {
    pub(super) at: usize,
    pub(super) text: String,
}

pub(super) type Parsed<T> = Result<T, Vec<Flaw>>;

/// A flaw of a value: "VALUE PREDICATE".
pub(super) fn flaw<T>(value: &Value<'_>, predicate: impl core::fmt::Display) -> Parsed<T> {
    Err(vec![Flaw { at: value.span().start, text: format!("{} {predicate}", shown(value)) }])
}

/// A value as it is shown in messages, short and printable.
fn shown(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => {
            let short: String = text.chars().take(SHOWN).collect();
            let end = if short.len() < text.len() { "..." } else { "" };
            format!("`{}{end}`", short.escape_debug())
        }
        DeValue::Integer(number) => format!("`{number}`"),
        DeValue::Float(number) => format!("`{number}`"),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(time) => format!("`{time}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// `true` or `false`, or `on` or `off` as on the command line.
pub(super) fn switch(value: &Value<'_>) -> Parsed<bool> {
    match value.get_ref() {
        DeValue::Boolean(value) => Ok(*value),
        DeValue::String(text) if text == "on" => Ok(true),
        DeValue::String(text) if text == "off" => Ok(false),
        _ => flaw(value, "is neither true nor false"),
    }
}

/// The name of a listener.
pub(super) fn name(value: &Value<'_>) -> Parsed<String> {
    let is_good = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match value.get_ref() {
        DeValue::String(text) if is_good(text) => Ok(text.clone().into_owned()),
        _ => flaw(value, "is not a name of 1 to 64 letters, digits, `-`, `_` and `.`"),
    }
}

/// A whole number within bounds.
pub(super) fn number(least: u64, max: u64) -> impl Fn(&Value<'_>) -> Parsed<u64> {
    move |value| {
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number.filter(|number| (least..=max).contains(number)) {
            Some(number) => Ok(number),
            None => flaw(value, format_args!("is not a whole number from {least} to {max}")),
        }
    }
}

/// As [`number`], for counts.
pub(super) fn count(least: u64, max: u64) -> impl Fn(&Value<'_>) -> Parsed<usize> {
    move |value| number(least, max)(value).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// As [`number`], for small numbers.
pub(super) fn small(least: u32, max: u32) -> impl Fn(&Value<'_>) -> Parsed<u32> {
    move |value| number(least.into(), max.into())(value).map(|number| u32::try_from(number).unwrap_or(max))
}

/// One of a few words.
pub(super) fn word<W: Word>(value: &Value<'_>) -> Parsed<W> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        _ => "",
    };
    match W::of_word(text) {
        Some(word) => Ok(word),
        None => flaw(value, not_one_of(text, W::WORDS.iter().map(|(word, _)| *word))),
    }
}

/// "is not ...", with the words that are allowed and the one that may be meant.
fn not_one_of<'w>(text: &str, words: impl Iterator<Item = &'w str> + Clone) -> String {
    let known: Vec<String> = words.clone().map(|word| format!("`{word}`")).collect();
    let allowed = match known.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => known.join(""),
    };
    format!("is not {allowed}{}", did_you_mean(text, words))
}

/// A list of values.
pub(super) fn list<'d, T>(parse: impl Fn(&Value<'d>) -> Parsed<T>) -> impl Fn(&Value<'d>) -> Parsed<Vec<T>> {
    move |value| {
        let DeValue::Array(array) = value.get_ref() else {
            return flaw(value, "is not a list, which is written in brackets: [\"one\", \"two\"]");
        };
        let (mut parsed, mut flaws) = (Vec::new(), Vec::new());
        for item in array.iter() {
            match parse(item) {
                Ok(item) => parsed.push(item),
                Err(found) => flaws.extend(found),
            }
        }
        if flaws.is_empty() { Ok(parsed) } else { Err(flaws) }
    }
}

/// A list of values, or one value.
pub(super) fn one_or_more<'d, T>(
    parse: impl Fn(&Value<'d>) -> Parsed<T>,
) -> impl Fn(&Value<'d>) -> Parsed<Vec<T>> {
    move |value| match value.get_ref() {
        DeValue::Array(array) if array.is_empty() => Err(vec![Flaw {
            at: value.span().start,
            text: "the list is empty; at least one value is needed".to_owned(),
        }]),
        DeValue::Array(_) => list(&parse)(value),
        _ => parse(value).map(|one| vec![one]),
    }
}

/// As [`one_or_more`], without a value that is there twice.
pub(super) fn distinct<'d, T: PartialEq>(
    parse: impl Fn(&Value<'d>) -> Parsed<T>,
) -> impl Fn(&Value<'d>) -> Parsed<Vec<T>> {
    move |value| {
        let parsed = one_or_more(&parse)(value)?;
        let twice =
            (1..parsed.len()).find(|at| parsed.iter().take(*at).any(|one| Some(one) == parsed.get(*at)));
        let item = twice.and_then(|at| value.get_ref().as_array()?.get(at));
        match item {
            Some(item) => flaw(item, "is there twice"),
            None => Ok(parsed),
        }
    }
}

/// A path, relative to the folder of the file.
pub(super) fn path<'d>(folder: &Path) -> impl Fn(&Value<'d>) -> Parsed<PathBuf> {
    let folder = folder.to_owned();
    move |value| match value.get_ref() {
        DeValue::String(text) if !text.is_empty() && !text.contains('\0') => Ok(folder.join(text.as_ref())),
        _ => flaw(value, "is not a path, which is a text in quotes"),
    }
}

/// The files of a certificate, and the offset of their table.
pub(super) fn certificate_files<'d>(
    folder: &Path,
) -> impl Fn(&Value<'d>) -> Parsed<(usize, CertificateFiles)> {
    let path = path(folder);
    move |value| {
        let Some(table) = value.get_ref().as_table() else {
            return flaw(
                value,
                "is not a table of two files: { chain = \"server.pem\", key = \"server.key\" }",
            );
        };
        let at = value.span().start;
        let (mut chain, mut key, mut flaws) = (None, None, Vec::new());
        for (name, file) in table {
            let place = match name.get_ref().as_ref() {
                "chain" => &mut chain,
                "key" => &mut key,
                other => {
                    let hint = did_you_mean(other, ["chain", "key"]);
                    let text = format!("no key `{}`{hint}", other.escape_debug());
                    flaws.push(Flaw { at: name.span().start, text });
                    continue;
                }
            };
            match path(file) {
                Ok(path) => *place = Some(path),
                Err(found) => flaws.extend(found),
            }
        }
        match (chain, key) {
            (Some(chain), Some(key)) if flaws.is_empty() => Ok((at, CertificateFiles { chain, key })),
            (None, _) if flaws.is_empty() => missing(at, "chain"),
            (_, None) if flaws.is_empty() => missing(at, "key"),
            _ => Err(flaws),
        }
    }
}

fn missing<T>(at: usize, key: &str) -> Parsed<T> {
    Err(vec![Flaw { at, text: format!("`{key}` is missing: the path of a PEM file") }])
}

/// A text that is parsed into something with an own message.
fn parsed<T>(
    value: &Value<'_>,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, AddressFault>,
) -> Parsed<T> {
    match value.get_ref() {
        DeValue::String(text) => match parse(text) {
            Ok(parsed) => Ok(parsed),
            Err(fault) => flaw(value, format_args!("is not {what}: {fault}")),
        },
        _ => flaw(value, format_args!("is not {what}, which is a text in quotes")),
    }
}

/// Where a front listens.
pub(super) fn listen(value: &Value<'_>) -> Parsed<ListenAddress> {
    parsed(value, "an address", ListenAddress::parse)
}

/// The service behind it.
pub(super) fn upstream(value: &Value<'_>) -> Parsed<Upstream> {
    parsed(value, "an upstream", Upstream::parse)
}

/// A network, or one address.
pub(super) fn net(value: &Value<'_>) -> Parsed<IpNet> {
    let net = value.get_ref().as_str().and_then(net_of);
    match net {
        Some(net) => Ok(net),
        None => flaw(value, "is not a network or address, such as \"10.0.0.0/8\" or \"::1\""),
    }
}

fn net_of(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// Networks of proxies, and `unix`.
pub(super) fn peers(value: &Value<'_>) -> Parsed<ProxyPeers> {
    let entry = |value: &Value<'_>| match value.get_ref().as_str() {
        Some("unix") => Ok(None),
        Some(text) if net_of(text).is_some() => net(value).map(Some),
        _ => flaw(value, "is neither a network or address, such as \"10.0.0.0/8\", nor \"unix\""),
    };
    let entries = list(entry)(value)?;
    let unix = entries.iter().any(Option::is_none);
    Ok(ProxyPeers { nets: entries.into_iter().flatten().collect(), unix })
}

/// An HTTP proxy: a URL, or `env`.
pub(super) fn proxy(value: &Value<'_>) -> Parsed<ProxyFor> {
    match value.get_ref().as_str() {
        Some("env") => Ok(ProxyFor::Environment),
        Some("off") => Ok(ProxyFor::None),
        text => {
            let url = text.and_then(|text| Url::parse(text).ok());
            match url.filter(|url| url.scheme() == "http" && url.has_host()) {
                Some(url) => Ok(ProxyFor::Url(url)),
                None => flaw(
                    value,
                    "is neither the URL of an HTTP proxy, such as \"http://proxy.example:3128\", nor \"env\" or \"off\"",
                ),
            }
        }
    }
}

/// The URL of an OCSP responder.
pub(super) fn responder(value: &Value<'_>) -> Parsed<Url> {
    let is_plain = |url: &Url| {
        ["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none()
    };
    match value.get_ref().as_str().and_then(|text| Url::parse(text).ok()).filter(is_plain) {
        Some(url) => Ok(url),
        None => flaw(value, "is not the URL of a responder, such as \"http://ocsp.example/\""),
    }
}

/// The address of a shared store. A password in it would be shown.
pub(super) fn shared_store(value: &Value<'_>) -> Parsed<String> {
    let user = |text: &str| {
        let (_, rest) = text.split_once("://")?;
        rest.rsplit_once('@').map(|(user, _)| user.to_owned())
    };
    match value.get_ref().as_str() {
        Some(text) if user(text).is_some_and(|user| user.contains(':')) => {
            // The value is not shown.
            let text =
                "the address has a password in it; keep it in a file that `shared_store_password_file` names";
            Err(vec![Flaw { at: value.span().start, text: text.to_owned() }])
        }
        Some(text) if text.contains("://") => Ok(text.to_owned()),
        _ => flaw(value, "is not the address of a shared store, such as \"redis://cache.example:6379/0\""),
    }
}

/// The URL of a mirror.
pub(super) fn mirror(value: &Value<'_>) -> Parsed<Url> {
    match value.get_ref().as_str().and_then(parse_mirror) {
        Some(url) => Ok(url),
        None => flaw(value, "is not the URL of a mirror, such as \"http://mirror.example:8790\""),
    }
}

/// An LDAP server.
pub(super) fn ldap_server(value: &Value<'_>) -> Parsed<String> {
    let is_host = |text: &str| {
        let url = Url::parse(&format!("ldap://{text}"));
        let is_plain = !text.contains(|sign: char| sign.is_whitespace() || sign == '%');
        is_plain
            && url.is_ok_and(|url| {
                url.has_host() && url.path().is_empty() && url.query().is_none() && url.username().is_empty()
            })
    };
    match value.get_ref().as_str() {
        Some(text) if is_host(text) => Ok(text.to_owned()),
        _ => flaw(
            value,
            "is not a host with or without a port, such as \"ldap.example\" or \"ldap.example:389\"",
        ),
    }
}

/// An object identifier.
pub(super) fn oid(value: &Value<'_>) -> Parsed<OidBuf> {
    match value.get_ref().as_str().and_then(OidBuf::from_dotted) {
        Some(oid) => Ok(oid),
        None => flaw(value, "is not an object identifier, such as \"2.16.840.1.101.3.2.1.3.7\""),
    }
}

/// A purpose: a word, or an object identifier.
pub(super) fn purpose(value: &Value<'_>) -> Parsed<Purpose> {
    match value.get_ref().as_str() {
        Some("client") => Ok(Purpose::Client),
        Some("server") => Ok(Purpose::Server),
        Some("any") => Ok(Purpose::Any),
        Some(text) => match OidBuf::from_dotted(text) {
            Some(oid) => Ok(Purpose::Other(oid)),
            None => flaw(value, "is not `client`, `server`, `any` or an object identifier"),
        },
        None => flaw(value, "is not `client`, `server`, `any` or an object identifier"),
    }
}

/// What happens when the status is unknown: a word, or a list of the causes that are tolerated.
pub(super) fn revocation(value: &Value<'_>) -> Parsed<Revocation> {
    if !matches!(value.get_ref(), DeValue::Array(_)) {
        return word(value);
    }
    let cause = |value: &Value<'_>| {
        let text = value.get_ref().as_str().unwrap_or_default();
        match CAUSES.iter().find(|(word, _)| *word == text) {
            Some((_, of)) => Ok(*of),
            None => flaw(value, not_one_of(text, CAUSES.iter().map(|(word, _)| *word))),
        }
    };
    let mut tolerance = Tolerance::NONE;
    for of in list(cause)(value)? {
        *of(&mut tolerance) = true;
    }
    Ok(Revocation::Custom(tolerance))
}

/// An application protocol.
pub(super) fn alpn(value: &Value<'_>) -> Parsed<String> {
    match value.get_ref() {
        DeValue::String(text) if (1..=MAX_ALPN).contains(&text.len()) => Ok(text.clone().into_owned()),
        _ => flaw(value, "is not a protocol of 1 to 255 bytes, such as \"h2\" or \"postgresql\""),
    }
}

/// A cipher suite by its registered name, out of those that are supported.
pub(super) fn suite(supported: &[CipherSuite]) -> impl Fn(&Value<'_>) -> Parsed<CipherSuite> {
    let known: Vec<(String, CipherSuite)> =
        supported.iter().map(|suite| (suite_name(*suite), *suite)).collect();
    move |value| {
        let text = value.get_ref().as_str().unwrap_or_default();
        match known.iter().find(|(name, _)| name == text) {
            Some((_, suite)) => Ok(*suite),
            None => flaw(value, not_one_of(text, known.iter().map(|(name, _)| name.as_str()))),
        }
    }
}

/// The registered name of a cipher suite.
pub(super) fn suite_name(suite: CipherSuite) -> String {
    // rustls names those of TLS 1.3 differently.
    suite.as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}
