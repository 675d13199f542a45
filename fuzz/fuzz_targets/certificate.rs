//! A certificate reads or it does not; what reads can be asked everything.
#![no_main]

use certcheck_core::x509::Certificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(certificate) = Certificate::parse(data) else { return };
    // What was read with the certificate reads again.
    for extension in certificate.extensions() {
        extension.expect("extension reads again");
    }
    if let Some(names) = certificate.subject_alt_name().expect("subjectAltName reads again") {
        names.for_each(|name| drop(name.expect("name reads again").to_string()));
    }
    if let Some(policies) = certificate.policies().expect("policies read again") {
        policies.for_each(|policy| drop(policy.expect("policy reads again").policy.to_string()));
    }
    if let Some(constraints) = certificate.name_constraints().expect("nameConstraints read again") {
        let all = [constraints.permitted, constraints.excluded];
        all.into_iter()
            .flatten()
            .flatten()
            .for_each(|base| drop(base.expect("base reads again").to_string()));
    }
    certificate.policy_mappings().expect("mappings read again");
    certificate.crl_distribution_points().expect("distribution points read again");
    certificate.authority_info_access().expect("access descriptions read again");
    assert!(certificate.subject().matches(certificate.subject()));
    assert_eq!(
        certificate.is_self_issued(),
        certificate.subject().normalized() == certificate.issuer().normalized()
    );
    let _ = (
        certificate.subject().to_string(),
        certificate.serial().to_string(),
        certificate.not_after().to_string(),
    );
});
