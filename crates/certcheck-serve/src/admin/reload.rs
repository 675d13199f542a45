//! `POST /v1/reload`: the same as SIGHUP, with the outcome as an answer.

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName};
use serde::Serialize;

use super::reach::Reach;
use crate::config::ConfigFault;
use crate::reload::ReloadError;
use crate::run::Front;
use crate::status::{ListenerStatus, RingStatus};

/// The header that a request must have. A page in a browser cannot send it to another site without asking that site
/// first, and the admin listener allows it to none.
const HEADER: HeaderName = HeaderName::from_static("x-certcheck");
const VALUE: &str = "reload";
/// What a browser says of the page that a request comes from. Programs do not send them.
const OF_BROWSERS: [HeaderName; 3] =
    [header::ORIGIN, HeaderName::from_static("sec-fetch-site"), header::REFERER];

/// The outcome of a reload.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// `loaded`, `kept` if it cannot be used, or `refused` if nothing was read.
    outcome: &'static str,
    /// The number of the configuration in use.
    generation: u64,
    /// What is in use now, if it was loaded.
    listeners: Vec<ListenerStatus>,
    rings: Vec<RingStatus>,
    /// Why it was not loaded.
    faults: Vec<Fault>,
}

/// What is wrong, and where.
#[derive(Debug, Serialize)]
struct Fault {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl Fault {
    const fn of(message: String) -> Self {
        Self { file: None, line: None, column: None, message }
    }
}

impl From<&ConfigFault> for Fault {
    fn from(fault: &ConfigFault) -> Self {
        let place = fault.place.as_ref();
        Self {
            file: place.map(|place| place.file.display().to_string()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            message: fault.message.clone(),
        }
    }
}

/// Why a request must not reload. `None` if it may.
pub(super) fn refusal(reach: Reach, headers: &HeaderMap) -> Option<&'static str> {
    if reach == Reach::Network {
        return Some("a reload is asked for over loopback or a Unix socket");
    }
    if OF_BROWSERS.iter().any(|name| headers.contains_key(name)) {
        return Some("a reload is not for browsers: the request has Origin, Sec-Fetch-Site or Referer");
    }
    let is_given = headers.get(HEADER).is_some_and(|value| value.as_bytes() == VALUE.as_bytes());
    (!is_given).then_some("a reload needs the header `X-Certcheck: reload`")
}

/// Reloads, and reports what is in use then.
pub(super) async fn reload(front: Front) -> (StatusCode, Outcome) {
    let outcome = front.reread_unless_busy().await;
    let (status, outcome, faults) = match outcome {
        Ok(()) => (StatusCode::OK, "loaded", Vec::new()),
        Err(ReloadError::Unusable(error)) => {
            let faults = error.faults().iter().map(Fault::from).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, "kept", faults)
        }
        Err(error) => (StatusCode::CONFLICT, "refused", vec![Fault::of(error.to_string())]),
    };
    let in_use = front.status();
    let (listeners, rings) = match status {
        StatusCode::OK => (in_use.listeners, in_use.rings),
        _ => (Vec::new(), Vec::new()),
    };
    (status, Outcome { outcome, generation: in_use.generation, listeners, rings, faults })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_this_machine_may_reload() {
        for (reach, headers, may) in [
            (Reach::Loopback, &[("x-certcheck", "reload")][..], true),
            (Reach::Unix, &[("x-certcheck", "reload")], true),
            (Reach::Network, &[("x-certcheck", "reload")], false),
            (Reach::Loopback, &[], false),
            (Reach::Loopback, &[("x-certcheck", "1")], false),
            (Reach::Loopback, &[("x-certcheck", "reload"), ("origin", "https://evil.example")], false),
            (Reach::Loopback, &[("x-certcheck", "reload"), ("origin", "null")], false),
            (Reach::Unix, &[("x-certcheck", "reload"), ("sec-fetch-site", "same-origin")], false),
            (Reach::Unix, &[("x-certcheck", "reload"), ("referer", "http://localhost/")], false),
        ] {
            let map = headers.iter().map(|(name, value)| {
                (HeaderName::from_static(name), header::HeaderValue::from_static(value))
            });
            assert_eq!(refusal(reach, &map.collect()).is_none(), may, "{reach:?}, {headers:?}");
        }
    }
}
