//! Clients whose sources drip, before verifier and acceptor: a good client with another source is let in while they all drip on.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::{Engine, FetchLimits};
use certcheck_rustls::{AcceptLimits, Acceptor, SessionPolicy};
use certcheck_testkit::served::*;
use certcheck_testkit::server::Dripper;

/// Nothing here takes so long unless somebody starves.
const WITHIN: Duration = Duration::from_secs(25);

fn patient(world: &World) -> Arc<Engine> {
    let engine = Engine::builder(world.ring(), Policy::client(Revocation::HardFail)).guard(loopback());
    Arc::new(engine.limits(FetchLimits::default()).refreshes(false).clock(now).build().expect("builds"))
}

/// Until this is so; false if it takes too long.
fn comes(is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + WITHIN;
    while !is_so() {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// The acceptor: seven clients with ten sources each.
#[test]
fn at_the_acceptor_a_good_client_does_not_wait_for_others() {
    let world = World::new();
    let drippers: Vec<_> = (1..=10).map(|n| Dripper::start(n, 200)).collect();
    let open = || drippers.iter().map(Dripper::open).sum::<usize>();
    let engine = patient(&world);
    let limits = AcceptLimits::default().with_deadline(WITHIN);
    let acceptor = Acceptor::new(parts(), engine, SessionPolicy::default(), limits).expect("an acceptor");
    let served = Arc::new(Served::acceptor(acceptor.clone()));
    let attack: Vec<_> = (0..7)
        .map(|client| {
            let url = |n: usize| drippers[n].url_as(&format!("127.0.0.{}", n + 1), &format!("/{client}.crl"));
            let name = format!("greedy {client}");
            let cert = world.client(&name, &(0..10).map(url).collect::<Vec<_>>(), &[]);
            let config = client_config(Some(&Person::new(&world, &name, &cert)), VERSIONS[1].1);
            let (config, address) = (Arc::new(config), served.address);
            thread::spawn(move || runtime().block_on(connect(address, &config)).outcome)
        })
        .collect();
    assert!(comes(|| open() >= 7), "{}", open());
    for turn in 0..3 {
        let name = format!("good {turn}");
        let person = Person::new(&world, &name, &world.plain(&name));
        let config = Arc::new(client_config(Some(&person), VERSIONS[1].1));
        assert_eq!(
            runtime().block_on(connect(served.address, &config)).outcome.as_deref(),
            Ok(HELLO),
            "{turn}"
        );
        assert!(
            acceptor.pending() >= 7 && open() >= 7,
            "the others wait on: {}, {}",
            acceptor.pending(),
            open()
        );
        thread::sleep(Duration::from_secs(1));
    }
    for client in attack {
        assert!(client.join().expect("ends").is_err(), "they are refused in the end");
    }
}

/// The verifier: 256 handshakes of one client.
#[test]
fn at_the_verifier_a_good_client_does_not_wait_for_others() {
    let world = World::new();
    let dripper = Dripper::start(1, 200);
    let engine = patient(&world);
    let served = Served::verifier(parts().server_config(&engine).expect("a configuration"));
    let person =
        |name: &str, cert| Arc::new(client_config(Some(&Person::new(&world, name, cert)), VERSIONS[1].1));
    let greedy = world.client("again", &[dripper.url_as("127.0.0.1", "/a.crl")], &[]);
    let greedy = person("again", &greedy);
    runtime().block_on(async {
        for _ in 0..256 {
            assert!(connect(served.address, &greedy).await.outcome.is_err());
        }
    });
    assert!(comes(|| dripper.open() == 1), "{}", dripper.open());
    let good = person("good", &world.plain("good"));
    let connect = || runtime().block_on(connect(served.address, &good)).outcome;
    assert!(connect().is_err(), "its evidence is not there yet");
    assert!(comes(|| connect().is_ok()), "nothing was fetched for it");
    assert_eq!(dripper.open(), 1, "and the other one drips on");
}
