//! What fuzz targets share: signatures that always verify, so that what lies behind them is reached.

use certcheck_core::policy::Algorithms;
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

#[derive(Debug)]
struct Always;

impl SignatureVerificationAlgorithm for Always {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

/// Algorithms by which every signature of ECDSA on P-256 verifies.
pub fn always() -> Algorithms {
    Algorithms::new(&[&Always])
}

/// Parts of the input, each behind its length in two bytes, and what is left.
pub fn framed(mut rest: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut parts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let Some((part, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            break;
        };
        parts.push(part);
        rest = after;
    }
    (parts, rest)
}
