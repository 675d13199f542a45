//! Is this client certificate still good, right now?
//!
//! This crate is the engine of certcheck. It builds certificate paths to the anchors of a key ring, validates them (RFC 5280,
//! RFC 9618), evaluates CRLs and OCSP responses (RFC 5280, RFC 6960), and returns a report that says why a certificate is
//! accepted or rejected.
//!
//! It does no I/O and reads no clock. The caller passes the time and the evidence. The same inputs give the same report,
//! and every check has limits for time and memory, whatever a client presents. To have evidence fetched and cached, use
//! `certcheck-fetch`. For TLS servers with rustls, use `certcheck-rustls`.
//!
//! # Quick start
//!
//! A key ring, a policy, the chain of a client, and the CRLs of its CAs:
//!
//! ```
//! use std::sync::Arc;
//!
//! use certcheck_core::crl::Crl;
//! use certcheck_core::{Check, Evidence, KeyRing, Policy, Revocation, Time, certificates_of, crls_of};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo");
//! let ring = KeyRing::from_paths(&[format!("{demo}/ring")])?;
//! let policy = Policy::client(Revocation::HardFail);
//!
//! let mut evidence = Evidence::new();
//! for file in ["crl/root.pem", "crl/device-ca.pem"] {
//!     for der in crls_of(&std::fs::read(format!("{demo}/{file}"))?.into())? {
//!         evidence.add_crl(Arc::new(Crl::parse(der, file)?));
//!     }
//! }
//!
//! // The core reads no clock. A server passes the current time.
//! let now = Time::from_rfc3339("2027-01-01T00:00:00Z").ok_or("not a time")?;
//! let check = |client: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     let chain = certificates_of(&std::fs::read(format!("{demo}/{client}"))?)?;
//!     Ok(Check::new(&chain, &ring, &policy, now).with_evidence(&evidence).run().message())
//! };
//!
//! assert_eq!(check("good.pem")?, None);
//! let message = check("revoked.pem")?.ok_or("accepted")?;
//! assert_eq!(message, "revoked at 2026-03-01T00:00:00Z (keyCompromise), according to crl/device-ca.pem");
//! # Ok(())
//! # }
//! ```
//!
//! # A check that asks for what it needs
//!
//! [`Check::run`] decides with the evidence that it was given. With [`Check::begin`], the check names what is missing, so
//! that a driver can get it from a network, a cache or a file:
//!
//! ```text
//!          Check::begin
//!               |
//!               v
//!     +--> CheckSession::needs ---- nothing needed ----> CheckSession::finish --> Report
//!     |         |
//!     |         v
//!     |    the driver gets it: a CRL, an OCSP response, an issuer, or a failure
//!     |         |
//!     +--- CheckSession::answer
//! ```
//!
//! 1. [`CheckSession::needs`] lists [`Need`](revocation::Need)s. Each has an
//!    [`EvidenceRequest`](revocation::EvidenceRequest) with a URL. Needs are only named for a path that has been validated,
//!    so a client cannot make a server fetch from a URL of its choice.
//! 2. The driver gets the evidence in any order, and calls [`CheckSession::answer`] with it, or with the cause of the failure.
//! 3. It repeats this until nothing is needed. [`CheckSession::finish`] returns the report at any time. A request without an
//!    answer then counts as not tried.
//!
//! [`CheckSession`] has an example. The driver of `certcheck-fetch` works in this way.
//!
//! # Which type for which job
//!
//! | job | type |
//! |---|---|
//! | load trusted and distrusted certificates | [`KeyRing::from_paths`], [`key_ring::RingBuilder`] |
//! | decide what is required of certificates and evidence | [`Policy`], [`Revocation`], [`policy::Limits`] |
//! | read certificates, CRLs and OCSP responses from files | [`certificates_of`], [`crls_of`], [`ocsp_responses_of`] |
//! | check a certificate with the evidence that is available | [`Check::run`], [`Evidence`] |
//! | check a certificate and fetch what is missing | [`Check::begin`], [`CheckSession`] |
//! | show or log the result | [`Report`], [`reason::Reason`], [`Remedy`] |
//! | keep a report after its chain is gone | [`report::OwnedReport`] |
//! | check many clients of one issuer quickly | [`VerifiedIssuers`], [`IssuerPath`], [`ParsedCheck`] |
//! | parse a CRL while it is downloaded, or map a large one | [`crl::CrlReader`], [`crl::map`] |
//! | learn which certificate signed a CRL or a response | [`signer`] |
//! | write an OCSP request, parse a response | [`ocsp::OcspRequest`], [`ocsp::OcspResponse`] |
//! | look into a certificate | [`x509::Certificate`] |
//!
//! # Features
//!
//! | feature | default | meaning |
//! |---|---|---|
//! | `ring` | yes | signature algorithms from `ring` |
//! | `aws-lc-rs` | no | signature algorithms from `aws-lc-rs`: adds P-521 and ML-DSA |
//! | `fs` | yes | reads key rings from files and directories, and maps large files |
//!
//! # For contributors
//!
//! Imports go in one direction. Each module imports only from those before it:
//!
//! ```text
//! der, ber, encode, time, oid, algorithm_name, provider, digest
//!     -> x509, encoding -> remedy, status, policy -> reason, budget, key, pss, signature
//!     -> name_interner, key_ring -> path -> crl, ocsp -> revocation -> report -> check -> signer
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
pub mod signer;
pub mod status;
mod time;
pub mod x509;

pub use check::{
    BegunCheck, Check, CheckInputs, CheckSession, IssuerPath, IssuerPathKey, IssuerStatuses, ParsedCheck,
};
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
