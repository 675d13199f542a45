//! Anything as a body, in pieces of any size: it is judged the same all at once.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((piece, rest)) = data.split_first() {
        certcheck_fetch::fuzzing::body(rest, usize::from(*piece));
    }
});
