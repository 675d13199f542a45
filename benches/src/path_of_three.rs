//! The scene of the benchmarks about the statuses of a path of three: a client and two CAs, each with a CRL.

use std::sync::Arc;

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Evidence, KeyRing};
use certcheck_testkit::crl::{CrlBuilder, RevokedCertificate};
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;

/// A client under two CAs, which it presents, and their root.
pub struct PathOfThree {
    /// The root.
    pub ring: KeyRing,
    /// What the client presents.
    pub chain: Vec<CertificateDer<'static>>,
    /// The CRLs of root and CAs.
    pub evidence: Evidence,
}

impl PathOfThree {
    /// The scene with so many entries in each CRL.
    #[must_use]
    pub fn new(entries: u16) -> Self {
        let key = |name: &str| Key::p256(&format!("bench status {name}"));
        let (root, upper, lower) = (key("root"), key("upper"), key("lower"));
        let names = ["O=Bench,CN=Root", "O=Bench,CN=Upper", "O=Bench,CN=Lower"];
        let chain = [
            Cert::leaf("O=Bench,CN=client", &key("client"), names[2], &lower).issue(&lower),
            Cert::ca(names[2], &lower, names[1], &upper).issue(&upper),
            Cert::ca(names[1], &upper, names[0], &root).issue(&root),
        ];
        let mut builder = RingBuilder::new();
        builder.add("root", &Cert::root(names[0], &root).issue(&root), Placement::Anchor).unwrap();
        let mut evidence = Evidence::new();
        for (name, key) in names.iter().zip([&root, &upper, &lower]) {
            let serial = |n: u16| [&[1][..], &n.to_be_bytes()].concat();
            let entries = (0..entries).map(|n| RevokedCertificate::new(&serial(n)));
            let crl = CrlBuilder::new(name).revoking(entries).issue(key);
            evidence.add_crl(Arc::new(Crl::parse(crl.into(), "bench").unwrap()));
        }
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Self { ring: builder.build().unwrap(), chain, evidence }
    }
}
