//! A store that hosts share, on Redis or Valkey.
//!
//! ```text
//! cc1:{K}:h        head: a hash with the version, the SHA-256 and size of the bytes, and a record about them
//! cc1:{K}:c:SHA:i  the bytes, in chunks
//! cc1:{K}:l        lease: who may fetch
//! cc1:news         channel: the K of heads that have changed
//! ```
//! K is the first 32 hexadecimal digits of the [`EvidenceKey`](crate::EvidenceKey). In a cluster the braces keep all
//! keys of an entry in one slot. Chunks are written before the head that names them, and are named by their content, so
//! a reader never gets a mixture.
//!
//! Nothing that is read is trusted: not its size, not its content, not its time. Anyone who can write to the engine can
//! make entries useless, which costs a fetch.

mod connect;
mod endpoint;
mod engine;
mod guarded;
mod listen;
mod names;
mod options;
mod redis_store;
mod reply;
mod script;
mod sentinels;
mod session;
mod trouble;

pub use redis_store::RedisStore;
#[cfg(fuzzing)]
pub(crate) use reply::exercise;
