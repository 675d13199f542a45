//! The store of a fetcher: loading, refusing and writing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_core::revocation::{Answer, Need};
use certcheck_core::status::Cause;
use certcheck_core::{Policy, Time};
use tokio::runtime::Handle;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

use crate::cache::evidence::{CachedEvidence, Origin};
use crate::cache::key::EvidenceKey;
use crate::clock::now;
use crate::failure::Failure;
use crate::fetcher::heavy::Heavy;
use crate::fetcher::in_flight::Level;
use crate::fetcher::read;
use crate::metrics as names;
use crate::printable::printable;
use crate::store::{EvidenceVersion, Lease, Store, StoreError, Stored};

/// How long to wait for a store.
const STORE: Duration = Duration::from_secs(5);
/// Answers that wait to be written to the store. Further ones are not written.
const WRITES: usize = 4_096;
/// How long the end of a program waits for them.
const FLUSH: Duration = Duration::from_secs(10);

/// What another process fetched so much earlier than a check looked into the store, in seconds, is as good as what would be
/// fetched now: it takes a moment until it is written, and clocks differ.
const EARLIER: i64 = 60;

/// What a check knew when it looked into the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked {
    /// When it began.
    pub(crate) at: Instant,
    /// The newest evidence that it has, in memory or from the store, and when that was fetched.
    pub(crate) found: Option<(EvidenceVersion, Time)>,
}

impl Looked {
    fn seconds_ago(&self) -> i64 {
        i64::try_from(self.at.elapsed().as_secs()).unwrap_or(i64::MAX)
    }
}

/// How far a store is trusted: the caller that builds the engine decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StoreTrust {
    /// Not at all: all evidence is parsed and verified again.
    VerifyAgain,
    /// Indexes and verified signatures are trusted.
    AsKept,
}

/// A store, and how far it is trusted.
#[derive(Clone, Debug)]
pub(crate) struct StoreUsed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trust: StoreTrust,
}

/// The folder for temporary files.
pub(crate) fn folder(store: Option<&StoreUsed>) -> PathBuf {
    store.and_then(|used| used.store.folder()).map_or_else(std::env::temp_dir, ToOwned::to_owned)
}

/// The store, as a fetcher uses it.
pub(super) struct Persist {
    used: StoreUsed,
    heavy: Arc<Heavy>,
    runtime: Handle,
    /// Writes in progress.
    writing: Mutex<JoinSet<()>>,
}

impl Persist {
    pub(super) fn new(used: StoreUsed, heavy: &Arc<Heavy>, runtime: &Handle) -> Self {
        Self { used, heavy: Arc::clone(heavy), runtime: runtime.clone(), writing: Mutex::default() }
    }

    pub(super) const fn store(&self) -> &Arc<dyn Store> {
        &self.used.store
    }

    /// The store that this host has for itself, if the one that is used has it in front of another.
    pub(super) fn near(&self) -> Option<&Arc<dyn Store>> {
        self.used.store.near()
    }

    /// The evidence that the store of this level has for this need, parsed and verified again.
    pub(super) async fn load(
        &self,
        need: &Need,
        level: Level,
        policy: &Arc<Policy>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        let store = if level == Level::Near { self.near() } else { Some(self.store()) };
        let store = store.ok_or_else(|| Failure::new(Cause::NotTried, "not in the store"))?;
        let stored = self.stored(store, need).await?;
        self.read(store, stored, need, policy).await
    }

    /// The entry that a store has for this need.
    async fn stored(&self, store: &Arc<dyn Store>, need: &Need) -> Result<Stored, Failure> {
        let nothing = || Failure::new(Cause::NotTried, "not in the store");
        let key = EvidenceKey::of(&need.request).ok_or_else(nothing)?;
        let Ok(found) = timeout(STORE, store.get(&key)).await else {
            return Err(Failure::new(Cause::NotTried, "the store does not answer"));
        };
        match found {
            // Others may write to a shared store.
            Ok(Some(stored)) if EvidenceKey::of(&stored.request) != Some(key) => {
                Err(self.refuse_stored(&key, need, "an answer to another request"))
            }
            Ok(Some(stored)) => Ok(stored),
            Ok(None) => Err(nothing()),
            // The store has logged it.
            Err(StoreError::Unavailable(why)) => Err(Failure::new(Cause::NotTried, why)),
            Err(error) => Err(self.refuse_stored(&key, need, &error.to_string())),
        }
    }

    async fn read(
        &self,
        store: &Arc<dyn Store>,
        stored: Stored,
        need: &Need,
        policy: &Arc<Policy>,
    ) -> Result<Arc<CachedEvidence>, Failure> {
        let key = EvidenceKey::of(&need.request).ok_or_else(|| Failure::new(Cause::NotTried, "no store"))?;
        let origin = store.origin();
        let (signer, policy) = (need.signer.clone(), Arc::clone(policy));
        let trust = self.used.trust;
        let _turn = self.heavy.turn(stored.body.bytes.len()).await;
        let read = spawn_blocking(move || read_stored(stored, origin, &signer, &policy, trust)).await;
        match read {
            Ok(Ok((cached, None))) => Ok(cached),
            Ok(Ok((cached, Some(note)))) => {
                warn!(
                    name: "store-index-rebuilt", target: "certcheck::store",
                    url = %printable(need.request.url()), note, "index in the store built again"
                );
                metrics::counter!(names::STORE_REFUSED, "why" => "index").increment(1);
                Ok(cached)
            }
            Ok(Err(failure)) => {
                let failure = self.refuse_stored(&key, need, &failure.detail);
                // Before anything is fetched in its place, so that the new entry stays.
                let _gone = timeout(STORE, store.remove(&key)).await;
                Err(failure)
            }
            Err(error) => Err(Failure::malformed(error.to_string())),
        }
    }

    fn refuse_stored(&self, key: &EvidenceKey, need: &Need, why: &str) -> Failure {
        warn!(
            name: "store-entry-dropped", target: "certcheck::store",
            url = %printable(need.request.url()), key = %key.to_hex(), why = %printable(why), "entry of the store dropped"
        );
        metrics::counter!(names::STORE_REFUSED, "why" => "unreadable").increment(1);
        Failure::malformed(format!("the store: {why}"))
    }

    /// The evidence that another process has put into the store since a check looked there. If the check had to wait for
    /// its turn, evidence that was only fetched again counts too.
    pub(super) async fn put_meanwhile(
        &self,
        need: &Need,
        looked: &Looked,
        had_to_wait: bool,
        policy: &Arc<Policy>,
    ) -> Option<Arc<CachedEvidence>> {
        let (store, key) = (self.store(), EvidenceKey::of(&need.request)?);
        // The bytes are not read for what is known.
        let version = timeout(STORE, store.version(&key)).await.ok()?.ok()??;
        let known = looked.found.map(|(version, _)| version);
        let is_newer = Some(version) > known;
        if !is_newer && (!had_to_wait || Some(version) < known) {
            return None;
        }
        let stored = self.stored(store, need).await.ok()?;
        let since = now().unix().saturating_sub(looked.seconds_ago()).saturating_sub(EARLIER);
        let is_recent = stored.fetched_at <= now() && stored.fetched_at.unix() >= since;
        let found = (stored.version(), stored.fetched_at);
        if !is_recent || looked.found.is_some_and(|known| found <= known) {
            return None;
        }
        self.read(store, stored, need, policy).await.ok()
    }

    /// Notes that evidence of the store did not count for a check.
    pub(super) fn did_not_count(&self, key: &EvidenceKey) {
        self.used.store.did_not_count(key);
    }

    /// Writes evidence that counts in the background, or tells the store that what it had counts. The lease ends with
    /// it.
    pub(super) fn write(&self, key: EvidenceKey, cached: &CachedEvidence, lease: Option<Lease>) {
        let store = Arc::clone(&self.used.store);
        // What a store had is not written to it again.
        let is_new = matches!(cached.origin, Origin::Network | Origin::Mirror);
        let stored = stored_of(cached, self.used.trust);
        self.spawn(async move {
            let written =
                if is_new { store.put(&key, stored).await } else { store.counted(&key, stored).await };
            match written {
                Ok(()) | Err(StoreError::Older | StoreError::Unavailable(_)) => {}
                Err(error) => {
                    warn!(name: "store-write-failed", target: "certcheck::store", %error, "evidence not written to the store");
                }
            }
            drop(lease);
        });
    }

    /// The lease for a fetch among all processes, waited for within this time.
    pub(super) async fn lease(&self, key: &EvidenceKey, turn: Duration) -> Option<Lease> {
        // A store that does not answer must not keep the process from the network.
        match timeout(turn + STORE.min(turn), self.used.store.lease(key, turn)).await {
            Err(_) => None,
            Ok(Ok(lease)) => lease,
            Ok(Err(error)) => {
                debug!(
                    name: "store-lease-failed", target: "certcheck::store",
                    %error, "no lease from the store; others may fetch the same"
                );
                None
            }
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        while writing.try_join_next().is_some() {}
        if writing.len() >= WRITES {
            debug!(name: "store-write-skipped", target: "certcheck::store", "store too slow; evidence not written");
            return;
        }
        writing.spawn_on(work, &self.runtime);
    }

    /// Waits until all evidence is written.
    pub(super) async fn flush(&self) {
        let mut writing = std::mem::take(&mut *self.writing.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while writing.join_next().await.is_some() {} };
        if timeout(FLUSH, all).await.is_err() {
            warn!(name: "store-flush-incomplete", target: "certcheck::store", "store too slow; not all evidence was written");
        }
    }
}

fn stored_of(cached: &CachedEvidence, trust: StoreTrust) -> Stored {
    let (this_update, next_update) = cached.times();
    Stored {
        request: cached.request.clone(),
        body: cached.body.clone(),
        transport: cached.transport_for(Origin::Network),
        fetched_at: cached.fetched_at,
        this_update,
        next_update,
        crl_number: cached.crl().and_then(|crl| crl.number()).map(Into::into),
        origin: None,
        signers: cached.signers(),
        crl: cached.crl().filter(|_| trust == StoreTrust::AsKept).cloned(),
        index: None,
    }
}

/// Evidence from a store, parsed and verified again unless the builder of the engine trusts the store. The second
/// value says what is wrong with its index. A record cannot ask for trust: the index of a store that is not trusted
/// is ignored.
fn read_stored(
    stored: Stored,
    origin: Origin,
    signer: &[u8],
    policy: &Policy,
    trust: StoreTrust,
) -> Result<(Arc<CachedEvidence>, Option<String>), Failure> {
    let Stored { request, body, transport, fetched_at, this_update, crl_number, signers, index, .. } = stored;
    let origin = stored.origin.unwrap_or(origin);
    let transport = transport.bounded();
    // A time in the future is wrong.
    let fetched_at = fetched_at.min(now());
    // A CRL counts as signed once a key is found that signed it. A store that is not trusted must not choose the key.
    let known = signers.first().filter(|_| trust == StoreTrust::AsKept);
    let signer = known.map_or(signer, |known| known);
    // Only one result is trusted here: which key signed it.
    let (answer, body, note) = match index.filter(|_| known.is_some()) {
        Some(index) => {
            let (crl, fault) = read::reopen(body.bytes.clone(), &index, request.url(), signer)?;
            (Answer::Crl(Arc::new(crl)), body, fault.map(|fault| fault.to_string()))
        }
        None => {
            let (answer, read) = read::read(&request, vec![body.clone()], signer, policy)?;
            let body = if read.bytes.len() == body.bytes.len() { body } else { read };
            (answer, body, None)
        }
    };
    let cached = CachedEvidence { request, answer, body, transport, fetched_at, origin };
    // An entry that claims to be newer than it is would keep newer ones out.
    if this_update.is_some() && this_update != cached.times().0 {
        return Err(Failure::malformed("its thisUpdate is not the one that it was kept with"));
    }
    if crl_number.is_some() && crl_number.as_deref() != cached.crl().and_then(|crl| crl.number()) {
        return Err(Failure::malformed("its CRLNumber is not the one that it was kept with"));
    }
    Ok((Arc::new(cached), note))
}
