//! Who a client is by the rules of its listener.

use std::net::SocketAddr;
use std::sync::Arc;

use certcheck_rustls::{Client, Identity};
use metrics::counter;

use crate::board::Board;
use crate::events::{self, About};
use crate::identity::{AccessRefusal, AccessRules};
use crate::metrics as names;

/// A client that the rules accept.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `None` if it has no certificate.
    pub(crate) identity: Option<Identity>,
    /// `None` if no rule finds a user.
    pub(crate) user: Option<String>,
}

/// The identity and the user of a client, by the rules.
pub(crate) fn enter(rules: &AccessRules, client: Option<&Client>) -> Result<Entry, AccessRefusal> {
    let identity = client.and_then(Client::identity).transpose()?;
    let user = rules.user_of(identity.as_ref())?;
    Ok(Entry { identity, user })
}

/// Reports a client that the rules refuse, also on the board.
pub(crate) fn refused(
    board: &Board,
    listener: &Arc<str>,
    peer: Option<SocketAddr>,
    client: Option<&Client>,
    refusal: &AccessRefusal,
) {
    report_refused(listener, peer, client, refusal);
    board.access_refused(listener, peer, subject_of(client), refusal);
}

/// Reports a client that the rules refuse.
pub(crate) fn report_refused(
    listener: &Arc<str>,
    peer: Option<SocketAddr>,
    client: Option<&Client>,
    refusal: &AccessRefusal,
) {
    counter!(names::ACCESS_REFUSED, "listener" => Arc::clone(listener), "code" => refusal.code())
        .increment(1);
    let subject = subject_of(client);
    events::access_refused(About { listener, peer }, subject.as_deref(), refusal);
}

/// The subject of a client's certificate, safe to log.
pub(crate) fn subject_of(client: Option<&Client>) -> Option<String> {
    client.and_then(Client::report).and_then(|report| report.summary().subject)
}
