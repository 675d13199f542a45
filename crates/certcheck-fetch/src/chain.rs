//! Chains as they are presented.

use pki_types::CertificateDer;

/// Bytes of certificates.
pub(crate) fn bytes_of(chain: &[CertificateDer<'_>]) -> usize {
    chain.iter().map(|der| der.len()).sum()
}

/// A chain that outlives the one who presented it.
pub(crate) fn owned(chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect()
}
