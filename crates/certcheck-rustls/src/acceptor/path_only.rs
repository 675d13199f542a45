//! The verifier of a handshake that is followed by a gate. It begins the check, refuses what memory alone refuses, and
//! leaves an unknown status to the gate. It is private to this module, so nothing else can use it.

use std::sync::Arc;

use certcheck_core::Time;
use certcheck_fetch::Engine;
use pki_types::CertificateDer;
use rustls::Error;

use super::handshake_context::HandshakeContext;
use crate::client_auth::ClientAuth;
use crate::refused::Refused;
use crate::verifier::VerifierHooks;

#[derive(Debug)]
pub(super) struct PathOnlyVerifier {
    pub(super) engine: Arc<Engine>,
    pub(super) auth: ClientAuth,
}

impl VerifierHooks for PathOnlyVerifier {
    fn on_certificate(&self, chain: &[CertificateDer<'_>], now: Time) -> Result<(), Error> {
        if !self.auth.is_checked() {
            return Ok(());
        }
        let pending = self.engine.begin(chain, now);
        match pending.decided() {
            Some(report) if !report.is_accepted() && !report.is_missing_evidence() => {
                let refused = Refused::new(report.clone());
                let _noted = HandshakeContext::with(|context| context.refuse(refused.report().clone()));
                Err(refused.error())
            }
            // The gate completes it, or begins again if there is no context.
            _ => {
                let _kept = HandshakeContext::with(|context| context.begin(pending));
                Ok(())
            }
        }
    }

    fn on_possession_proved(&self, _leaf: &CertificateDer<'_>) -> Result<(), Error> {
        // Without a gate no client is accepted by its path alone.
        HandshakeContext::with(HandshakeContext::hold)
            .ok_or_else(|| Error::General("this verifier was used outside an acceptor".into()))
    }
}
