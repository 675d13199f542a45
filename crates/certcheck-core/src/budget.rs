//! The budget of a check: what it has spent, and its limits.

use crate::policy::{Limit, LimitHit, Limits};

/// The cost of a comparison in addition to the bytes of the names.
const COMPARISON: usize = 8;

/// What a check has spent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Spent {
    /// Signatures verified.
    pub signatures: u32,
    /// How many of these signatures were on evidence.
    pub evidence_signatures: u32,
    /// The cost of the signatures on certificates, in verifications over P-256.
    pub signature_cost: u32,
    /// Steps of path building.
    pub steps: u32,
    /// Complete paths validated.
    pub paths: u32,
    /// Names compared with constraints.
    pub name_comparisons: u32,
    /// Bytes of the names that were compared.
    pub name_bytes: u32,
    /// Nodes and edges of policy graphs.
    pub policy_nodes: u32,
}

impl Spent {
    /// The sum of both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            signatures: self.signatures.saturating_add(other.signatures),
            evidence_signatures: self.evidence_signatures.saturating_add(other.evidence_signatures),
            signature_cost: self.signature_cost.saturating_add(other.signature_cost),
            steps: self.steps.saturating_add(other.steps),
            paths: self.paths.saturating_add(other.paths),
            name_comparisons: self.name_comparisons.saturating_add(other.name_comparisons),
            name_bytes: self.name_bytes.saturating_add(other.name_bytes),
            policy_nodes: self.policy_nodes.saturating_add(other.policy_nodes),
        }
    }
}

impl Spent {
    /// What was spent since then.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            signatures: self.signatures.saturating_sub(before.signatures),
            evidence_signatures: self.evidence_signatures.saturating_sub(before.evidence_signatures),
            signature_cost: self.signature_cost.saturating_sub(before.signature_cost),
            steps: self.steps.saturating_sub(before.steps),
            paths: self.paths.saturating_sub(before.paths),
            name_comparisons: self.name_comparisons.saturating_sub(before.name_comparisons),
            name_bytes: self.name_bytes.saturating_sub(before.name_bytes),
            policy_nodes: self.policy_nodes.saturating_sub(before.policy_nodes),
        }
    }

    /// What was spent on signatures alone.
    pub(crate) fn of_signatures(self) -> Self {
        let Self { signatures, evidence_signatures, signature_cost, .. } = self;
        Self { signatures, evidence_signatures, signature_cost, ..Self::default() }
    }

    /// The same without signatures: they are verified once, and counted then.
    pub(crate) const fn without_signatures(self) -> Self {
        Self { signatures: 0, evidence_signatures: 0, signature_cost: 0, ..self }
    }
}

/// The limits of a check, and what is left of them.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    pub(crate) spent: Spent,
    /// Whether a limit was hit, so that more might have been found without it.
    pub(crate) was_hit: bool,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self::with_spent(limits, Spent::default())
    }

    /// The budget that is left after `spent`.
    pub(crate) const fn with_spent(limits: &'a Limits, spent: Spent) -> Self {
        Self { limits, spent, was_hit: false }
    }

    /// Spends a signature on a certificate. `cost` is in verifications over P-256.
    pub(crate) fn signature(&mut self, cost: u32) -> Result<(), LimitHit> {
        let (limits, spent) = (self.limits, &self.spent);
        let cost = spent.signature_cost.saturating_add(cost);
        let count = spent.signatures.saturating_sub(spent.evidence_signatures).saturating_add(1);
        self.within(cost, limits.signature_cost, Limit::SignatureCost)?;
        self.within(count, limits.signatures, Limit::Signatures)?;
        self.spent.signature_cost = cost;
        self.spent.signatures = self.spent.signatures.saturating_add(1);
        Ok(())
    }

    /// Spends a signature on evidence. What was presented with a certificate uses none of these.
    pub(crate) fn evidence_signature(&mut self) -> Result<(), LimitHit> {
        let count = self.spent.evidence_signatures.saturating_add(1);
        self.within(count, self.limits.signatures, Limit::Signatures)?;
        self.spent.evidence_signatures = count;
        self.spent.signatures = self.spent.signatures.saturating_add(1);
        Ok(())
    }

    pub(crate) fn step(&mut self) -> Result<(), LimitHit> {
        let after = self.spent.steps.saturating_add(1);
        self.within(after, self.limits.steps, Limit::Steps)?;
        self.spent.steps = after;
        Ok(())
    }

    pub(crate) fn path(&mut self) -> Result<(), LimitHit> {
        let after = self.spent.paths.saturating_add(1);
        self.within(after, self.limits.paths, Limit::Paths)?;
        self.spent.paths = after;
        Ok(())
    }

    /// Spends a comparison of two names that cost this many bytes together: see
    /// [`Name::cost`](crate::x509::Name::cost).
    pub(crate) fn compare_names(&mut self, bytes: usize) -> Result<(), LimitHit> {
        let limits = self.limits;
        let count = self.spent.name_comparisons.saturating_add(1);
        self.within(count, limits.name_comparisons, Limit::NameComparisons)?;
        self.spent.name_comparisons = count;
        let bytes = u32::try_from(bytes.saturating_add(COMPARISON)).unwrap_or(u32::MAX);
        let bytes = self.spent.name_bytes.saturating_add(bytes);
        self.within(bytes, limits.name_bytes, Limit::NameBytes)?;
        self.spent.name_bytes = bytes;
        Ok(())
    }

    /// Spends nodes of policy graphs.
    ///
    /// RFC 9618 5.
    #[doc(alias = "RFC 9618 section 5")]
    pub(crate) fn policy_nodes(&mut self, count: usize) -> Result<(), LimitHit> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let after = self.spent.policy_nodes.saturating_add(count);
        self.within(after, self.limits.policy_nodes, Limit::PolicyNodes)?;
        self.spent.policy_nodes = after;
        Ok(())
    }

    fn within(&mut self, after: u32, allowed: u32, limit: Limit) -> Result<(), LimitHit> {
        if after > allowed {
            self.was_hit = true;
            return Err(LimitHit { limit, allowed });
        }
        Ok(())
    }
}
