//! Envoy's external authorization over gRPC: `envoy.service.auth.v3.Authorization/Check`, for its HTTP filter and for its
//! network filter.
//!
//! ```text
//! messages: those parts of Envoy's messages that are used -> check: a request becomes an answer -> server: HTTP/2, one call
//! ```

mod check;
mod messages;
mod server;
#[cfg(test)]
mod tests;

pub(super) use server::serve;
