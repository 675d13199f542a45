//! A certificate chain and its private key, out of PEM files.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certcheck_rustls::Time;
use certcheck_rustls::certcheck_core::x509::{Certificate, GeneralName};
use certcheck_rustls::pki_types::pem::{self, PemObject as _};
use certcheck_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use certcheck_rustls::rustls::crypto::CryptoProvider;
use certcheck_rustls::rustls::sign::CertifiedKey;
use certcheck_rustls::rustls::{Error, InconsistentKeys};

use super::algorithms;
use crate::config::CertificateFiles;

/// A certificate with its key.
pub(crate) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    /// The names that it has, in lower case.
    pub(super) names: Vec<String>,
    pub(super) not_after: Time,
    /// As `RSA2048`, `EC256` or `ED25519`, if it is one of these.
    pub(super) key_algorithm: Option<String>,
    /// As OpenSSL names it.
    pub(super) signature_algorithm: Option<String>,
}

/// Why a certificate cannot be used.
#[derive(Debug)]
pub(crate) struct PairError {
    file: PathBuf,
    what: String,
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

impl Pair {
    /// Reads a certificate and its key.
    pub(crate) fn read(files: &CertificateFiles, provider: &CryptoProvider) -> Result<Self, PairError> {
        let fault = |file: &Path, what: String| PairError { file: file.to_owned(), what };
        let CertificateFiles { chain, key } = files;
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(|error| fault(chain, pem_fault(&error, "certificate")))?;
        let Some(own) = certificates.first().cloned() else {
            return Err(fault(chain, "it has no certificate in PEM".to_owned()));
        };
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| fault(key, pem_fault(&error, "private key")))?;
        let certified =
            CertifiedKey::from_der(certificates, private, provider).map_err(|error| match error {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    fault(key, format!("the key is not that of the first certificate in {}", chain.display()))
                }
                other => fault(key, other.to_string()),
            })?;
        let view = Certificate::parse(&own).map_err(|error| fault(chain, error.to_string()))?;
        Ok(Self {
            names: names(&view),
            not_after: view.not_after(),
            key_algorithm: algorithms::of_key(&view.spki()),
            signature_algorithm: algorithms::of_signature(view.signature_algorithm().oid),
            key: Arc::new(certified),
        })
    }
}

/// What is wrong with a PEM file.
fn pem_fault(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("it has no {what} in PEM"),
        other => format!("it is not valid PEM: {other}"),
    }
}

/// The DNS names of a certificate, in lower case.
fn names(certificate: &Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alt_name() else { return Vec::new() };
    let dns = names.filter_map(|name| match name {
        Ok(GeneralName::Dns(name)) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}
