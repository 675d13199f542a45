//! Two stores, one behind the other: a near one, which a host has for itself, and a far one, which hosts share.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};

use super::version::EvidenceVersion;
use super::{Entry, Lease, News, Store, StoreError, Stored};
use crate::cache::evidence::Origin;
use crate::cache::key::EvidenceKey;

/// The keys for which it is remembered which layer had them last.
const MANY: usize = 4_096;

/// A near store before a far one. The far one is asked for the version of an entry, and for the entry only if it is newer,
/// so a host gets and keeps one copy of each. What counts is put where it is missing: into the near store if the far one
/// had it, and into the far one if that has lost it. What is newer in the far store and does not count hides nothing: the
/// near store is asked too, as it would be without the far one. Its entry is not put over the newer one there.
#[derive(Debug)]
pub struct Layered(Arc<Layers>);

#[derive(Debug)]
struct Layers {
    near: Arc<dyn Store>,
    far: Arc<dyn Store>,
    last: Mutex<HashMap<EvidenceKey, Layer>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    Near,
    Far,
}

impl Layered {
    /// These stores as one.
    #[must_use]
    pub fn new(near: Arc<dyn Store>, far: Arc<dyn Store>) -> Self {
        Self(Arc::new(Layers { near, far, last: Mutex::default() }))
    }
}

impl Layers {
    const fn store(&self, layer: Layer) -> &Arc<dyn Store> {
        match layer {
            Layer::Near => &self.near,
            Layer::Far => &self.far,
        }
    }

    /// The entry of one layer.
    async fn get_from(&self, layer: Layer, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        let store = self.store(layer);
        let found = store.get(key).await;
        if !matches!(found, Ok(None)) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() >= MANY {
                last.clear();
            }
            last.insert(*key, layer);
        }
        Ok(found?.map(|stored| Stored { origin: stored.origin.or_else(|| Some(store.origin())), ..stored }))
    }

    async fn get(&self, key: &EvidenceKey) -> Result<Option<Stored>, StoreError> {
        // A store that cannot say has nothing.
        let near = self.near.version(key).await.ok().flatten();
        let far = self.far.version(key).await.ok().flatten();
        let order = if far > near { [Layer::Far, Layer::Near] } else { [Layer::Near, Layer::Far] };
        let has = |layer| if layer == Layer::Far { far.is_some() } else { near.is_some() };
        let mut failed = None;
        for layer in order.into_iter().filter(|layer| has(*layer)) {
            match self.get_from(layer, key).await {
                Ok(Some(stored)) => return Ok(Some(stored)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None | Some(StoreError::Unavailable(_)) => Ok(None),
            Some(error) => Err(error),
        }
    }

    /// The layer that had this entry last, or both.
    fn last_of(&self, key: &EvidenceKey) -> Vec<Layer> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied();
        last.map_or_else(|| vec![Layer::Near, Layer::Far], |layer| vec![layer])
    }

    /// Puts an entry that counts into each layer that has an older one or none.
    async fn spread(&self, key: &EvidenceKey, stored: &Stored) -> Result<(), StoreError> {
        let own = stored.version();
        for store in [&self.near, &self.far] {
            let Ok(version) = store.version(key).await else { continue };
            if version.is_none_or(|version| version < own) {
                match store.put(key, stored.clone()).await {
                    Ok(()) | Err(StoreError::Older | StoreError::Unavailable(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Puts the near entry into the far store, which has lost it.
    async fn put_back(&self, key: &EvidenceKey) {
        if let Ok(Some(stored)) = self.near.get(key).await {
            // If this fails, it is put back when it is next used.
            let _put: Result<(), StoreError> = self.far.put(key, stored).await;
        }
    }
}

impl Store for Layered {
    fn origin(&self) -> Origin {
        self.0.far.origin()
    }

    fn get<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.0.get(key).boxed()
    }

    fn version<'a>(
        &'a self,
        key: &'a EvidenceKey,
    ) -> BoxFuture<'a, Result<Option<EvidenceVersion>, StoreError>> {
        async {
            let near = self.0.near.version(key).await.ok().flatten();
            Ok(near.max(self.0.far.version(key).await.ok().flatten()))
        }
        .boxed()
    }

    fn put<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let near = self.0.near.put(key, stored.clone()).await;
            let far = match self.0.far.put(key, stored).await {
                Err(StoreError::Unavailable(_)) => Ok(()),
                put => put,
            };
            near.and(far)
        }
        .boxed()
    }

    fn counted<'a>(&'a self, key: &'a EvidenceKey, stored: Stored) -> BoxFuture<'a, Result<(), StoreError>> {
        async move { self.0.spread(key, &stored).await }.boxed()
    }

    fn did_not_count(&self, key: &EvidenceKey) {
        for layer in self.0.last_of(key) {
            self.0.store(layer).did_not_count(key);
        }
    }

    fn remove<'a>(&'a self, key: &'a EvidenceKey) -> BoxFuture<'a, Result<(), StoreError>> {
        async {
            for layer in self.0.last_of(key) {
                self.0.store(layer).remove(key).await?;
            }
            Ok(())
        }
        .boxed()
    }

    /// The entries of the near store.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        self.0.near.list()
    }

    /// The lease of the far store, or of the near one while that cannot be used.
    fn lease<'a>(
        &'a self,
        key: &'a EvidenceKey,
        max_wait: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        async move {
            match self.0.far.lease(key, max_wait).await {
                Err(_) => self.0.near.lease(key, max_wait).await,
                lease => lease,
            }
        }
        .boxed()
    }

    /// The news of the far store. What that has lost is put back, and is no news.
    fn news(&self) -> Option<BoxStream<'static, News>> {
        let layers = Arc::clone(&self.0);
        let news = self.0.far.news()?.filter_map(move |news| {
            let layers = Arc::clone(&layers);
            async move {
                match news {
                    News::Lost(key) => {
                        layers.put_back(&key).await;
                        None
                    }
                    other => Some(other),
                }
            }
        });
        Some(news.boxed())
    }

    fn near(&self) -> Option<&Arc<dyn Store>> {
        Some(&self.0.near)
    }

    fn folder(&self) -> Option<&Path> {
        self.0.near.folder()
    }
}
