//! Anything as the head of an entry of a shared store.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    certcheck_fetch::fuzzing::head(data);
});
