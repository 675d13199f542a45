//! `certcheck ring`: what is in a ring.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use certcheck_core::key_ring::{RingCertificate, Role};
use certcheck_core::reason::Reason;
use certcheck_core::report::PathRole;
use certcheck_core::{Check, KeyRing, Policy, Purpose, Revocation, Time, VerifiedIssuers};
use pki_types::CertificateDer;
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::RingArguments;
use crate::json::{CertificateObject, Document};
use crate::numbers::counted;
use crate::visible::Visible;
use crate::{html, json, ring_files, setup};

const SECONDS_A_DAY: i64 = 86_400;

/// All that is reported of a ring.
#[derive(Serialize)]
pub(crate) struct Survey {
    at: String,
    pub(crate) anchors: usize,
    pub(crate) intermediates: usize,
    pub(crate) distrusted: usize,
    pub(crate) certificates: Vec<Entry>,
    /// Files that could not be parsed and were skipped.
    pub(crate) skipped: Vec<Skipped>,
}

impl Document for Survey {
    const TYPE: &'static str = "ring";
}

/// A part of the ring that could not be parsed.
#[derive(Serialize)]
pub(crate) struct Skipped {
    pub(crate) source: String,
    pub(crate) message: String,
}

/// The facts about a certificate of the ring.
#[derive(Serialize)]
pub(crate) struct Entry {
    pub(crate) role: &'static str,
    pub(crate) source: String,
    pub(crate) certificate: CertificateObject,
    self_signed: bool,
    /// Subjects from the issuer up to an anchor; `null` where there is none.
    pub(crate) chains_to: Option<Vec<String>>,
    /// Which certificate is the first of them: names are not unique, cross-certificates share theirs.
    pub(crate) issuer_sha256: Option<String>,
    /// Stable codes of what is weak or amiss.
    pub(crate) notes: Vec<Note>,
}

/// What is worth telling of one.
#[derive(Serialize)]
pub(crate) struct Note {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) fn run(arguments: &RingArguments) -> anyhow::Result<Exit> {
    let page = arguments.report.as_deref().map(html::ring::create).transpose()?;
    let ring = ring_files::load(&arguments.ring, arguments.ring_skip_unreadable)?;
    let now = setup::time(arguments.at);
    let survey = survey(&ring, now, arguments.expires_within);
    if arguments.json {
        json::print(&survey)?;
    } else {
        print_text(&survey)?;
    }
    if let Some(finish) = page {
        finish(&survey, now)?;
    }
    Ok(Exit::Accepted)
}

fn survey(ring: &KeyRing, now: Time, days: u32) -> Survey {
    let policy = lenient();
    let issuers = VerifiedIssuers::new();
    let certificates = ring.certificates();
    let count = |role| certificates.iter().filter(|entry| entry.role() == role).count();
    Survey {
        at: now.to_string(),
        anchors: count(Role::Anchor),
        intermediates: count(Role::Intermediate),
        distrusted: count(Role::Distrusted),
        certificates: certificates
            .iter()
            .map(|entry| survey_one(entry, ring, &policy, now, days, &issuers))
            .collect(),
        skipped: ring
            .skipped()
            .iter()
            .map(|error| Skipped { source: error.source.clone(), message: error.fault.to_string() })
            .collect(),
    }
}

/// A policy that accepts weak keys and signatures: a survey reports them.
fn lenient() -> Policy {
    let mut policy = Policy::client(Revocation::Off).with_purpose(Purpose::Any);
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;
    policy.signatures.min_ec_bits = 160;
    policy
}

fn survey_one(
    entry: &RingCertificate,
    ring: &KeyRing,
    policy: &Policy,
    now: Time,
    days: u32,
    issuers: &VerifiedIssuers,
) -> Entry {
    let certificate = entry.certificate();
    let mut notes = Vec::new();
    let mut issuer_sha256 = None;
    let chains_to = match entry.role() {
        Role::Intermediate => {
            let chain = [CertificateDer::from(certificate.der())];
            let report = Check::new(&chain, ring, policy, now).with_verified_issuers(issuers).run();
            if let Some(rejection) = &report.reason {
                let reason = &rejection.reason;
                notes.push(Note { code: reason.code(), message: reason.to_string() });
            }
            let above = || report.path.iter().filter(|member| member.role != PathRole::Leaf);
            if report.is_accepted() {
                issuer_sha256 = above().next().map(|issuer| json::fingerprint(&issuer.certificate));
            }
            report
                .is_accepted()
                .then(|| above().map(|member| member.certificate.subject().to_string()).collect())
        }
        _ => None,
    };
    if let Some(reason) = entry.unverifiable(policy) {
        notes.retain(|note| note.code != Reason::UnknownIssuer.code());
        let message =
            format!("{reason}, so whether it is self-signed is unknown; move it to anchors/ to trust it");
        notes.push(Note { code: reason.code(), message });
    }
    if entry.is_promoted() {
        let message = format!(
            "treated as an anchor although it is not self-signed, because its issuer is not in the ring: {}; move it to anchors/ if that is intended",
            certificate.issuer()
        );
        notes.push(Note { code: "promoted", message });
    } else if entry.role() == Role::Anchor && !entry.is_self_signed() {
        notes.push(Note { code: "partial", message: "an anchor that is not self-signed".to_owned() });
    }
    notes.extend(
        validity_note(entry, now, days).filter(|note| notes.iter().all(|known| known.code != note.code)),
    );
    notes.extend(weakness(entry));
    Entry {
        role: entry.role().code(),
        source: entry.source().to_owned(),
        certificate: CertificateObject::of(&certificate),
        self_signed: entry.is_self_signed(),
        chains_to,
        issuer_sha256,
        notes,
    }
}

/// Whether it has expired, is not valid yet, or expires within so many days.
pub(crate) fn validity_note(entry: &RingCertificate, now: Time, days: u32) -> Option<Note> {
    let certificate = entry.certificate();
    let (from, until) = (certificate.not_before(), certificate.not_after());
    let horizon = Time::from_unix(now.unix().saturating_add(i64::from(days) * SECONDS_A_DAY));
    if now > until {
        Some(Note { code: "expired", message: format!("expired at {until}") })
    } else if now < from {
        Some(Note { code: "not-yet-valid", message: format!("valid from {from}") })
    } else if horizon > until {
        let left = (until.unix() - now.unix()) / SECONDS_A_DAY;
        Some(Note { code: "expires-soon", message: format!("expires in {left} days, at {until}") })
    } else {
        None
    }
}

/// What a check would refuse by default.
fn weakness(entry: &RingCertificate) -> Option<Note> {
    let policy = Policy::client(Revocation::Off);
    let reason = entry.weakness(&policy)?;
    Some(Note { code: reason.code(), message: reason.to_string() })
}

fn print_text(survey: &Survey) -> io::Result<()> {
    const NOTED: Style = AnsiColor::Yellow.on_default();
    const QUIET: Style = Style::new().dimmed();
    let mut out = crate::output::text();
    let Survey { anchors, intermediates, distrusted, at, .. } = survey;
    let (anchors, intermediates) = (counted(*anchors, "anchor"), counted(*intermediates, "intermediate"));
    writeln!(out, "{anchors}, {intermediates}, {distrusted} distrusted, at {at}")?;
    for role in ["anchor", "intermediate", "distrusted"] {
        for entry in survey.certificates.iter().filter(|entry| entry.role == role) {
            entry.print(&mut out, NOTED, QUIET)?;
        }
    }
    for Skipped { source, message } in &survey.skipped {
        writeln!(out, "{:<12} {}\n  {NOTED}{message}{NOTED:#}", "left out", Visible(source))?;
    }
    Ok(())
}

impl Entry {
    fn print(&self, out: &mut impl Write, noted: Style, quiet: Style) -> io::Result<()> {
        writeln!(out, "{:<12} {}", self.role, self.certificate.subject)?;
        writeln!(out, "  {quiet}{}, until {}{quiet:#}", Visible(&self.source), self.certificate.not_after)?;
        if let Some(above) = &self.chains_to {
            writeln!(out, "  chains to {}", above.join(" <- "))?;
        }
        for note in &self.notes {
            writeln!(out, "  {noted}{}: {}{noted:#}", note.code, note.message)?;
        }
        Ok(())
    }
}
