//! The PROXY protocol, versions 1 and 2: read from proxies in front, written to the service behind.
//!
//! Reading is without I/O: [`parse`] says how many bytes are needed next, and never more than belong to the header,
//! because TLS follows it. Crates for this protocol read ahead, and neither verify its checksum nor write what it says
//! about TLS.

mod crc32c;
mod header;
mod read;
#[cfg(test)]
mod tests;
mod tls;
mod write;

pub(crate) use header::{Addresses, Header};
pub(crate) use read::{HeaderFault, Progress, parse};
pub(crate) use tls::TlsFacts;
pub(crate) use write::{for_probe, write};
