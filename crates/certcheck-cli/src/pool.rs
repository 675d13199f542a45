//! Work on many things at once, and what comes of it in the order in which they came.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How far the fastest may be ahead of what has been taken: so much is kept in memory, however much there is to do.
const WINDOW: u64 = 2_048;
/// A thread takes so many at a time at most: things are small, and a lock is not free.
const HANDFUL: usize = 16;
/// Whoever needs longer than this to get and do what it took takes less the next time: what waits, for a network say, waits side by
/// side and not one behind the other.
const LONG: Duration = Duration::from_millis(5);

/// What there is to do.
struct Supply<I> {
    things: I,
    next: u64,
}

/// What has been done.
struct Done<T> {
    ready: BTreeMap<u64, T>,
    taken: u64,
    workers: usize,
    is_over: bool,
}

struct Shared<I, T> {
    supply: Mutex<Supply<I>>,
    done: Mutex<Done<T>>,
    has_room: Condvar,
    has_come: Condvar,
}

/// Does `work` to everything there is on so many threads, and hands what comes of each to `take`, in order, with
/// whether the next is there already. An error of `take` ends it.
///
/// # Panics
/// If anything of this does: all threads end first.
pub(crate) fn in_order<I, T, E>(
    things: I,
    threads: usize,
    work: impl Fn(I::Item) -> T + Sync,
    mut take: impl FnMut(T, bool) -> Result<(), E>,
) -> Result<(), E>
where
    I: Iterator + Send,
    I::Item: Send,
    T: Send,
{
    let threads = threads.max(1);
    let shared = Shared {
        supply: Mutex::new(Supply { things, next: 0 }),
        done: Mutex::new(Done { ready: BTreeMap::new(), taken: 0, workers: threads, is_over: false }),
        has_room: Condvar::new(),
        has_come: Condvar::new(),
    };
    thread::scope(|scope| {
        // However this ends, nobody is left waiting.
        let _ending = Ending(&shared);
        for _ in 0..threads {
            scope.spawn(|| {
                let _leaving = Leaving(&shared);
                let (mut most, mut begun) = (1, Instant::now());
                while let Some(handful) = shared.handful(most) {
                    let results: Vec<_> =
                        handful.into_iter().map(|(number, thing)| (number, work(thing))).collect();
                    let is_long = begun.elapsed() >= LONG;
                    most = if is_long { 1 } else { (most * 2).min(HANDFUL) };
                    begun = Instant::now();
                    let mut done = lock(&shared.done);
                    done.ready.extend(results);
                    // Who takes waits for the first of them alone.
                    let is_awaited = done.ready.contains_key(&done.taken);
                    drop(done);
                    if is_awaited {
                        shared.has_come.notify_one();
                    }
                }
            });
        }
        while let Some((result, has_next)) = shared.first() {
            take(result, has_next)?;
        }
        Ok(())
    })
}

impl<I: Iterator, T> Shared<I, T> {
    /// The next things to do, at most so many, with their numbers. `None` at the end.
    fn handful(&self, most: usize) -> Option<Vec<(u64, I::Item)>> {
        let mut supply = lock(&self.supply);
        {
            let mut done = lock(&self.done);
            while supply.next >= done.taken + WINDOW && !done.is_over {
                done = self.has_room.wait(done).unwrap_or_else(PoisonError::into_inner);
            }
            if done.is_over {
                return None;
            }
        }
        let things: Vec<_> = supply.things.by_ref().take(most).collect();
        let first = supply.next;
        supply.next += things.len() as u64;
        if things.is_empty() { None } else { Some((first..).zip(things).collect()) }
    }

    /// What is next in order, waited for, and whether what follows is there. `None` once all is done.
    fn first(&self) -> Option<(T, bool)> {
        let mut done = lock(&self.done);
        loop {
            let next = done.taken;
            if let Some(result) = done.ready.remove(&next) {
                done.taken += 1;
                let has_next = done.ready.contains_key(&done.taken);
                let makes_room = done.taken.is_multiple_of(HANDFUL as u64);
                drop(done);
                if makes_room {
                    self.has_room.notify_all();
                }
                return Some((result, has_next));
            }
            if done.workers == 0 || done.is_over {
                return None;
            }
            done = self.has_come.wait(done).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that a thread is gone. If it panicked, what it had taken will never come, and all is over.
struct Leaving<'s, I, T>(&'s Shared<I, T>);

impl<I, T> Drop for Leaving<'_, I, T> {
    fn drop(&mut self) {
        let mut done = lock(&self.0.done);
        done.workers -= 1;
        done.is_over |= thread::panicking();
        drop(done);
        self.0.has_room.notify_all();
        self.0.has_come.notify_one();
    }
}

/// Says that nothing is taken any more.
struct Ending<'s, I, T>(&'s Shared<I, T>);

impl<I, T> Drop for Ending<'_, I, T> {
    fn drop(&mut self) {
        lock(&self.0.done).is_over = true;
        self.0.has_room.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_comes_in_order_whatever_takes_longest() {
        for (count, threads) in [(0, 3), (1, 1), (7, 4), (5_000, 3), (10_000, 1)] {
            let mut taken = Vec::new();
            let work = |n: u64| {
                if n.is_multiple_of(997) {
                    thread::sleep(Duration::from_millis(2));
                }
                n * 2
            };
            let outcome = in_order(0..count, threads, work, |n, _| {
                taken.push(n);
                Ok::<_, ()>(())
            });
            assert_eq!(outcome, Ok(()));
            assert_eq!(taken, (0..count).map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_things_are_done_side_by_side() {
        let (begun, patience) = (std::sync::atomic::AtomicUsize::new(0), Duration::from_secs(20));
        let meets = |_: usize| {
            begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let since = Instant::now();
            let all = || begun.load(std::sync::atomic::Ordering::SeqCst) == 4;
            while !all() && since.elapsed() < patience {
                thread::sleep(Duration::from_millis(1));
            }
            all()
        };
        let outcome =
            in_order(0..4, 4, meets, |met, _| if met { Ok(()) } else { Err("one waited for another") });
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn nothing_is_begun_far_ahead_of_what_is_taken() {
        let begun = std::sync::atomic::AtomicU64::new(0);
        let mut taken = 0;
        let work = |_: u64| begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let outcome = in_order(0..20_000, 4, work, |_, _| {
            taken += 1;
            let ahead = begun.load(std::sync::atomic::Ordering::SeqCst) - taken;
            if ahead <= WINDOW + 4 * HANDFUL as u64 { Ok(()) } else { Err(ahead) }
        });
        assert_eq!(outcome, Ok(()));
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
                    Ok::<_, ()>(())
                });
            }
        };
        for culprit in ["supply", "work", "take"] {
            assert!(std::panic::catch_unwind(on(culprit)).is_err(), "{culprit}");
        }
    }

    #[test]
    fn who_takes_may_end_it() {
        let outcome = in_order(0.., 3, |n: u64| n, |n, _| if n < 100 { Ok(()) } else { Err(n) });
        assert_eq!(outcome, Err(100));
    }
}
