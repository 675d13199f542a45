//! Whatever comes as a frame of HAProxy: it is read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| certcheck_serve::fuzzing::spop(bytes));
