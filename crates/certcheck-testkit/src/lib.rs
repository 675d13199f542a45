//! Shared parts of the tests: the forge with more kinds of keys, certificates, CRLs and OCSP responses with one named
//! flaw each, servers with named faults, peers, and readers of the project's own source and pages.
#![allow(clippy::exhaustive_structs, reason = "not published: all that use it are in this workspace")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "what a test asks for is possible or the test is wrong")]

pub mod bridge;
pub mod browser;
pub mod bulk;
pub mod crl_flaw;
pub mod docs;
pub mod events;
pub mod flaw;
pub mod hostile;
#[cfg(feature = "imports")]
pub mod imports;
pub mod keys;
pub mod ocsp_flaw;
pub mod odd_key;
pub mod peers;
pub mod program;
#[cfg(feature = "imports")]
pub mod public_api;
pub mod recipe;
mod recipe_evidence;
#[cfg(feature = "scenarios")]
pub mod scenarios;
#[cfg(feature = "served")]
pub mod served;
pub mod server;
#[cfg(feature = "world")]
pub mod world;

pub use certcheck_forge::{Cert, Key, Signer, cert, crl, der, ext, key, name, ocsp, pem};

pub use crl_flaw::CrlFlaw;
pub use flaw::Flaw;
pub use keys::SigAlg;
pub use ocsp_flaw::OcspFlaw;
