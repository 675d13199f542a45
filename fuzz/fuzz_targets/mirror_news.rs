//! News of a mirror, in pieces of any size: the pieces make no difference, and long events are refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((piece, bytes)) = bytes.split_first() {
        certcheck_fetch::fuzzing::news(bytes, usize::from(*piece).max(1));
    }
});
