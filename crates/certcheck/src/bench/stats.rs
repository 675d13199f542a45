//! Samples of one kind, and their summary.

use std::time::Duration;

use serde::Serialize;

/// How many columns a histogram has.
const BUCKETS: usize = 32;
/// Columns of a histogram, from few to many.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Times that were measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(Vec<Duration>);

/// A summary of samples, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) min_us: f64,
    pub(crate) p50_us: f64,
    /// `None` of fewer than ten samples.
    pub(crate) p90_us: Option<f64>,
    /// `None` of fewer than a hundred samples.
    pub(crate) p99_us: Option<f64>,
    pub(crate) max_us: f64,
}

impl Samples {
    pub(super) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(super) fn extend(&mut self, samples: impl IntoIterator<Item = Duration>) {
        self.0.extend(samples);
    }

    /// `None` of nothing.
    pub(super) fn summary(&self) -> Option<Summary> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let (min, max) = (sorted.first()?, sorted.last()?);
        let microseconds = |time: &Duration| time.as_secs_f64() * 1e6;
        // The nearest rank: a time that was measured, not one in between.
        let rank = |percent: usize| {
            let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(at).map_or(0.0, microseconds)
        };
        Some(Summary {
            count: sorted.len(),
            min_us: microseconds(min),
            p50_us: rank(50),
            p90_us: (sorted.len() >= 10).then(|| rank(90)),
            p99_us: (sorted.len() >= 100).then(|| rank(99)),
            max_us: microseconds(max),
        })
    }

    /// How many fall into each of some equal parts between the least and the greatest.
    pub(super) fn histogram(&self) -> Vec<usize> {
        let (Some(min), Some(max)) = (self.0.iter().min(), self.0.iter().max()) else { return Vec::new() };
        let width = (*max - *min).as_secs_f64() / BUCKETS as f64;
        let mut counts = vec![0; BUCKETS];
        for sample in &self.0 {
            let at = if width > 0.0 { ((*sample - *min).as_secs_f64() / width) as usize } else { 0 };
            counts[at.min(BUCKETS - 1)] += 1;
        }
        counts
    }
}

/// A histogram in one line, a column for each part. One that is not empty is never drawn as empty.
pub(super) fn bars(counts: &[usize]) -> String {
    let max = counts.iter().max().copied().unwrap_or(0).max(1);
    let steps = BARS.len() - 1;
    counts.iter().map(|count| BARS[(count * steps).div_ceil(max).min(steps)]).collect()
}

/// A time with three digits.
pub(crate) fn shown(microseconds: f64) -> String {
    match microseconds {
        us @ ..10.0 => format!("{us:.2} us"),
        us @ ..100.0 => format!("{us:.1} us"),
        us @ ..1_000.0 => format!("{us:.0} us"),
        us @ ..10_000.0 => format!("{:.2} ms", us / 1e3),
        us @ ..100_000.0 => format!("{:.1} ms", us / 1e3),
        us @ ..1_000_000.0 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_times_that_were_measured() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(), None);
        assert_eq!(samples.histogram(), Vec::<usize>::new());
        samples.extend((1..=100).rev().map(Duration::from_millis));
        let summary = samples.summary().unwrap();
        assert_eq!((summary.count, summary.min_us, summary.max_us), (100, 1e3, 1e5));
        assert_eq!((summary.p50_us, summary.p90_us, summary.p99_us), (5e4, Some(9e4), Some(9.9e4)));
        let counts = samples.histogram();
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (BUCKETS, 100));
        let mut one = Samples::default();
        one.push(Duration::from_millis(7));
        let summary = one.summary().unwrap();
        assert_eq!((summary.p50_us, summary.p90_us, summary.p99_us), (7e3, None, None));
        assert_eq!(one.histogram()[0], 1);
    }

    #[test]
    fn few_are_seen_next_to_many() {
        assert_eq!(bars(&[0, 1, 1_000, 500]), " ▁█▄");
        assert_eq!(bars(&[0, 0]), "  ");
    }

    #[test]
    fn times_have_three_figures() {
        for (us, text) in
            [(0.5, "0.50 us"), (12.34, "12.3 us"), (999.4, "999 us"), (1_234.0, "1.23 ms"), (2.5e6, "2.50 s")]
        {
            assert_eq!(shown(us), text);
        }
    }
}
