//! For programs that keep evidence for others: fetching it again, and keeping it over a restart.
//!
//! Nothing is decided here. A mirror decides by itself what it keeps, and its clients verify all of it again.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certcheck_core::Policy;
use certcheck_core::revocation::{EvidenceRequest, Need};

use crate::cache::evidence::{CachedEvidence, Origin};
use crate::clock::now;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::fetcher::{Level, read};
use crate::transport::answer::Transport;
use crate::transport::spool::{Spool, SpoolError};

pub use crate::fetcher::MirrorNews;
pub use crate::transport::mirror_url::{mirror_url, mirrored_source, parse_mirror};

/// The bytes that are read from a file at once.
const PIECE: usize = 256 << 10;

/// Fetches the answer to a request from its source within this time. `known` is an earlier answer: a source that says that
/// it has not changed sends no body, and the same evidence is returned with a new time.
///
/// # Errors
/// If nothing was received, or nothing that can be parsed.
pub async fn fetch(
    engine: &Engine,
    need: &Need,
    known: Option<&Arc<CachedEvidence>>,
    within: Duration,
) -> Result<Arc<CachedEvidence>, Failure> {
    let (fetcher, policy) = (Arc::clone(&engine.shared.fetcher), Arc::clone(&engine.snapshot().basis.policy));
    let (need, known) = (need.clone(), known.cloned());
    on_runtime(engine, within, async move { fetcher.obtain(&need, known.as_ref(), &policy).await }).await
}

/// Fetches the answer to a request from the engine's own mirrors within this time.
///
/// # Errors
/// If there are none, or none that has it.
pub async fn fetch_from_mirrors(
    engine: &Engine,
    need: &Need,
    known: Option<&Arc<CachedEvidence>>,
    within: Duration,
) -> Result<Arc<CachedEvidence>, Failure> {
    let (fetcher, policy) = (Arc::clone(&engine.shared.fetcher), Arc::clone(&engine.snapshot().basis.policy));
    if !fetcher.may_ask_mirrors(&need.request) {
        return Err(Failure::not_asked("no mirror can be asked"));
    }
    let (need, known) = (need.clone(), known.cloned());
    on_runtime(engine, within, async move { fetcher.obtain_mirrored(&need, known.as_ref(), &policy).await })
        .await
}

/// Runs work where the engine's connections are.
async fn on_runtime(
    engine: &Engine,
    within: Duration,
    work: impl Future<Output = Result<Arc<CachedEvidence>, Failure>> + Send + 'static,
) -> Result<Arc<CachedEvidence>, Failure> {
    let Some(runtime) = &engine.runtime else { return Err(Failure::unreachable("shutting down")) };
    match runtime.spawn(tokio::time::timeout(within, work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Failure::unreachable(format!("no answer after {within:?}"))),
        Err(error) => Err(Failure::unreachable(error.to_string())),
    }
}

/// The answer to a request that the engine's store has, parsed again. If that cannot be parsed, what this host has for
/// itself.
///
/// # Errors
/// If there is none, or none that can be parsed.
pub async fn load(engine: &Engine, need: &Need) -> Result<Arc<CachedEvidence>, Failure> {
    let (fetcher, snapshot) = (&engine.shared.fetcher, engine.snapshot());
    let policy = &snapshot.basis.policy;
    match fetcher.load(need, Level::Store, policy).await {
        Err(_) if fetcher.has_store(Level::Near) => fetcher.load(need, Level::Near, policy).await,
        loaded => loaded,
    }
}

/// Writes evidence to the engine's store, in the background.
pub fn store(engine: &Engine, cached: &CachedEvidence) {
    engine.shared.fetcher.store_in_background(cached);
}

/// The answer to a request that is in a file. The file may be replaced or truncated meanwhile: it is copied first, to a
/// file without a name in `folder` if it is large.
///
/// # Errors
/// If it cannot be read, has more bytes than `max`, or cannot be parsed.
pub fn read_file(
    path: &Path,
    need: &Need,
    policy: &Policy,
    (folder, max): (&Path, u64),
) -> Result<CachedEvidence, Failure> {
    // Where the file is on this machine is nobody's business.
    let fault = |error: io::Error| Failure::unreachable(format!("the file for it cannot be read: {error}"));
    let mut file = std::fs::File::open(path).map_err(fault)?;
    let (mut spool, mut piece) = (Spool::new(folder, max), vec![0; PIECE]);
    loop {
        let length = file.read(&mut piece).map_err(fault)?;
        let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        spool.push(bytes).map_err(|error| match error {
            SpoolError::TooLarge(max) => Failure::too_large(max),
            SpoolError::Io(error) => fault(error),
        })?;
    }
    let body = spool.finish().map_err(fault)?;
    let request: EvidenceRequest = need.request.clone();
    let (answer, body) = read::read(&request, vec![body], &need.signer, policy)?;
    // It takes the place of what the source sends.
    let (transport, origin) = (Transport::default(), Origin::Network);
    Ok(CachedEvidence { request, answer, body, transport, fetched_at: now(), origin })
}
