//! Validation listeners: other proxies and programs ask about the certificates of their clients.
//!
//! ```text
//! secret, tls, bounded -> remembered, held, pace -> active -> decide: a chain becomes a verdict, an identity and a user
//! header: certificates out of headers         -> auth:   GET  /v1/auth/NAME, answered by the status
//! request: certificates out of bodies         -> verify: POST /v1/verify, answered by JSON
//!                                                watch:  GET  /v1/watch, events
//! all of these, context, body, metered -> server: HTTP, spop: HAProxy's own protocol, grpc: Envoy's
//!                                          -> connection -> set: listeners over reloads -> status
//! ```
//! Who asks has an address that is listed, and the secret. Only then may a certificate cause fetches: a header is no proof
//! that anybody holds the key.

mod active;
mod answer;
mod auth;
mod body;
mod bounded;
mod connection;
mod context;
mod decide;
mod grpc;
pub(crate) mod header;
mod held;
mod metered;
mod names;
mod pace;
mod remembered;
mod request;
mod secret;
mod server;
mod set;
pub(crate) mod spop;
pub(crate) mod status;
mod tls;
mod verify;
mod watch;

pub(crate) use set::{PreparedValidations, Validations, check};
