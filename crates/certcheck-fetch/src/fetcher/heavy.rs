//! Work on large evidence: a few pieces at once, and not on threads where others wait.

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::block_in_place;

/// Evidence of this size or more is heavy: parsing, hashing and checking it takes milliseconds.
const LARGE: usize = 256 << 10;
/// The least number of large pieces that are worked on at once. It is the number of processors if that is larger.
/// Further ones wait, and small evidence does not.
const AT_ONCE: usize = 2;

/// Turns for large evidence.
#[derive(Debug)]
pub(crate) struct Heavy(Semaphore);

/// A turn. Small evidence needs none.
#[derive(Debug)]
pub(crate) struct Turn<'h>(Option<SemaphorePermit<'h>>);

impl Heavy {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Semaphore::new(AT_ONCE.max(processors)))
    }

    /// A turn for evidence of this many bytes.
    pub(crate) async fn turn(&self, bytes: usize) -> Turn<'_> {
        if bytes < LARGE {
            return Turn(None);
        }
        // The semaphore is never closed. If it were, nothing would wait.
        Turn(self.0.acquire().await.ok())
    }
}

impl Turn<'_> {
    /// Runs the work. Heavy work must not hold a thread that serves others: this thread leaves the runtime for it,
    /// and another takes its place. The number of turns limits this.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.0.is_some() { block_in_place(work) } else { work() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    /// On a runtime of one thread, small work is done while heavy work goes on.
    #[test]
    fn others_are_served_meanwhile() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("runs");
        let heavy = Arc::new(Heavy::new());
        let (sender, receiver) = mpsc::channel();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let large = runtime.spawn({
            let heavy = Arc::clone(&heavy);
            async move {
                let turn = heavy.turn(LARGE).await;
                turn.run(|| {
                    begin.send(()).expect("heard");
                    receiver.recv_timeout(Duration::from_secs(20))
                })
            }
        });
        let small = runtime.spawn(async move {
            begun.await.expect("begun");
            heavy.turn(LARGE - 1).await.run(|| sender.send(()))
        });
        runtime.block_on(small).expect("ends").expect("the large one still waits");
        assert_eq!(runtime.block_on(large).expect("ends"), Ok(()));
    }

    #[tokio::test]
    async fn few_at_once_and_small_ones_do_not_wait() {
        let heavy = Heavy::new();
        let mut turns = Vec::new();
        while let Some(turn) = heavy.turn(LARGE).now_or_never() {
            turns.push(turn);
        }
        assert!(turns.len() >= AT_ONCE);
        assert!(heavy.turn(LARGE - 1).now_or_never().is_some());
        turns.pop();
        assert!(heavy.turn(LARGE).now_or_never().is_some());
    }
}
