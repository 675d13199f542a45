//! What the CAs publish: CRLs (RFC 5280 5) and OCSP responses (RFC 6960), signed when they are asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use certcheck_core::Time;
use certcheck_forge::Key;
use certcheck_forge::crl::{CrlBuilder, RevokedCertificate, number, reason};
use certcheck_forge::der;
use certcheck_forge::server::{OcspResponder, Page, Request};

use super::pki::{Ca, Subject};
use crate::flags::LabSource;
use crate::setup;

/// Seconds from thisUpdate to nextUpdate: the time until a change is seen.
const LIFE: i64 = 2;
/// How old stale evidence is, and how long it was valid: it ended longer ago than clocks may differ.
const STALE_AGE: i64 = 7_200;
const STALE_LIFE: i64 = 3_600;

/// The reason of a hold, which a CA may take back (RFC 5280 5.3.1).
pub(super) const HOLD: &str = "certificateHold";

/// What HTTP caches may do with evidence.
pub(super) fn cache_control() -> String {
    format!("max-age={LIFE}")
}

/// Whether a certificate is revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Good,
    Revoked { at: Time, reason: &'static str },
}

/// A CRL, and what the log says about it.
pub(super) struct SignedCrl {
    pub(super) der: Vec<u8>,
    pub(super) number: i64,
    pub(super) listed: Vec<&'static str>,
}

/// An OCSP response, and what the log says about it.
pub(super) struct OcspAnswer {
    pub(super) page: Page,
    /// The client and its status; `None` if it is about no client of the lab.
    pub(super) about: Option<(&'static str, &'static str)>,
}

struct Issuer {
    slug: &'static str,
    subject: &'static str,
    key: Key,
    responder: OcspResponder,
}

/// What a source said when it was made stale.
#[derive(Clone)]
struct Stale {
    since: Time,
    standings: Vec<Standing>,
}

struct State {
    /// One for each subject.
    standings: Vec<Standing>,
    /// Of the last CRL of any issuer.
    number: i64,
    stale_crls: Option<Stale>,
    stale_ocsp: Option<Stale>,
}

/// The CAs, and the certificates that they have revoked.
pub(super) struct Authority {
    issuers: Vec<Issuer>,
    subjects: Vec<Subject>,
    state: Mutex<State>,
}

/// thisUpdate, nextUpdate, and which certificates are revoked.
struct Snapshot {
    this_update: String,
    next_update: String,
    standings: Vec<Standing>,
}

impl State {
    fn snapshot(&self, source: LabSource) -> Snapshot {
        let stale = match source {
            LabSource::Cdp => &self.stale_crls,
            LabSource::Ocsp => &self.stale_ocsp,
        };
        let (this_update, life, standings) = match stale {
            Some(Stale { since, standings }) => (since.unix() - STALE_AGE, STALE_LIFE, standings),
            None => (setup::time(None).unix(), LIFE, &self.standings),
        };
        let text = |seconds| Time::from_unix(seconds).to_string();
        Snapshot {
            this_update: text(this_update),
            next_update: text(this_update + life),
            standings: standings.clone(),
        }
    }
}

impl Authority {
    pub(super) fn new(cas: Vec<Ca>, subjects: Vec<Subject>) -> Self {
        let now = setup::time(None);
        let standings = subjects.iter().map(|subject| match subject.revoked {
            Some(reason) => Standing::Revoked { at: now, reason },
            None => Standing::Good,
        });
        // Higher than in any CRL that a cache may have from an earlier lab.
        let state =
            State { standings: standings.collect(), number: now.unix(), stale_crls: None, stale_ocsp: None };
        let issuers = cas.into_iter().map(|Ca { slug, subject, key, .. }| {
            let responder = OcspResponder::new(subject, key.clone());
            Issuer { slug, subject, key, responder }
        });
        Self { issuers: issuers.collect(), subjects, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of the issuers in URLs.
    pub(super) fn issuers(&self) -> impl Iterator<Item = (usize, &'static str)> {
        self.issuers.iter().map(|issuer| issuer.slug).enumerate()
    }

    /// All subjects, and whether they are revoked.
    pub(super) fn everyone(&self) -> Vec<(&Subject, Standing)> {
        let standings = self.state().standings.clone();
        self.subjects.iter().zip(standings).collect()
    }

    /// The subjects that an issuer has issued.
    fn of_issuer<'a>(
        &'a self,
        issuer: usize,
        standings: &'a [Standing],
    ) -> impl Iterator<Item = (&'a Subject, Standing)> {
        let all = self.subjects.iter().zip(standings.iter().copied());
        all.filter(move |(subject, _)| subject.issuer == Some(issuer))
    }

    /// A CRL of this moment, with a number that none had before.
    pub(super) fn crl(&self, issuer: usize) -> Option<SignedCrl> {
        let Issuer { subject, key, .. } = self.issuers.get(issuer)?;
        let (Snapshot { this_update, next_update, standings }, crl_number) = {
            let mut state = self.state();
            state.number += 1;
            (state.snapshot(LabSource::Cdp), state.number)
        };
        let (mut entries, mut listed) = (Vec::new(), Vec::new());
        for (person, standing) in self.of_issuer(issuer, &standings) {
            if let Standing::Revoked { at, reason: word } = standing {
                let revoked_at = der::time(&at.to_string());
                entries.push(
                    RevokedCertificate { revoked_at, ..RevokedCertificate::new(&person.serial) }
                        .with([reason(word)]),
                );
                listed.push(person.name);
            }
        }
        let crl = CrlBuilder::new(subject)
            .with([number(crl_number), certcheck_forge::ext::aki(key)])
            .revoking(entries)
            .valid(&this_update, Some(&next_update));
        Some(SignedCrl { der: crl.issue(key), number: crl_number, listed })
    }

    /// An answer of this moment.
    pub(super) fn ocsp(&self, issuer: usize, request: &Request) -> Option<OcspAnswer> {
        let responder = &self.issuers.get(issuer)?.responder;
        // Held until it has answered: the responder is set for this request.
        let state = self.state();
        let Snapshot { this_update, next_update, standings } = state.snapshot(LabSource::Ocsp);
        for (person, standing) in self.of_issuer(issuer, &standings) {
            match standing {
                Standing::Good => responder.good(&person.serial),
                Standing::Revoked { at, reason } => {
                    responder.revoke(&person.serial, &at.to_string(), Some(reason));
                }
            }
        }
        responder.set_this_update(&this_update);
        responder.set_produced_at(&this_update);
        responder.set_next_update(Some(&next_update));
        let page = responder.handler()(request).with_header("Cache-Control", &cache_control());
        drop(state);
        let is_about = |serial: &[u8]| page.body.windows(serial.len()).any(|part| part == serial);
        let about = self.of_issuer(issuer, &standings).find(|(person, _)| is_about(&person.serial));
        let about = about.map(|(person, standing)| match standing {
            Standing::Good => (person.name, "good"),
            Standing::Revoked { .. } => (person.name, "revoked"),
        });
        Some(OcspAnswer { page, about })
    }

    /// Revokes a certificate or puts it on hold. What is on hold can be revoked.
    ///
    /// # Errors
    /// There is no such certificate, or it is revoked or on hold already.
    pub(super) fn revoke(&self, name: &str, reason: &'static str) -> Result<(), String> {
        self.change(name, |standing| match standing {
            Standing::Revoked { at, reason: HOLD } if reason == HOLD => {
                Err(format!("{name} is already on hold since {at}"))
            }
            Standing::Revoked { at, reason: known } if known != HOLD => {
                Err(format!("{name} is already revoked since {at}, reason {known}"))
            }
            Standing::Good | Standing::Revoked { .. } => {
                Ok((Standing::Revoked { at: setup::time(None), reason }, ()))
            }
        })
    }

    /// Takes a hold or a revocation back, and returns the reason that it had.
    ///
    /// # Errors
    /// There is no such certificate, or it is not revoked.
    pub(super) fn release(&self, name: &str) -> Result<&'static str, String> {
        self.change(name, |standing| match standing {
            Standing::Revoked { reason, .. } => Ok((Standing::Good, reason)),
            Standing::Good => Err(format!("{name} is neither revoked nor on hold")),
        })
    }

    fn change<T>(
        &self,
        name: &str,
        to: impl FnOnce(Standing) -> Result<(Standing, T), String>,
    ) -> Result<T, String> {
        let Some(place) = self.subjects.iter().position(|subject| subject.name == name) else {
            let names: Vec<_> = self.subjects.iter().map(|subject| subject.name).collect();
            return Err(format!("there is no {name:?} in this lab; there are {}", names.join(", ")));
        };
        if self.subjects.get(place).is_none_or(|subject| subject.issuer.is_none()) {
            return Err(format!("{name} is of a CA that the lab has no CRL and no responder of"));
        }
        let mut state = self.state();
        let standing = state.standings.get_mut(place).ok_or_else(|| format!("{name} has no standing"))?;
        let (new, output) = to(*standing)?;
        *standing = new;
        Ok(output)
    }

    /// Has a source repeat what it says now, dated as stale.
    pub(super) fn set_stale(&self, source: LabSource, is_stale: bool) {
        let mut state = self.state();
        let standings = state.standings.clone();
        let stale = is_stale.then(|| Stale { since: setup::time(None), standings });
        match source {
            LabSource::Cdp => state.stale_crls = stale,
            LabSource::Ocsp => state.stale_ocsp = stale,
        }
    }
}
