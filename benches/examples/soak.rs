//! Minutes of everything at once behind the acceptor: good, revoked, expired, unknown and anonymous clients, junk, silence
//! and hang-ups, resumed sessions, live connections that are watched, and sources that fail and come back. At the end:
//! whether anyone was admitted who must not be, whether anything leaked, and what memory did.
//!
//! ```text
//! cargo run --release -p certcheck-benches --example soak -- 10
//! ```
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use certcheck_core::{Evidence, Policy, Revocation, Time};
use certcheck_fetch::{Ended, Engine};
use certcheck_rustls::{AcceptLimits, Acceptor, SessionPolicy};
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::served::{
    CA, HELLO, Person, VERSIONS, World, client_config, connect, impatient, loopback, now, parts,
};
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::{Cert, Key};
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Tasks that come and go as clients.
const CLIENTS: usize = 24;
/// Good clients, and as many of each other kind.
const PEOPLE: usize = 40;

static BEGUN: OnceLock<Instant> = OnceLock::new();

/// The world's time goes on from its new year.
fn clock() -> Time {
    let gone = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    Time::from_unix(now().unix() + i64::try_from(gone).unwrap())
}

/// What a client is, and so whether it may be let in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Good,
    Revoked,
    Expired,
    Stranger,
    Thief,
    Anonymous,
    /// Good at first, and revoked half-way.
    Turned,
}

const KINDS: [Kind; 7] =
    [Kind::Good, Kind::Revoked, Kind::Expired, Kind::Stranger, Kind::Thief, Kind::Anonymous, Kind::Turned];

/// The CA lists who has turned.
static TURNED: AtomicBool = AtomicBool::new(false);
/// The engine has read the list: from here on none of them may come in.
static TOLD: AtomicBool = AtomicBool::new(false);

struct Everyone {
    configs: Vec<(Kind, Arc<ClientConfig>)>,
}

impl Everyone {
    fn new(world: &World) -> Self {
        let mut configs = Vec::new();
        for kind in KINDS {
            for number in 0..PEOPLE {
                let (_, version) = VERSIONS[number % 2];
                let person = person(world, kind, number);
                let mut config = client_config(person.as_ref(), version);
                if number % 4 < 2 {
                    config.resumption = rustls::client::Resumption::disabled();
                }
                configs.push((kind, Arc::new(config)));
            }
        }
        Self { configs }
    }

    /// Good ones come most often.
    fn any(&self, random: &mut fastrand::Rng) -> &(Kind, Arc<ClientConfig>) {
        let number = random.usize(..PEOPLE);
        let kind = if random.bool() { 0 } else { random.usize(1..KINDS.len()) };
        &self.configs[kind * PEOPLE + number]
    }
}

fn cert(world: &World, kind: Kind, number: usize) -> Cert {
    let name = format!("{kind:?} {number}");
    let url = |path: &str| world.server.url(path);
    let responders = if number.is_multiple_of(3) { vec![url("/ocsp")] } else { Vec::new() };
    let mut cert = world.client(&name, &[url("/ca.crl")], &responders);
    cert.serial = vec![1, kind as u8 + 1, u8::try_from(number).unwrap()];
    cert
}

fn person(world: &World, kind: Kind, number: usize) -> Option<Person> {
    let cert = cert(world, kind, number);
    let name = format!("{kind:?} {number}");
    Some(match kind {
        Kind::Good | Kind::Revoked | Kind::Turned => Person::new(world, &name, &cert),
        Kind::Expired => {
            let cert = cert.valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
            Person::new(world, &name, &cert)
        }
        Kind::Stranger => {
            let person = Person::new(world, &name, &cert);
            Person { chain: vec![cert.issue(&world.stranger).into()], ..person }
        }
        // The certificate of somebody who is good.
        Kind::Thief => {
            Person { chain: world.chain(&self::cert(world, Kind::Good, number)), key: Key::p256("a thief's") }
        }
        Kind::Anonymous => return None,
    })
}

/// The CA's list, number by number: all that are revoked, and nobody else.
fn list(world: &World, number: i64) -> Page {
    let kinds: &[Kind] =
        if TURNED.load(Ordering::SeqCst) { &[Kind::Revoked, Kind::Turned] } else { &[Kind::Revoked] };
    let all = kinds.iter().flat_map(|kind| (0..PEOPLE).map(|one| cert(world, *kind, one)));
    let entries = all.map(|cert| RevokedCertificate::new(&cert.serial).with([crl::reason("keyCompromise")]));
    let crl = CrlBuilder::new(CA).with([crl::number(number)]).revoking(entries.collect::<Vec<_>>());
    Page::new(crl.issue(&world.ca))
}

#[derive(Default)]
struct Tally {
    /// What connections came to, by kind.
    outcome: Mutex<BTreeMap<(Kind, String), usize>>,
    wrong: Mutex<Vec<String>>,
    live_told: AtomicUsize,
    live_not_told: AtomicUsize,
    live: AtomicUsize,
    is_over: AtomicBool,
}

async fn client(address: SocketAddr, everyone: Arc<Everyone>, tally: Arc<Tally>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    while !tally.is_over.load(Ordering::Relaxed) {
        match random.u8(..20) {
            0 => junk(address, &mut random).await,
            // Says nothing, and hangs up after a while.
            1 => {
                let silent = TcpStream::connect(address).await;
                tokio::time::sleep(Duration::from_millis(random.u64(10..3_000))).await;
                drop(silent);
            }
            // Hangs up in the middle.
            2 => {
                let (_, config) = everyone.any(&mut random);
                let patience = Duration::from_micros(random.u64(100..20_000));
                let _gone = tokio::time::timeout(patience, connect(address, config)).await;
            }
            _ => {
                let (kind, config) = everyone.any(&mut random);
                let may_come_in = match kind {
                    Kind::Good => true,
                    Kind::Turned => !TOLD.load(Ordering::SeqCst),
                    _ => false,
                };
                let outcome = connect(address, config).await.outcome;
                if outcome.as_deref() == Ok(HELLO) && !may_come_in {
                    tally.wrong.lock().unwrap().push(format!("{kind:?} was let in"));
                }
                let word = outcome.map_or_else(|alert| alert, |_| "in".to_owned());
                *tally.outcome.lock().unwrap().entry((*kind, word)).or_default() += 1;
            }
        }
    }
}

async fn junk(address: SocketAddr, random: &mut fastrand::Rng) {
    let Ok(mut io) = TcpStream::connect(address).await else { return };
    let mut bytes = vec![0; random.usize(1..4_096)];
    random.fill(&mut bytes);
    if random.bool() {
        // As far as a record goes it is one.
        bytes[..1].fill(22);
        bytes.iter_mut().skip(1).zip([3, 3, 2, 0]).for_each(|(place, byte)| *place = byte);
    }
    let _gone = io.write_all(&bytes).await;
    let _gone = tokio::time::timeout(Duration::from_millis(200), io.read(&mut [0; 64])).await;
}

/// Every source fails in some way for a while, again and again.
async fn flap(world: Arc<World>, tally: Arc<Tally>) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut number = 2;
    while !tally.is_over.load(Ordering::Relaxed) {
        number += 1;
        world.server.serve("/ca.crl", list(&world, number));
        for path in ["/ca.crl", "/ocsp", "/root.crl"] {
            match random.u8(..6) {
                0 => world.server.break_with(path, Fault::Refuse),
                1 => world.server.break_with(path, Fault::HangBeforeHeaders),
                2 => world.server.break_with(path, Fault::Unavailable(1)),
                _ => world.server.repair(path),
            }
        }
        tokio::time::sleep(Duration::from_millis(random.u64(200..1_500))).await;
    }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

fn main() {
    let minutes: f64 = std::env::args().nth(1).map_or(10.0, |text| text.parse().unwrap());
    let length = Duration::from_secs_f64(minutes * 60.0);
    let _begun = clock();
    let world = Arc::new(World::new());
    world.server.serve("/ca.crl", list(&world, 2));
    for number in 0..PEOPLE {
        world.responder.good(&cert(&world, Kind::Good, number).serial);
        world.responder.good(&cert(&world, Kind::Turned, number).serial);
        world.responder.revoke(&cert(&world, Kind::Revoked, number).serial, "2026-06-01T00:00:00Z", None);
    }
    let policy = || Policy::client(Revocation::HardFail);
    let engine = Engine::builder(world.ring(), policy()).guard(loopback()).limits(impatient()).clock(clock);
    let engine = Arc::new(engine.build().unwrap());
    let limits = AcceptLimits::default().with_deadline(Duration::from_secs(2));
    let sessions = SessionPolicy::up_to(Duration::from_secs(5));
    let acceptor = Acceptor::new(parts(), Arc::clone(&engine), sessions, limits).unwrap();
    let tally = Arc::<Tally>::default();

    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (serving, counted) = (acceptor.clone(), Arc::clone(&tally));
    let accepting = server.spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            let (acceptor, tally) = (serving.clone(), Arc::clone(&counted));
            tokio::spawn(serve(acceptor, io, tally));
        }
    });
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let everyone = Arc::new(Everyone::new(&world));
    for seed in 0..CLIENTS {
        let (everyone, tally) = (Arc::clone(&everyone), Arc::clone(&tally));
        clients.spawn(client(address, everyone, tally, u64::try_from(seed).unwrap()));
    }
    clients.spawn(flap(Arc::clone(&world), Arc::clone(&tally)));

    let begun = Instant::now();
    let mut samples = Vec::new();
    let mut next = Duration::ZERO;
    while begun.elapsed() < length {
        std::thread::sleep(Duration::from_millis(500));
        if begun.elapsed() >= next {
            next += length / 20;
            // The ring is loaded again now and then, and the log of the test's own server is emptied.
            engine.reload(world.ring(), policy(), Evidence::new());
            engine.forget();
            world.server.forget();
            if samples.len() == 10 {
                turn(&world, &engine, &tally);
            }
            samples.push(resident() >> 10);
            println!(
                "{:4} s: {} KiB, {} pending, {} tasks, {} live",
                begun.elapsed().as_secs(),
                samples.last().unwrap(),
                acceptor.pending(),
                server.metrics().num_alive_tasks(),
                tally.live.load(Ordering::Relaxed),
            );
        }
    }
    tally.is_over.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_secs(8));
    accepting.abort();
    std::thread::sleep(Duration::from_millis(200));
    report(&tally, &samples, &acceptor, server.metrics().num_alive_tasks());
}

/// Half of the time is gone: some are revoked, and the engine hears of it, however long that takes.
fn turn(world: &World, engine: &Engine, tally: &Tally) {
    // Of some a live connection is watched meanwhile.
    let watch = |number| {
        let chain = world.chain(&cert(world, Kind::Turned, number));
        let check = || {
            std::thread::sleep(Duration::from_millis(50));
            engine.check_blocking(&chain, clock(), Duration::from_secs(2))
        };
        // Its sources come and go.
        let report = (0..100).map(|_| check()).find(certcheck_fetch::CheckReport::is_accepted)?;
        Some(engine.watch(&report, &chain))
    };
    let watches: Vec<_> = (0..PEOPLE).filter_map(watch).collect();
    TURNED.store(true, Ordering::SeqCst);
    for number in 0..PEOPLE {
        let serial = cert(world, Kind::Turned, number).serial;
        world.responder.revoke(&serial, "2027-01-02T00:00:00Z", Some("keyCompromise"));
    }
    // Until what was on its way before has landed, and the list is out.
    std::thread::sleep(Duration::from_secs(3));
    engine.forget();
    let chain = world.chain(&cert(world, Kind::Turned, 1));
    let is_revoked =
        || engine.check_blocking(&chain, clock(), Duration::from_secs(2)).code() == "certificate-revoked";
    while !is_revoked() {
        engine.forget();
        std::thread::sleep(Duration::from_millis(300));
    }
    TOLD.store(true, Ordering::SeqCst);
    // Those whose only source is the list, which has come: they are told now, or something is wrong.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tally.live.fetch_add(watches.len(), Ordering::Relaxed);
    for watch in watches {
        let outcome = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), watch).await });
        tally.live.fetch_sub(1, Ordering::Relaxed);
        match outcome {
            Ok(Ended::Rejected(_)) => drop(tally.live_told.fetch_add(1, Ordering::Relaxed)),
            _ => drop(tally.live_not_told.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

static CONNECTIONS: AtomicI64 = AtomicI64::new(0);

/// Serves a client, and some of them for as long as they are good or two seconds.
async fn serve(acceptor: Acceptor, io: TcpStream, tally: Arc<Tally>) {
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let Ok(mut admitted) = acceptor.accept(io).await else { return };
    if let (0, Some(watch)) = (number % 16, admitted.watch()) {
        tally.live.fetch_add(1, Ordering::Relaxed);
        let outcome = tokio::time::timeout(Duration::from_secs(2), watch).await;
        tally.live.fetch_sub(1, Ordering::Relaxed);
        if let Ok(Ended::Rejected(_)) = outcome {
            tally.live_told.fetch_add(1, Ordering::Relaxed);
        }
    }
    let _gone = admitted.write_all(HELLO.as_bytes()).await;
    let _gone = admitted.shutdown().await;
    let rest = async { while matches!(admitted.read(&mut [0; 512]).await, Ok(1..)) {} };
    let _late = tokio::time::timeout(Duration::from_millis(300), rest).await;
}

fn report(tally: &Tally, samples: &[u64], acceptor: &Acceptor, tasks: usize) {
    let outcome = tally.outcome.lock().unwrap();
    for ((kind, word), count) in &*outcome {
        println!("{kind:?}: {word}: {count}");
    }
    let total: usize = outcome.values().sum();
    let (warm, last) = (samples[samples.len() / 4], samples[samples.len() - 1]);
    let wrong = tally.wrong.lock().unwrap();
    let (live_told, not_told) =
        (tally.live_told.load(Ordering::Relaxed), tally.live_not_told.load(Ordering::Relaxed));
    println!("{total} handshakes to their end");
    // By OCSP alone, which nobody has asked again.
    println!(
        "live connections of who was revoked: {live_told} told within a second, {not_told} not by the list"
    );
    println!("memory: {warm} KiB after a quarter, {last} KiB at the end");
    println!("left: {} pending, {tasks} tasks", acceptor.pending());
    println!("wrong: {}", wrong.len());
    let grown = last.saturating_sub(warm);
    let is_well =
        wrong.is_empty() && live_told > 0 && acceptor.pending() == 0 && tasks == 0 && grown < 16 << 10;
    assert!(is_well, "{wrong:?}");
}
