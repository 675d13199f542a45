//! What is presented, by its octets: clients decide how many they are.

use pki_types::CertificateDer;

pub(crate) fn octets_of(chain: &[CertificateDer<'_>]) -> u64 {
    chain.iter().map(|der| u64::try_from(der.len()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}
