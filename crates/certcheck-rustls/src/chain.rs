//! The size of chains that are presented: clients decide it.

use pki_types::CertificateDer;

pub(crate) fn bytes_of(chain: &[CertificateDer<'_>]) -> u64 {
    chain.iter().map(|der| u64::try_from(der.len()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}
