//! A path through bridges, found over HTTP by what certificates say of where their issuers are.

use std::collections::BTreeMap;
use std::time::Duration;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_testkit::bridge::{Bridge, pkcs7};
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::world::{loopback, now};

#[test]
fn a_mesh_of_four_bridges_is_crossed_over_http() {
    for bridges in [3, 4] {
        let server = Server::start();
        let Bridge { anchor, leaf, pages } = Bridge::new(server.url("").trim_end_matches('/'), bridges);
        for (path, certificates) in &pages {
            server.serve(path, Page::new(pkcs7(certificates)));
        }
        let mut builder = RingBuilder::new();
        builder.add("anchor", &anchor, Placement::Anchor).expect("it can be read");
        let mut policy = Policy::client(Revocation::Off);
        policy.aia = true;
        let engine = Engine::builder(builder.build().expect("builds"), policy)
            .guard(loopback())
            .refreshes(false)
            .build()
            .expect("builds");
        let report = engine.check_blocking(&[leaf.into()], now(), Duration::from_secs(20));
        assert!(report.is_accepted(), "{bridges} bridges: {report:?}");
        assert_eq!(report.details().view().path.len(), bridges + 3);
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for request in server.requests() {
            *asked.entry(request.path.clone()).or_default() += 1;
        }
        assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    }
}
