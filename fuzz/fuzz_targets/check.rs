//! The whole check over certificates made of the input, with signatures that always verify, so that every rule
//! behind them is reached: names, policies, constraints, the search and its bounds.
#![no_main]

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Purpose, Revocation, Time};
use libfuzzer_sys::fuzz_target;
use pki_types::CertificateDer;

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let (certificates, _) = certcheck_fuzz::framed(rest);
    let Some((anchor, chain)) = certificates.split_first() else { return };
    let mut builder = RingBuilder::new();
    if builder.add("anchor", anchor, Placement::Anchor).is_err() {
        return;
    }
    let ring = builder.build().expect("a ring without settings builds");
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.algorithms = certcheck_fuzz::always();
    // Sanitizers make each step a thousand times dearer; the bounds are reached all the same.
    policy.limits.steps = 5_000;
    policy.limits.paths = 200;
    policy.limits.name_comparisons = 10_000;
    policy.limits.policy_nodes = 2_000;
    policy.require_explicit_policy = flags & 1 != 0;
    policy.inhibit_any_policy = flags & 2 != 0;
    policy.inhibit_policy_mapping = flags & 4 != 0;
    policy.pedantic = flags & 8 != 0;
    if flags & 16 != 0 {
        policy.purpose = Purpose::Any;
    }
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    let now = Time::from_unix(1_800_000_000);
    let first = Check::new(&chain, &ring, &policy, now).run();
    let second = Check::new(&chain, &ring, &policy, now).run();
    assert_eq!(first.verdict, second.verdict);
    assert_eq!(first.reason, second.reason);
    assert_eq!(first.is_accepted(), first.reason.is_none());
});
