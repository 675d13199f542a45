//! HTTP in front of a service: each request is passed on with headers that say who its client is.
//!
//! ```text
//! connection (HTTP/1.1, HTTP/2) -> exchange -> message: checked, stripped   -> services -> the service
//!                                              identity_headers: set
//! ```
//! A header that a service could mistake for one of ours is removed from every request and its trailers, whether ours are
//! set or not. Messages are never passed on as they came: what is sent was parsed and is written again, so both sides
//! see the same end of each message.

mod activity;
mod body;
mod connection;
mod exchange;
mod identity_headers;
mod message;
pub(crate) mod names;
mod report;
mod services;
mod tasks;

pub(crate) use connection::{HttpClient, HttpConnection};
pub(crate) use identity_headers::IdentityHeaders;
