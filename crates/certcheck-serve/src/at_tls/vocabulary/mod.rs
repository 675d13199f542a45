//! The words of AT-TLS policies: one table of all statements and parameters, with the values that they may have, their
//! defaults on z/OS, and what certcheck does with them.
//!
//! Whatever knows a word of a policy takes it from here: the grammar, the formatter, the effect on a listener, the
//! explanation, and the table in `docs/at-tls.md`.

mod actions;
mod conditions;
mod revocation;
mod statement_kind;
mod tls;

use core::fmt;

pub(super) use conditions::EACH_ADDRESS;
pub use statement_kind::StatementKind;

use super::value::Value;

/// A parameter of a statement.
#[derive(Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The word, as IBM writes it.
    pub name: &'static str,
    /// The statements that it belongs to.
    pub within: &'static [StatementKind],
    /// Statements in which it is accepted too, with a warning, because published policies have it there.
    pub tolerated_within: &'static [StatementKind],
    /// The values that it may have.
    pub values: Values,
    /// Whether it may be there more than once.
    pub repeats: bool,
    /// Its default on z/OS. Empty: none.
    pub default: &'static str,
    /// How well the default and the range are known.
    pub known_by: KnownBy,
    /// What certcheck does where the policy does not have it, if that is not what z/OS does.
    pub unset: Option<&'static str>,
    /// What certcheck does with its values. The first that matches counts.
    pub uses: &'static [Use],
}

/// What certcheck does with some values of a parameter.
#[derive(Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Use {
    /// The values.
    pub when: When,
    /// What is done.
    pub handling: Handling,
}

/// Some values of a parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum When {
    /// This value.
    Is(&'static str),
    /// Numbers below this one.
    Below(u64),
    /// Numbers above this one.
    Above(u64),
    /// Any other value.
    Always,
}

/// What certcheck does with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Handling {
    /// It is applied: to this setting of the listener.
    Applied(&'static str),
    /// It makes no difference, because certcheck always does so.
    Always(&'static str),
    /// It is not applied. A warning says what happens instead.
    Instead(&'static str),
    /// The policy is refused, unless the permission is given.
    Refused(&'static str, Permission),
    /// The policy is refused.
    Impossible(&'static str),
}

/// How well the default and the range of a parameter are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KnownBy {
    /// A page of IBM's documentation.
    Ibm,
    /// A program of others that checks policies.
    Checker,
    /// Not verified.
    Unverified,
}

impl KnownBy {
    /// The mark in tables.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Ibm => "documented",
            Self::Checker => "seen",
            Self::Unverified => "not verified",
        }
    }
}

/// What an administrator must allow, since it makes a service accept more than on z/OS or than the policy says.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Permission {
    /// Certificates that are not validated.
    PassThru,
    /// Listeners that do not ask clients for a certificate.
    NoClientCertificate,
    /// TLS from the first byte although the application starts it.
    ApplicationControlled,
    /// Rules that hold for one job or user on z/OS.
    Jobname,
    /// Rules that hold at certain times.
    TimeCondition,
    /// Rules for some source ports of clients.
    RemotePorts,
    /// Ports for which another rule turns TLS off.
    TlsOff,
    /// More than 1,024 ports.
    ManyPorts,
    /// No revocation checking where the policy has no source of evidence.
    NoRevocation,
    /// No FIPS mode although the policy demands one.
    NoFips,
    /// Clients whose certificate belongs to no user.
    NoUserMapping,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::PassThru,
        Self::NoClientCertificate,
        Self::ApplicationControlled,
        Self::Jobname,
        Self::TimeCondition,
        Self::RemotePorts,
        Self::TlsOff,
        Self::ManyPorts,
        Self::NoRevocation,
        Self::NoFips,
        Self::NoUserMapping,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PassThru => "pass-thru",
            Self::NoClientCertificate => "no-client-certificate",
            Self::ApplicationControlled => "application-controlled",
            Self::Jobname => "jobname",
            Self::TimeCondition => "time-condition",
            Self::RemotePorts => "remote-ports",
            Self::TlsOff => "tls-off",
            Self::ManyPorts => "many-ports",
            Self::NoRevocation => "no-revocation",
            Self::NoFips => "no-fips",
            Self::NoUserMapping => "no-user-mapping",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The values that a parameter may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A number from the first to the second.
    Number(u64, u64),
    /// A number from the first to the second, or -1 for no limit.
    NumberOrNone(u64, u64),
    /// A port, or ports from the first to the last.
    Ports,
    /// An IP address, a prefix, a range, or `All`.
    Addresses,
    /// The name of a statement of this kind.
    Reference(StatementKind),
    /// One word.
    Word,
    /// One word or nothing.
    WordOrNothing,
    /// One word that is never shown.
    Secret,
    /// An `http` URL.
    Url,
    /// Cipher suites, by name or by codes of two digits.
    Suites,
    /// Cipher suites, by name or by codes of four digits.
    Suites4,
    /// Numbers of four hexadecimal digits.
    Codes,
    /// The rest of the line.
    Line,
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(words) => f.write_str(&words.join(", ")),
            Self::Number(least, largest) => write!(f, "{least}..{largest}"),
            Self::NumberOrNone(least, largest) => write!(f, "-1, {least}..{largest}"),
            Self::Ports => f.write_str("a port, or a range of ports"),
            Self::Addresses => f.write_str("an address, a prefix, a range, or All"),
            Self::Reference(kind) => {
                let article = if kind.keyword().starts_with('I') { "an" } else { "a" };
                write!(f, "the name of {article} {}", kind.keyword())
            }
            Self::Word | Self::Line => f.write_str("text"),
            Self::WordOrNothing => f.write_str("text, or nothing"),
            Self::Secret => f.write_str("a secret"),
            Self::Url => f.write_str("an http URL"),
            Self::Suites => f.write_str("cipher suites: names, or codes of 2 digits"),
            Self::Suites4 => f.write_str("cipher suites: names, or codes of 4 digits"),
            Self::Codes => f.write_str("codes of 4 digits"),
        }
    }
}

impl Parameter {
    /// A parameter of these statements. What certcheck does with it follows.
    const fn new(name: &'static str, within: &'static [StatementKind], values: Values) -> Self {
        Self {
            name,
            within,
            tolerated_within: &[],
            values,
            repeats: false,
            default: "",
            known_by: KnownBy::Unverified,
            unset: None,
            uses: &[],
        }
    }

    const fn or(self, default: &'static str, known_by: KnownBy) -> Self {
        Self { default, known_by, ..self }
    }

    const fn known_by(self, known_by: KnownBy) -> Self {
        Self { known_by, ..self }
    }

    const fn unset(self, text: &'static str) -> Self {
        Self { unset: Some(text), ..self }
    }

    const fn repeated(self) -> Self {
        Self { repeats: true, ..self }
    }

    const fn tolerated(self, tolerated_within: &'static [StatementKind]) -> Self {
        Self { tolerated_within, ..self }
    }

    const fn uses(self, uses: &'static [Use]) -> Self {
        Self { uses, ..self }
    }

    /// What certcheck does with a value.
    #[must_use]
    pub fn handling(&self, value: &Value) -> Option<Handling> {
        let number = value.number();
        let matches = |when: When| match when {
            When::Is(word) => value.written() == word,
            When::Below(bound) => number.is_some_and(|number| number < bound),
            When::Above(bound) => number.is_some_and(|number| number > bound),
            When::Always => true,
        };
        self.uses.iter().find(|use_| matches(use_.when)).map(|use_| use_.handling)
    }

    /// The statement that a reference leads to.
    #[must_use]
    pub const fn refers_to(&self) -> Option<StatementKind> {
        match self.values {
            Values::Reference(kind) => Some(kind),
            _ => None,
        }
    }
}

/// What is done with any value.
const fn any(handling: Handling) -> Use {
    Use { when: When::Always, handling }
}

/// What is done with one value.
const fn is(value: &'static str, handling: Handling) -> Use {
    Use { when: When::Is(value), handling }
}

/// All parameters, statement by statement.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    [conditions::TABLE, actions::TABLE, tls::TABLE, revocation::TABLE].into_iter().flatten()
}

/// The parameters of a word. A word may have another meaning in another statement.
pub(super) fn named(word: &str) -> impl Iterator<Item = &'static Parameter> {
    parameters().filter(move |parameter| parameter.name.eq_ignore_ascii_case(word))
}

/// The word that is most like an unknown one.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    const LONGEST: usize = 48;
    let word = word.to_ascii_lowercase();
    let names = parameters().map(|parameter| parameter.name);
    let names = names.chain(StatementKind::ALL.iter().map(|kind| kind.keyword()));
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_ascii_lowercase());
    let nearest = names.map(|name| (distance(name), name)).min();
    nearest
        .filter(|(distance, _)| word.len() <= LONGEST && *distance <= 1 + word.len() / 6)
        .map(|(_, name)| name)
}

/// Statements of other disciplines and of the policy agent itself. They are skipped with a warning.
const FOREIGN: &[&str] = &[
    "Codepage",
    "CommonIDSConfig",
    "CommonIPSecConfig",
    "CommonRoutingConfig",
    "CommonTTLSConfig",
    "IDSAction",
    "IDSConfig",
    "IDSRule",
    "IpDataOffer",
    "IpDynVpnAction",
    "IpFilterGroup",
    "IpFilterPolicy",
    "IpFilterRule",
    "IpGenericFilterAction",
    "IpLocalStartAction",
    "IpManVpnAction",
    "IPSecConfig",
    "IpService",
    "IpServiceGroup",
    "KeyExchangeAction",
    "KeyExchangeGroup",
    "KeyExchangeOffer",
    "KeyExchangePolicy",
    "KeyExchangeRule",
    "LocalDynVpnGroup",
    "LocalDynVpnPolicy",
    "LocalDynVpnRule",
    "LocalSecurityEndpoint",
    "LogLevel",
    "MonitorInterval",
    "PEPInstance",
    "PolicyAction",
    "PolicyRule",
    "QOSConfig",
    "RemoteIdentity",
    "RemoteSecurityEndpoint",
    "RouteTable",
    "RoutingAction",
    "RoutingConfig",
    "RoutingRule",
    "TcpImage",
    "TTLSConfig",
];

/// Whether a word is a statement of another discipline.
pub(super) fn is_foreign(word: &str) -> bool {
    FOREIGN.iter().any(|known| known.eq_ignore_ascii_case(word))
}
