//! What a CRL says, as JSON has it.

use std::path::Path;

use certcheck_core::crl::{Crl, IssuingDistributionPoint};
use certcheck_core::der::ViewFault;
use certcheck_core::status::RevocationReason;
use certcheck_core::x509::{DistributionPoint, DistributionPointName, GeneralName, Version};
use certcheck_core::{Policy, Time};
use serde::{Serialize, Serializer};

use super::diff::Diff;
use super::listed::{EntryObject, listed};
use crate::flags::{SerialFlag, magnitude};
use crate::hex;
use crate::json::Document;
use crate::signer::{AlgorithmObject, SignatureObject};

/// What every CRL of an input is asked with.
pub(super) struct Question<'q> {
    pub(super) input: &'q Path,
    /// Which CRL of the input, counted from 0.
    pub(super) index: usize,
    pub(super) policy: &'q Policy,
    pub(super) now: Time,
}

/// The facts about a CRL.
#[derive(Serialize)]
pub(super) struct CrlObject<'a> {
    pub(super) input: String,
    pub(super) index: usize,
    pub(super) at: String,
    pub(super) issuer: String,
    pub(super) version: u32,
    /// In hexadecimal.
    pub(super) number: Option<String>,
    pub(super) base_number: Option<String>,
    /// `complete`, or what it is of `delta`, `indirect` and `partitioned`.
    pub(super) kinds: Vec<&'static str>,
    pub(super) distribution_point: Option<PointObject>,
    pub(super) signature_algorithm: AlgorithmObject,
    pub(super) authority_key_id: Option<String>,
    pub(super) this_update: String,
    pub(super) next_update: Option<String>,
    pub(super) current: bool,
    /// Why it is not current.
    pub(super) cause: Option<&'static str>,
    pub(super) entry_count: usize,
    pub(super) reasons: Histogram,
    /// Where deltas are.
    pub(super) freshest_crl: Vec<String>,
    pub(super) bytes: usize,
    /// Bytes of memory in addition to the DER.
    pub(super) memory_bytes: usize,
    pub(super) signature: Option<SignatureObject>,
    pub(super) find: Option<FindObject>,
    pub(super) diff: Option<Diff<'a>>,
}

impl Document for CrlObject<'_> {
    const TYPE: &'static str = "crl";
}

/// issuingDistributionPoint (RFC 5280 5.2.5).
#[derive(Serialize)]
pub(super) struct PointObject {
    pub(super) names: Vec<String>,
    /// `user`, `ca` or `attribute`.
    pub(super) only: Option<&'static str>,
    pub(super) only_some_reasons: Option<Vec<&'static str>>,
    pub(super) indirect: bool,
}

/// What `--find` found.
#[derive(Serialize)]
pub(super) struct FindObject {
    pub(super) serial: String,
    pub(super) listed: bool,
    /// Of an indirect CRL there may be several, of different issuers.
    pub(super) entries: Vec<EntryObject>,
}

/// How often each reason is given: all reasons, in the order of their numbers.
#[derive(Default)]
pub(super) struct Histogram([usize; 12], usize);

impl Histogram {
    fn count(&mut self, reason: RevocationReason) {
        let place =
            (0..).zip(&mut self.0).find(|(code, _)| RevocationReason::from_code(*code) == Some(reason));
        match place {
            Some((_, count)) => *count += 1,
            None => self.1 += 1,
        }
    }

    /// Name and count.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let known = (0..).zip(&self.0).filter_map(|(code, count)| {
            RevocationReason::from_code(code).map(|reason| (reason.name(), *count))
        });
        known.chain((self.1 > 0).then_some(("unknown", self.1)))
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.each())
    }
}

impl CrlObject<'_> {
    /// Reads the entries once.
    pub(super) fn new(
        crl: &Crl,
        question: &Question<'_>,
        wanted: Option<&SerialFlag>,
    ) -> Result<Self, ViewFault> {
        let Question { input, index, policy, now } = *question;
        let mut reasons = Histogram::default();
        let mut found = Vec::new();
        for entry in listed(crl) {
            let entry = entry?;
            reasons.count(entry.entry.reason);
            if wanted.is_some_and(|wanted| magnitude(entry.entry.serial) == wanted.0) {
                found.push(EntryObject::from(&entry));
            }
        }
        let point = crl.issuing_distribution_point()?;
        let (this_update, next_update) = (crl.this_update(), crl.next_update());
        let cause = policy.freshness.check_current(this_update, next_update, now).err();
        Ok(Self {
            input: input.display().to_string(),
            index,
            at: now.to_string(),
            issuer: crl.issuer().to_string(),
            version: if crl.version() == Version::V1 { 1 } else { 2 },
            number: crl.number().map(hex::number),
            base_number: crl.base_number().map(hex::number),
            kinds: kinds(crl, point.as_ref()),
            distribution_point: point.map(PointObject::from),
            signature_algorithm: crl.signature_algorithm().into(),
            authority_key_id: crl.authority_key().map(hex::bytes),
            this_update: this_update.to_string(),
            next_update: next_update.map(|time| time.to_string()),
            current: cause.is_none(),
            cause: cause.map(certcheck_core::status::Cause::code),
            entry_count: crl.len(),
            reasons,
            freshest_crl: freshest(crl)?,
            bytes: crl.der().len(),
            memory_bytes: crl.overhead(),
            signature: None,
            find: wanted.map(|wanted| FindObject {
                serial: hex::number(&wanted.0),
                listed: !found.is_empty(),
                entries: found,
            }),
            diff: None,
        })
    }
}

fn kinds(crl: &Crl, point: Option<&IssuingDistributionPoint<'_>>) -> Vec<&'static str> {
    let is_part = |point: &IssuingDistributionPoint<'_>| {
        let is_of_some = point.only_user || point.only_ca || point.only_attribute;
        point.name.is_some() || point.reasons.is_some() || is_of_some
    };
    let kinds = [
        ("delta", crl.base_number().is_some()),
        ("indirect", point.is_some_and(|point| point.indirect)),
        ("partitioned", point.is_some_and(is_part)),
    ];
    let found: Vec<_> = kinds.into_iter().filter_map(|(kind, is)| is.then_some(kind)).collect();
    if found.is_empty() { vec!["complete"] } else { found }
}

impl From<IssuingDistributionPoint<'_>> for PointObject {
    fn from(point: IssuingDistributionPoint<'_>) -> Self {
        let only = [("user", point.only_user), ("ca", point.only_ca), ("attribute", point.only_attribute)];
        Self {
            names: point.name.map_or_else(Vec::new, names),
            only: only.into_iter().find_map(|(only, is)| is.then_some(only)),
            only_some_reasons: point.reasons.map(reason_flags),
            indirect: point.indirect,
        }
    }
}

/// The names of a distribution point; one that is relative is marked so.
fn names(name: DistributionPointName<'_>) -> Vec<String> {
    match name {
        DistributionPointName::FullName(names) => names.flatten().map(|name| name.to_string()).collect(),
        DistributionPointName::RelativeToIssuer(rdn) => {
            let attributes: Vec<_> = rdn.attributes().map(|attribute| attribute.to_string()).collect();
            vec![format!("relative:{}", attributes.join("+"))]
        }
    }
}

fn freshest(crl: &Crl) -> Result<Vec<String>, ViewFault> {
    let Some(points) = crl.freshest_crl()? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for point in points {
        let DistributionPoint { name, crl_issuer, .. } = point?;
        found.extend(name.into_iter().flat_map(names));
        if name.is_none() {
            let issuers = crl_issuer.into_iter().flatten().flatten();
            found.extend(issuers.map(|name: GeneralName<'_>| name.to_string()));
        }
    }
    Ok(found)
}

/// ReasonFlags (RFC 5280 4.2.1.13). Bit 0 is the most significant, and unused.
fn reason_flags(bits: u16) -> Vec<&'static str> {
    const NAMES: [&str; 9] = [
        "unused",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    NAMES
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits & (0x8000 >> bit) != 0)
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_names() {
        assert_eq!(reason_flags(0x4000), ["keyCompromise"]);
        assert_eq!(reason_flags(0x0180), ["privilegeWithdrawn", "aACompromise"]);
    }

    #[test]
    fn every_reason_is_counted() {
        let mut histogram = Histogram::default();
        for reason in (0..=11).filter_map(RevocationReason::from_code) {
            histogram.count(reason);
        }
        assert_eq!(histogram.each().map(|(_, count)| count).collect::<Vec<_>>(), [1; 11]);
        histogram.count(RevocationReason::Other(12));
        assert_eq!(histogram.each().last(), Some(("unknown", 1)));
    }
}
