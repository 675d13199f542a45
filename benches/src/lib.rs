//! What the benchmarks share; they live in `benches/`.
#![allow(clippy::exhaustive_structs, reason = "not published: all that use it are in this workspace")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a benchmark")]

pub mod first_seen;
pub mod fleet_model;
pub mod path_of_three;
pub mod pki;

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::{Cert, Key, der};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

/// Who issues the CRLs.
pub const CA: &str = "O=Bench,CN=CRL CA";

/// The key it signs with.
#[must_use]
pub fn ca_key() -> Key {
    Key::p256("bench crl ca")
}

/// Its certificate.
#[must_use]
pub fn ca() -> Vec<u8> {
    Cert::root(CA, &ca_key()).issue(&ca_key())
}

/// A CRL with so many entries of random serials of 16 bytes, every other with a reason, and some of the serials.
#[must_use]
pub fn crl(entries: usize) -> (Vec<u8>, Vec<[u8; 16]>) {
    crl_from(CrlBuilder::new(CA), entries)
}

/// The same with this beginning.
#[must_use]
pub fn crl_from(crl: CrlBuilder, entries: usize) -> (Vec<u8>, Vec<[u8; 16]>) {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut list = Vec::with_capacity(entries * 44);
    let mut serials = Vec::new();
    for at in 0..entries {
        let mut serial = [0; 16];
        serial[..8].copy_from_slice(&next().to_be_bytes());
        serial[8..].copy_from_slice(&next().to_be_bytes());
        serial[0] = serial[0] & 0x3f | 0x40;
        let reason: &[u8] =
            if at % 2 == 0 { b"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01" } else { b"" };
        list.extend_from_slice(&[0x30, u8::try_from(33 + reason.len()).unwrap(), 2, 16]);
        list.extend_from_slice(&serial);
        list.extend_from_slice(b"\x17\x0d260301000000Z");
        list.extend_from_slice(reason);
        if at % (entries / 100_000).max(1) == 0 {
            serials.push(serial);
        }
    }
    let crl = CrlBuilder { raw_entries: Some(der::tlv(0x30, &list)), ..crl };
    (crl.issue(&ca_key()), serials)
}

/// Verifies everything: what is left of a check is overhead.
#[derive(Debug)]
pub struct Always;

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
