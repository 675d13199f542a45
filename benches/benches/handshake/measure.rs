//! One handshake in memory, by the time of its server alone; and many, kind by kind in turn.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

/// Something that is done once, and says what it took.
pub(crate) struct Work<'a> {
    pub(crate) name: String,
    /// In how many rounds it is done once: what takes long is done less often.
    pub(crate) every: usize,
    pub(crate) once: Box<dyn Fn() -> Duration + Sync + 'a>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(name: impl Into<String>, once: impl Fn() -> Duration + Sync + 'a) -> Self {
        Self { name: name.into(), every: 1, once: Box::new(once) }
    }

    pub(crate) fn every(self, every: usize) -> Self {
        Self { every, ..self }
    }

    /// A whole handshake of which the server's part counts.
    pub(crate) fn handshake(
        name: impl Into<String>,
        server: Arc<ServerConfig>,
        client: Arc<ClientConfig>,
    ) -> Self {
        Self::new(name, move || handshake(&server, &client))
    }
}

/// What the server spends, from the first byte to the end of the handshake.
pub(crate) fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Duration {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let begun = Instant::now();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut spent = begun.elapsed();
    let (mut there, mut back) = (Vec::with_capacity(16 << 10), Vec::with_capacity(16 << 10));
    while client.is_handshaking() || server.is_handshaking() {
        there.clear();
        while client.wants_write() {
            client.write_tls(&mut there).unwrap();
        }
        back.clear();
        let begun = Instant::now();
        let mut bytes = &there[..];
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets().unwrap();
        }
        while server.wants_write() {
            server.write_tls(&mut back).unwrap();
        }
        spent += begun.elapsed();
        let mut bytes = &back[..];
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    spent
}

/// Whether figures are wanted, and not only that everything runs.
pub(crate) fn is_measured() -> bool {
    let has = |word: &str| std::env::args().any(|argument| argument == word);
    has("--bench") && !has("--test")
}

/// Whether all is asked for: who names something, or profiles it, wants no tables.
pub(crate) fn is_whole() -> bool {
    std::env::args().skip(1).all(|argument| argument.starts_with("--"))
}

/// The medians of all, in microseconds, each round in another order: what else goes on in the machine meets all alike.
pub(crate) fn in_turn(works: &[Work<'_>], rounds: usize) -> Vec<f64> {
    let rounds = if is_measured() { rounds } else { 1 };
    let mut spent: Vec<Vec<Duration>> = works.iter().map(|_| Vec::new()).collect();
    let mut order: Vec<usize> = (0..works.len()).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..rounds {
        for left in (1..order.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            order.swap(left, usize::try_from(state % (left as u64 + 1)).unwrap());
        }
        for &at in &order {
            let work = &works[at];
            if round % work.every == 0 {
                spent[at].push((work.once)());
                if work.every > 1 {
                    // It has driven all else out of the caches.
                    (works[0].once)();
                }
            }
        }
    }
    spent.into_iter().map(|all| median(all.iter().map(|one| one.as_secs_f64() * 1e6).collect())).collect()
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Rows with a figure and what it is to the one they are compared with, shown and kept for the report.
pub(crate) fn table(file: &str, unit: &str, versus: &str, rows: &[(&str, f64)]) {
    let (_, base) = rows.iter().find(|(name, _)| *name == versus).unwrap();
    println!("\n{file}, {unit}, beside {versus}");
    for (name, figure) in rows {
        println!("  {name:<45} {figure:>12.1} {:>9.3}", figure / base);
    }
    if is_measured() {
        let mut kept =
            File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{file}.tsv"))).unwrap();
        for (name, figure) in rows {
            writeln!(kept, "{name}\t{figure:.2}").unwrap();
        }
    }
}
