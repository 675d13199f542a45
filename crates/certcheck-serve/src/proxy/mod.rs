//! Bytes between a client and the service behind the front.

mod buffers;
mod health;
mod relay;
mod upstream;

pub(crate) use health::{Attempt, UpstreamHealth, Upstreams};
pub(crate) use relay::{Relay, Side, Transferred};
pub(crate) use upstream::UpstreamError;
