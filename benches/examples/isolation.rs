//! What clients that wait cost those that do not: a server with two workers behind the acceptor, and clients beside it.
//!
//! ```text
//! cargo run --release -p certcheck-benches --example isolation
//! ```
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_core::{Policy, Revocation};
use certcheck_fetch::Engine;
use certcheck_rustls::{AcceptLimits, Acceptor, SessionPolicy};
use certcheck_testkit::Key;
use certcheck_testkit::served::{HELLO, Person, Served, World, client_config, connect, loopback, now, parts};
use certcheck_testkit::server::{Fault, Page};
use futures_util::future::join_all;
use rustls::ClientConfig;

const ROUNDS: usize = 15;

/// A server that has the evidence for some clients in memory, and makes others wait for it.
struct Scene {
    world: World,
    served: Served,
    known: Arc<ClientConfig>,
}

fn config(person: &Person) -> Arc<ClientConfig> {
    let mut config = client_config(Some(person), &rustls::version::TLS13);
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

fn scene(deadline: Duration) -> Scene {
    let world = World::new();
    let engine = Engine::builder(world.ring(), Policy::client(Revocation::HardFail)).guard(loopback());
    let engine = Arc::new(engine.refreshes(false).clock(now).build().unwrap());
    let person = Person::new(&world, "known", &world.plain("known"));
    assert!(engine.check_blocking(&person.chain, now(), Duration::from_secs(5)).is_accepted());
    let limits = AcceptLimits::default().with_deadline(deadline);
    let acceptor = Acceptor::new(parts(), engine, SessionPolicy::never(), limits).unwrap();
    Scene { served: Served::acceptor(acceptor), known: config(&person), world }
}

impl Scene {
    /// A client whose only source is this page.
    fn waiter(&self, number: usize, page: &str) -> Arc<ClientConfig> {
        let name = format!("waiter {number}");
        let mut cert = self.world.client(&name, &[self.world.server.url(page)], &[]);
        cert.serial = [&[1][..], &number.to_be_bytes()].concat();
        let chain = self.world.chain(&cert);
        config(&Person { chain, key: Key::p256(&format!("fetch client {name}")) })
    }

    async fn timed(&self, config: &Arc<ClientConfig>) -> Duration {
        let begun = Instant::now();
        let connected = connect(self.served.address, config).await;
        assert_eq!(connected.outcome.as_deref(), Ok(HELLO));
        begun.elapsed()
    }
}

/// The value that so many of a hundred stay under.
fn percentile(times: &mut [Duration], of_hundred: usize) -> f64 {
    times.sort();
    times[(times.len() * of_hundred / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
}

/// 200 at once, so many of which wait 200 ms for a CRL of their own: p50 and p99 of the others, in milliseconds.
async fn burst(scene: &Scene, round: usize, waiting: usize) -> (f64, f64) {
    let waiters: Vec<_> = (0..waiting)
        .map(|number| {
            let number = round * 100 + number;
            let page = format!("/slow-{number}.crl");
            let crl =
                certcheck_testkit::crl::CrlBuilder::new(certcheck_testkit::served::CA).issue(&scene.world.ca);
            scene.world.server.serve(&page, Page::new(crl).with_delay(Duration::from_millis(200)));
            scene.waiter(number, &page)
        })
        .collect();
    let slow = join_all(waiters.iter().map(|config| scene.timed(config)));
    let fast = join_all((0..200 - waiting).map(|_| scene.timed(&scene.known)));
    let (_slow, mut fast) = futures_util::future::join(slow, fast).await;
    (percentile(&mut fast, 50), percentile(&mut fast, 99))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let prompt = scene(Duration::from_secs(10));
    clients.block_on(async {
        let scene = prompt;
        let (mut none, mut some) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            none.push(burst(&scene, round, 0).await);
            some.push(burst(&scene, round, 20).await);
        }
        let of = |rounds: &[(f64, f64)], second: bool| {
            median(rounds.iter().map(|round| if second { round.1 } else { round.0 }).collect())
        };
        println!("200 at once, none waiting: p50 {:.1} ms, p99 {:.1} ms", of(&none, false), of(&none, true));
        println!("200 at once, 20 waiting:   p50 {:.1} ms, p99 {:.1} ms", of(&some, false), of(&some, true));
        println!("p99 of those that do not wait: {:.2} times", of(&some, true) / of(&none, true));
    });
    let scene = scene(Duration::from_secs(3));
    clients.block_on(async {
        scene.world.server.break_with("/dead.crl", Fault::HangBeforeHeaders);
        let waiters: Vec<_> = (0..1_000).map(|number| scene.waiter(number, "/dead.crl")).collect();
        let begun = Instant::now();
        let dead: Vec<_> = waiters
            .into_iter()
            .map(|config| {
                let address = scene.served.address;
                tokio::spawn(async move { connect(address, &config).await.outcome })
            })
            .collect();
        // Until all of them are through their handshake, and wait.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mut times = Vec::new();
        while begun.elapsed() < Duration::from_millis(2_800) && times.len() < 200 {
            times.push(scene.timed(&scene.known).await);
        }
        let waited = dead.iter().filter(|task| !task.is_finished()).count();
        let outcome = join_all(dead).await;
        let refused = outcome.iter().filter(|outcome| matches!(outcome, Ok(Err(_)))).count();
        println!(
            "{waited} waiting on a dead source: {} others in turn, p50 {:.1} ms, p99 {:.1} ms, slowest {:.1} ms; {refused} refused",
            times.len(),
            percentile(&mut times, 50),
            percentile(&mut times, 99),
            percentile(&mut times, 100),
        );
    });
}
