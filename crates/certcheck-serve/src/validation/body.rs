//! The body of a request, within bounds of size and time.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

/// The time for a body.
const BODY: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFault {
    TooLarge,
    Incomplete,
    TooSlow,
    /// Its bytes may not be held.
    NotHeld,
}

/// The whole body of at most so many bytes, each part of which may be held.
pub(super) async fn read(
    body: &mut Incoming,
    max: usize,
    mut may_hold: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, BodyFault> {
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(BodyFault::TooLarge);
    }
    let whole = async {
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyFault::Incomplete)?;
            let part = frame.data_ref().map(AsRef::<[u8]>::as_ref).unwrap_or_default();
            if part.len() > max.saturating_sub(whole.len()) {
                return Err(BodyFault::TooLarge);
            }
            if !may_hold(part.len()) {
                return Err(BodyFault::NotHeld);
            }
            whole.extend_from_slice(part);
        }
        Ok(whole)
    };
    timeout(BODY, whole).await.unwrap_or(Err(BodyFault::TooSlow))
}

/// Reads the rest of a body and keeps nothing of it: a connection that is closed before that takes the answer with it.
pub(super) async fn discard(body: &mut Incoming, max: usize) {
    let rest = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, |part| part.len());
            if bytes > max {
                break;
            }
        }
    };
    let _too_slow = timeout(BODY, rest).await;
}
