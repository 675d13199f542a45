//! A client of NATS that has a bound for everything that a server sends.
//!
//! ```text
//! frame    bytes -> lines and messages, without I/O
//! reader   a stream, and the frames that come from it
//! connect  TCP, TLS, INFO, CONNECT
//! client   requests and their answers
//! listen   the subjects of messages
//! ```
//! Whatever a server sends ends the connection at worst, with a [`Trouble`](crate::store::remote::Trouble) that says why.

mod client;
mod connect;
mod error_line;
mod fault;
mod frame;
mod greeting;
mod headers;
mod listen;
mod reader;

pub(super) use client::{Client, Request};
pub(super) use connect::{Connector, Server};
#[cfg(fuzzing)]
pub(crate) use frame::exercise;
pub(super) use greeting::Credentials;
pub(super) use headers::Headers;
pub(super) use listen::listen;
