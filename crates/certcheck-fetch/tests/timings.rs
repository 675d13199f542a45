//! The parts of an exchange, as a server knows them that is slow on purpose.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::ocsp::OcspRequest;
use certcheck_core::revocation::{EvidenceRequest, Need};
use certcheck_core::{Policy, Revocation};
use certcheck_fetch::{Engine, Guard, Resolve, measure};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ocsp::Response;
use certcheck_testkit::server::Page;
use certcheck_testkit::world::{CA, World};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

const SLOW: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything is at 127.0.0.1, and to say so takes a while.
#[derive(Debug)]
struct Slow;

impl Resolve for Slow {
    fn resolve(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        async {
            tokio::time::sleep(SLOW).await;
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        }
        .boxed()
    }
}

fn engine(world: &World) -> Engine {
    Engine::builder(world.ring(), Policy::client(Revocation::HardFail))
        .guard(Guard::new().allow_net("127.0.0.0/8".parse().expect("a network")))
        .resolver(Arc::new(Slow))
        .build()
        .expect("an engine")
}

fn need(world: &World, path: &str) -> Need {
    let url = world.server.url_as("crl.example", path);
    Need::new(0, EvidenceRequest::Crl { url: url.as_str().into() }, Box::default())
}

#[test]
fn each_part_has_its_time_and_a_connection_is_used_again() {
    let world = World::new();
    let page = Page { delay: SLOW, ..Page::new(CrlBuilder::new(CA).issue(&world.ca)) };
    world.server.serve("/slow.crl", page);
    let (engine, need) = (engine(&world), need(&world, "/slow.crl"));
    let (came, cold) = measure::timed_fetch_blocking(&engine, &need, PATIENCE);
    assert!(came.is_ok(), "{came:?}");
    assert!(cold.resolve.is_some_and(|took| took >= SLOW), "{cold:?}");
    assert!(cold.first_byte.is_some_and(|took| took >= SLOW), "{cold:?}");
    assert!(cold.connect.is_some() && cold.transfer.is_some(), "{cold:?}");
    // The parts lie one behind the other.
    let parts = [cold.resolve, cold.connect, cold.first_byte, cold.transfer];
    assert!(parts.into_iter().flatten().sum::<Duration>() <= cold.whole, "{cold:?}");
    assert_eq!((cold.requests, cold.method), (1, Some("GET")));
    // A connection is put back a moment after its last byte, and the next request may be earlier.
    let warm = (0..20).find_map(|_| {
        let (came, timings) = measure::timed_fetch_blocking(&engine, &need, PATIENCE);
        assert!(came.is_ok(), "{came:?}");
        timings.connect.is_none().then_some(timings)
    });
    let warm = warm.expect("a connection is used again");
    assert_eq!(warm.resolve, None);
    assert!(warm.first_byte.is_some_and(|took| took >= SLOW), "{warm:?}");
}

#[test]
fn the_method_is_the_one_that_was_used() {
    let world = World::new();
    // That it is asked later is an answer too.
    let later = || Page::new(Response::error(3));
    world.server.serve_with("/both", move |_| later());
    world.server.serve_with(
        "/post",
        move |asked| {
            if asked.method == "GET" { Page::status(405) } else { later() }
        },
    );
    let engine = engine(&world);
    let request = || OcspRequest::new().encode().into();
    for (path, used) in [("/both", ("GET", 1)), ("/post", ("POST", 2)), ("/both?ca=1", ("POST", 1))] {
        let url = world.server.url_as("crl.example", path);
        let request = EvidenceRequest::Ocsp { url: url.as_str().into(), request: request(), nonce: None };
        let (_, timings) =
            measure::timed_fetch_blocking(&engine, &Need::new(0, request, Box::default()), PATIENCE);
        assert_eq!((timings.method, timings.requests), (Some(used.0), used.1), "{path}");
    }
}

#[test]
fn what_did_not_happen_took_no_time() {
    let world = World::new();
    world.server.serve("/gone.crl", Page::redirect(&world.server.url_as("crl.example", "/ca.crl")));
    let engine = engine(&world);
    let (came, timings) = measure::timed_fetch_blocking(&engine, &need(&world, "/gone.crl"), PATIENCE);
    assert!(came.is_ok(), "{came:?}");
    assert_eq!(timings.requests, 2, "a redirect is another request");
    let (came, timings) = measure::timed_fetch_blocking(&engine, &need(&world, "/missing.crl"), PATIENCE);
    assert!(came.is_err());
    assert_eq!(timings.transfer, None);
    let refused =
        Need::new(0, EvidenceRequest::Crl { url: "http://169.254.169.254/".into() }, Box::default());
    let (came, timings) = measure::timed_fetch_blocking(&engine, &refused, PATIENCE);
    assert!(came.is_err());
    assert_eq!((timings.requests, timings.method, timings.connect), (0, None, None), "nobody was asked");
}
