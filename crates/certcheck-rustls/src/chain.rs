//! What is presented, by its bytes: clients decide how many they are.

use pki_types::CertificateDer;

pub(crate) fn bytes_of(chain: &[CertificateDer<'_>]) -> u64 {
    chain.iter().map(|der| u64::try_from(der.len()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}
