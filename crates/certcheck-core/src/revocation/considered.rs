//! The evidence that was looked at and did not count, for reports.
//!
//! Statuses are found once more, this time keeping a record: what is told is what was decided, by the same code.

use core::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::dismissal::{Dismissal, ScopeGap};
use super::evidence::{OcspEvidence, Piece};
use super::record::Record;
use super::usable::unrelated;
use super::{Assessor, CheckedCertificate};
use crate::ocsp::{ResponderId, ResponseStatus};
use crate::status::Means;
use crate::x509::Certificate;

/// A piece of evidence that was given or fetched and did not count, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Considered {
    /// Which certificate of the path it was held against. `None` if it is about none of them.
    pub at: Option<usize>,
    /// What kind of evidence it is. `None` if that cannot be told.
    pub kind: Option<Means>,
    /// The URL or file it came from.
    pub source: Arc<str>,
    /// Who speaks in it: the CRL's issuer or the OCSP responder. Empty if that cannot be told.
    pub about: String,
    /// Why it did not count.
    pub why: Dismissal,
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, source, about, why, .. } = self;
        write!(f, "{source}")?;
        match kind {
            Some(Means::Crl) => write!(f, ", a CRL by {about}")?,
            Some(Means::Ocsp) if !about.is_empty() => write!(f, ", an OCSP response by {about}")?,
            Some(Means::Ocsp) => f.write_str(", an OCSP response")?,
            None => {}
        }
        write!(f, ": {why}")
    }
}

impl<'e> Assessor<'e> {
    /// What of the evidence did not count for one of these certificates, at most so many pieces.
    pub(crate) fn considered(
        mut self,
        checked_certificates: &[CheckedCertificate<'_, 'e>],
        max: usize,
    ) -> Vec<Considered> {
        self.record = Some(Record::default());
        for (at, checked) in checked_certificates.iter().enumerate() {
            if let Some(record) = &mut self.record {
                record.at = at;
            }
            let _status = self.status(checked);
        }
        let Record { counted, dismissed, .. } = self.record.take().unwrap_or_default();
        let is_counted_for = |piece: Piece<'e>, at: usize| {
            counted.iter().any(|(known, place)| *place == at && known.is(piece))
        };
        let reported = dismissed
            .iter()
            .filter(|(piece, at, _)| !is_counted_for(*piece, *at))
            .map(|(piece, at, why)| to_considered(*piece, Some(*at), why.clone()));
        let is_seen = |piece: Piece<'e>| {
            counted.iter().any(|(known, _)| known.is(piece))
                || dismissed.iter().any(|(known, ..)| known.is(piece))
        };
        let unseen = self.at_hand.pieces().filter(|piece| !is_seen(*piece));
        let unseen = unseen.filter_map(|piece| {
            Some(to_considered(piece, None, unseen_reason(piece, checked_certificates)?))
        });
        let faults = self.at_hand.faults().map(|fault| Considered {
            at: None,
            kind: None,
            source: Arc::clone(&fault.source),
            about: String::new(),
            why: Dismissal::Malformed(fault.fault),
        });
        // What explains a status comes first: files that cannot be parsed may be many.
        reported.chain(faults).chain(unseen).take(max).collect()
    }
}

/// Why nothing looked at a piece of evidence. `None` if something would have, had the status not been certain before.
fn unseen_reason(piece: Piece<'_>, checked_certificates: &[CheckedCertificate<'_, '_>]) -> Option<Dismissal> {
    match piece {
        Piece::Crl(crl) => {
            let is_by = |certificate: &Certificate<'_>| certificate.subject().matches(crl.issuer());
            let of_issuer = checked_certificates.iter().any(|checked| is_by(checked.issuer));
            // CRLs about CAs whose status policy does not ask for.
            let of_path = checked_certificates.iter().any(|checked| checked.above.iter().any(is_by));
            match (of_issuer, crl.base_number()) {
                (false, _) if of_path => Some(Dismissal::NotLookedAt),
                (false, _) => Some(Dismissal::OtherIssuer),
                (true, Some(_)) => Some(Dismissal::DeltaUnused),
                (true, None) => None,
            }
        }
        Piece::Ocsp(response) if response.status() != ResponseStatus::Successful => {
            Some(Dismissal::ResponderError(response.status()))
        }
        Piece::Ocsp(response) => {
            let is_about = checked_certificates
                .iter()
                .any(|checked| response.has_serial(checked.certificate.serial().bytes()));
            (!is_about || !response.has_answers()).then(|| unrelated(response))
        }
    }
}

fn to_considered(piece: Piece<'_>, at: Option<usize>, why: Dismissal) -> Considered {
    let (kind, source, about) = match piece {
        Piece::Crl(crl) => (Means::Crl, crl.source(), crl.issuer().to_string()),
        Piece::Ocsp(response) => (Means::Ocsp, response.source(), responder(response)),
    };
    Considered { at, kind: Some(kind), source: Arc::clone(source), about, why }
}

/// The responder, by name or by the hash of its key.
fn responder(response: &OcspEvidence) -> String {
    match response.basic().map(|basic| basic.responder) {
        Some(ResponderId::ByName(name)) => name.to_string(),
        Some(ResponderId::ByKey(hash)) => {
            let hex = HEXLOWER.encode(hash.get(..20).unwrap_or(hash));
            format!("the key with hash {hex}")
        }
        None => String::new(),
    }
}

/// A CRL that says good of some reasons only, where nothing covers the others.
pub(super) const SOME_REASONS: Dismissal = Dismissal::Scope(ScopeGap::SomeReasons);
