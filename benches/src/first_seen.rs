//! The scene of the benchmarks about clients that are seen for the first time under an issuer that is known.

use std::time::Duration;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::policy::Algorithms;
use certcheck_core::{Policy, Revocation, Time};
use certcheck_fetch::{Engine, Guard};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Point};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key};
use pki_types::CertificateDer;

use crate::{CA, ca_key};

const ROOT: &str = "O=Bench,CN=Root";
const WITHIN: Duration = Duration::from_secs(60);
const CLIENTS: usize = 500;

/// The time of the checks.
#[must_use]
pub fn now() -> Time {
    Time::from_rfc3339("2027-01-02T00:00:00Z").unwrap()
}

/// Where the evidence about the clients is, and where the intermediate comes from.
pub struct Kind {
    /// How it is named in a table.
    pub word: &'static str,
    by_crl: bool,
    by_ocsp: bool,
    is_presented: bool,
}

/// Every kind.
pub const KINDS: [Kind; 4] = [
    Kind { word: "a CRL of 10^6", by_crl: true, by_ocsp: false, is_presented: false },
    Kind { word: "a CRL of 10^6, intermediate presented", by_crl: true, by_ocsp: false, is_presented: true },
    Kind { word: "OCSP", by_crl: false, by_ocsp: true, is_presented: false },
    Kind { word: "OCSP and a CRL of 10^6", by_crl: true, by_ocsp: true, is_presented: false },
];

/// An engine that knows the issuer, and clients that it has not seen.
pub struct Scene {
    /// The engine, with all evidence in memory.
    pub engine: Engine,
    /// What each client presents.
    pub clients: Vec<Vec<CertificateDer<'static>>>,
    _server: Server,
}

impl Scene {
    /// The scene of a kind, with these algorithms for signatures on certificates, and this CRL about the clients.
    #[must_use]
    pub fn new(kind: &Kind, algorithms: Option<Algorithms>, large: &[u8]) -> Self {
        let key = |name: &str| Key::p256(&format!("bench first seen {name}"));
        let (root, ca) = (key("root"), ca_key());
        let server = Server::start();
        server.serve("/root.crl", Page::new(CrlBuilder::new(ROOT).issue(&root)));
        server.serve("/ca.crl", Page::new(large));
        let responder = OcspResponder::new(CA, ca.clone());
        server.serve_with("/ocsp", responder.handler());
        let mut builder = RingBuilder::new();
        builder.add("root", &Cert::root(ROOT, &root).issue(&root), Placement::Anchor).unwrap();
        let point = |path: &str| ext::cdp(&[Point::urls(&[server.url(path)])]);
        let ca_cert = Cert::ca(CA, &ca, ROOT, &root).with([point("/root.crl")]).issue(&root);
        if !kind.is_presented {
            builder.add("ca", &ca_cert, Placement::Intermediate).unwrap();
        }
        let client = |n: usize| {
            let key = key(&format!("client {n}"));
            let mut cert = Cert::leaf(&format!("O=Bench,CN=client {n}"), &key, CA, &ca);
            if kind.by_crl {
                cert = cert.with([point("/ca.crl")]);
            }
            if kind.by_ocsp {
                cert = cert.with([ext::aia(&[server.url("/ocsp")], &[])]);
                responder.good(&cert.serial);
            }
            let mut chain = vec![CertificateDer::from(cert.issue(&ca))];
            if kind.is_presented {
                chain.push(CertificateDer::from(ca_cert.clone()));
            }
            chain
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        let mut policy = Policy::client(Revocation::HardFail);
        policy.signatures.algorithms = algorithms.unwrap_or_default();
        let engine = Engine::builder(builder.build().unwrap(), policy)
            .guard(Guard::new().allow_net("127.0.0.0/8".parse().unwrap()))
            .refreshes(false)
            .build()
            .unwrap();
        for chain in &clients {
            assert!(engine.check_blocking(chain, now(), WITHIN).is_accepted());
        }
        engine.forget_paths();
        Self { engine, clients, _server: server }
    }
}
