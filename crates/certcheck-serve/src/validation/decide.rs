//! A chain becomes a verdict, an identity and a user.

use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_rustls::certcheck_core::status::Status;
use certcheck_rustls::certcheck_fetch::{PendingCheck, printable};
use certcheck_rustls::pki_types::CertificateDer;
use certcheck_rustls::{CheckReport, Engine, Identity, Summary, Time, Verdict};

use super::active::{Active, Lasting};
use super::secret::Secret;
use crate::admission::address_of;
use crate::identity::AccessRefusal;
use crate::listener::Peer;

/// What the code `unknown-issuer` means where the proxy hands over one certificate.
const LEAF_ALONE: &str = "the client's certificate came alone, as nginx, Caddy and resumed sessions of HAProxy hand it over; add the intermediates to the ring, or set `aia = true`";

/// Who asks about a chain, and what the check may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) peer: Peer,
    /// What it has shown of itself. Without anything, nothing is fetched.
    pub(super) credential: Credential,
    /// How long the check may wait for evidence.
    pub(super) within: Duration,
}

/// What a peer has shown of itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Credential {
    None,
    Secret(Secret),
    /// A good certificate, which is watched as long as the connection lasts.
    Certificate,
}

impl Asker {
    pub(super) const fn is_authenticated(&self) -> bool {
        !matches!(self.credential, Credential::None)
    }
}

/// What is known of a chain.
pub(super) struct Decided {
    pub(super) report: CheckReport,
    pub(super) at: Time,
    pub(super) elapsed: Duration,
    pub(super) generation: u64,
    /// Too many checks wait, so nothing was fetched for this one.
    pub(super) is_busy: bool,
    /// Whether only the client's own certificate was handed over.
    is_leaf_alone: bool,
    /// Who an accepted client is. `None` if the certificate is not good.
    pub(super) entry: Option<Result<Known, AccessRefusal>>,
}

/// An accepted client.
pub(super) struct Known {
    pub(super) identity: Identity,
    pub(super) user: Option<String>,
}

/// Decides about a chain, the client's own certificate first.
pub(super) async fn decide(
    (active, lasting): (&Active, &Arc<Lasting>),
    engine: &Arc<Engine>,
    chain: &[CertificateDer<'static>],
    asker: Asker,
) -> Decided {
    let begun = Instant::now();
    let (at, generation) = (engine.now(), engine.generation());
    let mut pending = engine.begin(chain, at);
    let is_known = pending.decided().is_some_and(CheckReport::is_of_known_path);
    let is_leaf_alone = chain.len() == 1;
    if is_leaf_alone && !is_known {
        let above = chain.first().map(|leaf| lasting.remembered.above(leaf)).unwrap_or_default();
        if !above.is_empty() {
            let longer: Vec<_> = chain.iter().cloned().chain(above).collect();
            pending = engine.begin(&longer, at);
        }
    }
    let limits = &active.config.limits;
    let mut is_busy = false;
    let report = if pending.decided().is_some() || !asker.is_authenticated() || asker.within.is_zero() {
        pending.from_memory()
    } else if let Some(_place) = place(active, lasting, asker.peer) {
        complete(lasting, pending, asker.within.min(limits.check_timeout), begun).await
    } else {
        is_busy = true;
        pending.from_memory()
    };
    let entry = report.is_accepted().then(|| {
        let of_peer = (address_of(asker.peer), limits.max_remembered_bytes);
        lasting.remembered.accepted(chain, &report, of_peer);
        enter(active, &report)
    });
    let is_busy = is_busy && report.verdict() == Verdict::Undetermined;
    Decided { report, at, elapsed: begun.elapsed(), generation, is_busy, is_leaf_alone, entry }
}

/// Completes a check, so that it is decided within this time of its begin.
async fn complete(lasting: &Lasting, pending: PendingCheck, within: Duration, begun: Instant) -> CheckReport {
    lasting.pace.worked(begun.elapsed());
    let until = within.saturating_sub(lasting.pace.margin(lasting.checks.number(), within));
    let left = until.saturating_sub(begun.elapsed());
    let report = pending.complete(left).await;
    // What did not wait says nothing about how late others are.
    if !left.is_zero() {
        lasting.pace.late(begun.elapsed().saturating_sub(until));
    }
    report
}

/// A place among the checks that wait, if there is one.
fn place(active: &Active, lasting: &Lasting, peer: Peer) -> Option<impl Drop + use<>> {
    let limits = &active.config.limits;
    let mut place = lasting.checks.enter(limits.max_checks).ok()?;
    place.of_address(address_of(peer), limits.max_checks_per_peer).ok()?;
    Some(place)
}

/// Who an accepted client is, if the rules accept it.
pub(super) fn enter(active: &Active, report: &CheckReport) -> Result<Known, AccessRefusal> {
    let identity = Identity::of(&report.details().view())?;
    let user = active.config.access.user_of(Some(&identity))?;
    Ok(Known { identity, user })
}

impl Decided {
    /// The client, if it is accepted by its certificate and by the rules.
    pub(super) fn known(&self) -> Option<&Known> {
        self.entry.as_ref()?.as_ref().ok()
    }

    fn refusal(&self) -> Option<&AccessRefusal> {
        self.entry.as_ref()?.as_ref().err()
    }

    /// `accept`, `reject` or `undetermined`.
    pub(super) fn verdict(&self) -> &'static str {
        if self.refusal().is_some() { Verdict::Reject.code() } else { self.report.verdict().code() }
    }

    /// The code of the reason, or `accept`.
    pub(super) fn code(&self) -> &'static str {
        match self.refusal() {
            Some(refusal) => refusal.code(),
            None if self.is_busy => "busy",
            None => self.report.code(),
        }
    }

    /// The last second for which a client is good without other evidence: the path is valid, and no evidence has passed
    /// its nextUpdate. With a status that is unknown and tolerated, this second. `None` if it is not accepted.
    pub(super) fn valid_until(&self) -> Option<Time> {
        self.known()?;
        let details = self.report.details();
        let view = details.view();
        let of_status = |status: &Status| match status {
            Status::Unknown(_) => Some(self.at),
            known => known.proof().and_then(|proof| proof.next_update),
        };
        let of_evidence = view.path.iter().filter_map(|member| of_status(&member.revocation));
        view.valid_until.into_iter().chain(of_evidence).min()
    }

    /// Why it is not accepted, on one line.
    pub(super) fn message(&self) -> Option<String> {
        let message = match self.refusal() {
            Some(refusal) => refusal.to_string(),
            None => self.report.message()?,
        };
        Some(printable(message).to_string())
    }

    /// The outcome in a few words, for logs and for the board.
    pub(super) fn summary(&self) -> Summary {
        let mut summary = self.report.summary();
        if self.refusal().is_some() {
            summary.detail = self.message();
        }
        summary.code = self.code();
        summary.remedy = self.hint();
        summary
    }

    /// What would help.
    pub(super) fn hint(&self) -> Option<String> {
        match self.refusal() {
            Some(refusal) => Some(refusal.hint().to_owned()),
            None if self.is_busy => Some("ask again, or raise `max_checks`".to_owned()),
            None if self.is_leaf_alone && self.code() == "unknown-issuer" => Some(LEAF_ALONE.to_owned()),
            None => Some(self.report.remedy()?.text().to_owned()),
        }
    }
}
