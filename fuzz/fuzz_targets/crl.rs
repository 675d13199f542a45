//! Anything as a CRL: at once and as it arrives, both alike; every entry that is read is found.
#![no_main]

use bytes::Bytes;
use certcheck_core::crl::{Crl, CrlReader};
use certcheck_core::der::Reader;
use certcheck_core::x509::SubjectPublicKeyInfo;
use certcheck_core::{Policy, Revocation};
use libfuzzer_sys::fuzz_target;

/// A P-256 key of zeros: what verifies here does not look at it.
const KEY: [u8; 91] = {
    let header = *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
    let mut key = [0; 91];
    let mut at = 0;
    while at < header.len() {
        key[at] = header[at];
        at += 1;
    }
    key
};

fuzz_target!(|data: &[u8]| {
    let Some((chunk, der)) = data.split_first() else { return };
    let whole = Crl::parse(Bytes::copy_from_slice(der), "fuzz");
    let mut reader = CrlReader::new();
    let pushed = der.chunks(usize::from(*chunk) + 1).try_for_each(|bytes| reader.push(bytes));
    let arrived = pushed.and_then(|()| reader.finish("fuzz"));
    assert_eq!(whole.is_ok(), arrived.is_ok(), "{whole:?} {arrived:?}");
    let (Ok(whole), Ok(arrived)) = (whole, arrived) else { return };
    assert_eq!(whole.len(), arrived.len());
    let _ = (whole.issuing_distribution_point(), whole.freshest_crl(), whole.authority_info_access());
    let mut policy = Policy::client(Revocation::HardFail);
    policy.signatures.algorithms = certcheck_fuzz::always();
    let key = SubjectPublicKeyInfo::parse(&mut Reader::new(&KEY), "key").expect("a key");
    let (Ok(whole), Ok(arrived)) = (whole.verify(key, &policy), arrived.verify(key, &policy)) else { return };
    let is_indirect = whole.crl().issuing_distribution_point().ok().flatten().is_some_and(|idp| idp.indirect);
    for entry in whole.crl().entries().take(200) {
        let entry = entry.expect("what was read reads again");
        if !is_indirect {
            assert!(whole.find(entry.serial, None).is_some_and(|found| found.is_ok()));
            assert!(arrived.find(entry.serial, None).is_some_and(|found| found.is_ok()));
        }
    }
});
