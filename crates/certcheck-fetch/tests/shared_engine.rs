//! Hosts that share a store on a real engine: one fetch for all, and never a wrong verdict.
#![cfg(any(feature = "store-redis", feature = "store-nats"))]

mod shared_kit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, Store, Stored};
use certcheck_fetch::{Body, Engine, EvidenceKey};
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, World, now, outcome_of};
use certcheck_testkit::{Cert, Key};
use tempfile::TempDir;

use shared_kit::{HANGS, on_each, runtime, until_usable};

/// What a check may take in addition to the time of its sources, on a busy machine.
const MORE: Duration = Duration::from_millis(500);

fn engine(world: &World, store: Arc<dyn Store>) -> Engine {
    world.builder().store(store).build().expect("an engine")
}

fn layered(folder: &TempDir, far: Arc<dyn Store>) -> Arc<dyn Store> {
    let near = DiskStore::open(folder.path(), DiskOptions::default()).expect("a store");
    Arc::new(Layered::new(Arc::new(near), far))
}

/// Verdict, reason, and how the leaf's status was found.
fn verdict(engine: &Engine, world: &World, cert: &Cert) -> (&'static str, &'static str, &'static str) {
    outcome_of(&engine.check_blocking(&world.chain(cert), now(), HANGS))
}

/// A client with another serial number.
fn client(world: &World, number: u8) -> Cert {
    Cert { serial: vec![0x31, number], ..world.plain(&format!("client {number}")) }
}

fn key_of(world: &World, path: &str) -> EvidenceKey {
    EvidenceKey::of(&EvidenceRequest::Crl { url: world.server.url(path).as_str().into() }).expect("a key")
}

/// Serves a CRL of the CA with this thisUpdate and number, which revokes these.
fn serve(world: &World, this_update: &str, number: i64, revoked: &[&Cert]) {
    world.server.serve("/ca.crl", Page::new(list(world, this_update, number, revoked)));
}

fn list(world: &World, this_update: &str, number: i64, revoked: &[&Cert]) -> Vec<u8> {
    let entries = revoked.iter().map(|cert| crl::RevokedCertificate::new(&cert.serial));
    CrlBuilder::new(CA)
        .valid(this_update, Some("2027-02-01T00:00:00Z"))
        .with([crl::number(number)])
        .revoking(entries.collect::<Vec<_>>())
        .issue(&world.ca)
}

const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";
const GOOD: (&str, &str, &str) = ("accept", "", "crl");
const REVOKED: (&str, &str) = ("reject", "certificate-revoked");

#[test]
fn one_fetches_for_all() {
    on_each(|peer| {
        let world = World::new();
        let first = engine(&world, peer.store());
        assert_eq!(verdict(&first, &world, &client(&world, 1)), GOOD);
        first.flush_blocking();
        let second = engine(&world, peer.store());
        assert_eq!(verdict(&second, &world, &client(&world, 2)), GOOD);
        assert_eq!((world.server.count("/ca.crl"), world.server.count("/root.crl")), (1, 1));
    });
}

/// At the same moment, while the source takes its time: the others wait for the one that has the lease.
#[test]
fn of_many_that_start_together_one_fetches() {
    on_each(|peer| {
        let world = World::new();
        let slow = Page::new(list(&world, OLD, 1, &[])).with_delay(Duration::from_millis(700));
        world.server.serve("/ca.crl", slow);
        let engines: Vec<_> = (0..4).map(|_| engine(&world, peer.store())).collect();
        std::thread::scope(|scope| {
            for (number, engine) in (0..).zip(&engines) {
                let world = &world;
                scope.spawn(move || assert_eq!(verdict(engine, world, &client(world, number)), GOOD));
            }
        });
        assert_eq!(world.server.count("/ca.crl"), 1);
    });
}

#[test]
fn a_missing_chunk_is_fetched_from_the_origin() {
    on_each(|peer| {
        let world = World::new();
        let (good, bad) = (client(&world, 1), client(&world, 2));
        serve(&world, OLD, 1, &[&bad]);
        let first = engine(&world, peer.store());
        assert_eq!(verdict(&first, &world, &good), GOOD);
        first.flush_blocking();
        peer.lose_chunks(&key_of(&world, "/ca.crl"));
        let second = engine(&world, peer.store());
        let (code, reason, _) = verdict(&second, &world, &bad);
        assert_eq!((code, reason), REVOKED);
        assert_eq!(world.server.count("/ca.crl"), 2);
        second.flush_blocking();
        // And it is whole again for a third.
        let third = engine(&world, peer.store());
        assert_eq!(verdict(&third, &world, &good), GOOD);
        assert_eq!(world.server.count("/ca.crl"), 2);
    });
}

/// A neighbour that writes complete entries: with other bytes, other times, for other requests.
#[test]
fn a_forged_entry_never_makes_a_wrong_verdict() {
    on_each(|peer| {
        let world = World::new();
        let (good, bad) = (client(&world, 1), client(&world, 2));
        let right = list(&world, NEW, 2, &[&bad]);
        world.server.serve("/ca.crl", Page::new(&right));
        let key = key_of(&world, "/ca.crl");
        let runtime = runtime();
        // An entry that an engine has written, to make others of.
        let writer = engine(&world, peer.store());
        assert_eq!(verdict(&writer, &world, &good), GOOD);
        writer.flush_blocking();
        let seed = runtime.block_on(peer.store().get(&key)).expect("reads").expect("there");
        let stranger = CrlBuilder::new(CA)
            .valid("2027-01-01T00:00:00Z", Some("2027-02-01T00:00:00Z"))
            .with([crl::number(9)])
            .issue(&world.stranger);
        let with = |der: &[u8], this_update: &str| {
            let mut stored: Stored = seed.clone();
            stored.body = Body::from(Bytes::copy_from_slice(der));
            stored.this_update = certcheck_core::Time::from_rfc3339(this_update);
            stored
        };
        let forged = [
            ("a CRL of another key, newer", with(&stranger, "2027-01-01T00:00:00Z")),
            ("an old CRL as a newer one", with(&list(&world, OLD, 1, &[]), "2027-01-01T00:00:00Z")),
            ("no CRL at all", with(b"junk", "2027-01-01T00:00:00Z")),
            ("a certificate in its place", with(&world.ca_cert.issue(&world.root), "2027-01-01T00:00:00Z")),
            ("from the far future", with(&list(&world, OLD, 1, &[]), "2099-01-01T00:00:00Z")),
        ];
        for (what, stored) in forged {
            peer.clear();
            runtime.block_on(peer.store().put(&key, stored)).expect(what);
            let reader = engine(&world, peer.store());
            let (code, reason, _) = verdict(&reader, &world, &bad);
            assert_eq!((code, reason), REVOKED, "{what}");
            assert_eq!(verdict(&reader, &world, &good), GOOD, "{what}");
            reader.flush_blocking();
            // What was wrong is gone: the next finds what is right.
            let found = runtime.block_on(peer.store().get(&key)).expect(what).expect(what);
            assert!(found.body.bytes == right, "{what}");
            // One that has the newer CRL does not go back to an older one.
            let (code, reason, _) = verdict(&writer, &world, &bad);
            assert_eq!((code, reason), REVOKED, "{what}");
        }
    });
}

/// An old CRL in the place of a newer one, as a failover or a neighbour brings it back: who has the newer one, in memory
/// or on its disk, keeps it, and puts it back.
#[test]
fn a_store_that_has_lost_the_last_write_gets_it_back() {
    on_each(|peer| {
        let world = World::new();
        let (good, bad) = (client(&world, 1), client(&world, 2));
        let (key, runtime) = (key_of(&world, "/ca.crl"), runtime());
        serve(&world, OLD, 1, &[]);
        let first = engine(&world, peer.store());
        assert_eq!(verdict(&first, &world, &good), GOOD);
        first.flush_blocking();
        let lost = runtime.block_on(peer.store().get(&key)).expect("reads").expect("there");
        // The next one revokes a client. It is on the disk of a host, and in the store.
        serve(&world, NEW, 2, &[&bad]);
        peer.clear();
        let folder = TempDir::new().expect("a folder");
        let host = engine(&world, layered(&folder, peer.store()));
        let (code, reason, _) = verdict(&host, &world, &bad);
        assert_eq!((code, reason), REVOKED);
        host.flush_blocking();
        drop(host);
        for is_older in [true, false] {
            peer.clear();
            if is_older {
                runtime.block_on(peer.store().put(&key, lost.clone())).expect("written");
            }
            // The host starts again, and its source is gone.
            let host = world.builder().store(layered(&folder, peer.store())).offline(true);
            let host = host.build().expect("an engine");
            let (code, reason, _) = verdict(&host, &world, &bad);
            assert_eq!((code, reason), REVOKED);
            host.flush_blocking();
            let found = runtime.block_on(peer.store().get(&key)).expect("reads").expect("there");
            assert!(found.body.bytes == list(&world, NEW, 2, &[&bad]));
        }
    });
}

/// A host keeps one copy of what others have fetched: it has it still when the shared store is gone.
#[test]
fn a_host_keeps_what_it_read() {
    on_each(|peer| {
        let world = World::new();
        let good = client(&world, 1);
        let first = engine(&world, peer.store());
        assert_eq!(verdict(&first, &world, &good), GOOD);
        first.flush_blocking();
        let folder = TempDir::new().expect("a folder");
        let host = engine(&world, layered(&folder, peer.store()));
        assert_eq!(verdict(&host, &world, &good), GOOD);
        host.flush_blocking();
        drop(host);
        assert_eq!(world.server.count("/ca.crl"), 1);
        peer.kill();
        let host = engine(&world, layered(&folder, peer.store()));
        assert_eq!(verdict(&host, &world, &client(&world, 2)), GOOD);
        assert_eq!(world.server.count("/ca.crl"), 1);
    });
}

/// The shared store is configured and dead, frozen or paused: a known client costs what it did, an unknown one a moment
/// more, once.
#[test]
fn a_dead_store_costs_a_moment() {
    on_each(|peer| {
        let world = World::new();
        let check = |engine: &Engine, cert: &Cert| {
            let chain = world.chain(cert);
            let begun = Instant::now();
            let report = engine.check_blocking(&chain, now(), HANGS);
            assert_eq!(outcome_of(&report), GOOD);
            begun.elapsed()
        };
        let without = check(&world.engine(), &client(&world, 1));
        let alive = engine(&world, peer.impatient_store());
        let known = client(&world, 1);
        check(&alive, &known);
        let known_before = (0..100).map(|_| check(&alive, &known)).min().expect("some");
        for what in ["frozen", "dead"] {
            if what == "dead" {
                peer.kill();
            } else {
                peer.freeze();
            }
            let known_then = (0..100).map(|_| check(&alive, &known)).min().expect("some");
            assert!(known_then < known_before * 20, "{what}: {known_before:?}, {known_then:?}");
            let new = engine(&world, peer.impatient_store());
            let unknown = check(&new, &client(&world, 2));
            assert!(unknown < without + MORE, "{what}: {without:?}, {unknown:?}");
            new.forget();
            new.forget_paths();
            let again = check(&new, &client(&world, 3));
            eprintln!(
                "{what}: known {known_before:?} and then {known_then:?}; unknown {without:?} without, {unknown:?} with, {again:?} with again"
            );
        }
    });
}

/// The check ends within its own time, wherever the engine stops.
#[test]
fn a_check_ends_in_time() {
    on_each(|peer| {
        let world = World::new();
        let within = Duration::from_secs(2);
        let writer = engine(&world, peer.store());
        assert_eq!(verdict(&writer, &world, &client(&world, 1)), GOOD);
        writer.flush_blocking();
        for number in 0..6_u8 {
            let reader = engine(&world, peer.impatient_store());
            let chain = world.chain(&client(&world, number));
            let begun = Instant::now();
            let report = std::thread::scope(|scope| {
                let checking = scope.spawn(|| reader.check_blocking(&chain, now(), within));
                std::thread::sleep(Duration::from_micros(500 * u64::from(number)));
                if number % 2 == 0 {
                    peer.freeze();
                } else {
                    peer.kill();
                }
                checking.join().expect("ends")
            });
            let time = begun.elapsed();
            assert!(time < within + MORE, "{time:?}");
            assert_eq!(outcome_of(&report), GOOD);
            if number % 2 == 0 {
                peer.thaw();
            }
            peer.restart();
            runtime().block_on(until_usable(&*peer.store(), &key_of(&world, "/ca.crl")));
        }
    });
}

/// A stranger's key is no key of the ring, although the store names it.
#[test]
fn a_signer_in_the_store_is_not_believed() {
    on_each(|peer| {
        let world = World::new();
        let bad = client(&world, 2);
        serve(&world, OLD, 1, &[&bad]);
        let key = key_of(&world, "/ca.crl");
        let forged = CrlBuilder::new(CA).issue(&Key::p256("a stranger"));
        let mut stored = shared_kit::stored(&forged);
        stored.request = EvidenceRequest::Crl { url: world.server.url("/ca.crl").as_str().into() };
        stored.signers = vec![Key::p256("a stranger").spki().into()];
        runtime().block_on(peer.store().put(&key, stored)).expect("written");
        let reader = engine(&world, peer.store());
        let (code, reason, _) = verdict(&reader, &world, &bad);
        assert_eq!((code, reason), REVOKED);
    });
}
