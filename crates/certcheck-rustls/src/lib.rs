//! Client certificates with full revocation, for rustls: a verifier and an acceptor over one engine.
//!
//! ```text
//! ClientVerifier   for accept loops of other crates; never waits; sessions do not resume
//! Acceptor         has its own accept loop: handshake -> engine.check(...).await -> Admitted
//! ```
//! The verifier knows what memory knows: a client whose evidence is not there is refused, and found good at its next
//! attempt. The acceptor gets what is not there while the client waits, and nobody else. It sees sessions that resume,
//! which rustls shows to no verifier; and a server can watch whether a client that it serves is revoked
//! ([`Client::watch`]).
#![forbid(unsafe_code)]

pub mod acceptor;
mod chain;
mod client_auth;
mod events;
mod identity;
mod metrics;
mod parts;
mod refused;
pub mod verifier;

pub use acceptor::{
    AcceptError, AcceptLimits, Acceptor, Admitted, Client, Gate, Incoming, SessionPolicy, TlsStream,
};
pub use client_auth::ClientAuth;
pub use identity::{Edipi, FascN, Identity, IdentityError, OtherName};
pub use parts::ServerParts;
pub use refused::Refused;
pub use verifier::{ClientVerifier, MAX_HINTS};

/// Entry points for fuzzers.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Whatever names a certificate has: no accessor panics, and what it gives reads back.
    pub fn identity(bytes: &[u8]) {
        let _number = crate::FascN::parse(bytes);
        if let Ok(certificate) = certcheck_core::x509::Certificate::parse(bytes) {
            crate::Identity::exercise(&certificate);
        }
    }
}

/// The README, whose quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

/// The README of the project, whose examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod project_readme {}
