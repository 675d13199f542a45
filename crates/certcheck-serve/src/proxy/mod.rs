//! Bytes between a client and the service behind the front.

mod buffers;
mod relay;
mod upstream;

pub(crate) use relay::{Relay, Side, Transferred};
pub(crate) use upstream::{UpstreamError, connect};
