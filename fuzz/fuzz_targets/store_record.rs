//! Anything as a record of the disk store.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    certcheck_fetch::fuzzing::record(data);
});
