//! A check whose target has been parsed, and how it begins: with a search, or under a path that is known.

use super::at_once::{self, AtOnce, Attempt};
use super::chain::{ParsedChain, parse_target};
use super::issuer_path::{IssuerPath, IssuerPathKey, IssuerStatuses};
use super::memory::Memory;
use super::session::CheckSession;
use super::{Check, CheckInputs};
use crate::budget::Spent;
use crate::policy::Revocation;
use crate::reason::Reason;
use crate::report::OwnedReport;
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
        CheckSession::begin(inputs, chain, Memory::default(), Spent::default(), source)
    }

    /// Begins the check under a path that was accepted for another leaf. If a search would find this path first, nothing
    /// is searched, and what was found about the certificates above the leaf is known. Everything else is checked as in
    /// any other check. `statuses` are those of the CAs, if they are known too and hold at this time
    /// ([`IssuerStatuses::hold`]). Ring, policy and given evidence must be those of the checks that they come from.
    ///
    /// With these statuses, or if revocation is not checked, a good leaf is accepted at once if the evidence about it is
    /// given or `source` has it. If the policy asks for an explanation, there is always a session.
    #[must_use]
    pub fn begin_under(
        self,
        issuer_path: &IssuerPath,
        statuses: Option<&IssuerStatuses>,
        source: AnswerFn<'_>,
    ) -> BegunCheck<I> {
        let check = self.inputs.check();
        let target = self.target.as_ref().ok().copied();
        let Some(chain) = target.and_then(|target| issuer_path.chain_of(&check, target)) else {
            return BegunCheck::Open(self.begin(source));
        };
        let above = match check.policy.revocation {
            Revocation::Off => Some(&[][..]),
            _ => statuses.and_then(|statuses| statuses.of(issuer_path, check.now)),
        };
        let attempt = match above.filter(|_| !check.policy.explain) {
            Some(above) => match at_once::accept(&check, &chain, issuer_path, above, source) {
                AtOnce::Accepted(report) => return BegunCheck::Accepted(report),
                AtOnce::Open(attempt) => attempt,
            },
            None => Attempt::default(),
        };
        let Attempt { edges, spent, is_refuted } = attempt;
        let memory = if is_refuted {
            Memory::of_edges(edges)
        } else {
            let above = above.unwrap_or_default();
            Memory::of_path(issuer_path.first_path(), issuer_path.hashed_issuer(), above, edges)
        };
        BegunCheck::Open(CheckSession::begin(self.inputs, Ok(chain), memory, spent, source))
    }
}

/// A check that has begun under a known path.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it is decided, or it is not")]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and memory for it would cost more")]
pub enum BegunCheck<I> {
    /// It was accepted at once, with one evaluation.
    Accepted(OwnedReport),
    /// A session, which may be settled.
    Open(CheckSession<I>),
}
