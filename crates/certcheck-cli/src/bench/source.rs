//! One source, asked again and again: each part of the exchange, and what its answer costs to read and to believe.

use std::thread;
use std::time::{Duration, Instant};

use certcheck_core::Policy;
use certcheck_core::crl::Crl;
use certcheck_core::ocsp::BasicResponse;
use certcheck_core::revocation::{Answer, Ask, Need, OcspEvidence};
use certcheck_core::view::Certificate;
use certcheck_fetch::{Engine, Failure, Held, Phases};
use serde::Serialize;

use super::Bench;
use super::stats::{Samples, Summary};
use crate::json::kind_of;
use crate::sources::Subject;

/// The parts, in their order, as they are told.
pub(crate) const PARTS: [&str; 5] = ["resolve", "connect", "first octet", "transfer", "whole"];

/// What was measured of a source.
#[derive(Serialize)]
pub(crate) struct SourceFigures {
    pub(crate) kind: &'static str,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// The certificate that names it.
    pub(crate) subject: String,
    pub(crate) octets: Option<usize>,
    /// Requests for one answer: more than one where the responder redirects, or refuses GET.
    pub(crate) requests: u32,
    pub(crate) cold: Parts,
    pub(crate) warm: Parts,
    /// Reading: of a CRL this makes its index.
    pub(crate) index: Option<Summary>,
    /// The signature.
    pub(crate) verify: Option<Summary>,
    pub(crate) failures: u32,
    /// Of the last failure: the cause, and what happened.
    pub(crate) cause: Option<&'static str>,
    pub(crate) detail: Option<String>,
}

/// Of one kind of exchange.
#[derive(Serialize)]
pub(crate) struct Parts {
    pub(crate) resolve: Option<Summary>,
    pub(crate) connect: Option<Summary>,
    pub(crate) first_octet: Option<Summary>,
    pub(crate) transfer: Option<Summary>,
    pub(crate) whole: Option<Summary>,
    pub(crate) histogram: Vec<usize>,
}

impl Parts {
    /// In the order of [`PARTS`].
    pub(crate) fn all(&self) -> [Option<Summary>; 5] {
        [self.resolve, self.connect, self.first_octet, self.transfer, self.whole]
    }
}

#[derive(Default)]
struct Exchanges {
    parts: [Samples; 5],
    failures: u32,
    failure: Option<Failure>,
    requests: u32,
    held: Option<std::sync::Arc<Held>>,
}

impl Exchanges {
    fn add(&mut self, (came, phases): Exchange) {
        match came {
            Ok(held) => {
                let Phases { resolve, connect, first_octet, transfer, whole, .. } = phases;
                let parts = [resolve, connect, first_octet, transfer, Some(whole)];
                for (samples, part) in self.parts.iter_mut().zip(parts) {
                    samples.extend(part);
                }
                self.requests = self.requests.max(phases.requests);
                self.held = Some(held);
            }
            Err(failure) => {
                self.failures += 1;
                self.failure = Some(failure);
            }
        }
    }

    fn parts(&self) -> Parts {
        let [resolve, connect, first_octet, transfer, whole] = &self.parts;
        Parts {
            resolve: resolve.summary(),
            connect: connect.summary(),
            first_octet: first_octet.summary(),
            transfer: transfer.summary(),
            whole: whole.summary(),
            histogram: whole.histogram(),
        }
    }
}

type Exchange = (Result<std::sync::Arc<Held>, Failure>, Phases);

/// The ways in which this can be asked: OCSP with GET and with POST.
pub(super) fn methods(need: &Need) -> &'static [&'static str] {
    match &need.ask {
        Ask::Ocsp { .. } => &["GET", "POST"],
        ask if ask.url().starts_with("ldap") => &["search"],
        _ => &["GET"],
    }
}

impl Bench<'_> {
    /// Asks a source in every round, over new connections and over one that stands.
    pub(super) fn measure(
        &self,
        subject: &Subject,
        need: &Need,
        method: &'static str,
    ) -> Result<SourceFigures, Box<dyn std::error::Error>> {
        let engine = || self.engine(method == "GET");
        let (mut cold, mut warm) = (Exchanges::default(), Exchanges::default());
        let standing = engine()?;
        // Makes the connection that stands.
        let _first = standing.measure_blocking(need, self.within);
        for _ in 0..self.arguments.rounds {
            let fresh: Vec<Engine> =
                (0..self.arguments.concurrency).map(|_| engine()).collect::<Result<_, _>>()?;
            let fresh: Vec<&Engine> = fresh.iter().collect();
            at_once(&fresh, need, self.within).into_iter().for_each(|exchange| cold.add(exchange));
            let same = vec![&standing; fresh.len()];
            at_once(&same, need, self.within).into_iter().for_each(|exchange| warm.add(exchange));
            self.tick();
            thread::sleep(Duration::from_millis(self.arguments.pause));
        }
        let held = cold.held.as_ref().or(warm.held.as_ref());
        let (mut index, mut verify) = (Samples::default(), Samples::default());
        if let (Some(held), Some(issuer)) = (held, subject.chain.get(1)) {
            let issuer = Certificate::parse(issuer).map_err(|fault| fault.to_string())?;
            for _ in 0..self.arguments.rounds {
                let (read, believed) = work(held.answer(), &issuer, &self.policy);
                index.extend(read);
                verify.extend(believed);
            }
        }
        let failure = warm.failure.as_ref().or(cold.failure.as_ref());
        Ok(SourceFigures {
            kind: kind_of(&need.ask),
            method,
            url: need.ask.url().to_string(),
            subject: subject.name.clone(),
            octets: held.map(|held| held.octets()),
            requests: cold.requests.max(warm.requests),
            cold: cold.parts(),
            warm: warm.parts(),
            index: index.summary(),
            verify: verify.summary(),
            failures: cold.failures + warm.failures,
            cause: failure.map(|failure| failure.cause.code()),
            detail: failure.map(|failure| failure.detail.clone()),
        })
    }
}

/// One request by each engine, all at the same time.
fn at_once(engines: &[&Engine], need: &Need, within: Duration) -> Vec<Exchange> {
    thread::scope(|scope| {
        let asking: Vec<_> =
            engines.iter().map(|engine| scope.spawn(move || engine.measure_blocking(need, within))).collect();
        asking.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// How long reading takes, and verifying the signature. Read anew: what was verified once is not verified again.
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
