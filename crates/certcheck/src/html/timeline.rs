//! Times as drawings: one lane for each certificate or piece of evidence, with now marked.
//!
//! The words of a lane are text above its bar, as wide as the page allows; only bars and lines are drawn. So no line crosses
//! a word.

use certcheck_core::Time;
use maud::{Markup, html};

use super::svg::{Scale, Tick, anchor, calendar_ticks, float, percent, span_ticks};
use super::words;
use crate::numbers::span;

/// Further than this from now nothing is drawn to scale: certificates that never expire are valid until 9999.
const HORIZON: i64 = 120 * 31_556_952;
/// Height of the bar of a lane with the lines around it.
const BAR: u32 = 20;
/// Height of the axes above and below.
const AXIS: u32 = 22;
/// Letters of a label; longer ones are cut. The whole name is in another place of the page.
pub(super) const LABEL: usize = 250;

/// A span of time to compare with now.
pub(super) struct Lane {
    /// A name of up to [`LABEL`] letters, and a word.
    pub(super) label: String,
    /// What it means for now, in a few words.
    pub(super) note: String,
    /// `ok`, `off`, `bad` or `unsure`.
    pub(super) class: &'static str,
    pub(super) from: Time,
    /// `None` if there is no end.
    pub(super) until: Option<Time>,
    /// An instant to mark, and what it is.
    pub(super) mark: Option<(Time, String)>,
}

impl Lane {
    /// The validity of a certificate, and how long it still lasts.
    pub(super) fn validity(label: String, from: Time, until: Time, now: Time) -> Self {
        let (class, note) = if now > until {
            ("off", format!("ended {} ago", span(now.unix().saturating_sub(until.unix()))))
        } else if now < from {
            ("off", format!("begins {}", words::from_now(from, now)))
        } else if until == Time::NEVER {
            ("ok", "never expires".to_owned())
        } else {
            ("ok", format!("{} left", span(until.unix().saturating_sub(now.unix()))))
        };
        Self { label, note, class, from, until: Some(until), mark: None }
    }

    /// What the bar shows, in words.
    fn described(&self) -> String {
        let Self { label, note, from, until, mark, .. } = self;
        let until = until.map_or_else(|| "no end".to_owned(), |until| until.to_string());
        let mark = mark.as_ref().map(|(at, what)| format!("; {what} {at}")).unwrap_or_default();
        format!("{label}: {from} to {until}, {note}{mark}")
    }

    fn instants(&self) -> impl Iterator<Item = Time> {
        [Some(self.from), self.until, self.mark.as_ref().map(|(at, _)| *at)].into_iter().flatten()
    }
}

/// Lanes on a calendar: years are as wide as years.
pub(super) fn calendar(title: &str, now: Time, lanes: &[Lane]) -> Markup {
    let (from, to) = extent(now, lanes);
    let scale = Scale::linear(float(from.unix()), float(to.unix()));
    let ticks = calendar_ticks(&scale, from, to);
    draw(title, &|time| scale.share(float(time.unix())), now, &ticks, lanes)
}

/// Lanes around now: the nearer to now, the wider, so that hours and years are both visible.
pub(super) fn around_now(title: &str, now: Time, lanes: &[Lane]) -> Markup {
    let (from, to) = extent(now, lanes);
    let offset = |time: Time| float(time.unix().saturating_sub(now.unix()));
    let scale = Scale::around_zero(offset(from), offset(to));
    let ticks = span_ticks(&scale, offset(from), offset(to));
    draw(title, &|time| scale.share(offset(time)), now, &ticks, lanes)
}

/// From the first instant to the last, with now, and a little room around.
fn extent(now: Time, lanes: &[Lane]) -> (Time, Time) {
    let near = |time: &Time| time.unix().saturating_sub(now.unix()).abs() <= HORIZON;
    let instants = || lanes.iter().flat_map(Lane::instants).filter(near).chain([now]);
    let far = |sign: i64| {
        lanes.iter().flat_map(Lane::instants).any(|time| !near(&time) && (time > now) == (sign > 0))
    };
    let first = instants().min().unwrap_or(now).unix();
    let last = instants().max().unwrap_or(now).unix();
    // A bar that is off the scale reaches over its end.
    let room = (last.saturating_sub(first) / 25).max(3600);
    let beyond = |is_far: bool| if is_far { room.saturating_mul(5) } else { room };
    let first = first.saturating_sub(beyond(far(-1)));
    let last = last.saturating_add(beyond(far(1)));
    (Time::from_unix(first), Time::from_unix(last))
}

fn draw(title: &str, place: &dyn Fn(Time) -> f64, now: Time, ticks: &[Tick], lanes: &[Lane]) -> Markup {
    let at_now = place(now);
    html! {
        div.timeline role="group" aria-label={ (title) ". Now is " (now) "." } {
            svg.axis width="100%" height=(AXIS) aria-hidden="true" {
                text.now x=(percent(at_now)) y=(AXIS - 8) text-anchor=(anchor(at_now)) { "now" }
                line.now x1=(percent(at_now)) x2=(percent(at_now)) y1=(AXIS - 4) y2=(AXIS) {}
            }
            @for lane in lanes {
                div.lane {
                    p.head { span.label { (lane.label) } span.note { (lane.note) } }
                    (bar(lane, at_now, ticks, place))
                }
            }
            svg.axis width="100%" height=(AXIS) aria-hidden="true" {
                @for tick in ticks {
                    line.grid x1=(percent(tick.share)) x2=(percent(tick.share)) y1="0" y2="4" {}
                    text.tick x=(percent(tick.share)) y=(AXIS - 4) text-anchor=(anchor(tick.share)) { (tick.label) }
                }
            }
        }
    }
}

fn bar(lane: &Lane, at_now: f64, ticks: &[Tick], place: &dyn Fn(Time) -> f64) -> Markup {
    let begin = place(lane.from);
    let end = lane.until.map_or(1.0, place);
    // A bar of minutes among decades is visible too.
    let wide = (end - begin).max(0.008);
    let begin = begin.min(1.0 - wide);
    let open = if lane.until.is_none() { " open" } else { "" };
    html! {
        svg.bar role="img" width="100%" height=(BAR) {
            title { (lane.described()) }
            rect.track x="0" y="4" width="100%" height="12" rx="3" {}
            @for tick in ticks {
                line.grid x1=(percent(tick.share)) x2=(percent(tick.share)) y1="0" y2=(BAR) {}
            }
            rect class={ "bar " (lane.class) (open) } x=(percent(begin)) y="4" width=(percent(wide)) height="12" rx="3" {}
            line.now x1=(percent(at_now)) x2=(percent(at_now)) y1="0" y2=(BAR) {}
            @if let Some((at, _)) = &lane.mark {
                circle.mark cx=(percent(place(*at))) cy="10" r="7" {}
                text.mark x=(percent(place(*at))) y="14" text-anchor="middle" { "✕" }
            }
        }
    }
}
