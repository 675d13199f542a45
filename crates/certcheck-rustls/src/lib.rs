//! Client certificates with full revocation, for rustls: two doors over one engine.
//!
//! ```text
//! Door 1  ClientVerifier   inside somebody else's accept loop; never waits; sessions do not resume
//! Door 2  Acceptor         the accept loop is ours: handshake -> engine.check(...).await -> Admitted
//! ```
//! Door 1 knows what memory knows: a client whose evidence is not there is refused, and found good at its next attempt.
//! Door 2 gets what is not there while the client waits, and nobody else. It sees sessions that resume, which rustls shows
//! to no verifier; and whoever serves an admitted client can be told when it is revoked ([`Client::watch`]).
#![forbid(unsafe_code)]

pub mod acceptor;
mod chain;
mod client_auth;
mod identity;
mod metrics;
mod parts;
mod refused;
pub mod verifier;

pub use acceptor::{AcceptError, AcceptLimits, Acceptor, Admitted, Client, Gate, SessionPolicy, TlsStream};
pub use client_auth::ClientAuth;
pub use identity::{Edipi, FascN, Identity, IdentityError, OtherName};
pub use parts::ServerParts;
pub use refused::Refused;
pub use verifier::{ClientVerifier, MAX_HINTS};

/// Doors for fuzzers.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Whatever names a certificate has: no accessor panics, and what it gives reads back.
    pub fn identity(octets: &[u8]) {
        let _number = crate::FascN::parse(octets);
        if let Ok(certificate) = certcheck_core::x509::Certificate::parse(octets) {
            crate::Identity::exercise(&certificate);
        }
    }
}
