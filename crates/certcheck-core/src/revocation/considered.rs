//! The evidence that was evaluated and not used, for reports.
//!
//! Statuses are determined a second time with a record, so that a report shows what the same code decided.

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

/// A piece of evidence that was given or fetched and not used, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Considered {
    /// The position of the certificate for which it was evaluated. `None` if it is for none of the path.
    pub at: Option<usize>,
    /// The kind of evidence. `None` if it is unknown.
    pub kind: Option<Means>,
    /// The URL or file from which it was read.
    pub source: Arc<str>,
    /// The CRL's issuer or the OCSP responder. Empty if it is unknown.
    pub about: String,
    /// Why it was not used.
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
    /// The evidence that was not used for one of these certificates, at most `max` pieces.
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
        // What explains a status comes first, because many files may be impossible to parse.
        reported.chain(faults).chain(unseen).take(max).collect()
    }
}

/// Why a piece of evidence was not evaluated. `None` if it would have been, but the status was certain before.
fn unseen_reason(piece: Piece<'_>, checked_certificates: &[CheckedCertificate<'_, '_>]) -> Option<Dismissal> {
    match piece {
        Piece::Crl(crl) => {
            let is_by = |certificate: &Certificate<'_>| certificate.subject().matches(crl.issuer());
            let of_issuer = checked_certificates.iter().any(|checked| is_by(checked.issuer));
            // CRLs for CAs whose status the policy does not check.
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

/// The responder, by its name or by the hash of its key.
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

/// A CRL that does not list the certificate for some reasons, where no other evidence covers the rest.
pub(super) const SOME_REASONS: Dismissal = Dismissal::Scope(ScopeGap::SomeReasons);
