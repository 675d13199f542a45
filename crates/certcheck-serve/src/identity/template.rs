//! User names out of the names in a certificate: `{cn}`, `{upn.local}@site`.

use core::fmt;

use certcheck_rustls::{Edipi, Identity};
use data_encoding::HEXLOWER;

use super::condition::{attribute, values_of};
use super::refusal::AccessRefusal;

/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 256;

/// A user name, or how it is made. `{NAME}` is replaced by a name of the certificate, and `{{` and `}}` are braces. It
/// displays as it was written.
///
/// Different names make different users: a value must not have the text in it that follows it in the template.
///
/// | name | value |
/// |---|---|
/// | `{cn}`, `{ou}`, `{o}`, `{uid}` | the value of that attribute of the subject |
/// | `{upn}`, `{upn.local}`, `{upn.domain}` | the user principal name, what is before its `@`, and what is after it in lower case |
/// | `{email}`, `{email.local}`, `{email.domain}` | the mailbox in subjectAltName, in the same way |
/// | `{dns}`, `{uri}` | the DNS name in lower case, the URI |
/// | `{spiffe}` | the SPIFFE ID |
/// | `{edipi}` | the number of a person of the US Department of Defense |
/// | `{serial}` | the serial number in hexadecimal |
/// | `{sha256}` | SHA-256 of the certificate in hexadecimal |
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Literal(String),
    Value(Value),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Value {
    CommonName,
    Unit,
    Organization,
    UserId,
    Upn(Of),
    Email(Of),
    Dns,
    Uri,
    Spiffe,
    Edipi,
    Serial,
    Certificate,
}

/// Which part of a mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Of {
    Whole,
    Local,
    Domain,
}

const VALUES: [(&str, Value); 16] = [
    ("cn", Value::CommonName),
    ("ou", Value::Unit),
    ("o", Value::Organization),
    ("uid", Value::UserId),
    ("upn", Value::Upn(Of::Whole)),
    ("upn.local", Value::Upn(Of::Local)),
    ("upn.domain", Value::Upn(Of::Domain)),
    ("email", Value::Email(Of::Whole)),
    ("email.local", Value::Email(Of::Local)),
    ("email.domain", Value::Email(Of::Domain)),
    ("dns", Value::Dns),
    ("uri", Value::Uri),
    ("spiffe", Value::Spiffe),
    ("edipi", Value::Edipi),
    ("serial", Value::Serial),
    ("sha256", Value::Certificate),
];

/// Why a template cannot be used: it completes "VALUE ...".
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TemplateFault {
    /// It is empty.
    Empty,
    /// It is too long.
    TooLong,
    /// It has a control character.
    Control,
    /// A brace has no other.
    Brace,
    /// No such name.
    Unknown(String),
    /// Two names without a text between them.
    Adjacent,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => write!(f, "is longer than {MAX_TEMPLATE} bytes"),
            Self::Control => f.write_str("has a control character"),
            Self::Brace => f.write_str("has a brace without its other; write `{{` or `}}` for the character"),
            Self::Unknown(name) => {
                let names: Vec<_> = VALUES.iter().map(|(name, _)| format!("{{{name}}}")).collect();
                write!(f, "has no name `{{{name}}}`; the names are {}", names.join(", "))
            }
            Self::Adjacent => f.write_str(
                "has two names without a text between them, so different names could make the same user",
            ),
        }
    }
}

impl core::error::Error for TemplateFault {}

/// Templates with the same text are the same.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Template {
    /// A template from its text.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        if text.is_empty() {
            return Err(TemplateFault::Empty);
        }
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(TemplateFault::Control);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            push_literal(&mut parts, before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                push_literal(&mut parts, from.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inside = from.strip_prefix('{').ok_or(TemplateFault::Brace)?;
            let (name, after) = inside.split_once('}').ok_or(TemplateFault::Brace)?;
            let value = VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let value = value.ok_or_else(|| TemplateFault::Unknown(name.to_owned()))?;
            if matches!(parts.last(), Some(Part::Value(_))) {
                return Err(TemplateFault::Adjacent);
            }
            parts.push(Part::Value(value));
            rest = after;
        }
        push_literal(&mut parts, rest);
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The user of a certificate. `None` if it does not have one of the names.
    pub(super) fn fill(&self, identity: &Identity) -> Result<Option<String>, AccessRefusal> {
        let mut user = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            let value = match part {
                Part::Literal(text) => text.clone(),
                Part::Value(value) => match value.of(identity)? {
                    Some(value) => value,
                    None => return Ok(None),
                },
            };
            let is_value = matches!(part, Part::Value(_));
            let has_more = self.parts.len() > at + 2;
            // What ends a value when the user is read back must not be within it.
            if let Some(Part::Literal(separator)) = self.parts.get(at + 1)
                && is_value
                && has_more
                && value.contains(separator.as_str())
            {
                return Err(AccessRefusal::Ambiguous { value, separator: separator.clone() });
            }
            user.push_str(&value);
        }
        Ok(Some(user))
    }
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Literal(literal)) => literal.push_str(text),
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

impl Value {
    /// The value in a certificate. `None` if it has none.
    fn of(self, identity: &Identity) -> Result<Option<String>, AccessRefusal> {
        let attribute = |oid, name| only(name, values_of(identity, oid)?);
        match self {
            Self::CommonName => attribute(attribute::COMMON_NAME, "the common name of the subject"),
            Self::Unit => attribute(attribute::UNIT, "the organizationalUnitName of the subject"),
            Self::Organization => attribute(attribute::ORGANIZATION, "the organizationName of the subject"),
            Self::UserId => attribute(attribute::USER_ID, "the userid of the subject"),
            Self::Upn(of) => Ok(identity.upn()?.and_then(|upn| of.of(upn))),
            Self::Email(of) => {
                Ok(only("the mailbox in subjectAltName", identity.emails()?)?.and_then(|email| of.of(email)))
            }
            Self::Dns => {
                let name = only("the dNSName in subjectAltName", identity.dns_names()?)?;
                Ok(name.map(str::to_ascii_lowercase))
            }
            Self::Uri => Ok(only("the URI in subjectAltName", identity.uris()?)?.map(str::to_owned)),
            Self::Spiffe => Ok(identity.spiffe_id()?.map(str::to_owned)),
            Self::Edipi => Ok(identity.edipi()?.as_ref().map(Edipi::as_str).map(str::to_owned)),
            Self::Serial => Ok(Some(identity.serial())),
            Self::Certificate => Ok(Some(HEXLOWER.encode(&identity.sha256()))),
        }
    }
}

impl Of {
    /// This part of a mailbox. `None` if it has not exactly one `@`, with text on both sides.
    fn of(self, mailbox: &str) -> Option<String> {
        let (local, domain) = mailbox.split_once('@')?;
        if local.is_empty() || domain.is_empty() || domain.contains('@') {
            return None;
        }
        Some(match self {
            Self::Whole => format!("{local}@{}", domain.to_ascii_lowercase()),
            Self::Local => local.to_owned(),
            Self::Domain => domain.to_ascii_lowercase(),
        })
    }
}

/// The name, if there is one. Several are refused.
pub(super) fn only<T>(name: &'static str, values: Vec<T>) -> Result<Option<T>, AccessRefusal> {
    match values.len() {
        0 | 1 => Ok(values.into_iter().next()),
        count => Err(AccessRefusal::Several { name, count }),
    }
}
