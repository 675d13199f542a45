//! Servers of other projects, each a child process on 127.0.0.1 that ends when its value is dropped: nginx, slapd of
//! OpenLDAP, the responder of the `openssl` program, Redis, NATS, and proxies that ask a validation listener.
//!
//! `start` returns `None` if the program is not installed, and says so on standard error. With
//! `CERTCHECK_REQUIRE_PEERS` in the environment it panics instead, so that nothing is skipped unnoticed.

mod nats;
mod nginx;
mod ocsp;
mod process;
mod proxy;
mod redis;
mod slapd;
#[cfg(test)]
mod tests;
pub mod tool;

pub use nats::Nats;
pub use nginx::Nginx;
pub use ocsp::OpensslResponder;
pub use process::{Troubled, free_port};
pub use proxy::{Proxy, ProxyKind, ProxyParts};
pub use redis::Redis;
pub use slapd::Slapd;
