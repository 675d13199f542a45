//! How client and server greet: INFO and CONNECT.

use core::fmt;

use serde::Deserialize;
use serde_json::json;

use super::fault::Fault;

/// What a server says about itself, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) tls_required: bool,
    /// The largest message that the server takes.
    pub(super) max_payload: Option<u64>,
}

impl Info {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(json).map_err(|_| Fault::Info)
    }
}

/// Who connects.
#[derive(Clone, Default)]
pub(in crate::store::nats) struct Credentials {
    pub(in crate::store::nats) user: Option<String>,
    /// The password of the user, or a token if there is no user.
    pub(in crate::store::nats) password: Option<String>,
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) const fn is_empty(&self) -> bool {
        self.user.is_none() && self.password.is_none()
    }

    /// Whether the password is in this text, so that it must not be shown.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.password.as_ref().is_some_and(|password| !password.is_empty() && text.contains(&**password))
    }

    /// The line that begins a session.
    pub(super) fn connect_line(&self, uses_tls: bool) -> String {
        let mut fields = json!({
            "name": "certcheck",
            "lang": "rust",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": 1,
            "verbose": false,
            "pedantic": false,
            "headers": true,
            "no_responders": true,
            "tls_required": uses_tls,
        });
        let names = match (&self.user, &self.password) {
            (Some(user), password) => {
                vec![("user", user.as_str()), ("pass", password.as_deref().unwrap_or_default())]
            }
            (None, Some(token)) => vec![("auth_token", token.as_str())],
            (None, None) => Vec::new(),
        };
        if let Some(fields) = fields.as_object_mut() {
            fields.extend(names.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        }
        format!("CONNECT {fields}\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_about_itself() {
        let info = Info::parse(br#"{"server_id":"x","max_payload":1048576,"tls_required":true,"other":[1]}"#);
        let info = info.expect("an INFO");
        assert!(info.tls_required && info.max_payload == Some(1 << 20));
        for text in ["", "{", "7", "{\"max_payload\":-1}", "{\"tls_required\":7}", &"[".repeat(30_000)] {
            assert!(Info::parse(text.as_bytes()).is_err(), "{text:.20}");
        }
    }

    #[test]
    fn a_session_begins_with_what_is_known_of_the_user() {
        let line = |user: Option<&str>, password: Option<&str>| {
            let credentials =
                Credentials { user: user.map(str::to_owned), password: password.map(str::to_owned) };
            assert!(!format!("{credentials:?}").contains("s\"e"));
            credentials.connect_line(true)
        };
        let both = line(Some("u"), Some("s\"e\r\nPING"));
        assert!(both.contains(r#""pass":"s\"e\r\nPING""#) && both.contains(r#""user":"u""#), "{both}");
        assert_eq!(both.lines().count(), 1);
        assert!(line(Some("u"), None).contains(r#""pass":"""#));
        assert!(line(None, Some("t")).contains(r#""auth_token":"t""#));
        let token = Credentials { user: None, password: Some("hunter2".to_owned()) };
        assert!(token.are_in("'unknown field hunter2'") && !token.are_in("'Authorization Violation'"));
        let empty = Credentials { user: None, password: Some(String::new()) };
        assert!(!empty.are_in("anything") && !Credentials::default().are_in("anything"));
        let none = line(None, None);
        assert!(!none.contains("pass") && !none.contains("token") && !none.contains("user"), "{none}");
    }
}
