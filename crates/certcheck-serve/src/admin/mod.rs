//! The admin listener: health for supervisors, metrics for Prometheus, and a page for people.
//!
//! ```text
//! /live, /livez      200 while the front runs
//! /ready, /readyz    200, or 503 and what is missing as JSON
//! /metrics           the text format of Prometheus
//! /                  the status page        /v1/status    the same as JSON
//! POST /v1/reload    reads everything again, as SIGHUP does
//! ```
//! It has no TLS and asks for no password. It is meant for loopback, a Unix socket, or a network that may see the subjects
//! of certificates. On loopback it answers only requests for a host of loopback, so that a page in a browser cannot read it
//! under another name. A reload is the one thing that it changes, by what the files of the configuration say.

mod metrics;
mod page;
mod reach;
mod reload;
mod server;
mod sockets;

pub(crate) use metrics::install;
pub(crate) use sockets::{AdminSockets, PreparedAdmin};
