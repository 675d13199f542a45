//! Whatever a proxy in front sends: its header is complete, wrong, or needs more bytes, of which none is behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| certcheck_serve::fuzzing::proxy_protocol(bytes));
