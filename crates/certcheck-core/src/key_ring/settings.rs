//! `ring.toml`: constraints on anchors, written by who keeps the ring.
//!
//! ```toml
//! [[anchor]]
//! file = "partner-root.pem"        # or: sha256 = "..." of the certificate
//! permitted = ["dns:partner.example", "email:partner.example"]
//! excluded = ["dns:internal.partner.example"]
//! path_len = 1
//! policies = ["1.2.3.4"]
//! require_explicit_policy = true
//! purposes = ["client"]
//! not_after = "2030-01-01T00:00:00Z"
//! ```

use core::fmt;

use serde::Deserialize;

use super::anchor::AnchorConstraints;
use super::subtrees::NameSubtrees;
use crate::oid::{self, OidBuf};
use crate::time::Time;

/// Why settings are refused. Settings restrict trust, so that nothing in them is passed over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsFault(pub(crate) String);

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for SettingsFault {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    anchor: Vec<AnchorSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorSettings {
    file: Option<String>,
    sha256: Option<String>,
    #[serde(default)]
    permitted: Vec<String>,
    #[serde(default)]
    excluded: Vec<String>,
    path_len: Option<u32>,
    policies: Option<Vec<String>>,
    #[serde(default)]
    require_explicit_policy: bool,
    purposes: Option<Vec<String>>,
    not_after: Option<String>,
}

/// Which anchor settings are about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    /// Every anchor of the file with this name.
    File(String),
    /// The anchor with this fingerprint.
    Sha256([u8; 32]),
}

/// Reads the settings.
pub(crate) fn parse(text: &str) -> Result<Vec<(Subject, AnchorConstraints)>, SettingsFault> {
    let settings: Settings = toml::from_str(text).map_err(|error| SettingsFault(error.to_string()))?;
    settings.anchor.into_iter().map(read_anchor).collect()
}

fn read_anchor(settings: AnchorSettings) -> Result<(Subject, AnchorConstraints), SettingsFault> {
    let fault = |message: String| Err(SettingsFault(message));
    let subject = match (settings.file, settings.sha256) {
        (Some(file), None) => Subject::File(file),
        (None, Some(hex)) => match fingerprint(&hex) {
            Some(digest) => Subject::Sha256(digest),
            None => return fault(format!("sha256 {hex:?} is not 64 hex digits")),
        },
        _ => return fault("an [[anchor]] has either file or sha256".to_owned()),
    };
    // An empty list would read as "none" to one and "all" to another.
    for (name, list) in [("policies", &settings.policies), ("purposes", &settings.purposes)] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            return fault(format!("{name} is empty: name some, or leave it out for all"));
        }
    }
    let policies = settings.policies.map(|texts| read_oids(texts, |_| None)).transpose()?;
    let purposes = settings.purposes.map(|texts| read_oids(texts, named_purpose)).transpose()?;
    let not_after = match settings.not_after.as_deref().map(|text| (text, Time::from_rfc3339(text))) {
        Some((text, None)) => return fault(format!("not_after {text:?} is not RFC 3339")),
        Some((_, time)) => time,
        None => None,
    };
    let names = NameSubtrees::from_texts(&settings.permitted, &settings.excluded)
        .map_err(|error| SettingsFault(error.to_string()))?;
    let constraints = AnchorConstraints {
        names,
        path_len: settings.path_len,
        policies,
        require_explicit_policy: settings.require_explicit_policy,
        purposes,
        not_after,
    };
    Ok((subject, constraints))
}

fn read_oids(
    texts: Vec<String>,
    named: impl Fn(&str) -> Option<OidBuf>,
) -> Result<Vec<OidBuf>, SettingsFault> {
    let read = |text: String| {
        let oid = named(&text).or_else(|| OidBuf::from_dotted(&text));
        oid.ok_or_else(|| SettingsFault(format!("{text:?} is not an object identifier")))
    };
    texts.into_iter().map(read).collect()
}

fn named_purpose(text: &str) -> Option<OidBuf> {
    match text {
        "client" => Some(oid::KP_CLIENT_AUTH.into()),
        "server" => Some(oid::KP_SERVER_AUTH.into()),
        _ => None,
    }
}

/// Hexadecimal, with or without colons.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let octets: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    if rest.is_empty() { octets.try_into().ok() } else { None }
}
