//! Handshakes a second, by the time of their servers, on one thread and on two.

use std::time::Duration;

use crate::measure::{Work, is_measured, median};

/// So much of the server's time a thread and turn.
const TURN: Duration = Duration::from_millis(100);
const TURNS: usize = 15;

/// One thread: how many a second while the server works, by the median, lest who takes the core away counts.
fn alone(once: &(dyn Fn() -> Duration + Sync)) -> f64 {
    let until = if is_measured() { TURN } else { Duration::ZERO };
    let (mut spent, mut each) = (Duration::ZERO, Vec::new());
    while spent <= until {
        let one = once();
        spent += one;
        each.push(one.as_secs_f64());
    }
    1.0 / median(each)
}

/// The best turn of each, which was disturbed least, on one thread and on two: the sum of both, who have a client each.
pub(crate) fn rates(works: &[Work<'_>]) -> Vec<[f64; 2]> {
    let turns = if is_measured() { TURNS } else { 1 };
    let mut best = vec![[0.0_f64; 2]; works.len()];
    for _ in 0..turns {
        for (work, [one, two]) in works.iter().zip(&mut best) {
            *one = one.max(alone(&work.once));
            *two = two.max(std::thread::scope(|scope| {
                let other = scope.spawn(|| alone(&work.once));
                alone(&work.once) + other.join().unwrap()
            }));
        }
    }
    best
}
