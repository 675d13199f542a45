//! Chains that clients present.

use pki_types::CertificateDer;

/// The number of bytes of a chain's certificates.
pub(crate) fn bytes_of(chain: &[CertificateDer<'_>]) -> usize {
    chain.iter().map(|der| der.len()).sum()
}

/// An owned copy of a chain.
pub(crate) fn owned<C: FromIterator<CertificateDer<'static>>>(chain: &[CertificateDer<'_>]) -> C {
    chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect()
}
