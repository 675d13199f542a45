//! Revocation evidence from where certificates say it is: CDP, AIA and OCSP responders, cached, guarded, never fetched
//! twice.
//!
//! [`Engine`] is where to begin. It drives the core's checks and answers what they lack:
//!
//! ```text
//! check -> known path -> memory -> store -> network (guard -> HTTP, LDAP) -> read -> judged by the core -> kept
//! ```
//! Whether evidence is good is the core's judgement, whatever layer it comes from; a layer whose copy is of no use is
//! passed over for the next.
#![deny(unsafe_code)]

#[cfg(feature = "ldap")]
mod directory;
mod drive;
mod engine;
mod failure;
mod fetcher;
mod guard;
mod health;
mod held;
mod http;
mod key;
mod known;
#[cfg(feature = "ldap")]
mod ldap;
mod limits;
mod mapped;
mod memory;
mod metrics;
mod read;
mod refresh;
mod report;
mod resolve;
mod shape;
mod snapshot;
mod spool;
pub mod store;
mod transport;

pub use engine::{Builder, Engine, EngineError};
pub use failure::Failure;
pub use fetcher::Observer;
pub use guard::{Guard, MAX_URL, Refused, Scheme};
pub use held::{Held, Origin};
pub use key::Key;
pub use limits::{Kind, Limits};
pub use report::{Details, Report, SourceTried};
pub use resolve::{Resolve, SystemResolver};
pub use snapshot::Snapshot;
pub use spool::{Body, Spool, SpoolError};
pub use transport::Transport;
