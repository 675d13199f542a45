//! The admin listener: health for supervisors, metrics for Prometheus, and a page for people.
//!
//! ```text
//! /live, /livez      200 while the front runs
//! /ready, /readyz    200, or 503 and what is missing as JSON
//! /metrics           the text format of Prometheus
//! /                  the status page        /v1/status    the same as JSON
//! ```
//! It has no TLS and asks for no password, and it changes nothing. It is meant for loopback, a Unix socket, or a network
//! that may see the subjects of certificates. On loopback it answers only requests for a host of loopback, so that a page in
//! a browser cannot read it under another name.

mod metrics;
mod page;
mod server;
mod sockets;

pub(crate) use metrics::install;
pub(crate) use sockets::{AdminSockets, PreparedAdmin};
