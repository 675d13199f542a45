//! The cryptography of TLS.

use std::sync::Arc;

use certcheck_rustls::rustls::CipherSuite;
use certcheck_rustls::rustls::crypto::CryptoProvider;

/// The provider of the process, or the one that this build has. `None` if there is none.
pub(crate) fn get() -> Option<Arc<CryptoProvider>> {
    if let Some(provider) = CryptoProvider::get_default() {
        return Some(Arc::clone(provider));
    }
    of_build()
}

#[cfg(feature = "aws-lc-rs")]
fn of_build() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(certcheck_rustls::rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn of_build() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(certcheck_rustls::rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn of_build() -> Option<Arc<CryptoProvider>> {
    None
}

/// The cipher suites of a provider.
pub(crate) fn suites(provider: &CryptoProvider) -> Vec<CipherSuite> {
    provider.cipher_suites.iter().map(|suite| suite.suite()).collect()
}
