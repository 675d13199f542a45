//! The inputs of a check in the engine, which own what the core's check borrows.

use std::sync::Arc;

use certcheck_core::policy::Nonce;
use certcheck_core::{Check, CheckInputs, Time};
use pki_types::CertificateDer;

use crate::basis::Basis;

/// The inputs of a check.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    pub(crate) basis: Arc<Basis>,
    pub(crate) chain: Arc<[CertificateDer<'static>]>,
    pub(crate) now: Time,
    seed: Option<[u8; 32]>,
}

impl Inputs {
    pub(crate) fn new(basis: &Arc<Basis>, chain: Arc<[CertificateDer<'static>]>, now: Time) -> Self {
        let mut seed = [0; 32];
        // Randomness costs a system call.
        let is_wanted = basis.policy.nonce != Nonce::Off;
        let has_seed = is_wanted && getrandom::fill(&mut seed).is_ok();
        Self { basis: Arc::clone(basis), chain, now, seed: has_seed.then_some(seed) }
    }
}

impl CheckInputs for Inputs {
    fn check(&self) -> Check<'_> {
        let check = Check::new(&self.chain, &self.basis.ring, &self.basis.policy, self.now)
            .with_verified_issuers(&self.basis.issuers)
            .with_evidence(&self.basis.given);
        match self.seed {
            Some(seed) => check.with_nonce_seed(seed),
            None => check,
        }
    }
}
