//! Anything as an OCSP response: what was read reads again.
#![no_main]

use bytes::Bytes;
use certcheck_core::ocsp::OcspResponse;
use certcheck_core::revocation::OcspEvidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let read = OcspEvidence::parse(Bytes::copy_from_slice(data), "fuzz");
    assert_eq!(read.is_ok(), OcspResponse::parse(data).is_ok());
    let Ok(read) = read else { return };
    if let Some(basic) = read.basic() {
        for single in basic.responses() {
            single.expect("what was read reads again");
        }
        let _ = basic.certificates().filter(Result::is_ok).count();
    }
});
