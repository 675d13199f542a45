//! What an OCSP response says, for people.

use std::io::{self, Write};

use super::facts::{AnswerObject, OcspObject, ResponderObject, SentObject};
use super::subject::CheckObject;
use crate::signer;
use crate::text::{BAD, GOOD, QUIET, UNSURE};
use crate::visible::Visible;

/// A paragraph.
pub(super) fn print(response: &OcspObject) -> io::Result<()> {
    let mut out = crate::output::text();
    let style = if response.response_status == "successful" { GOOD } else { UNSURE };
    writeln!(out, "{style}{}{style:#}: {}", response.response_status, Visible(&response.input))?;
    if let Some(ResponderObject { name, key_hash }) = &response.responder {
        let produced_at = response.produced_at.as_deref().unwrap_or_default();
        let responder = match (name, key_hash) {
            (Some(name), _) => name.clone(),
            (None, hash) => format!("the key of hash {}", hash.as_deref().unwrap_or_default()),
        };
        writeln!(out, "  by {responder}, produced {produced_at}")?;
    }
    if let Some(algorithm) = &response.signature_algorithm {
        let nonce = response.nonce.as_ref().map_or_else(String::new, |nonce| format!(", nonce {nonce}"));
        writeln!(out, "  {}{nonce}", algorithm.shown())?;
    }
    response.answers.iter().try_for_each(|answer| print_answer(&mut out, answer))?;
    response.certificates.iter().try_for_each(|sent| print_sent(&mut out, sent))?;
    if let Some(signature) = &response.signature {
        signature.print(&mut out)?;
    }
    response.check.as_ref().map_or(Ok(()), |check| print_check(&mut out, check))
}

fn print_answer(out: &mut impl Write, answer: &AnswerObject) -> io::Result<()> {
    let style = match answer.status {
        "good" => GOOD,
        "revoked" => BAD,
        _ => UNSURE,
    };
    write!(out, "  {} {style}{}{style:#}", answer.serial, answer.status)?;
    if let (Some(at), Some(reason)) = (&answer.revoked_at, &answer.revocation_reason) {
        write!(out, " {at}, {reason}")?;
    }
    if let Some(since) = &answer.invalid_since {
        write!(out, ", invalid since {since}")?;
    }
    let (style, word) = signer::currency(answer.cause);
    let next = answer.next_update.as_deref().unwrap_or("not told");
    writeln!(out)?;
    writeln!(out, "    this update {}, next update {next}: {style}{word}{style:#}", answer.this_update)?;
    if let Some(cutoff) = &answer.archive_cutoff {
        writeln!(out, "    keeps what expired since {cutoff}")?;
    }
    let AnswerObject { hash_algorithm, issuer_name_hash, issuer_key_hash, .. } = answer;
    writeln!(out, "    {QUIET}issuer by {hash_algorithm}: name {issuer_name_hash}{QUIET:#}")?;
    writeln!(out, "    {QUIET}issuer by {hash_algorithm}: key {issuer_key_hash}{QUIET:#}")
}

fn print_sent(out: &mut impl Write, sent: &SentObject) -> io::Result<()> {
    if let Some(message) = &sent.message {
        writeln!(out, "  sent along: {BAD}{message}{BAD:#}")?;
    }
    let Some(certificate) = &sent.certificate else { return Ok(()) };
    let signing = if sent.ocsp_signing { ", OCSPSigning" } else { "" };
    let nocheck = if sent.nocheck { ", ocsp-nocheck" } else { "" };
    let (from, until) = (&certificate.not_before, &certificate.not_after);
    writeln!(
        out,
        "  sent along: {}  {QUIET}{from} to {until}{signing}{nocheck}{QUIET:#}",
        certificate.subject
    )
}

fn print_check(out: &mut impl Write, check: &CheckObject) -> io::Result<()> {
    let (style, word) = match check.verdict {
        "accept" => (GOOD, "accepted"),
        "reject" => (BAD, "rejected"),
        _ => (UNSURE, "undetermined"),
    };
    write!(out, "  {style}{word}{style:#}: {}", Visible(&check.input))?;
    match &check.reason {
        Some(reason) => writeln!(out, ": {}: {}", reason.code, reason.message),
        None => writeln!(out),
    }
}
