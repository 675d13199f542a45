//! Constraints and names from two certificates, each name against each constraint.
#![no_main]

use certcheck_core::x509::Certificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return };
    let Some((ca, leaf)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { return };
    let (Ok(ca), Ok(leaf)) = (Certificate::parse(ca), Certificate::parse(leaf)) else { return };
    let (Ok(Some(constraints)), Ok(Some(names))) = (ca.name_constraints(), leaf.subject_alt_name()) else {
        return;
    };
    for name in names.flatten() {
        let first = constraints.check_name(name);
        assert_eq!(first, constraints.check_name(name));
    }
});
