//! One source, asked again and again: each part of the exchange, and what its answer costs to read and to believe.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use certcheck_core::Policy;
use certcheck_core::crl::Crl;
use certcheck_core::ocsp::BasicResponse;
use certcheck_core::revocation::{Answer, EvidenceRequest, Need, OcspEvidence};
use certcheck_core::x509::Certificate;
use certcheck_fetch::{CachedEvidence, Engine, Failure, FetchTimings, goes_with_get, measure};
use serde::Serialize;

use super::Bench;
use super::stats::{Samples, Summary};
use crate::json::kind_of;
use crate::sources::Subject;

/// The names of the parts, in their order.
pub(crate) const PARTS: [&str; 5] = ["resolve", "connect", "first byte", "transfer", "whole"];

/// What was measured of a source.
#[derive(Serialize)]
pub(crate) struct SourceFigures {
    /// `crl`, `ocsp`, or `delta` for what is named for deltas.
    pub(crate) kind: &'static str,
    /// The one that was wanted.
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// The certificate that names it.
    pub(crate) subject: String,
    pub(crate) bytes: Option<usize>,
    /// Requests for one answer: more than one where the responder redirects, or refuses GET.
    pub(crate) requests: u32,
    /// The methods by which answers came: another than was wanted where the responder refuses that.
    pub(crate) answered_methods: Vec<&'static str>,
    pub(crate) cold: Parts,
    pub(crate) warm: Parts,
    /// How often a connection that stood did not any more: these count for neither.
    pub(crate) reconnects: usize,
    /// Reading: of a CRL this makes its index.
    pub(crate) parse: Option<Summary>,
    /// The signature.
    pub(crate) verify: Option<Summary>,
    pub(crate) failures: u32,
    /// Of the last failure: the cause, and what happened.
    pub(crate) cause: Option<&'static str>,
    pub(crate) message: Option<String>,
}

impl SourceFigures {
    /// By what an answer came, where that is not what was wanted.
    pub(crate) fn other_method(&self) -> Option<&'static str> {
        self.answered_methods.iter().copied().find(|used| *used != self.method)
    }
}

/// Of one kind of exchange.
#[derive(Serialize)]
pub(crate) struct Parts {
    pub(crate) resolve: Option<Summary>,
    pub(crate) connect: Option<Summary>,
    pub(crate) first_byte: Option<Summary>,
    pub(crate) transfer: Option<Summary>,
    pub(crate) whole: Option<Summary>,
    pub(crate) histogram: Vec<usize>,
}

impl Parts {
    /// In the order of [`PARTS`].
    pub(crate) fn all(&self) -> [Option<Summary>; 5] {
        [self.resolve, self.connect, self.first_byte, self.transfer, self.whole]
    }
}

#[derive(Default)]
struct Exchanges {
    parts: [Samples; 5],
    /// Only what needed no connection is wanted.
    is_warm: bool,
    reconnects: usize,
    failures: u32,
    failure: Option<Failure>,
    requests: u32,
    methods: BTreeSet<&'static str>,
    held: Option<Arc<CachedEvidence>>,
}

impl Exchanges {
    fn add(&mut self, (came, timings): Exchange) {
        match came {
            Ok(held) => {
                let FetchTimings { resolve, connect, first_byte, transfer, whole, .. } = timings;
                if self.is_warm && connect.is_some() {
                    self.reconnects += 1;
                } else {
                    let parts = [resolve, connect, first_byte, transfer, Some(whole)];
                    for (samples, part) in self.parts.iter_mut().zip(parts) {
                        samples.extend(part);
                    }
                }
                self.requests = self.requests.max(timings.requests);
                self.methods.extend(timings.method);
                self.held = Some(held);
            }
            Err(failure) => {
                self.failures += 1;
                self.failure = Some(failure);
            }
        }
    }

    fn parts(&self) -> Parts {
        let [resolve, connect, first_byte, transfer, whole] = &self.parts;
        Parts {
            resolve: resolve.summary(),
            connect: connect.summary(),
            first_byte: first_byte.summary(),
            transfer: transfer.summary(),
            whole: whole.summary(),
            histogram: whole.histogram(),
        }
    }
}

type Exchange = (Result<Arc<CachedEvidence>, Failure>, FetchTimings);

/// The figures of a source, and its last outcome.
pub(super) type Measured = (SourceFigures, Option<Arc<CachedEvidence>>);

/// A source, and whose certificate names it.
pub(super) struct Asked<'a> {
    pub(super) kind: &'static str,
    pub(super) subject: &'a Subject,
    pub(super) need: Need,
}

impl<'a> Asked<'a> {
    pub(super) fn new(subject: &'a Subject, need: Need) -> Self {
        Self { kind: kind_of(&need.request), subject, need }
    }

    /// The ways in which it can be asked: OCSP with GET, where the URL allows that, and with POST.
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match &self.need.request {
            ask if !goes_with_get(ask) => &["POST"],
            EvidenceRequest::Ocsp { .. } => &["GET", "POST"],
            ask if ask.url().starts_with("ldap") => &["search"],
            _ => &["GET"],
        }
    }
}

impl Bench<'_> {
    /// Asks a source in every round, over new connections and over ones that stand.
    pub(super) fn measure(&self, asked: &Asked<'_>, method: &'static str) -> anyhow::Result<Measured> {
        let Asked { kind, subject, need } = asked;
        let engine = || self.engine(method == "GET");
        let (mut cold, mut warm) =
            (Exchanges::default(), Exchanges { is_warm: true, ..Exchanges::default() });
        let standing = engine()?;
        let same = vec![&standing; usize::try_from(self.arguments.concurrency)?];
        // Makes the connections that stand.
        let _first = at_once(&same, need, self.within);
        for _ in 0..self.arguments.rounds {
            let fresh: Vec<Engine> =
                (0..self.arguments.concurrency).map(|_| engine()).collect::<Result<_, _>>()?;
            let fresh: Vec<&Engine> = fresh.iter().collect();
            at_once(&fresh, need, self.within).into_iter().for_each(|exchange| cold.add(exchange));
            at_once(&same, need, self.within).into_iter().for_each(|exchange| warm.add(exchange));
            self.tick();
            thread::sleep(self.arguments.pause);
        }
        let held = cold.held.clone().or_else(|| warm.held.clone());
        let (mut index, mut verify) = (Samples::default(), Samples::default());
        if let (Some(held), Some(issuer)) = (&held, subject.chain.get(1)) {
            let issuer = Certificate::parse(issuer)?;
            for _ in 0..self.arguments.rounds {
                let (read, believed) = work(held.answer(), &issuer, &self.policy);
                index.extend(read);
                verify.extend(believed);
            }
        }
        let failure = warm.failure.as_ref().or(cold.failure.as_ref());
        let figures = SourceFigures {
            kind,
            method,
            url: need.request.url().to_string(),
            subject: subject.name.clone(),
            bytes: held.as_ref().map(|held| held.bytes()),
            requests: cold.requests.max(warm.requests),
            answered_methods: cold.methods.union(&warm.methods).copied().collect(),
            cold: cold.parts(),
            warm: warm.parts(),
            reconnects: warm.reconnects,
            parse: index.summary(),
            verify: verify.summary(),
            failures: cold.failures + warm.failures,
            cause: failure.map(|failure| failure.cause.code()),
            message: failure.map(|failure| failure.detail.clone()),
        };
        Ok((figures, held))
    }
}

/// One request by each engine, all at the same time.
fn at_once(engines: &[&Engine], need: &Need, within: Duration) -> Vec<Exchange> {
    thread::scope(|scope| {
        let asking: Vec<_> = engines
            .iter()
            .map(|engine| scope.spawn(move || measure::timed_fetch_blocking(engine, need, within)))
            .collect();
        // What panicked there panics here: no figure is left out in silence.
        asking.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// How long reading takes, and verifying the signature. Read again: what was verified once is not verified again.
fn work(answer: &Answer, issuer: &Certificate<'_>, policy: &Policy) -> (Option<Duration>, Option<Duration>) {
    match answer {
        Answer::Crl(crl) => {
            let (der, source) = (crl.der().clone(), crl.source().clone());
            let (crl, read) = timed(|| Crl::parse(der, &source));
            let Ok(crl) = crl else { return (Some(read), None) };
            let (verified, believed) = timed(|| crl.verify(issuer.spki(), policy).is_ok());
            (Some(read), verified.then_some(believed))
        }
        Answer::Ocsp(response) => {
            let (der, source) = (response.der().clone(), response.source().clone());
            let (response, read) = timed(|| OcspEvidence::parse(der, &source));
            let Ok(response) = response else { return (Some(read), None) };
            let Some(basic) = response.basic() else { return (Some(read), None) };
            (Some(read), verify(&basic, issuer, policy))
        }
        _ => (None, None),
    }
}

/// With the key of the delegate that came along, or the issuer's.
fn verify(basic: &BasicResponse<'_>, issuer: &Certificate<'_>, policy: &Policy) -> Option<Duration> {
    let delegate = basic.certificates().flatten().find(|sent| basic.responder.is(sent));
    let key = delegate.as_ref().unwrap_or(issuer).spki();
    let (verified, took) = timed(|| basic.verify(key, policy).is_ok());
    verified.then_some(took)
}

pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let output = work();
    (output, begun.elapsed())
}
