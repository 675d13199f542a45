//! What is valid until when: certificates over years, evidence around now.

use certcheck_core::Time;
use maud::{Markup, html};

use super::super::page::section;
use super::super::timeline::{self, LABEL, Lane};
use super::super::words::{self, short_name};
use crate::json::{Line, Member};

pub(super) fn times(line: &Line, id: &str, level: u8, now: Time) -> Markup {
    let validity: Vec<Lane> = lanes(line, |at, member| validity(at, member, now));
    let evidence: Vec<Lane> = lanes(line, |at, member| evidence(at, member, now));
    html! {
        @if !validity.is_empty() {
            (section(level, "How long the certificates are valid",
                &timeline::calendar(&format!("{id}-v"), "Validity of each certificate of the path", now, &validity)))
        }
        @if !evidence.is_empty() {
            (section(level, "How fresh the evidence is", &html! {
                p.quiet.small { "From thisUpdate to nextUpdate. The nearer to now, the wider the scale." }
                (timeline::around_now(&format!("{id}-e"), "Validity of the evidence about each certificate", now, &evidence))
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
    let label = format!("{at} {}", short_name(&facts.subject, LABEL));
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
            format!("stale for {}", words::span(now.unix().saturating_sub(until.unix())))
        }
        Some(until) => format!("fresh for {}", words::span(until.unix().saturating_sub(now.unix()))),
        None => "no next one named".to_owned(),
    };
    let kind = if known.basis == Some("ocsp") { "OCSP" } else { "CRL" };
    let revoked = known.revoked_at.as_deref().and_then(Time::from_rfc3339);
    let class = match (revoked, until) {
        (Some(_), _) => "bad",
        (None, Some(until)) if until < now => "off",
        _ => "ok",
    };
    Some(Lane {
        label: format!("{at} {kind}: {}", short_name(&member.certificate.subject, LABEL - 5)),
        note,
        class,
        from,
        until,
        mark: revoked.map(|at| (at, "revoked at".to_owned())),
    })
}
