//! Patterns for values of certificates. What `*` stands for depends on the field: see [`Field`].

use core::fmt;

use certcheck_rustls::certcheck_core::oid::OidBuf;
use certcheck_rustls::certcheck_core::x509::{Name, NameBuf};
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use super::condition::Field;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 2_048;
/// The longest DNS name in text.
const MAX_DNS: usize = 253;

/// A pattern for one field. It displays as it was written.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Name { name: NameBuf, is_below: bool },
    Text(Glob),
    Dns(Labels),
    Uri(Vec<String>),
    Mailbox { local: Glob, domain: Labels },
    Exact(String),
    Digest([u8; 32]),
}

/// Why a pattern cannot be used: it completes "VALUE ...".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PatternFault(pub(super) &'static str);

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for PatternFault {}

/// Patterns with the same text are the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// A pattern for this field.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(field: Field, text: &str) -> Result<Self, PatternFault> {
        if text.is_empty() {
            return Err(PatternFault("is empty, and would never match"));
        }
        if text.len() > MAX_PATTERN {
            return Err(PatternFault("is longer than 2048 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(PatternFault("has a control character, and would never match"));
        }
        let kind = match field {
            Field::Subject | Field::Issuer => {
                let base = text.strip_prefix("*,");
                let name = NameBuf::from_text(base.unwrap_or(text)).map_err(|_| {
                    PatternFault(
                        "is not a name such as \"CN=ca,O=Acme,C=US\", or \"*,O=Acme,C=US\" for all below",
                    )
                })?;
                Kind::Name { name, is_below: base.is_some() }
            }
            Field::CommonName | Field::Unit | Field::Organization | Field::UserId => {
                Kind::Text(Glob::new(text))
            }
            Field::Dns => Kind::Dns(Labels::parse(text)?),
            Field::Uri => Kind::Uri(segments(text)?),
            Field::Email | Field::Upn => mailbox(text)?,
            Field::Policy => {
                let oid = OidBuf::from_dotted(text);
                let oid = oid.ok_or(PatternFault("is not an object identifier, such as \"2.5.29.32.0\""))?;
                Kind::Exact(oid.to_string())
            }
            Field::Serial => Kind::Exact(serial(text)?),
            Field::Certificate | Field::Key => Kind::Digest(digest(text, field)?),
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// Whether it matches a value in text.
    pub(super) fn matches(&self, value: &str) -> bool {
        match &self.kind {
            Kind::Text(glob) => glob.matches(value),
            Kind::Dns(labels) => labels.match_name(value),
            Kind::Uri(segments) => match_uri(segments, value),
            Kind::Mailbox { local, domain } => match value.split_once('@') {
                Some((own, at)) => !at.contains('@') && local.matches(own) && domain.match_name(at),
                None => false,
            },
            Kind::Exact(text) => text == value,
            Kind::Name { .. } | Kind::Digest(_) => false,
        }
    }

    /// Whether it matches a distinguished name.
    pub(super) fn matches_name(&self, value: Name<'_>) -> bool {
        match &self.kind {
            Kind::Name { name, is_below: true } => value.is_within(name.as_name()),
            Kind::Name { name, is_below: false } => value.matches(name.as_name()),
            _ => false,
        }
    }

    /// Whether it is this digest.
    pub(super) fn matches_digest(&self, value: &[u8; 32]) -> bool {
        matches!(&self.kind, Kind::Digest(digest) if digest == value)
    }
}

/// Text in which each `*` stands for any characters, also none.
#[derive(Clone, Debug)]
struct Glob(Vec<String>);

impl Glob {
    fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// In linear time for each part: the first place that a part is found at is good for all that follow.
    fn matches(&self, value: &str) -> bool {
        let [first, rest @ ..] = &*self.0 else { return false };
        let Some(mut value) = value.strip_prefix(first.as_str()) else { return false };
        let [middle @ .., last] = rest else { return value.is_empty() };
        for part in middle {
            let Some((_, after)) = value.split_once(part.as_str()) else { return false };
            value = after;
        }
        value.ends_with(last.as_str())
    }
}

/// The labels of a DNS name in lower case. `None` is `*`.
#[derive(Clone, Debug)]
struct Labels(Vec<Option<String>>);

impl Labels {
    fn parse(text: &str) -> Result<Self, PatternFault> {
        if text.split('.').any(|label| label.contains('*') && label != "*") {
            return Err(PatternFault(
                "has `*` as a part of a label; it stands for a whole one, as in \"*.example.com\"",
            ));
        }
        let labels = text.split('.').map(|label| match label {
            "*" => Some(None),
            label => is_label(label).then(|| Some(label.to_ascii_lowercase())),
        });
        match labels.collect() {
            Some(labels) if text.len() <= MAX_DNS => Ok(Self(labels)),
            _ => Err(PatternFault(
                "is not a DNS name; write international ones with A-labels, such as \"xn--bcher-kva.example\"",
            )),
        }
    }

    /// A name with a wildcard of its own, an empty label or a character beyond ASCII matches nothing.
    fn match_name(&self, name: &str) -> bool {
        let mut labels = name.split('.');
        name.len() <= MAX_DNS
            && self.0.iter().all(|pattern| {
                labels.next().is_some_and(|label| {
                    is_label(label) && pattern.as_ref().is_none_or(|text| label.eq_ignore_ascii_case(text))
                })
            })
            && labels.next().is_none()
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn segments(text: &str) -> Result<Vec<String>, PatternFault> {
    let segments: Vec<&str> = text.split('/').collect();
    // "scheme:", "", "authority", and then the path.
    let path = if text.contains("://") { segments.get(3..) } else { None }.unwrap_or_default();
    let before = segments.len() - path.len();
    let is_misplaced = segments.iter().enumerate().any(|(at, segment)| {
        let is_last = at + 1 == segments.len();
        segment.contains('*') && (at < before || !(*segment == "*" || *segment == "**" && is_last))
    });
    if is_misplaced {
        return Err(PatternFault(
            "has `*` elsewhere than as a whole segment of the path, or `**` elsewhere than as the last one",
        ));
    }
    if !text.is_ascii() {
        return Err(PatternFault("has characters beyond ASCII, which a URI has not"));
    }
    Ok(segments.into_iter().map(str::to_owned).collect())
}

/// A segment that `*` stands for cannot have another meaning to a service: it is not empty or relative, and has no
/// escapes.
fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && !segment.contains(['%', '?', '#', '\\', '*'])
}

fn match_uri(pattern: &[String], uri: &str) -> bool {
    let mut segments = uri.split('/');
    for part in pattern {
        let is_good = match part.as_str() {
            "**" => {
                let mut rest = segments.by_ref().peekable();
                return rest.peek().is_some() && rest.all(is_plain_segment);
            }
            "*" => segments.next().is_some_and(is_plain_segment),
            part => segments.next() == Some(part),
        };
        if !is_good {
            return false;
        }
    }
    segments.next().is_none()
}

fn mailbox(text: &str) -> Result<Kind, PatternFault> {
    let shape = PatternFault("is not a mailbox such as \"alice@example.com\" or \"*@example.com\"");
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() => {
            Ok(Kind::Mailbox { local: Glob::new(local), domain: Labels::parse(domain).map_err(|_| shape)? })
        }
        _ => Err(shape),
    }
}

/// As [`Identity::serial`](certcheck_rustls::Identity::serial) writes it: without a sign byte.
fn serial(text: &str) -> Result<String, PatternFault> {
    let fault = PatternFault("is not a serial number in hexadecimal, such as \"04:ab:12\"");
    let bytes = HEXLOWER_PERMISSIVE.decode(text.replace(':', "").as_bytes()).map_err(|_| fault)?;
    let bytes = match &*bytes {
        [] => return Err(fault),
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    Ok(HEXLOWER.encode(bytes))
}

fn digest(text: &str, field: Field) -> Result<[u8; 32], PatternFault> {
    let hexadecimal = HEXLOWER_PERMISSIVE.decode(text.replace(':', "").as_bytes());
    let bytes = match (hexadecimal, field) {
        (Ok(bytes), _) => Ok(bytes),
        (Err(_), Field::Key) => BASE64.decode(text.trim_start_matches("sha256/").as_bytes()).map_err(|_| ()),
        (Err(_), _) => Err(()),
    };
    let fault = match field {
        Field::Key => {
            "is not SHA-256 of a public key, which has 64 hexadecimal digits, or 44 characters of Base64"
        }
        _ => "is not SHA-256 of a certificate, which has 64 hexadecimal digits",
    };
    bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(PatternFault(fault))
}
