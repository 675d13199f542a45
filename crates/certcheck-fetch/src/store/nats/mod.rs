//! A store that hosts share, on JetStream of NATS.
//!
//! ```text
//! $KV.BUCKET.cc1.K.h        head: a line with version, SHA-256 and sizes, and a line with a record about the bytes
//! $KV.BUCKET.cc1.K.c.SHA.i  the bytes, in chunks
//! $KV.BUCKET.cc1.K.l        lease: who may fetch
//! ```
//! K is the first 32 hexadecimal digits of the [`EvidenceKey`](crate::EvidenceKey). Each subject has one message: a head is
//! replaced by comparing the number of the message before. What is removed is a message without content. Who listens to the
//! subjects of heads hears of each that is written.
//!
//! The client is one of our own, in [`wire`], so that a server can neither end the program nor fill its memory. Requests to
//! JetStream are JSON, and their subjects are those of the rights that a user needs.

mod answer;
mod bucket;
mod endpoint;
mod engine;
mod head;
mod nats_store;
mod options;
mod wire;

#[cfg(fuzzing)]
pub(crate) use head::read_head;
pub use nats_store::NatsStore;
#[cfg(fuzzing)]
pub(crate) use wire::exercise;
