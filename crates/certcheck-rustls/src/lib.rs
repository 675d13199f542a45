//! Client certificates with full revocation checking, for servers that use rustls.
//!
//! A client whose certificate is revoked, expired or issued by an unknown CA is refused in the handshake, with the TLS alert that
//! says why. With [`Revocation::HardFail`] so is a client whose status is unknown. The status is looked up in CRLs and OCSP responses, which are fetched, verified and cached.
//!
//! # Quick start
//!
//! A server that greets its clients by name. It needs three files: `server.pem` and `server.key` for itself, and a CA's
//! certificate in the folder `ring`.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use certcheck_rustls::tokio::{self, io::AsyncWriteExt, net::TcpListener};
//! use certcheck_rustls::{Engine, KeyRing, Policy, Revocation, ServerParts};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The CAs that clients are checked against: PEM or DER files in the folder `ring`.
//!     let ring = KeyRing::from_paths(&["ring"])?;
//!     let policy = Policy::client(Revocation::HardFail);
//!     // CRLs and OCSP responses are fetched directly, unless HTTP_PROXY names a proxy.
//!     let engine = Arc::new(Engine::builder(ring, policy).proxy_from_env().build()?);
//!     let acceptor = ServerParts::from_pem_files("server.pem", "server.key")?.acceptor(&engine)?;
//!
//!     let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4433".to_owned());
//!     let listener = TcpListener::bind(address).await?;
//!     println!("listening on {}", listener.local_addr()?);
//!     loop {
//!         let (io, peer) = listener.accept().await?;
//!         let acceptor = acceptor.clone();
//!         tokio::spawn(async move {
//!             match acceptor.accept_from(io, peer).await {
//!                 Ok(mut client) => {
//!                     let hello = match client.client().identity() {
//!                         Some(Ok(identity)) => format!("hello, {}\n", identity.subject()),
//!                         // Not reached here: a certificate is required, and was accepted.
//!                         _ => "not allowed\n".to_owned(),
//!                     };
//!                     let _ = client.write_all(hello.as_bytes()).await;
//!                     let _ = client.shutdown().await;
//!                 }
//!                 Err(error) => println!("{peer}: {error}"),
//!             }
//!         });
//!     }
//! }
//! ```
//!
//! # Tour
//!
//! 1. A [`KeyRing`] has the CAs: anchors and intermediates, from files or folders.
//! 2. A [`Policy`] says what is demanded. [`Revocation::HardFail`] refuses a client whose status is unknown.
//! 3. An [`Engine`] checks certificates by ring and policy. It fetches what is missing, and never the same twice. One engine
//!    serves the whole process, with threads of its own. [`Engine::reload`] replaces ring and policy while it runs.
//! 4. [`ServerParts`] is the server's own side: certificate, key, protocols, and what is asked of clients ([`ClientAuth`]).
//! 5. There are two ways into a server. An [`Acceptor`] takes connections and returns [`Admitted`] streams. A
//!    [`ClientVerifier`] goes into a [`rustls::ServerConfig`] for a library that accepts connections itself.
//! 6. A [`Client`] has the [`CheckReport`] and the [`Identity`]. [`Client::watch`] and [`Admitted::until_refused`] end its
//!    connection once it would be refused.
//!
//! | | [`Acceptor`] | [`ClientVerifier`] |
//! |---|---|---|
//! | use it when | your code accepts connections, or can be given accepted ones | another library wants a `ServerConfig` |
//! | evidence that is not in memory | is fetched while this client waits, and no other | the client is refused; its next attempt finds it |
//! | sessions resume | yes, and the client is checked | no |
//! | deadline of the handshake | [`AcceptLimits::deadline`] | yours |
//!
//! # Which type for which job
//!
//! | job | type |
//! |---|---|
//! | accept connections in a loop of your own | [`Acceptor::accept_from`] |
//! | serve a listener with axum or tonic | [`Acceptor::incoming`], features `axum` and `tonic` |
//! | give another library a configuration | [`ServerParts::server_config`] |
//! | serve each connection in a thread of its own | [`ServerParts::server_config_waiting`] |
//! | put the verifier into a `ServerConfig` of your own | [`ClientVerifier::builder`] |
//! | accept clients without a certificate too | [`ClientAuth::IfSent`] |
//! | bound handshakes in time and number | [`AcceptLimits`] |
//! | say whether and for how long sessions resume | [`SessionPolicy`] |
//! | know who the client is | [`Client::identity`], [`Identity`] |
//! | end a connection when its client is revoked | [`Admitted::until_refused`], [`Client::watch`] |
//! | learn why a client was refused | [`AcceptError`], [`Refused`], and the events in `docs/observability.md` |
//! | give CRLs or OCSP responses from files | [`Evidence`], [`EngineBuilder::evidence`] |
//! | keep evidence over a restart | [`certcheck_fetch::store::DiskStore`], [`EngineBuilder::disk_store`] |
//! | allow or deny addresses of sources | [`Guard`], [`EngineBuilder::guard`] |
//! | use a proxy | [`EngineBuilder::proxy`], [`EngineBuilder::proxy_from_env`] |
//! | check a chain outside a handshake | [`Engine::check`], [`Engine::check_blocking`] |
//!
//! The crates below this one are re-exported as [`certcheck_core`] and [`certcheck_fetch`], and those of others whose types are in the API as
//! [`pki_types`], [`rustls`], [`tokio`] and [`tokio_rustls`].
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
pub use verifier::{ClientVerifier, MAX_HINTS, VerifierBuilder};

pub use certcheck_core;
pub use certcheck_core::reason::{Reason, Rejection};
pub use certcheck_core::{Evidence, KeyRing, Policy, Purpose, Remedy, Revocation, Time, Verdict};
pub use certcheck_fetch;
pub use certcheck_fetch::{
    CheckReport, Ended, Engine, EngineBuilder, EngineError, FetchLimits, Guard, Summary, Watch,
};
pub use {pki_types, rustls, tokio, tokio_rustls};

/// Entry points for fuzzers.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// For any names of a certificate, no accessor panics, and what it returns can be parsed.
    pub fn identity(bytes: &[u8]) {
        let _number = crate::FascN::parse(bytes);
        if let Ok(certificate) = certcheck_core::x509::Certificate::parse(bytes) {
            crate::Identity::exercise(&certificate);
        }
    }
}

/// The README: its quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

/// The README of the project: its examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod project_readme {}
