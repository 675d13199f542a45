//! Anything as a file of a ring, and as its settings.
#![no_main]

use certcheck_core::key_ring::{Placement, RingBuilder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut builder = RingBuilder::new();
    let _ = builder.add("file", data, Placement::Flat);
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = builder.add_settings("ring.toml", text);
    }
    let _ = builder.build();
});
