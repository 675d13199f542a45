//! The worst that 64 KiB of presented chain can cost: what anybody may send, and what a constrained CA may add to it.
//!
//! The limit is 20 ms for each verdict on the machine of `docs/benchmarks.md`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Check, Policy, Revocation, Time};
use certcheck_testkit::hostile;
use criterion::{Criterion, criterion_group, criterion_main};
use pki_types::CertificateDer;

fn hostile_chains(c: &mut Criterion) {
    let mut group = c.benchmark_group("hostile");
    for (about, onslaught) in hostile::all() {
        let mut builder = RingBuilder::new();
        builder.add("anchor", &onslaught.anchor, Placement::Anchor).unwrap();
        let ring = builder.build().unwrap();
        let policy = Policy::client(Revocation::HardFail);
        let chain: Vec<CertificateDer<'_>> = core::iter::once(&onslaught.leaf)
            .chain(&onslaught.presented)
            .map(|der| der.as_slice().into())
            .collect();
        let now = Time::from_unix(1_800_000_000);
        group.bench_function(about, |b| {
            b.iter(|| Check::new(&chain, &ring, &policy, now).run().spent);
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = hostile_chains
}
criterion_main!(benches);
