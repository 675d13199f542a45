//! News of the shared store leads to a renewal: what one engine fetches is in force on the others.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

mod shared_kit;

use std::sync::Arc;

use certcheck_fetch::store::Store;
use certcheck_fetch::{Ended, Engine};
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, World, now, outcome_of};

use shared_kit::{HANGS, on_each, runtime};

fn engine(world: &World, store: Arc<dyn Store>) -> Engine {
    world.builder().store(store).refreshes(true).build().expect("an engine")
}

#[test]
fn a_newer_crl_is_in_force_everywhere() {
    on_each(|peer| {
        let world = World::new();
        let client = world.plain("client");
        let chain = world.chain(&client);
        let serve = |this_update: &str, number: i64, revoked: Vec<RevokedCertificate>| {
            let list = CrlBuilder::new(CA)
                .valid(this_update, Some("2027-02-01T00:00:00Z"))
                .with([crl::number(number)])
                .revoking(revoked);
            world.server.serve("/ca.crl", Page::new(list.issue(&world.ca)));
        };
        serve("2026-12-01T00:00:00Z", 1, Vec::new());
        let one = engine(&world, peer.store());
        assert_eq!(outcome_of(&one.check_blocking(&chain, now(), HANGS)).0, "accept");
        one.flush_blocking();
        let other = engine(&world, peer.store());
        let report = other.check_blocking(&chain, now(), HANGS);
        assert_eq!(outcome_of(&report).0, "accept");
        let watch = other.watch(&report, &chain);
        assert_eq!(world.server.count("/ca.crl"), 1);
        // The first learns of the revocation.
        serve("2026-12-02T00:00:00Z", 2, vec![RevokedCertificate::new(&client.serial)]);
        one.forget();
        one.forget_paths();
        peer.clear();
        assert_eq!(outcome_of(&one.check_blocking(&chain, now(), HANGS)).0, "reject");
        // The live connection at the other ends, and it has not asked the source.
        let ended = runtime().block_on(async { tokio::time::timeout(HANGS, watch).await });
        assert!(matches!(ended, Ok(Ended::Rejected(_))), "{ended:?}");
        assert_eq!(outcome_of(&other.check_blocking(&chain, now(), HANGS)).0, "reject");
        assert_eq!(world.server.count("/ca.crl"), 2);
    });
}
