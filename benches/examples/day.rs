//! A day in an hour: new clients come all the time, the CA publishes a CRL every ten minutes of that day, its server is
//! away for a while every fourth hour, and the ring is reloaded. Each verdict is compared with that of the core,
//! evaluated from nothing with the CRLs that the engine has in memory. At the end: whether a verdict differed, and what
//! memory did.
//!
//! ```text
//! cargo run --release -p certcheck-benches --example day -- 60
//! ```
//!
//! The argument is the length of the day in minutes, from 1 to 1440.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{KeyRing, Placement, RingBuilder};
use certcheck_core::{Check, Evidence, Policy, Revocation, Time};
use certcheck_fetch::{Engine, FetchLimits};
use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::world::{CA, ROOT, World, loopback, now, patient};
use certcheck_testkit::{Cert, ext};
use pki_types::CertificateDer;

const DAY: i64 = 86_400;
/// Clients that come again.
const REGULARS: usize = 2_000;
/// How long a step takes, if the checks do not take longer.
const STEP: Duration = Duration::from_millis(50);

/// How many minutes the day takes.
static MINUTES: AtomicI64 = AtomicI64::new(60);

fn clock() -> Time {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let gone = i64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_millis()).unwrap();
    Time::from_unix(now().unix() + gone * DAY / (MINUTES.load(Ordering::Relaxed) * 60_000))
}

/// A client: what it presents, and the serial number of its certificate.
struct Client {
    chain: Vec<CertificateDer<'static>>,
    serial: Vec<u8>,
}

/// The CRLs that were published, by URL and thisUpdate. Only the last ones can still be in memory.
type Published = BTreeMap<(String, Time), Arc<Crl>>;

struct Day {
    world: World,
    engine: Engine,
    rings: [KeyRing; 2],
    /// Which of the rings is loaded.
    ring: usize,
    published: Published,
    regulars: Vec<Client>,
    revoked: Vec<Vec<u8>>,
    clients: usize,
    crls: i64,
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Day {
    fn new() -> Self {
        let world = World::new();
        // The second ring distrusts the CA.
        let mut builder = RingBuilder::new();
        let root = Cert::root(ROOT, &world.root).issue(&world.root);
        builder.add("root", &root, Placement::Anchor).unwrap();
        builder.add("ca", &world.ca_cert.issue(&world.root), Placement::Distrusted).unwrap();
        let rings = [world.ring(), builder.build().unwrap()];
        let mut limits: FetchLimits = patient();
        // Memory is full soon, so that it is seen what comes after.
        limits.known_paths = 1_000;
        let engine = Engine::builder(world.ring(), policy()).guard(loopback()).limits(limits).clock(clock);
        let mut day = Self {
            engine: engine.build().unwrap(),
            world,
            rings,
            ring: 0,
            published: Published::new(),
            regulars: Vec::new(),
            revoked: Vec::new(),
            clients: 0,
            crls: 0,
            counts: BTreeMap::new(),
            wrong: Vec::new(),
        };
        let root = CrlBuilder::new(ROOT).valid("2027-01-01T00:00:00Z", Some("2027-01-09T00:00:00Z"));
        day.serve("/root.crl", root.issue(&day.world.root));
        day.publish();
        day
    }

    fn serve(&mut self, path: &str, der: Vec<u8>) {
        let url = self.world.server.url(path);
        let crl = Crl::parse(der.clone().into(), &url).unwrap();
        self.published.insert((url, crl.this_update()), Arc::new(crl));
        self.world.server.serve(path, Page::new(der));
    }

    /// The next CRL of the CA, which is valid for half an hour.
    fn publish(&mut self) {
        self.crls += 1;
        let this = clock();
        let old = Time::from_unix(this.unix() - 7_200);
        self.published.retain(|(url, of), _| *of > old || url.ends_with("/root.crl"));
        let entries = self.revoked.iter().map(|serial| RevokedCertificate::new(serial));
        let crl = CrlBuilder::new(CA)
            .with([crl::number(self.crls)])
            .valid(&this.to_string(), Some(&Time::from_unix(this.unix() + 1_800).to_string()))
            .revoking(entries.collect::<Vec<_>>());
        self.serve("/ca.crl", crl.issue(&self.world.ca));
    }

    fn new_client(&mut self, random: &mut fastrand::Rng) -> usize {
        self.clients += 1;
        let mut cert = self.world.plain("a client of many");
        cert.serial = [&[2][..], &u32::try_from(self.clients).unwrap().to_be_bytes()].concat();
        cert = cert.with([ext::san(&[&format!("dns:client-{}.example", self.clients)])]);
        let client = Client { chain: self.world.chain(&cert), serial: cert.serial };
        if random.u8(..20) == 0 {
            self.revoked.push(client.serial.clone());
        }
        if self.regulars.len() < REGULARS {
            self.regulars.push(client);
            self.regulars.len() - 1
        } else {
            let place = random.usize(..REGULARS);
            self.regulars[place] = client;
            place
        }
    }

    /// The CRLs that the engine has in memory.
    fn in_memory(&self) -> Vec<(String, Time)> {
        let states = self.engine.evidence(10).into_iter();
        states.filter_map(|state| Some((state.url.to_string(), state.this_update?))).collect()
    }

    fn by_core(&self, client: &Client, now: Time, crls: &[(String, Time)]) -> String {
        let mut evidence = Evidence::new();
        for key in crls {
            evidence.add_crl(Arc::clone(&self.published[key]));
        }
        let policy = policy();
        let check = Check::new(&client.chain, &self.rings[self.ring], &policy, now).with_evidence(&evidence);
        let report = check.run();
        report.reason.map_or_else(|| report.verdict.code().to_owned(), |one| one.reason.code().to_owned())
    }

    fn check(&mut self, client: usize) {
        let client = &self.regulars[client];
        let before = self.in_memory();
        let now = clock();
        let report = self.engine.check_blocking(&client.chain, now, Duration::from_secs(10));
        let own = report.code();
        // A CRL may have arrived meanwhile.
        let [after, before] = [self.in_memory(), before].map(|crls| self.by_core(client, now, &crls));
        let serial = client.serial.clone();
        *self.counts.entry(own.to_owned()).or_default() += 1;
        if own != after && own != before {
            self.wrong.push(format!("{now}: {serial:02x?} is {own}, by the core {before}, then {after}"));
        }
    }
}

fn policy() -> Policy {
    Policy::client(Revocation::HardFail)
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

fn main() {
    let minutes: i64 = std::env::args().nth(1).map_or(60, |text| text.parse().unwrap());
    assert!((1..=1_440).contains(&minutes), "from 1 to 1440 minutes");
    MINUTES.store(minutes, Ordering::Relaxed);
    let begun = clock();
    let mut day = Day::new();
    let mut random = fastrand::Rng::with_seed(24);
    let mut samples = Vec::new();
    let (mut hour, mut tenth) = (-1, 0);
    loop {
        let step = Instant::now();
        let gone = clock().unix() - begun.unix();
        if gone >= DAY {
            break;
        }
        if gone / 600 > tenth {
            tenth = gone / 600;
            day.publish();
        }
        // In each hour: a new ring, and from the 20th minute one that distrusts the CA for two minutes. In every fourth
        // also a source that is away for longer than its CRL is valid.
        let minute = gone / 60 % 60;
        let ring = usize::from((20..22).contains(&minute));
        if gone / 3_600 > hour || ring != day.ring {
            hour = gone / 3_600;
            day.ring = ring;
            day.engine.reload(day.rings[ring].clone(), policy(), Evidence::new());
            day.world.server.forget();
            samples.push(resident() >> 10);
            println!("{}: {} KiB, {} clients, {:?}", clock(), resident() >> 10, day.clients, day.counts);
        }
        match (5..58).contains(&minute) && hour % 4 == 0 {
            true => day.world.server.break_with("/ca.crl", Fault::Refuse),
            false => day.world.server.repair("/ca.crl"),
        }
        let newest = day.new_client(&mut random);
        day.check(newest);
        for _ in 0..3 {
            let regular = random.usize(..day.regulars.len());
            day.check(regular);
        }
        std::thread::sleep(STEP.saturating_sub(step.elapsed()));
    }
    let (warm, last) = (samples[samples.len() / 4], samples[samples.len() - 1]);
    println!("{} clients, {} CRLs, verdicts: {:?}", day.clients, day.crls, day.counts);
    println!("memory: {warm} KiB after a quarter, {last} KiB at the end");
    println!("differed from the core: {}", day.wrong.len());
    let is_flat = last.saturating_sub(warm) < 16 << 10;
    assert!(day.wrong.is_empty() && is_flat, "{:#?}", day.wrong.iter().take(20).collect::<Vec<_>>());
}
