//! Sockets that a front listens on.

mod bound;
mod inherited;
mod unix_socket;

pub(crate) use bound::{BindError, Bound, Peer};
pub(crate) use inherited::Inherited;
