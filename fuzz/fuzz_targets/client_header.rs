//! Whatever stands in a header about a client: it is read in the form of its source, or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| certcheck_serve::fuzzing::client_header(bytes));
