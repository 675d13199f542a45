//! Times as drawings: the validity of certificates over years, of evidence around now.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::page::section;
use super::super::timeline::{self, LABEL, Lane};
use super::super::words::{self, short_name};
use crate::json::{Line, Member};
use crate::numbers::span;

pub(super) fn times(line: &Line, level: u8, now: Time) -> Markup {
    let validity: Vec<Lane> = lanes(line, |at, member| validity(at, member, now));
    let evidence: Vec<Lane> = lanes(line, |at, member| evidence(at, member, now));
    html! {
        @if !validity.is_empty() {
            (section(level, "Validity of the certificates",
                &timeline::calendar("Validity of each certificate of the path", now, &validity)))
        }
        @if !evidence.is_empty() {
            (section(level, "Validity of the evidence", &html! {
                p.quiet.small { "From thisUpdate to nextUpdate. The scale is wider near now." }
                (timeline::around_now("Validity of the evidence about each certificate", now, &evidence))
            }))
        }
    }
}

fn lanes(line: &Line, lane: impl Fn(usize, &Member) -> Option<Lane>) -> Vec<Lane> {
    line.path.iter().enumerate().filter_map(|(at, member)| lane(at, member)).collect()
}

fn validity(at: usize, member: &Member, now: Time) -> Option<Lane> {
    let facts = &member.certificate;
    let (from, until) = (Time::from_rfc3339(&facts.not_before)?, Time::from_rfc3339(&facts.not_after)?);
    let label = format!("{at} · {}", short_name(&facts.subject, LABEL));
    let mut lane = Lane::validity(label, from, until, now);
    let revoked = member.revocation.revoked_at.as_deref().and_then(Time::from_rfc3339);
    if let Some(revoked) = revoked {
        lane.class = "bad";
        lane.note = format!("revoked {}", words::from_now(revoked, now));
        lane.mark = Some((revoked, "revoked at".to_owned()));
    }
    Some(lane)
}

fn evidence(at: usize, member: &Member, now: Time) -> Option<Lane> {
    let known = &member.revocation;
    let from = Time::from_rfc3339(known.this_update.as_deref()?)?;
    let until = known.next_update.as_deref().and_then(Time::from_rfc3339);
    let note = match until {
        Some(until) if until < now => {
            format!("stale for {}", span(now.unix().saturating_sub(until.unix())))
        }
        Some(until) => format!("fresh for {}", span(until.unix().saturating_sub(now.unix()))),
        None => "no nextUpdate".to_owned(),
    };
    let kind = if known.basis == Some("ocsp") { "OCSP" } else { "CRL" };
    let revoked = known.revoked_at.as_deref().and_then(Time::from_rfc3339);
    let class = match (revoked, until) {
        (Some(_), _) => "bad",
        (None, Some(until)) if until < now => "off",
        _ => "ok",
    };
    Some(Lane {
        label: format!("{at} · {kind} for {}", short_name(&member.certificate.subject, LABEL)),
        note,
        class,
        from,
        until,
        mark: revoked.map(|at| (at, "revoked at".to_owned())),
    })
}
