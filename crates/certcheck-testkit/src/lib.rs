//! A PKI forge: any certificate, CRL and OCSP response that a test names, right or broken in one named way.
//!
//! The same words make the same octets, each time and everywhere: keys come from their names, signatures
//! have no randomness, and there is no clock.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "what a test asks for is possible or the test is wrong")]

pub mod bridge;
pub mod bulk;
pub mod cert;
pub mod crl;
pub mod crl_flaw;
pub mod der;
pub mod docs;
pub mod ext;
pub mod flaw;
pub mod hostile;
#[cfg(feature = "imports")]
pub mod imports;
pub mod key;
pub mod keys;
pub mod name;
pub mod ocsp;
pub mod ocsp_flaw;
pub mod odd_key;
pub mod peers;
pub mod recipe;
mod recipe_evidence;
pub mod server;

pub use cert::Cert;
pub use crl_flaw::CrlFlaw;
pub use flaw::Flaw;
pub use key::Key;
pub use keys::SigAlg;
pub use ocsp_flaw::OcspFlaw;

/// PEM with this label.
#[must_use]
pub fn pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}
