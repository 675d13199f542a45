//! Paths: built (`build`), then validated (`verify`) by RFC 5280 6.1.

pub(crate) mod build;
pub(crate) mod candidate;
pub(crate) mod context;
pub(crate) mod discovery;
mod inspect;
pub(crate) mod name_constraints;
mod order;
pub(crate) mod policies;
pub(crate) mod pool;
pub(crate) mod profile;
mod server_name;
mod verified_issuers;
pub(crate) mod verify;

pub use verified_issuers::VerifiedIssuers;
