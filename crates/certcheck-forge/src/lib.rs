//! Certificates, CRLs and OCSP responses for laboratories and tests: field by field, right or wrong.
//!
//! The same words make the same bytes, each time and everywhere: keys come from their names, signatures
//! have no randomness, and there is no clock.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "what is asked for is written in a program, and is possible or a mistake"
)]

pub mod cert;
pub mod crl;
pub mod der;
pub mod ext;
pub mod key;
pub mod name;
pub mod ocsp;
#[cfg(feature = "server")]
pub mod server;

pub use cert::Cert;
pub use key::{Key, Signer};

/// PEM with this label.
#[must_use]
pub fn pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}

/// The README, whose quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
