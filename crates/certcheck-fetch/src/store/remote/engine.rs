//! What a store needs of an engine.

use std::fmt::Debug;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::head::{Raw, Written};
use super::link::Failed;
use super::trouble::{Trouble, Troubles};

/// What became of a head that was to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) enum Put {
    /// A newer one is there, or another one of its version.
    Older,
    /// One that names the same bytes was there.
    Same,
    /// It is there now. Before there was nothing, or one that named these bytes.
    Written(Option<Replaced>),
}

/// The bytes that a head named which has been replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) struct Replaced {
    /// Their SHA-256, in hexadecimal.
    pub(in crate::store) sha: String,
    /// How many chunks its writer said that they have.
    pub(in crate::store) chunks: u64,
}

/// An engine across a network. Entries are named by the first digits of their keys. Each function ends within the patience that it was made with, or says what the trouble is.
pub(in crate::store) trait Engine: Debug + Send + Sync + Sized + 'static {
    /// The lease of an entry that was got, as this engine ends or prolongs it.
    type Turn: Send + Sync + 'static;

    /// Where its trouble is noted.
    fn troubles(&self) -> &Troubles;

    /// The version and digest of the head of an entry. More may be read.
    fn read_version(&self, name: &str) -> impl Future<Output = Result<Raw, Trouble>> + Send;

    /// The head of an entry.
    fn read_head(&self, name: &str) -> impl Future<Output = Result<Raw, Trouble>> + Send;

    /// Writes a head unless there is a newer one. One that names the bytes `refused` counts as none, and so does one whose
    /// time is later than `latest`. It ends at `ends`, in milliseconds since 1970, if the engine can do that. The heads that
    /// others listen for are announced.
    fn write_head(
        &self,
        name: &str,
        written: &Written,
        refused: &str,
        latest: i64,
        ends: i64,
    ) -> impl Future<Output = Result<Put, Trouble>> + Send;

    /// Removes a head that names these bytes, or one that is none of ours. Another one stays. True if one was removed.
    fn remove_head(&self, name: &str, sha: &str) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// Reads chunks of bytes, none of them larger than a chunk and one byte. One that is missing is empty.
    fn read_chunks(
        &self,
        name: &str,
        sha: &str,
        numbers: Range<u64>,
    ) -> impl Future<Output = Result<Vec<Bytes>, Trouble>> + Send;

    /// Writes chunks, the first of which has this number.
    fn write_chunks(
        &self,
        name: &str,
        sha: &str,
        first: u64,
        chunks: Vec<&[u8]>,
        ends: i64,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Lets all chunks last as long as they would if they were written now. False if they have to be written.
    fn prolong(
        &self,
        name: &str,
        sha: &str,
        chunks: u64,
        ends: i64,
    ) -> impl Future<Output = Result<bool, Trouble>> + Send;

    /// Lets the chunks of a head that is gone end. Who has read that head may still want them.
    fn end_soon(&self, name: &str, sha: &str, chunks: u64) -> impl Future<Output = ()> + Send;

    /// The names of all entries, or of those that this process has seen if the engine cannot list them.
    fn names(&self, seen: Vec<String>) -> impl Future<Output = Result<Vec<String>, Trouble>> + Send;

    /// The lease of an entry for this process, if it is free.
    fn lease(
        &self,
        name: &str,
        holder: &str,
    ) -> impl Future<Output = Result<Option<Self::Turn>, Trouble>> + Send;

    /// Prolongs a lease. `None` if it has ended, and another process may have it.
    fn prolong_lease(
        &self,
        turn: &Self::Turn,
    ) -> impl Future<Output = Result<Option<Self::Turn>, Trouble>> + Send;

    /// Ends a lease that is still that of this process.
    fn end_lease(&self, turn: Self::Turn) -> impl Future<Output = ()> + Send;

    /// The names of heads that others write, as long as the connection for it lasts.
    fn listen(&self) -> impl Future<Output = Result<BoxStream<'static, String>, Failed>> + Send;
}
