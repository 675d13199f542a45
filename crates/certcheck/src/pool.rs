//! Work on many things at once, and the results in the order of the things.

use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::poll_fn;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

/// How far the fastest may be ahead of what has been taken: so much is kept in memory, however much there is to do.
const AHEAD: usize = 2_048;

/// Does `work` to everything there is on so many threads, and hands each result to `take`, in order, with whether the
/// next is there already. An error of `take` ends it.
///
/// # Errors
/// Those of `take`, and of the system where it has no threads.
///
/// # Panics
/// If anything of this does: all threads end first.
pub(crate) fn in_order<I, T>(
    things: I,
    threads: usize,
    work: impl Fn(I::Item) -> T + Send + Sync + 'static,
    mut take: impl FnMut(T, bool) -> anyhow::Result<()>,
) -> anyhow::Result<()>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
    T: Send + 'static,
{
    let threads = threads.max(1);
    // One more, which waits for what there is to do.
    let runtime = Builder::new_current_thread().max_blocking_threads(threads + 1).build()?;
    let (sender, mut receiver) = mpsc::channel(threads);
    let supply = runtime.spawn_blocking(move || {
        for thing in things {
            if sender.blocking_send(thing).is_err() {
                break;
            }
        }
    });
    let work = Arc::new(work);
    runtime.block_on(async {
        let begin = |thing| {
            let work = Arc::clone(&work);
            spawn_blocking(move || work(thing))
        };
        let mut results = pin!(poll_fn(|context| receiver.poll_recv(context)).map(begin).buffered(AHEAD));
        let mut first = results.next().await;
        while let Some(result) = first {
            let next = results.next().now_or_never();
            take(finished(result), matches!(next, Some(Some(_))))?;
            first = match next {
                Some(next) => next,
                None => results.next().await,
            };
        }
        finished(supply.await);
        Ok(())
    })
}

/// What a thread made, or its panic.
fn finished<T>(result: Result<T, JoinError>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::{anyhow, bail};

    use super::*;

    #[test]
    fn results_come_in_order_whatever_takes_longest() {
        for (count, threads) in [(0, 3), (1, 1), (7, 4), (5_000, 3), (10_000, 1)] {
            let mut taken = Vec::new();
            let work = |n: u64| {
                if n.is_multiple_of(997) {
                    thread::sleep(Duration::from_millis(2));
                }
                n * 2
            };
            in_order(0..count, threads, work, |n, _| {
                taken.push(n);
                Ok(())
            })
            .expect("all is taken");
            assert_eq!(taken, (0..count).map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_things_are_done_side_by_side() {
        let (begun, patience) = (AtomicUsize::new(0), Duration::from_secs(20));
        let meets = move |_: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            let since = Instant::now();
            let all = || begun.load(Ordering::SeqCst) == 4;
            while !all() && since.elapsed() < patience {
                thread::sleep(Duration::from_millis(1));
            }
            all()
        };
        in_order(0..4, 4, meets, |met, _| if met { Ok(()) } else { bail!("one waited for another") })
            .expect("side by side");
    }

    #[test]
    fn nothing_is_begun_far_ahead_of_what_is_taken() {
        let begun = Arc::new(AtomicU64::new(0));
        let mut taken = 0;
        let work = {
            let begun = Arc::clone(&begun);
            move |_: u64| begun.fetch_add(1, Ordering::SeqCst)
        };
        in_order(0..20_000, 4, work, |_, _| {
            taken += 1;
            let ahead = begun.load(Ordering::SeqCst) - taken;
            if ahead <= AHEAD as u64 { Ok(()) } else { bail!("{ahead}") }
        })
        .expect("never far ahead");
    }

    /// Who names things slowly sees the result of each before the next is named.
    #[test]
    fn a_result_does_not_wait_for_the_next_thing() {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        sender.send(0).expect("room");
        let mut sender = Some(sender);
        let mut taken = Vec::new();
        in_order(
            receiver.into_iter(),
            2,
            |n: u64| n,
            |n, has_next| {
                taken.push((n, has_next));
                match sender.as_ref().filter(|_| n < 3) {
                    Some(sender) => sender.send(n + 1)?,
                    None => sender = None,
                }
                Ok(())
            },
        )
        .expect("all is taken");
        assert_eq!(taken, [(0, false), (1, false), (2, false), (3, false)]);
    }

    #[test]
    fn a_panic_ends_all_of_it() {
        let on = |culprit: &'static str| {
            move || {
                let supply = (0..20_000).inspect(move |n| assert!(culprit != "supply" || *n < 5_000));
                let work = move |n: u64| {
                    assert!(culprit != "work" || n != 5);
                    n
                };
                let _never = in_order(supply, 4, work, |n, _| {
                    assert!(culprit != "take" || n < 300);
                    Ok(())
                });
            }
        };
        for culprit in ["supply", "work", "take"] {
            assert!(std::panic::catch_unwind(on(culprit)).is_err(), "{culprit}");
        }
    }

    #[test]
    fn who_takes_may_end_it() {
        let outcome = in_order(0.., 3, |n: u64| n, |n, _| if n < 100 { Ok(()) } else { Err(anyhow!("{n}")) });
        assert_eq!(outcome.expect_err("ended").to_string(), "100");
    }
}
