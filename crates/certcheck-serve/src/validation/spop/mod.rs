//! The agent for HAProxy's stream processing offload engine (SPOP 2.0, `doc/SPOE.txt`): the only way to ask about the
//! clients of its TCP mode together with their chains.
//!
//! ```text
//! codec: frames and typed values -> message: what HAProxy sends, what it is sent -> agent: one connection
//! ```

mod agent;
mod codec;
mod message;
#[cfg(test)]
mod tests;

pub(super) use agent::serve;

/// Reads a frame, without its length.
#[cfg(fuzzing)]
pub(crate) fn exercise(frame: &[u8]) {
    let _fault = message::read(frame);
}
