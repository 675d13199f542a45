//! Why a URL or an address is refused, as a value: a caller that reports it can say what would help.

use core::fmt;
use std::net::IpAddr;

/// The rule by which a source is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The URL is too long.
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// It has characters that a URL must not have.
    Characters,
    /// It cannot be parsed.
    NotAUrl(String),
    /// Its scheme is not supported, or not for this kind of evidence.
    Scheme(String),
    /// Its scheme is `https` or `ldaps`, and the guard does not allow them.
    Tls(&'static str),
    /// A redirect leads to a less secure scheme.
    Downgrade {
        /// The scheme of the URL that was asked.
        from: String,
        /// The scheme of the redirect.
        to: String,
    },
    /// It has user information.
    UserInformation,
    /// It names no host.
    NoHost,
    /// Its host is a number, which some resolvers treat as an address.
    NumericHost(String),
    /// Its port is below 1024 and not one that evidence is served on.
    Port(u16),
    /// Its address is one where no evidence is published.
    Address {
        /// The address.
        address: IpAddr,
        /// The kind of address.
        what: &'static str,
    },
    /// Its address is private, and the guard refuses private addresses.
    Private(IpAddr),
    /// It is an LDAP URL that names no host, and no directory is configured.
    NoDirectory,
    /// It is an LDAP URL that asks for more than the entry it names.
    LdapScope(String),
    /// It is an LDAP URL with another fault.
    LdapUrl(&'static str),
    /// LDAP does not go through an HTTP proxy.
    LdapBehindProxy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max } => write!(f, "a URL of more than {max} bytes"),
            Self::Characters => {
                f.write_str("a URL with control characters or others that a URL must not have")
            }
            Self::NotAUrl(why) => write!(f, "not a URL: {why}"),
            Self::Scheme(scheme) => write!(f, "scheme {scheme} is not supported"),
            Self::Tls(scheme) => write!(f, "scheme {scheme} is not allowed"),
            Self::Downgrade { from, to } => write!(f, "redirected from {from} to {to}"),
            Self::UserInformation => f.write_str("a URL with user information"),
            Self::NoHost => f.write_str("a URL without a host"),
            Self::NumericHost(host) => write!(f, "{host} is a number, not a name"),
            Self::Port(port) => write!(f, "port {port} is not allowed"),
            Self::Address { address, what } => write!(f, "{address} is {what}"),
            Self::Private(address) => write!(f, "{address} is private"),
            Self::NoDirectory => f.write_str("no directory is configured for LDAP URLs without a host"),
            Self::LdapScope(scope) => write!(
                f,
                "the LDAP URL has the scope {scope}; only base is followed, which asks for the entry it names"
            ),
            Self::LdapUrl(fault) => write!(f, "LDAP URL: {fault}"),
            Self::LdapBehindProxy => f.write_str("LDAP does not go through an HTTP proxy"),
        }
    }
}
