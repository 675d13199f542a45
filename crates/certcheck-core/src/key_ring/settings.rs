//! `ring.toml`: constraints on anchors.
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

use std::collections::HashMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;

use super::anchor::AnchorConstraints;
use super::fault::{RingError, RingFault, SettingsFault};
use super::{RingCertificate, Role};
use crate::digest::sha256;
use crate::oid::{self, OidBuf};
use crate::policy::NameSubtrees;
use crate::time::Time;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    #[serde(default)]
    anchor: Vec<AnchorTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorTable {
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

/// Which anchors settings are for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum AnchorSelector {
    /// Every anchor of the file with this name.
    File(String),
    /// The anchor with this fingerprint.
    Sha256([u8; 32]),
}

/// One entry of a `ring.toml`.
pub(super) struct AnchorSettings {
    /// The file with the entry.
    source: String,
    /// The position of the entry in the file, counted from 1.
    entry: usize,
    selector: AnchorSelector,
    constraints: AnchorConstraints,
}

/// Parses the text of the `ring.toml` named `source`.
pub(super) fn parse(source: &str, text: &str) -> Result<Vec<AnchorSettings>, SettingsFault> {
    let settings: SettingsFile = toml::from_str(text).map_err(|error| toml_fault(text, &error))?;
    let read = |(at, table)| {
        let (selector, constraints) = read_anchor(table)?;
        Ok(AnchorSettings { source: source.to_owned(), entry: at + 1, selector, constraints })
    };
    settings.anchor.into_iter().enumerate().map(read).collect()
}

/// The fault of a text that is not TOML, or has unknown keys: one line, with its position.
fn toml_fault(text: &str, error: &toml::de::Error) -> SettingsFault {
    let message = error.message().trim_end().replace('\n', ", ");
    let before = error.span().and_then(|span| text.get(..span.start));
    SettingsFault(before.map_or_else(
        || message.clone(),
        |before| {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
            format!("line {line}, column {column}: {message}")
        },
    ))
}

/// Applies the settings to the anchors. Two entries for one anchor are an error, because one of them alone would allow
/// what the other forbids. A certificate in two files is one anchor, with the constraints for either file.
pub(super) fn bind(certificates: &mut [RingCertificate], all: &[AnchorSettings]) -> Result<(), RingError> {
    let mut bound: HashMap<Vec<u8>, &AnchorSettings> = HashMap::new();
    for settings in all {
        let refuse = |message| RingError {
            source: settings.source.clone(),
            fault: RingFault::Settings(SettingsFault(message)),
        };
        let mut found = false;
        for entry in certificates.iter().filter(|entry| entry.role == Role::Anchor) {
            let der = entry.certificate.view().der();
            let is_meant = match &settings.selector {
                AnchorSelector::File(file) => is_file(&entry.source, file),
                AnchorSelector::Sha256(wanted) => sha256(der) == *wanted,
            };
            if !is_meant {
                continue;
            }
            found = true;
            if let Some(first) = bound.insert(der.to_vec(), settings)
                && !core::ptr::eq(first, settings)
            {
                let (anchor, this, other, source) =
                    (&entry.source, settings.entry, first.entry, &first.source);
                return Err(refuse(format!(
                    "[[anchor]] {this} is for the anchor in {anchor}, and so is [[anchor]] {other} of {source}: merge them into \
                     one"
                )));
            }
        }
        if !found {
            let wanted = match &settings.selector {
                AnchorSelector::File(file) => format!("comes from a file named {file:?}"),
                AnchorSelector::Sha256(digest) => {
                    format!("has the SHA-256 fingerprint {}", HEXLOWER_PERMISSIVE.encode(digest))
                }
            };
            return Err(refuse(format!("[[anchor]] {}: no anchor in the ring {wanted}", settings.entry)));
        }
    }
    for entry in certificates.iter_mut().filter(|entry| entry.role == Role::Anchor) {
        if let Some(settings) = bound.get(entry.certificate.view().der()) {
            entry.constraints = settings.constraints.clone();
        }
    }
    Ok(())
}

/// Whether a path ends in this file name.
fn is_file(path: &str, file: &str) -> bool {
    path.strip_suffix(file).is_some_and(|head| head.is_empty() || head.ends_with(['/', '\\']))
}

fn read_anchor(settings: AnchorTable) -> Result<(AnchorSelector, AnchorConstraints), SettingsFault> {
    let fault = |message: String| Err(SettingsFault(message));
    let subject = match (settings.file, settings.sha256) {
        (Some(file), None) => AnchorSelector::File(file),
        (None, Some(hex)) => match fingerprint(&hex) {
            Some(digest) => AnchorSelector::Sha256(digest),
            None => return fault(format!("sha256 = {hex:?} is not a fingerprint of 64 hexadecimal digits")),
        },
        _ => return fault("an [[anchor]] needs either file or sha256, and not both".to_owned()),
    };
    // An empty list could be understood as none or as all.
    for (name, list) in [("policies", &settings.policies), ("purposes", &settings.purposes)] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            return fault(format!("{name} is empty: list at least one, or remove the key to allow all"));
        }
    }
    let policies = settings.policies.map(|texts| read_oids(texts, |_| None)).transpose()?;
    let purposes = settings.purposes.map(|texts| read_oids(texts, named_purpose)).transpose()?;
    let not_after = match settings.not_after.as_deref().map(|text| (text, Time::from_rfc3339(text))) {
        Some((text, None)) => {
            return fault(format!(
                "not_after = {text:?} is not an RFC 3339 time such as 2030-01-01T00:00:00Z"
            ));
        }
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
        oid.ok_or_else(|| SettingsFault(format!("{text:?} is not an object identifier such as 1.2.3.4")))
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

/// The fingerprint from hexadecimal digits, with or without colons.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}
