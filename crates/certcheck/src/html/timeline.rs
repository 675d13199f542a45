//! Times as drawings: one lane for each certificate or piece of evidence, with now marked.

use certcheck_core::Time;
use maud::{Markup, html};

use super::svg::{Scale, Tick, anchor, calendar_ticks, float, percent, span_ticks};
use super::words;

/// Further than this from now nothing is drawn to scale: certificates that never expire are valid until 9999.
const HORIZON: i64 = 120 * 31_556_952;
const TOP: u32 = 24;
const LANE: u32 = 44;
const FOOT: u32 = 24;
/// How wide a label may be, in letters, and stay beside its note at 360 pixels.
pub(super) const LABEL: usize = 20;

/// A span of time that someone wants to compare with now.
pub(super) struct Lane {
    /// Short: [`LABEL`] letters, and a word.
    pub(super) label: String,
    /// At the right, short as well.
    pub(super) note: String,
    /// `ok`, `off`, `bad` or `unsure`.
    pub(super) class: &'static str,
    pub(super) from: Time,
    /// `None` where nobody says until when.
    pub(super) until: Option<Time>,
    /// An instant to mark, and what it is.
    pub(super) mark: Option<(Time, String)>,
}

impl Lane {
    /// A certificate's validity, and how long it still lasts.
    pub(super) fn validity(label: String, from: Time, until: Time, now: Time) -> Self {
        let (class, note) = if now > until {
            ("off", format!("ended {} ago", words::span(now.unix().saturating_sub(until.unix()))))
        } else if now < from {
            ("off", format!("begins {}", words::from_now(from, now)))
        } else if until == Time::NEVER {
            ("ok", "never expires".to_owned())
        } else {
            ("ok", format!("{} left", words::span(until.unix().saturating_sub(now.unix()))))
        };
        Self { label, note, class, from, until: Some(until), mark: None }
    }

    /// What the drawing says, for who does not see it and for who points at it.
    fn reported(&self) -> String {
        let Self { label, note, from, until, mark, .. } = self;
        let until = until.map_or_else(|| "no end named".to_owned(), |until| until.to_string());
        let mark = mark.as_ref().map(|(at, what)| format!("; {what} {at}")).unwrap_or_default();
        format!("{label}: {from} to {until}, {note}{mark}")
    }

    fn instants(&self) -> impl Iterator<Item = Time> {
        [Some(self.from), self.until, self.mark.as_ref().map(|(at, _)| *at)].into_iter().flatten()
    }
}

/// Lanes on a calendar: years are as wide as years.
pub(super) fn calendar(id: &str, title: &str, now: Time, lanes: &[Lane]) -> Markup {
    let (from, to) = extent(now, lanes);
    let scale = Scale::linear(float(from.unix()), float(to.unix()));
    let ticks = calendar_ticks(&scale, from, to);
    draw(id, title, &|time| scale.share(float(time.unix())), now, &ticks, lanes)
}

/// Lanes around now: the nearer to now, the wider, so that hours and years can be read beside each other.
pub(super) fn around_now(id: &str, title: &str, now: Time, lanes: &[Lane]) -> Markup {
    let (from, to) = extent(now, lanes);
    let offset = |time: Time| float(time.unix().saturating_sub(now.unix()));
    let scale = Scale::around_zero(offset(from), offset(to));
    let ticks = span_ticks(&scale, offset(from), offset(to));
    draw(id, title, &|time| scale.share(offset(time)), now, &ticks, lanes)
}

/// From the first instant to the last, now among them, with a little room around.
fn extent(now: Time, lanes: &[Lane]) -> (Time, Time) {
    let near = |time: &Time| time.unix().saturating_sub(now.unix()).abs() <= HORIZON;
    let instants = || lanes.iter().flat_map(Lane::instants).filter(near).chain([now]);
    let far = |sign: i64| {
        lanes.iter().flat_map(Lane::instants).any(|time| !near(&time) && (time > now) == (sign > 0))
    };
    let first = instants().min().unwrap_or(now).unix();
    let last = instants().max().unwrap_or(now).unix();
    // What is off the scale reaches over its end.
    let room = (last.saturating_sub(first) / 25).max(3600);
    let beyond = |is_far: bool| if is_far { room.saturating_mul(5) } else { room };
    let first = first.saturating_sub(beyond(far(-1)));
    let last = last.saturating_add(beyond(far(1)));
    (Time::from_unix(first), Time::from_unix(last))
}

fn draw(
    id: &str,
    title: &str,
    place: &dyn Fn(Time) -> f64,
    now: Time,
    ticks: &[Tick],
    lanes: &[Lane],
) -> Markup {
    let count = u32::try_from(lanes.len()).unwrap_or(0);
    let bottom = TOP + count * LANE;
    let at_now = place(now);
    html! {
        svg.timeline role="img" width="100%" height=(bottom + FOOT) aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } {
                "Now is " (now) ". " @for lane in lanes { (lane.reported()) ". " }
            }
            @for tick in ticks {
                line.grid x1=(percent(tick.share)) x2=(percent(tick.share)) y1=(TOP) y2=(bottom + 4) {}
                text.tick x=(percent(tick.share)) y=(bottom + 18) text-anchor=(anchor(tick.share)) { (tick.label) }
            }
            @for (lane, row) in lanes.iter().zip(0..) { (bar(lane, TOP + row * LANE, place)) }
            line.now x1=(percent(at_now)) x2=(percent(at_now)) y1=(TOP - 6) y2=(bottom + 4) {}
            text.now x=(percent(at_now)) y=(TOP - 11) text-anchor=(anchor(at_now)) { "now" }
            @for (lane, row) in lanes.iter().zip(0..) {
                text.label x="0" y=(TOP + row * LANE + 14) { (lane.label) }
                text.note x="100%" y=(TOP + row * LANE + 14) text-anchor="end" { (lane.note) }
            }
        }
    }
}

/// The lane without its words, which stand above all lines.
fn bar(lane: &Lane, top: u32, place: &dyn Fn(Time) -> f64) -> Markup {
    let begin = place(lane.from);
    let end = lane.until.map_or(1.0, place);
    // What lasts minutes among decades is seen too.
    let wide = (end - begin).max(0.008);
    let begin = begin.min(1.0 - wide);
    let open = if lane.until.is_none() { " open" } else { "" };
    html! {
        g {
            title { (lane.reported()) }
            rect.track x="0" y=(top + 21) width="100%" height="12" rx="3" {}
            rect class={ "bar " (lane.class) (open) } x=(percent(begin)) y=(top + 21) width=(percent(wide)) height="12" rx="3" {}
            @if let Some((at, _)) = &lane.mark {
                circle.mark cx=(percent(place(*at))) cy=(top + 27) r="7" {}
                text.mark x=(percent(place(*at))) y=(top + 31) text-anchor="middle" { "✕" }
            }
        }
    }
}
