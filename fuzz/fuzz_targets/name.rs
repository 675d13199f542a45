//! Two names: the quick comparison says what the normalized forms say, both ways round.
#![no_main]

use certcheck_core::der::Reader;
use certcheck_core::x509::Name;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut reader = Reader::new(data);
    let Ok(a) = Name::parse(&mut reader, "a") else { return };
    let Ok(b) = Name::parse(&mut reader, "b") else { return };
    assert_eq!(a.matches(b), b.matches(a));
    assert_eq!(a.matches(b), a.normalized() == b.normalized());
    assert!(a.is_within(a));
    if a.is_within(b) && b.is_within(a) {
        assert!(a.matches(b));
    }
    let _ = a.to_string();
});
