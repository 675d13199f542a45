//! Whatever names a certificate has: no accessor of an identity panics, and what it gives reads back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| certcheck_rustls::fuzzing::identity(bytes));
