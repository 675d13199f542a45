//! Anything as an OCSP request: what asks about a certificate is asked again in its shortest form, which says the same.
#![no_main]

use certcheck_core::ocsp::OcspQuery;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(query) = OcspQuery::parse(bytes) else { return };
    let plain = query.plain_request();
    let again = OcspQuery::parse(&plain).expect("a request");
    assert!(again.is_plain);
    assert_eq!(again.cert_id.serial, query.cert_id.serial);
    assert_eq!(again.plain_request(), plain);
});
