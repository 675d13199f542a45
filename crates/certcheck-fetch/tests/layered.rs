//! A store that a host has for itself, in front of one that hosts share: what others write there hides nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use certcheck_core::Time;
use certcheck_core::revocation::EvidenceRequest;
use certcheck_fetch::store::{DiskOptions, DiskStore, Layered, MemoryStore, Store, Stored};
use certcheck_fetch::{Body, Engine, EvidenceKey, Transport};
use certcheck_testkit::Cert;
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, World, now, outcome_of};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Nothing here takes so long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);
const OLD: &str = "2026-12-01T00:00:00Z";
const NEW: &str = "2026-12-02T00:00:00Z";
const NEWEST: &str = "2026-12-03T00:00:00Z";
const ENDS: &str = "2027-02-01T00:00:00Z";
const GOOD: (&str, &str) = ("accept", "");
const REVOKED: (&str, &str) = ("reject", "certificate-revoked");

/// The source does not answer.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Offline,
    Failing,
}

fn verdict(engine: &Engine, world: &World, cert: &Cert) -> (&'static str, &'static str) {
    let (verdict, reason, _) = outcome_of(&engine.check_blocking(&world.chain(cert), now(), HANGS));
    (verdict, reason)
}

fn client(world: &World, number: u8) -> Cert {
    Cert { serial: vec![0x31, number], ..world.plain(&format!("client {number}")) }
}

fn list(signer: &certcheck_testkit::Key, valid: (&str, &str), number: i64, revoked: &[&Cert]) -> Vec<u8> {
    let entries = revoked.iter().map(|cert| RevokedCertificate::new(&cert.serial));
    CrlBuilder::new(CA)
        .valid(valid.0, Some(valid.1))
        .with([crl::number(number)])
        .revoking(entries.collect::<Vec<_>>())
        .issue(signer)
}

fn request(world: &World) -> EvidenceRequest {
    EvidenceRequest::Crl { url: world.server.url("/ca.crl").as_str().into() }
}

/// These bytes as an entry that claims this thisUpdate and number.
fn entry(world: &World, der: &[u8], this_update: &str, number: u8) -> Stored {
    let body = Body::from(Bytes::copy_from_slice(der));
    let mut stored = Stored::new(request(world), body, Transport::default(), now());
    stored.this_update = Time::from_rfc3339(this_update);
    stored.next_update = Time::from_rfc3339(ENDS);
    stored.crl_number = Some([number].into());
    stored
}

/// The folder of a host that has read a CRL of NEW, number 2, which revokes this client.
fn host_of(world: &World, bad: &Cert, good: &Cert) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    world.server.serve("/ca.crl", Page::new(list(&world.ca, (NEW, ENDS), 2, &[bad])));
    let host = world.builder().store(near(&folder)).build().expect("an engine");
    assert_eq!(verdict(&host, world, good), GOOD);
    host.flush_blocking();
    folder
}

fn near(folder: &TempDir) -> Arc<dyn Store> {
    Arc::new(DiskStore::open(folder.path(), DiskOptions::default()).expect("a store"))
}

#[test]
fn what_is_newer_and_does_not_count_hides_nothing() {
    let runtime = Runtime::new().expect("a runtime");
    let world = World::new();
    let (good, bad) = (client(&world, 1), client(&world, 2));
    let right = list(&world.ca, (NEW, ENDS), 2, &[&bad]);
    let strange = list(&world.stranger, (NEWEST, ENDS), 9, &[]);
    let old = list(&world.ca, (OLD, ENDS), 1, &[]);
    let ended = list(&world.ca, (NEWEST, "2026-12-31T00:00:00Z"), 3, &[&bad]);
    let newest = list(&world.ca, (NEWEST, ENDS), 3, &[&good]);
    let mut unreadable = right.clone();
    unreadable.truncate(right.len() - 1);
    // What the far store has, and the verdicts about both clients.
    let table = [
        ("nothing", None, (GOOD, REVOKED)),
        ("the same", Some(entry(&world, &right, NEW, 2)), (GOOD, REVOKED)),
        ("an older one", Some(entry(&world, &old, OLD, 1)), (GOOD, REVOKED)),
        ("a newer one", Some(entry(&world, &newest, NEWEST, 3)), (REVOKED, GOOD)),
        ("a newer one of another key", Some(entry(&world, &strange, NEWEST, 9)), (GOOD, REVOKED)),
        ("an older one that claims to be newer", Some(entry(&world, &old, NEWEST, 9)), (GOOD, REVOKED)),
        ("an older one with a higher number", Some(entry(&world, &old, NEW, 9)), (GOOD, REVOKED)),
        ("the same with a higher number", Some(entry(&world, &right, NEW, 9)), (GOOD, REVOKED)),
        ("no CRL", Some(entry(&world, b"junk", NEWEST, 9)), (GOOD, REVOKED)),
        ("a part of a CRL", Some(entry(&world, &unreadable, NEWEST, 9)), (GOOD, REVOKED)),
        (
            "one from the far future",
            Some(entry(&world, &strange, "2099-01-01T00:00:00Z", 9)),
            (GOOD, REVOKED),
        ),
    ];
    for outage in [Outage::Offline, Outage::Failing] {
        for (what, far, expected) in &table {
            let folder = host_of(&world, &bad, &good);
            world.server.serve("/ca.crl", Page::status(503));
            let shared = MemoryStore::new(8);
            if let Some(far) = far {
                let key = EvidenceKey::of(&far.request).expect("a key");
                runtime.block_on(shared.put(&key, far.clone())).expect("written");
            }
            let layers = Layered::new(near(&folder), Arc::new(shared));
            let is_offline = matches!(outage, Outage::Offline);
            let host =
                world.builder().store(Arc::new(layers)).offline(is_offline).build().expect("an engine");
            let found = (verdict(&host, &world, &good), verdict(&host, &world, &bad));
            assert_eq!(found, *expected, "{what}, {outage:?}");
            host.flush_blocking();
            // The host has what it had, or what is newer and counts.
            drop(host);
            let alone = world.builder().store(near(&folder)).offline(true).build().expect("an engine");
            let found = (verdict(&alone, &world, &good), verdict(&alone, &world, &bad));
            assert_eq!(found, *expected, "{what}, {outage:?}, without it");
        }
        // A newer CRL that has ended does not give way to an older one that has not: what it revokes stays revoked.
        let folder = host_of(&world, &good, &bad);
        world.server.serve("/ca.crl", Page::status(503));
        let shared = MemoryStore::new(8);
        let far = entry(&world, &ended, NEWEST, 3);
        let key = EvidenceKey::of(&far.request).expect("a key");
        runtime.block_on(shared.put(&key, far)).expect("written");
        let layers = Layered::new(near(&folder), Arc::new(shared));
        let is_offline = matches!(outage, Outage::Offline);
        let host = world.builder().store(Arc::new(layers)).offline(is_offline).build().expect("an engine");
        assert_eq!(verdict(&host, &world, &bad), REVOKED, "{outage:?}");
        assert_ne!(verdict(&host, &world, &good), GOOD, "{outage:?}");
    }
}
