//! Certificates, CRLs and OCSP responses for tests and laboratories, field by field, valid or not.
//!
//! Every field can be set, also to a wrong value, so that software that parses certificates can be tested. The same program
//! makes the same bytes each time and everywhere: keys are derived from their names, signatures have no randomness, and
//! there is no clock. **Never use these keys for anything real:** anyone who knows the name of a key can make it.
//!
//! # Quick start
//!
//! A root, a client certificate, and a CRL that revokes it:
//!
//! ```
//! use certcheck_forge::crl::{self, CrlBuilder, RevokedCertificate};
//! use certcheck_forge::ext::{self, Point};
//! use certcheck_forge::{Cert, Key, pem};
//!
//! let (ca, key) = (Key::p256("my root"), Key::p256("my client"));
//! let root = Cert::root("CN=Root", &ca).valid("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z").issue(&ca);
//!
//! let client = Cert::leaf("O=Acme,CN=client", &key, "CN=Root", &ca)
//!     .with([ext::cdp(&[Point::urls(&["http://crl.example/root.crl"])])]);
//! let revoked = RevokedCertificate::new(&client.serial).with([crl::reason("keyCompromise")]);
//! let crl = CrlBuilder::new("CN=Root").revoking([revoked]).issue(&ca);
//!
//! assert!(pem("CERTIFICATE", &root).starts_with("-----BEGIN CERTIFICATE-----"));
//! // The same each time.
//! assert_eq!(client.issue(&ca), client.clone().issue(&ca));
//! // Wrong on purpose: the algorithm inside differs from the one outside.
//! let wrong = Cert { inner_algorithm: Some(Key::p384("other").algorithm()), ..client };
//! assert_ne!(wrong.issue(&ca), root);
//! # assert!(!crl.is_empty());
//! ```
//!
//! # Which type for which job
//!
//! | job | type or module |
//! |---|---|
//! | make a certificate | [`Cert`] |
//! | make an extension | [`ext`] |
//! | make a CRL, with entries and scope | [`crl::CrlBuilder`], [`crl::RevokedCertificate`], [`crl::Idp`] |
//! | make an OCSP response | [`ocsp::Response`], [`ocsp::AnswerBuilder`] |
//! | make a key, or use one of your own | [`Key`], [`Signer`] |
//! | write names as text | [`name`] |
//! | write any other DER, valid or not | [`der`] |
//! | write PEM | [`pem()`] |
//! | serve it over HTTP, with faults | `server::Server`, `server::OcspResponder` (feature `server`) |
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "the input is written in a program, so an invalid one is a mistake")]

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
