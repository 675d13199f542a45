//! A request line and a host, as a mirror gets them: whatever source they name is one that it may be asked for.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| certcheck_serve::fuzzing::mirror_question(text));
