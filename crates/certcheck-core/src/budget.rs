//! What a check may spend. Every number says where it comes from; a bound that is hit is a reason of its own.

use core::fmt;

/// How many times a byte counts that has to be prepared before it is compared (RFC 4518).
pub const PREPARED: usize = 72;
/// Bytes that a comparison counts besides those of the names.
const COMPARISON: usize = 8;

/// The bounds of one check.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Signatures verified, on certificates and on evidence as many each. 100 is what rustls-webpki and Go allow; real bridges need fewer than 20.
    pub signatures: u32,
    /// What signatures on certificates may cost together, in verifications over P-256 (some 70 us): with `ring` one over P-384 costs eight
    /// of them. 128 are 16 certificates over P-384, or some 10 ms.
    pub signature_cost: u32,
    /// Certificates put into a path that is being searched. At some 300 ns each, 8 ms.
    pub steps: u32,
    /// Complete paths validated. Each costs about a microsecond besides its signatures.
    pub paths: u32,
    /// Certificates in a path, anchor and self-issued ones included. The Federal PKI needs 8.
    pub path_length: u32,
    /// Names compared with constraints. Go and rustls-webpki allow 250,000.
    pub name_comparisons: u32,
    /// Bytes of names that are compared, those of each comparison together. A value that has to be prepared for it (RFC 4518)
    /// counts [`PREPARED`] times. 9 MiB take some 15 ms, and are 400 hosts under as many constraints.
    pub name_bytes: u32,
    /// Nodes and edges of the policy graph (RFC 9618), mappings included.
    pub policy_nodes: u32,
    /// Octets of one certificate. The largest in the Federal PKI has 4 KiB.
    pub certificate_octets: u32,
    /// Certificates presented beside the target.
    pub presented: u32,
    /// Paths tried that a report tells of.
    pub attempts: u32,
    /// Pieces of evidence that did not count that a report names.
    pub considered: u32,
    /// Distribution points of one certificate that are looked at. The most seen in life is 3.
    pub distribution_points: u32,
    /// Locations of evidence that are asked for one certificate. AT-TLS has MaxSrcRevExtLocValues, 10 by default.
    pub locations: u32,
    /// Locations of certificates that are asked in a check (caIssuers). Bridges need five to eight.
    pub issuer_locations: u32,
    /// CRL issuers whose own path is searched for one certificate.
    pub crl_issuers: u32,
    /// Paths whose revocation is looked into, where those before had a CA that is revoked or unknown.
    pub revocation_paths: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures: 100,
            signature_cost: 128,
            steps: 25_000,
            paths: 5_000,
            path_length: 20,
            name_comparisons: 200_000,
            name_bytes: 9 << 20,
            policy_nodes: 10_000,
            certificate_octets: 1 << 20,
            presented: 1_000,
            attempts: 8,
            considered: 16,
            distribution_points: 100,
            locations: 10,
            issuer_locations: 16,
            crl_issuers: 16,
            revocation_paths: 4,
        }
    }
}

/// Which bound.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::signatures`].
    Signatures,
    /// [`Limits::signature_cost`].
    SignatureCost,
    /// [`Limits::steps`].
    Steps,
    /// [`Limits::paths`].
    Paths,
    /// [`Limits::path_length`].
    PathLength,
    /// [`Limits::name_comparisons`].
    NameComparisons,
    /// [`Limits::name_bytes`].
    NameBytes,
    /// [`Limits::policy_nodes`].
    PolicyNodes,
    /// [`Limits::certificate_octets`].
    CertificateOctets,
    /// [`Limits::presented`].
    Presented,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signatures => "signatures verified",
            Self::SignatureCost => "units of work on signatures",
            Self::Steps => "steps of path building",
            Self::Paths => "paths validated",
            Self::PathLength => "certificates in a path",
            Self::NameComparisons => "names compared with constraints",
            Self::NameBytes => "bytes of names compared",
            Self::PolicyNodes => "policy nodes",
            Self::CertificateOctets => "octets of a certificate",
            Self::Presented => "certificates presented",
        })
    }
}

/// A bound was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LimitHit {
    /// Which.
    pub limit: Limit,
    /// Where it stands.
    pub allowed: u32,
}

/// What a check has spent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Spent {
    /// Signatures verified.
    pub signatures: u32,
    /// How many of them were on evidence.
    pub evidence_signatures: u32,
    /// What those on certificates cost, in verifications over P-256.
    pub signature_cost: u32,
    /// Steps of path building.
    pub steps: u32,
    /// Complete paths validated.
    pub paths: u32,
    /// Names compared with constraints.
    pub name_comparisons: u32,
    /// Bytes of names that were compared.
    pub name_bytes: u32,
    /// Nodes and edges of policy graphs.
    pub policy_nodes: u32,
}

impl Spent {
    /// This, and that beside it.
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

/// Limits and what of them is gone.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    pub(crate) spent: Spent,
    /// A limit was hit: what was found without the rest may not be the whole truth.
    pub(crate) was_hit: bool,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self::with_spent(limits, Spent::default())
    }

    /// What is left after this has been spent.
    pub(crate) const fn with_spent(limits: &'a Limits, spent: Spent) -> Self {
        Self { limits, spent, was_hit: false }
    }

    /// A signature on a certificate, which costs so much to verify, in verifications over P-256.
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

    /// A signature on evidence. What was presented with a certificate takes none of these away.
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

    /// A comparison of two names that cost so many bytes together: see [`Name::cost`](crate::x509::Name::cost).
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
