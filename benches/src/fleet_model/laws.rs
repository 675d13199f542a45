//! What must hold in each decision, whatever fails.

use core::fmt;

use certcheck_core::policy::Freshness;

use super::evidence::Evidence;

/// A law that was broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Law {
    /// A node used an older version than before.
    NoRollback,
    /// A client was good that is revoked by the node's own evidence.
    NoGoodThoughRevoked,
    /// Evidence counted after its end.
    NothingEnded,
    /// A node could have got evidence from the origin, and did not decide.
    OriginIsEnough,
    /// A version did not reach a node in time.
    ReachesAll,
}

/// A law was broken: where and when.
#[derive(Debug)]
#[non_exhaustive]
pub struct Broken {
    /// The law.
    pub law: Law,
    /// The seed of the run.
    pub seed: u64,
    /// Who and what.
    pub detail: String,
    /// The last events.
    pub last: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} was broken with seed {}: {}", self.law, self.seed, self.detail)?;
        self.last.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Broken {}

/// A verdict about a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Good,
    Revoked,
    Unknown,
}

/// What nodes have used, written down apart from them.
#[derive(Debug)]
pub(super) struct Laws {
    crls: usize,
    newest: Vec<Option<Evidence>>,
}

impl Laws {
    pub(super) fn new(nodes: u32, crls: u16) -> Self {
        let crls = usize::from(crls);
        Self { crls, newest: vec![None; crls * nodes as usize] }
    }

    /// Examines a decision by this evidence about the certificate of this number.
    pub(super) fn decided(
        &mut self,
        (node, crl): (u32, u16),
        used: Option<&Evidence>,
        client: u32,
        verdict: Verdict,
        (freshness, clock): (&Freshness, i64),
    ) -> Result<(), Law> {
        let newest = &mut self.newest[node as usize * self.crls + usize::from(crl)];
        let Some(used) = used.filter(|_| verdict != Verdict::Unknown) else { return Ok(()) };
        if newest.is_some_and(|newest| used.version < newest.version) {
            return Err(Law::NoRollback);
        }
        *newest = Some(*used);
        if verdict == Verdict::Good && client <= used.version {
            return Err(Law::NoGoodThoughRevoked);
        }
        if clock > used.next_update + freshness.skew + freshness.max_stale {
            return Err(Law::NothingEnded);
        }
        Ok(())
    }
}
