//! The trait of stores, for a store on an engine.

/// Makes a store of a type that has `Arc<Entries<_>>` as its only field.
macro_rules! implement_store {
    ($store:ty) => {
        impl crate::store::Store for $store {
            fn origin(&self) -> crate::cache::evidence::Origin {
                crate::cache::evidence::Origin::Shared
            }

            fn get<'a>(
                &'a self,
                key: &'a crate::cache::key::EvidenceKey,
            ) -> futures_util::future::BoxFuture<'a, Result<Option<crate::store::Stored>, crate::store::StoreError>> {
                self.0.get(key).boxed()
            }

            fn version<'a>(
                &'a self,
                key: &'a crate::cache::key::EvidenceKey,
            ) -> futures_util::future::BoxFuture<'a, Result<Option<crate::store::EvidenceVersion>, crate::store::StoreError>> {
                self.0.version(key).boxed()
            }

            fn put<'a>(
                &'a self,
                key: &'a crate::cache::key::EvidenceKey,
                stored: crate::store::Stored,
            ) -> futures_util::future::BoxFuture<'a, Result<(), crate::store::StoreError>> {
                self.0.put(key, stored).boxed()
            }

            fn did_not_count(&self, key: &crate::cache::key::EvidenceKey) {
                self.0.did_not_count(key);
            }

            fn remove<'a>(
                &'a self,
                key: &'a crate::cache::key::EvidenceKey,
            ) -> futures_util::future::BoxFuture<'a, Result<(), crate::store::StoreError>> {
                self.0.remove(key).boxed()
            }

            fn list(&self) -> futures_util::future::BoxFuture<'_, Result<Vec<crate::store::Entry>, crate::store::StoreError>> {
                self.0.list().boxed()
            }

            fn lease<'a>(
                &'a self,
                key: &'a crate::cache::key::EvidenceKey,
                max_wait: std::time::Duration,
            ) -> futures_util::future::BoxFuture<'a, Result<Option<crate::store::Lease>, crate::store::StoreError>> {
                crate::store::remote::acquire(&self.0, key, max_wait).boxed()
            }

            fn news(&self) -> Option<futures_util::stream::BoxStream<'static, crate::store::News>> {
                Some(crate::store::remote::news_of(&self.0))
            }

            fn folder(&self) -> Option<&std::path::Path> {
                Some(self.0.folder())
            }
        }
    };
}

pub(in crate::store) use implement_store;
