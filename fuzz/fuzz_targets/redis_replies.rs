//! What an engine of Redis sends, in pieces of any size: the pieces make no difference, and everything has a bound.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((piece, bytes)) = bytes.split_first() {
        certcheck_fetch::fuzzing::replies(bytes, usize::from(*piece).max(1));
    }
});
