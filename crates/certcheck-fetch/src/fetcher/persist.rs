//! What a fetcher does with its store: loads, refuses, writes.

use std::sync::{Arc, PoisonError};

use certcheck_core::revocation::{Answer, Need};
use certcheck_core::status::Cause;
use certcheck_core::{Policy, Time};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{FLUSH, Fetcher, STORE, WRITES};
use crate::cache::evidence::{Held, Origin};
use crate::cache::key::Key;
use crate::clock::now;
use crate::failure::Failure;
use crate::fetcher::read;
use crate::metrics as names;
use crate::store::Stored;

impl Fetcher {
    pub(super) async fn load(&self, need: &Need, policy: &Arc<Policy>) -> Result<Arc<Held>, Failure> {
        let stored = self.stored(need).await?;
        self.read(stored, need, policy).await
    }

    /// What the store has under the key of this.
    async fn stored(&self, need: &Need) -> Result<Stored, Failure> {
        let nothing = || Failure::new(Cause::NotTried, "not in the store");
        let (Some(store), Some(key)) = (&self.store, Key::of(&need.ask)) else { return Err(nothing()) };
        let Ok(found) = timeout(STORE, store.get(&key)).await else {
            return Err(Failure::new(Cause::NotTried, "the store does not answer"));
        };
        match found {
            // A shared store may be anyone's.
            Ok(Some(stored)) if Key::of(&stored.ask) != Some(key) => {
                Err(self.refuse_stored(&key, need, "an answer to another question"))
            }
            Ok(Some(stored)) => Ok(stored),
            Ok(None) => Err(nothing()),
            Err(error) => Err(self.refuse_stored(&key, need, &error.to_string())),
        }
    }

    async fn read(&self, stored: Stored, need: &Need, policy: &Arc<Policy>) -> Result<Arc<Held>, Failure> {
        let (Some(store), Some(key)) = (&self.store, Key::of(&need.ask)) else {
            return Err(Failure::new(Cause::NotTried, "no store"));
        };
        let origin = store.origin();
        let (signer, policy) = (need.signer.clone(), Arc::clone(policy));
        let trusts = self.trusts_store;
        let _turn = self.heavy.turn(stored.body.bytes.len()).await;
        let read = spawn_blocking(move || read_stored(stored, origin, &signer, &policy, trusts)).await;
        match read {
            Ok(Ok((held, None))) => Ok(held),
            Ok(Ok((held, Some(note)))) => {
                warn!(url = %need.ask.url(), note, "an index in the store is of no use and was built anew");
                metrics::counter!(names::STORE_REFUSED, "why" => "index").increment(1);
                Ok(held)
            }
            Ok(Err(failure)) => {
                let failure = self.refuse_stored(&key, need, &failure.detail);
                // Before anything is fetched in its place: what is written then must stay.
                let _gone = timeout(STORE, store.remove(&key)).await;
                Err(failure)
            }
            Err(error) => Err(Failure::malformed(error.to_string())),
        }
    }

    fn refuse_stored(&self, key: &Key, need: &Need, why: &str) -> Failure {
        warn!(url = %need.ask.url(), key = %key.to_hex(), why, "what the store has is of no use and is dropped");
        metrics::counter!(names::STORE_REFUSED, "why" => "unreadable").increment(1);
        Failure::malformed(format!("the store: {why}"))
    }

    /// What another has put into the store while we waited for our turn.
    pub(super) async fn put_meanwhile(
        &self,
        need: &Need,
        begun: Time,
        policy: &Arc<Policy>,
    ) -> Option<Arc<Held>> {
        let stored =
            self.stored(need).await.ok().filter(|stored| (begun..=now()).contains(&stored.fetched_at))?;
        self.read(stored, need, policy).await.ok()
    }

    pub(super) fn write(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        while writing.try_join_next().is_some() {}
        if writing.len() >= WRITES {
            debug!("the store does not keep up: something is not written");
            return;
        }
        writing.spawn_on(work, &self.runtime);
    }

    /// Until all that was kept is written.
    pub(crate) async fn flush(&self) {
        let mut writing = std::mem::take(&mut *self.writing.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while writing.join_next().await.is_some() {} };
        if timeout(FLUSH, all).await.is_err() {
            warn!("the store takes too long: not all that came is kept");
        }
    }
}

pub(super) fn stored_of(held: &Held, trusts_store: bool) -> Stored {
    let (this_update, next_update) = held.times();
    Stored {
        ask: held.ask.clone(),
        body: held.body.clone(),
        transport: held.transport.clone(),
        fetched_at: held.fetched_at,
        this_update,
        next_update,
        signers: held.signers(),
        crl: held.crl().filter(|_| trusts_store).cloned(),
        index: None,
    }
}

/// What a store had, read and verified again, unless the builder of the engine `trusts` the store. Beside it what of an index
/// is no good. A record cannot ask for trust: an index of a store that is not trusted is not looked at.
fn read_stored(
    stored: Stored,
    origin: Origin,
    signer: &[u8],
    policy: &Policy,
    trusts: bool,
) -> Result<(Arc<Held>, Option<String>), Failure> {
    let Stored { ask, body, transport, fetched_at, signers, index, .. } = stored;
    let transport = transport.bounded();
    // A time to come is nobody's.
    let fetched_at = fetched_at.min(now());
    // A CRL counts as signed once a key is found that signed it: a store that is not trusted must not choose which.
    let known = signers.first().filter(|_| trusts);
    let signer = known.map_or(signer, |known| known);
    // Taken on trust is only what was found once: who signed it.
    let (answer, body, note) = match index.filter(|_| known.is_some()) {
        Some(index) => {
            let (crl, fault) = read::reopen(body.bytes.clone(), &index, ask.url(), signer)?;
            (Answer::Crl(Arc::new(crl)), body, fault.map(|fault| fault.to_string()))
        }
        None => {
            let (answer, read) = read::read(&ask, vec![body.clone()], signer, policy)?;
            let body = if read.bytes.len() == body.bytes.len() { body } else { read };
            (answer, body, None)
        }
    };
    Ok((Arc::new(Held { ask, answer, body, transport, fetched_at, origin }), note))
}
