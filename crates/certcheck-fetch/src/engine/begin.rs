//! The begin of a check: under a path that is known, if there is one, with what is in memory.

use std::sync::Arc;

use certcheck_core::revocation::EvidenceRequest;
use certcheck_core::{BegunCheck, ParsedCheck, Time};
use pki_types::CertificateDer;
use tokio::time::Instant;

use crate::cache::lookup::CacheLookup;
use crate::engine::driver::{Driver, Renewal};
use crate::engine::outcome::{CheckOutcome, Used};
use crate::engine::snapshot::Snapshot;
use crate::fetcher::Fetcher;
use crate::inputs::Inputs;

/// What the begin of a check leads to.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and memory for it would cost more")]
pub(crate) enum Beginning {
    /// It was accepted at once.
    Accepted(CheckOutcome),
    /// It goes on, or is settled.
    Open(Box<Driver>),
}

impl Beginning {
    /// Goes on until the deadline, if that is needed.
    pub(crate) async fn run(self, deadline: Instant) -> CheckOutcome {
        match self {
            Self::Accepted(outcome) => outcome,
            Self::Open(driver) => driver.run(deadline).await,
        }
    }
}

/// Begins a check with what is in memory. With `renew`, the evidence under its key is looked for again, and memory is not
/// enough for anything.
pub(crate) fn begin(
    fetcher: &Arc<Fetcher>,
    snapshot: &Arc<Snapshot>,
    chain: Arc<[CertificateDer<'static>]>,
    now: Time,
    renew: Option<Renewal>,
) -> Beginning {
    let parsed = ParsedCheck::new(Inputs::new(&snapshot.basis, chain, now));
    let memory = &fetcher.memory;
    let key = if renew.is_some() { None } else { parsed.issuer_path_key() };
    let template = key.and_then(|key| snapshot.templates.get(key));
    let places = template.as_ref().map(|template| template.places.load());
    let lookup = CacheLookup::new(memory, now, places.as_ref().map_or(&[], |places| places.as_slice()));
    let source = |ask: &EvidenceRequest| if renew.is_some() { None } else { lookup.find(ask) };
    let above = template.as_ref().and_then(|template| template.above(memory, now));
    let begun = match &template {
        Some(template) => {
            let statuses = above.as_ref().map(|above| &above.statuses);
            parsed.begin_under(&template.issuer_path, statuses, &source)
        }
        None => BegunCheck::Open(parsed.begin(&source)),
    };
    let found = lookup.into_found();
    let about_cas = above.as_ref().map_or(&[][..], |above| above.by.as_slice());
    let mut used = Used::with_capacity(found.len() + about_cas.len());
    match begun {
        BegunCheck::Accepted(report) => {
            if let Some(template) = &template {
                template.note_places(&found);
            }
            // Evidence was asked for about the leaf alone.
            let about_leaf = found.iter().map(|found| (0, found));
            for (at, found) in about_leaf.chain(about_cas.iter().map(|(at, found)| (*at, found))) {
                used.note(at, found, now);
            }
            Beginning::Accepted(CheckOutcome::of_memory(report, used))
        }
        BegunCheck::Open(session) => {
            for found in found.into_iter().chain(about_cas.iter().map(|(_, found)| found.clone())) {
                if let Some(at) = session.place_of(&found.request)
                    && used.note(at, &found, now)
                {
                    used.found.push(found);
                }
            }
            drop(places);
            Beginning::Open(Box::new(Driver::new(fetcher, snapshot, session, template, used, renew)))
        }
    }
}
