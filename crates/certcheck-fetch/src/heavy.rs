//! Work on large evidence: few at once, and not where others wait for it.

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::block_in_place;

/// Evidence from here on is work that others notice: parsing, hashing and judging it take milliseconds.
const LARGE: usize = 256 << 10;
/// Large evidence that is worked on at once, beside what processors there are. The rest waits, and small evidence does not.
const AT_ONCE: usize = 2;

/// Turns for large evidence.
#[derive(Debug)]
pub(crate) struct Heavy(Semaphore);

/// A turn. None is needed for what is small.
#[derive(Debug)]
pub(crate) struct Turn<'h>(Option<SemaphorePermit<'h>>);

impl Heavy {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new(AT_ONCE.max(processors)))
    }

    /// A turn for evidence of so many bytes.
    pub(crate) async fn turn(&self, octets: usize) -> Turn<'_> {
        if octets < LARGE {
            return Turn(None);
        }
        // It is never closed; were it, nobody would wait.
        Turn(self.0.acquire().await.ok())
    }
}

impl Turn<'_> {
    /// Does it. What takes long goes on beside the threads on which others are served: this thread becomes one of its own,
    /// and another takes its place. Bounded by the number of turns.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.0.is_some() { block_in_place(work) } else { work() }
    }
}
