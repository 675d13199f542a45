//! How much before its deadline a check must end, so that its answer is there in time although others end at the same
//! instant: by what checks have cost, and by how late those before it were.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

/// What a timer of the runtime may be late by: its resolution, rounded up, and one more.
const TIMER: Duration = Duration::from_millis(2);
/// How late the first checks may be: nothing is measured yet, and nothing is in the processor's caches.
const FIRST: Duration = Duration::from_millis(50);
/// A check counts for this part of the average.
const AVERAGED: u64 = 8;
/// Lateness is forgotten by this part with each check that was less late.
const FORGOTTEN: u64 = 16;
/// What one check may count for: a stall of the machine, or one expensive chain, is not what others have to expect.
const LONGEST: Duration = Duration::from_millis(250);
const DEAREST: Duration = Duration::from_millis(5);
/// The largest part of its time that a check gives up.
const LARGEST: u32 = 2;

/// Checks that end at once are answered by so many threads.
static THREADS: LazyLock<u64> =
    LazyLock::new(|| available_parallelism().map_or(1, |threads| u64::try_from(threads.get()).unwrap_or(1)));

/// What checks have cost, and how late they were, in nanoseconds.
#[derive(Debug)]
pub(super) struct Pace {
    cost: AtomicU64,
    late: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { cost: AtomicU64::new(0), late: AtomicU64::new(nanoseconds(FIRST)) }
    }
}

impl Pace {
    /// Notes the work of one check, without what it waited.
    pub(super) fn worked(&self, took: Duration) {
        let (took, known) = (nanoseconds(took.min(DEAREST)), self.cost.load(Ordering::Relaxed));
        let cost = if known == 0 { took } else { known - known / AVERAGED + took / AVERAGED };
        self.cost.store(cost, Ordering::Relaxed);
    }

    /// Notes how long after its own end a check was decided that waited. Zero for one that was decided before.
    pub(super) fn late(&self, by: Duration) {
        let (by, known) = (nanoseconds(by.min(LONGEST)), self.late.load(Ordering::Relaxed));
        self.late.store(by.max(known - known / FORGOTTEN), Ordering::Relaxed);
    }

    /// How much before its deadline a check must end while so many wait.
    pub(super) fn margin(&self, waiting: usize, within: Duration) -> Duration {
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        let of_others = self.cost.load(Ordering::Relaxed).saturating_mul(waiting) / *THREADS;
        let known = of_others.saturating_add(self.late.load(Ordering::Relaxed));
        (TIMER + Duration::from_nanos(known)).min(within / LARGEST)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_margin_grows_with_those_that_wait_and_with_lateness() {
        let (pace, within, threads) = (Pace::default(), ms(1_500), u32::try_from(*THREADS).expect("few"));
        assert_eq!(pace.margin(500, within), TIMER + FIRST);
        // That is forgotten soon.
        for _ in 0..400 {
            pace.late(Duration::ZERO);
        }
        let forgotten = pace.margin(0, within) - TIMER;
        assert!(forgotten < ms(1), "{forgotten:?}");
        for _ in 0..3 {
            pace.worked(ms(1));
        }
        assert_eq!(pace.margin(0, within), TIMER + forgotten);
        assert_eq!(pace.margin(500, within), TIMER + forgotten + ms(500) / threads);
        // It leaves half of the time.
        assert_eq!(pace.margin(1_000_000, within), within / 2);
        // Work that costs less or more counts more and more.
        for _ in 0..200 {
            pace.worked(Duration::from_micros(100));
        }
        let margin = pace.margin(500, within);
        assert!(margin < TIMER + forgotten + ms(51) / threads, "{margin:?}");
        pace.late(ms(150));
        pace.late(ms(1));
        assert!(pace.margin(0, within) > ms(130), "{:?}", pace.margin(0, within));
        for _ in 0..400 {
            pace.late(Duration::ZERO);
        }
        assert!(pace.margin(0, within) < TIMER + ms(1), "{:?}", pace.margin(0, within));
        // No number is too large, and one check does not count for much.
        pace.worked(Duration::MAX);
        assert!(pace.margin(10, within) < TIMER + ms(50), "{:?}", pace.margin(10, within));
        pace.late(Duration::MAX);
        assert!(pace.margin(0, within) <= TIMER + LONGEST, "{:?}", pace.margin(0, within));
        assert_eq!(pace.margin(usize::MAX, within), within / 2);
    }
}
