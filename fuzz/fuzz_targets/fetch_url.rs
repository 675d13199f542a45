//! Anything as a URL out of a certificate: what passes the guard leads nowhere that is guarded.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = core::str::from_utf8(data) {
        certcheck_fetch::fuzzing::url(text);
    }
});
