//! Anything as what an LDAP directory answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    certcheck_fetch::fuzzing::directory(data);
});
