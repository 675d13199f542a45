//! A check whose target has been parsed, and how it begins: with a search, or under a path that is known.

use super::chain::{ParsedChain, parse_target};
use super::issuer_path::{IssuerPath, IssuerPathKey, IssuerStatuses};
use super::memory::Memory;
use super::session::CheckSession;
use super::{Check, CheckInputs};
use crate::reason::Reason;
use crate::revocation::AnswerFn;
use crate::x509::{Certificate, Positions};

impl<'a> Check<'a> {
    /// Begins a check that names the missing evidence.
    #[must_use]
    pub fn begin(self) -> CheckSession<Self> {
        ParsedCheck::new(self).begin(&|_| None)
    }
}

/// A check whose target has been parsed.
#[derive(Debug)]
pub struct ParsedCheck<I> {
    inputs: I,
    /// `Err` is the reason to reject the target at once.
    target: Result<Positions, Reason>,
}

impl<I: CheckInputs> ParsedCheck<I> {
    /// Parses the target of a check.
    #[must_use]
    pub fn new(inputs: I) -> Self {
        let target = parse_target(&inputs.check()).map(|target| target.positions());
        Self { inputs, target }
    }

    /// The inputs.
    #[must_use]
    pub const fn inputs(&self) -> &I {
        &self.inputs
    }

    fn target(&self) -> Option<Certificate<'_>> {
        Some(self.target.as_ref().ok()?.view(self.inputs.check().chain.first()?))
    }

    /// What an [`IssuerPath`] for the target is found by. `None` if the target cannot be parsed.
    #[must_use]
    pub fn issuer_path_key(&self) -> Option<IssuerPathKey<'_>> {
        IssuerPathKey::new(&self.target()?, self.inputs.check().chain)
    }

    /// Begins the check. Evidence that is needed is looked up first by `source`, whose answers are used if they are
    /// useful.
    #[must_use]
    pub fn begin(self, source: AnswerFn<'_>) -> CheckSession<I> {
        let Self { inputs, target } = self;
        let chain = target.map(|target| ParsedChain::parse(&inputs.check(), target, &[]));
        CheckSession::begin(inputs, chain, Memory::default(), source)
    }

    /// Begins the check under a path that was accepted for another leaf. If a search would find this path first, nothing
    /// is searched, and what was found about the certificates above the leaf is known. Everything else is checked as in
    /// any other check. `statuses` are those of the CAs, if they are known too and hold at this time
    /// ([`IssuerStatuses::hold`]). Ring, policy and given evidence must be those of the checks that they come from.
    #[must_use]
    pub fn begin_under(
        self,
        issuer_path: &IssuerPath,
        statuses: Option<&IssuerStatuses>,
        source: AnswerFn<'_>,
    ) -> CheckSession<I> {
        let check = self.inputs.check();
        let prepared =
            self.target.as_ref().ok().and_then(|target| issuer_path.prepare(&check, *target, statuses));
        match prepared {
            Some((chain, memory)) => CheckSession::begin(self.inputs, Ok(chain), memory, source),
            None => self.begin(source),
        }
    }
}
