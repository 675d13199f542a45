//! The values of parameters: from the words of a line, and back.

use core::fmt;

use super::addresses::AddressRange;
use super::diagnostic::{Code, Position};
use super::lexer::Word;
use super::suite;
use super::vocabulary::{Parameter, Values};

/// The longest name of a statement.
pub(super) const MAX_NAME: usize = 32;
/// The longest URL that System SSL takes.
const MAX_URL: usize = 2083;

/// The value of a parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// One of the words of the parameter, as IBM writes it.
    Choice(&'static str),
    /// A number.
    Number(u64),
    /// No limit: -1.
    NoLimit,
    /// The first and the last port. 0 to 0: all.
    Ports(u16, u16),
    /// Addresses.
    Addresses(AddressRange),
    /// Text.
    Text(String),
    /// Codes or names.
    List(Vec<String>),
    /// Text that is never shown.
    Secret(Secret),
    /// Nothing.
    Nothing,
}

/// Text that is shown nowhere but in the formatted policy.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Value {
    /// As it is written in a policy.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Secret(Secret(text)) => text.clone(),
            other => other.to_string(),
        }
    }

    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Choice(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::NoLimit => f.write_str("-1"),
            Self::Ports(first, last) if first == last => write!(f, "{first}"),
            Self::Ports(first, last) => write!(f, "{first}-{last}"),
            Self::Addresses(range) => write!(f, "{range}"),
            Self::Text(text) => f.write_str(text),
            Self::List(words) => f.write_str(&words.join(" ")),
            Self::Secret(_) => f.write_str("(not shown)"),
            Self::Nothing => Ok(()),
        }
    }
}

/// Why words are no value of a parameter.
pub(super) struct ValueFault {
    pub(super) code: Code,
    pub(super) at: Position,
    pub(super) message: String,
}

/// The value of a parameter in the words behind it, and how many words it has.
pub(super) fn parse(
    parameter: &Parameter,
    keyword: &Word,
    words: &[Word],
) -> Result<(Value, usize), ValueFault> {
    let name = parameter.name;
    let Some(first) = words.first() else {
        return match parameter.values {
            Values::WordOrNothing => Ok((Value::Nothing, 0)),
            values => Err(ValueFault {
                code: Code::MissingValue,
                at: keyword.at,
                message: format!("`{name}` has no value; it may be: {values}"),
            }),
        };
    };
    let fault = |code, text: String| ValueFault { code, at: first.at, message: text };
    if is_placeholder(&first.text) {
        let text = format!("`{}` is a symbol that was not replaced by the value for `{name}`", first.text);
        return Err(fault(Code::Placeholder, text));
    }
    let wrong = || fault(Code::BadValue, bad_value(name, &first.text, parameter.values));
    let text = || first.text.clone();
    match parameter.values {
        Values::OneOf(choices) => {
            let choice = choices.iter().find(|choice| first.is(choice));
            choice.map(|choice| (Value::Choice(choice), 1)).ok_or_else(wrong)
        }
        Values::NumberOrNone(..) if first.text == "-1" => Ok((Value::NoLimit, 1)),
        Values::Number(least, largest) | Values::NumberOrNone(least, largest) => {
            let number = digits(&first.text).ok_or_else(wrong)?;
            if (least..=largest).contains(&number) {
                return Ok((Value::Number(number), 1));
            }
            Err(fault(Code::OutOfRange, format!("`{name}` is from {least} to {largest}, not {number}")))
        }
        Values::Ports => {
            ports(name, words).map_err(|(at, message)| ValueFault { code: Code::BadValue, at, message })
        }
        Values::Addresses => {
            AddressRange::parse(&first.text).map(|range| (Value::Addresses(range), 1)).map_err(|reason| {
                fault(Code::BadValue, format!("`{name}` cannot be `{}`: {reason}", first.text))
            })
        }
        Values::Reference(_) => match name_fault(&first.text) {
            Some(reason) => Err(fault(Code::BadName, reason)),
            None => Ok((Value::Text(text()), 1)),
        },
        Values::Word | Values::WordOrNothing => Ok((Value::Text(text()), 1)),
        Values::Secret => Ok((Value::Secret(Secret(text())), 1)),
        Values::Url => match url_fault(&first.text) {
            Some(reason) => {
                Err(fault(Code::BadValue, format!("`{name}` cannot be `{}`: {reason}", first.text)))
            }
            None => Ok((Value::Text(text()), 1)),
        },
        Values::Suites => suites(words, 2).ok_or_else(wrong),
        Values::Suites4 => suites(words, 4).ok_or_else(wrong),
        Values::Codes => {
            let codes: Vec<_> = words.iter().map_while(|word| codes(&word.text)).collect();
            let count = codes.len();
            if count == 0 { Err(wrong()) } else { Ok((Value::List(codes.concat()), count)) }
        }
        Values::Line => {
            let line = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            Ok((Value::Text(line), words.len()))
        }
    }
}

fn bad_value(name: &str, text: &str, values: Values) -> String {
    format!("`{name}` cannot be `{text}`; it may be: {values}")
}

/// Why a text cannot be the name of a statement.
pub(super) fn name_fault(name: &str) -> Option<String> {
    let length = name.chars().count();
    if is_placeholder(name) {
        return Some(format!("`{name}` is a symbol that was not replaced by a name"));
    }
    if length > MAX_NAME {
        return Some(format!("the name `{name}` has {length} characters; a name has at most {MAX_NAME}"));
    }
    let strange = name.chars().find(|character| character.is_control())?;
    Some(format!("the name has the character {}, which no name can have", strange.escape_unicode()))
}

/// Whether a text is a symbol that somebody should have replaced.
pub(super) fn is_placeholder(text: &str) -> bool {
    let mut marks = text.match_indices('?').map(|(at, _)| at);
    matches!((marks.next(), marks.next()), (Some(first), Some(second)) if second > first + 1)
}

/// A number without a sign.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Ports by `-`, `:` or a blank.
fn ports(name: &str, words: &[Word]) -> Result<(Value, usize), (Position, String)> {
    let Some(first) = words.first() else { return Err((Position::default(), String::new())) };
    let port = |text: &str| digits(text).and_then(|number| u16::try_from(number).ok());
    let (low, high, count) = match first.text.split_once(['-', ':']) {
        Some((low, high)) => (port(low), port(high), 1),
        None => match words.get(1).and_then(|second| port(&second.text)) {
            Some(second) => (port(&first.text), Some(second), 2),
            None => (port(&first.text), port(&first.text), 1),
        },
    };
    match (low, high) {
        (Some(low), Some(high)) if low <= high && (low > 0 || high == 0) => {
            Ok((Value::Ports(low, high), count))
        }
        (Some(low), Some(high)) => Err((
            first.at,
            format!("`{name}` cannot be {low} to {high}: a range is from a port above 0 to a higher one"),
        )),
        _ => Err((
            first.at,
            format!(
                "`{name}` cannot be `{}`; it may be a port from 1 to 65535, or two as in 7000-7010",
                first.text
            ),
        )),
    }
}

/// Codes of four hexadecimal digits, one after the other.
fn codes(text: &str) -> Option<Vec<String>> {
    let is_hex =
        !text.is_empty() && text.len().is_multiple_of(4) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let split = |text: &str| {
        let letters: Vec<char> = text.to_ascii_uppercase().chars().collect();
        letters.chunks(4).map(|four| four.iter().collect()).collect()
    };
    is_hex.then(|| split(text))
}

/// Suites by their names or codes. A word that is none ends the list.
fn suites(words: &[Word], digits: usize) -> Option<(Value, usize)> {
    let found: Vec<_> = words.iter().map_while(|word| suite::named(&word.text, digits)).collect();
    let count = found.len();
    let names: Vec<String> = found.concat().into_iter().map(|suite| suite.name.to_owned()).collect();
    (count > 0).then_some((Value::List(names), count))
}

/// Why a text is not the URL of a responder.
fn url_fault(text: &str) -> Option<String> {
    if text.len() > MAX_URL {
        return Some(format!("a URL has at most {MAX_URL} characters"));
    }
    let Ok(url) = url::Url::parse(text) else { return Some("it is not a URL".to_owned()) };
    if url.scheme() != "http" {
        return Some("a responder has an `http` URL".to_owned());
    }
    (!url.username().is_empty() || url.password().is_some())
        .then(|| "a URL with a user name or password is not accepted".to_owned())
}
