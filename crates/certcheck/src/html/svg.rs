//! The parts of drawings: scales, ticks, bars, icons.
//!
//! Drawings are as wide as their place. Across they are measured in shares of the width, so that text keeps its size on
//! a telephone; down, in pixels.

use certcheck_core::Time;
use maud::{Markup, html};

/// How wide a letter of a label is at 360 pixels at the most, in shares of the width.
const LETTER: f64 = 0.028;
const YEAR: f64 = 31_556_952.0;

/// From values to shares of the width, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    bend: fn(f64) -> f64,
}

impl Scale {
    /// Equal steps, equal widths.
    pub(super) fn linear(from: f64, to: f64) -> Self {
        Self::bent(from, to, |value| value)
    }

    /// Seconds before and after an instant: the nearer to it, the wider. Minutes and decades can be told apart on it.
    pub(super) fn around_zero(from: f64, to: f64) -> Self {
        const UNIT: f64 = 600.0;
        Self::bent(from, to, |value| (value.abs() / UNIT).ln_1p().copysign(value))
    }

    /// Any that grows.
    fn bent(from: f64, to: f64, bend: fn(f64) -> f64) -> Self {
        Self { from: bend(from), to: bend(to), bend }
    }

    /// Where a value is; what is off the scale is at its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = ((self.bend)(value) - self.from) / (self.to - self.from);
        // A scale of no length has its values in the middle.
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 }
    }
}

/// A share of the width, as SVG wants it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// A place on an axis with its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) share: f64,
    pub(super) label: String,
}

impl Tick {
    /// From where to where its label reaches, with some room around.
    fn extent(&self) -> (f64, f64) {
        let letters = i64::try_from(self.label.chars().count() + 1).unwrap_or(i64::MAX);
        let wide = float(letters) * LETTER;
        match anchor(self.share) {
            "start" => (self.share, self.share + wide),
            "end" => (self.share - wide, self.share),
            _ => (self.share - wide / 2.0, self.share + wide / 2.0),
        }
    }
}

/// How a label stands so that it stays within the drawing.
pub(super) fn anchor(share: f64) -> &'static str {
    match share {
        ..0.09 => "start",
        0.91.. => "end",
        _ => "middle",
    }
}

/// Round years, or months where there are few, at places of a linear scale over unix seconds.
pub(super) fn calendar_ticks(scale: &Scale, from: Time, to: Time) -> Vec<Tick> {
    let seconds = to.unix().saturating_sub(from.unix());
    let year =
        |time: Time| time.to_string().get(..4).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    let (first, last) = (year(from), year(to));
    let mut instants = Vec::new();
    if float(seconds) < 1.6 * YEAR {
        let months = if float(seconds) < 0.4 * YEAR { 1 } else { 3 };
        for year in first..=last {
            for month in (1..=12).step_by(months) {
                instants
                    .push((format!("{year:04}-{month:02}"), format!("{year:04}-{month:02}-01T00:00:00Z")));
            }
        }
    } else {
        let steps = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000];
        let step = steps.into_iter().find(|step| (last - first) / step <= 4).unwrap_or(5000);
        // On round years, whichever the first is.
        let begin = first - first.rem_euclid(step);
        let mut year = begin;
        while year <= last {
            instants.push((format!("{year:04}"), format!("{year:04}-01-01T00:00:00Z")));
            year += step;
        }
    }
    let within = instants.into_iter().filter_map(|(label, text)| {
        let at = Time::from_rfc3339(&text).filter(|at| (from..=to).contains(at))?;
        Some(Tick { share: scale.share(float(at.unix())), label })
    });
    with_room(within)
}

/// Round spans before and after now, on a scale around zero.
pub(super) fn span_ticks(scale: &Scale, from: f64, to: f64) -> Vec<Tick> {
    // The most useful ones come first, the others where they have room.
    const SPANS: [(f64, &str); 7] = [
        (86_400.0, "1 day"),
        (YEAR, "1 year"),
        (3600.0, "1 hour"),
        (YEAR / 12.0, "1 month"),
        (7.0 * 86_400.0, "1 week"),
        (10.0 * YEAR, "10 years"),
        (100.0 * YEAR, "100 years"),
    ];
    let signed =
        SPANS.iter().flat_map(|(span, label)| [(-span, format!("−{label}")), (*span, format!("+{label}"))]);
    let within = signed.filter(|(span, _)| (from..=to).contains(span));
    with_room(within.map(|(span, label)| Tick { share: scale.share(span), label }))
}

/// Those whose labels have room next to the ones before.
fn with_room(ticks: impl IntoIterator<Item = Tick>) -> Vec<Tick> {
    let mut kept: Vec<Tick> = Vec::new();
    for tick in ticks {
        let (begin, end) = tick.extent();
        let is_free = |other: &Tick| other.extent().1 < begin || end < other.extent().0;
        if kept.iter().all(is_free) {
            kept.push(tick);
        }
    }
    kept
}

/// Seconds and counts as shares are reckoned: exact far beyond what they are here.
#[expect(clippy::cast_precision_loss, reason = "years 0000 to 9999 in seconds are far below 2^53")]
pub(super) const fn float(value: i64) -> f64 {
    value as f64
}

/// A bar that says nothing which the text next to it does not.
pub(super) fn meter(share: f64, class: &str) -> Markup {
    html! {
        svg class={ "meter " (class) } width="100%" height="6" aria-hidden="true" {
            rect class="track" width="100%" height="6" rx="3" {}
            rect class="fill" width=(percent(share.clamp(0.006, 1.0))) height="6" rx="3" {}
        }
    }
}

/// A histogram: a column for each count, in proportion to the greatest. No count above zero is invisible.
pub(super) fn columns(title: &str, counts: &[usize]) -> Markup {
    const HEIGHT: f64 = 56.0;
    const LEAST: f64 = 3.0;
    let whole = |count: usize| i64::try_from(count).map_or(f64::MAX, float);
    let max = whole(counts.iter().copied().max().unwrap_or(0).max(1));
    let wide = 1.0 / whole(counts.len().max(1));
    let drawn = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(at, count)| {
        let height = (HEIGHT * whole(*count) / max).max(LEAST);
        (wide * whole(at), height)
    });
    html! {
        svg.columns role="img" width="100%" height=(HEIGHT) {
            title { (title) }
            rect class="track" y=(HEIGHT - 1.0) width="100%" height="1" {}
            @for (x, height) in drawn {
                rect class="fill" x=(percent(x)) y=(HEIGHT - height) width=(percent(wide * 0.86)) height=(height) {}
            }
        }
    }
}

/// Bars one after another, in shares of the whole.
pub(super) fn stack(title: &str, parts: &[(i64, &'static str)]) -> Markup {
    let all = float(parts.iter().map(|(count, _)| *count).sum::<i64>().max(1));
    let placed = parts.iter().scan(0, |before, (count, class)| {
        let begin = float(*before) / all;
        *before += count;
        Some((begin, float(*count) / all, class))
    });
    html! {
        svg.stack role="img" width="100%" height="14" {
            title { (title) }
            @for (begin, wide, class) in placed.filter(|(_, wide, _)| *wide > 0.0) {
                rect class=(class) x=(percent(begin)) width=(percent(wide.max(0.004))) height="14" {}
            }
        }
    }
}

/// Small drawings that say by shape what a colour says too.
#[derive(Clone, Copy, Debug)]
pub(super) enum Icon {
    Tick,
    Cross,
    Question,
    Anchor,
    Dot,
    Warning,
    Barred,
}

/// One, as large as its text. Screen readers skip it: the words next to it say the same.
pub(super) fn icon(icon: Icon) -> Markup {
    let path = match icon {
        Icon::Tick => "M3 8.5l3.3 3.3L13 4.6",
        Icon::Cross => "M4 4l8 8M12 4l-8 8",
        Icon::Question => "M5.2 5.6a2.8 2.8 0 1 1 4.3 2.4c-1 .7-1.5 1.1-1.5 2.1M8 12.9v.3",
        Icon::Anchor => {
            "M8 5.2v8.4M8 5.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4M5.2 7.6h5.6M2.4 9.6c.4 2.6 2.6 4 5.6 4s5.2-1.4 5.6-4"
        }
        Icon::Dot => "M8 7.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z",
        Icon::Warning => "M8 2.4l6 10.8H2zM8 6.4v3M8 11.2v.2",
        Icon::Barred => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 3.8l8.4 8.4",
    };
    html! {
        svg.icon viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" { path d=(path) {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::from_rfc3339(text).expect("RFC 3339")
    }

    #[test]
    fn values_have_places() {
        let scale = Scale::linear(10.0, 20.0);
        assert_eq!([5.0, 10.0, 15.0, 99.0].map(|value| scale.share(value)), [0.0, 0.0, 0.5, 1.0]);
        assert_eq!(Scale::linear(1.0, 1.0).share(1.0), 0.5);
        let scale = Scale::around_zero(-YEAR, 100.0 * YEAR);
        let places = [-YEAR, -3600.0, 0.0, 3600.0, 86_400.0, YEAR].map(|value| scale.share(value));
        assert!(places.is_sorted() && places.windows(2).all(|pair| pair[1] - pair[0] > 0.05), "{places:?}");
    }

    #[test]
    fn ticks_are_round_and_have_room() {
        for (from, to, labels) in [
            ("2025-01-01T00:00:00Z", "2125-01-01T00:00:00Z", &["2025", "2050", "2075", "2100", "2125"][..]),
            ("2024-03-01T00:00:00Z", "2027-03-01T00:00:00Z", &["2025", "2026", "2027"]),
            ("2026-01-15T00:00:00Z", "2026-04-15T00:00:00Z", &["2026-02", "2026-03", "2026-04"]),
            ("2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z", &[]),
            ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", &["0000", "4000", "6000", "8000"]),
        ] {
            let (from, to) = (time(from), time(to));
            let scale = Scale::linear(float(from.unix()), float(to.unix()));
            let ticks = calendar_ticks(&scale, from, to);
            let reported: Vec<_> = ticks.iter().map(|tick| tick.label.as_str()).collect();
            assert_eq!(reported, labels);
        }
        let scale = Scale::around_zero(-YEAR, YEAR);
        let ticks = span_ticks(&scale, -YEAR, YEAR);
        assert!((2..=4).contains(&ticks.len()), "{ticks:?}");
    }
}
