//! Paths: found (`build`), then validated (`verify`) by RFC 5280 6.1.

pub(crate) mod build;
pub(crate) mod candidate;
pub(crate) mod constraints;
pub(crate) mod discovery;
pub(crate) mod duties;
mod issuers;
pub(crate) mod policies;
pub(crate) mod pool;
mod server_name;
pub(crate) mod verify;

pub use issuers::VerifiedIssuers;
