//! The keys of a listener that names an AT-TLS policy.

use std::path::PathBuf;

use super::document::{Reading, Scope, Value};
use super::model::ListenerConfig;
use super::values::{self, Parsed, flaw};
use crate::at_tls::vocabulary::Permission;

/// A listener that names an AT-TLS policy.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by its users")]
pub struct PolicyListener {
    /// The file of the policy.
    pub file: PathBuf,
    /// The folder of key rings.
    pub keyring_dir: PathBuf,
    /// Whether the policy is a part of one, whose braces may be missing.
    pub is_fragment: bool,
    /// What is allowed although a service accepts more by it than on z/OS.
    pub allow: Vec<Permission>,
    /// What the policy does not say: the service, its rules and limits, and where evidence may come from.
    pub base: ListenerConfig,
}

/// The keys that need a policy.
const NEED_POLICY: [&str; 3] = ["keyring_dir", "at_tls_fragment", "at_tls_allow"];
/// The keys that a policy decides.
const DECIDED: &[&str] = &[
    "name",
    "listen",
    "certificates",
    "ring",
    "clients",
    "client_auth",
    "tls_versions",
    "suites",
    "session_max_age",
    "handshake_timeout",
    "revocation",
    "order",
    "nonce",
    "ocsp_url",
    "ocsp_url_first",
    "ocsp_get",
];

/// Whether a policy decides a key of this listener.
pub(super) fn decides(own: Scope<'_>, key: &str) -> bool {
    own.has("at_tls") && DECIDED.contains(&key)
}

/// The policy of a listener, if it names one, with the offset of its name. `None` too if it cannot be used: that is noted.
pub(super) fn policy<'d>(
    reading: &mut Reading<'d>,
    own: Scope<'d>,
    base: ListenerConfig,
) -> Option<(usize, PolicyListener)> {
    let folder = reading.folder().to_owned();
    let path = || values::path(&folder);
    if !own.has("at_tls") {
        for key in NEED_POLICY {
            if let Some(at) = own.place_of(key) {
                reading.fault(at, format!("{key}: it needs `at_tls`, the file of an AT-TLS policy"));
            }
        }
        return None;
    }
    for key in DECIDED {
        if let Some(at) = own.place_of(key) {
            reading.fault(at, format!("{key}: the policy that `at_tls` names decides it; remove it here"));
        }
    }
    let at = own.place_of("at_tls").unwrap_or(own.at);
    let file = reading.optional(own, "at_tls", path());
    let keyring_dir = reading.optional(own, "keyring_dir", path());
    if !own.has("keyring_dir") {
        let message =
            "at_tls: `keyring_dir` is missing, the folder of key rings, such as keyring_dir = \"rings\"";
        reading.fault(at, message);
    }
    let is_fragment = reading.value(own, "at_tls_fragment", false, values::switch);
    let allow = reading.value(own, "at_tls_allow", Vec::new(), values::distinct(permission));
    Some((at, PolicyListener { file: file?, keyring_dir: keyring_dir?, is_fragment, allow, base }))
}

fn permission(value: &Value<'_>) -> Parsed<Permission> {
    let text = value.get_ref().as_str().unwrap_or_default();
    match Permission::ALL.into_iter().find(|permission| permission.word() == text) {
        Some(permission) => Ok(permission),
        None => {
            let words = Permission::ALL.map(Permission::word).join("`, `");
            flaw(value, format_args!("is not one of `{words}`"))
        }
    }
}
