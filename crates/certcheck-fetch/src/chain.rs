//! Chains that clients present.

use pki_types::CertificateDer;

/// The number of bytes of a chain's certificates.
pub(crate) fn bytes_of(chain: &[CertificateDer<'_>]) -> usize {
    chain.iter().map(|der| der.len()).sum()
}

/// An owned copy of a chain.
pub(crate) fn owned(chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect()
}
