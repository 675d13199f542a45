//! Is this client certificate still good, right now?
//!
//! The core of certcheck: X.509 views over the original bytes, key rings, path building and validation
//! by RFC 5280, with a report that says why. It does no I/O, reads no clock, and is bounded whatever it
//! is given. [`Check`] is where to begin.
//!
//! Imports go one way, each module importing only from those before it:
//!
//! ```text
//! der, ber, encode, time, oid, algorithm_name, provider, digest
//!     -> x509, encoding -> remedy, status, policy -> reason, budget, key, pss, signature
//!     -> name_interner, key_ring -> path -> crl, ocsp -> revocation -> report -> check
//! ```

#![warn(clippy::as_conversions, clippy::indexing_slicing)]

mod algorithm_name;
mod ber;
pub mod budget;
mod check;
pub mod crl;
pub mod der;
pub mod digest;
mod encode;
mod encoding;
mod key;
pub mod key_ring;
mod name_interner;
pub mod ocsp;
pub mod oid;
mod path;
pub mod policy;
mod provider;
mod pss;
pub mod reason;
pub mod remedy;
pub mod report;
pub mod revocation;
mod signature;
pub mod status;
mod time;
pub mod x509;

pub use check::{Check, CheckSession, FastAccept, IssuerPath, IssuerStatuses, LeafCandidate};
pub use encoding::{
    EncodingFault, certificates as certificates_of, crls as crls_of, ocsp_responses as ocsp_responses_of,
};
pub use key_ring::KeyRing;
pub use path::VerifiedIssuers;
pub use policy::{Policy, Purpose, Revocation};
pub use remedy::Remedy;
pub use report::{Report, Verdict};
pub use revocation::Evidence;
pub use signature::verify_signed_data;
pub use time::Time;

/// The README, whose quick start compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
