//! `certcheck crl`: what a CRL says.

mod diff;
mod facts;
mod listed;
mod read;
mod text;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use certcheck_core::crl::Crl;
use certcheck_core::{KeyRing, Policy, Revocation, Time, signer};

use crate::exit::Exit;
use crate::flags::CrlArguments;
use crate::json::ErrorObject;
use crate::signer::SignatureObject;
use crate::{json, ring_files, setup};

use diff::Diff;
use facts::{CrlObject, Question};

pub(crate) fn run(arguments: &CrlArguments) -> anyhow::Result<Exit> {
    let ring = match arguments.ring.as_slice() {
        [] => None,
        paths => Some(ring_files::load(paths, false)?),
    };
    let mut policy = Policy::client(Revocation::Off);
    policy.signatures.allow_sha1 = arguments.asked.allow_sha1;
    let now = setup::time(arguments.asked.at);
    let mut older = Vec::new();
    if let Some(path) = &arguments.diff {
        for crl in read::crls(path)? {
            older.push(crl.map_err(|fault| anyhow!("{}: {fault}", path.display()))?);
        }
    }
    let mut worst = Exit::Accepted;
    for (index, crl) in read::crls(&arguments.input)?.into_iter().enumerate() {
        let crl = match crl {
            Ok(crl) => crl,
            Err(fault) => {
                let path = arguments.input.display();
                crate::visible::remark(format_args!("{path}: CRL {index}: {fault}"))?;
                if arguments.json {
                    json::print(&ErrorObject::of_part(&arguments.input, index, fault))?;
                }
                worst = worst.max(Exit::Unusable);
                continue;
            }
        };
        let diff = match &arguments.diff {
            Some(path) => {
                let old = older.iter().find(|old| is_older_of(old, &crl));
                let (path, issuer) = (path.display(), crl.issuer());
                let old =
                    old.with_context(|| format!("{path}: holds no CRL of {issuer} of this kind and scope"))?;
                Some(Diff::new(old, &crl)?)
            }
            None => None,
        };
        let question = Question { input: &arguments.input, index, policy: &policy, now };
        let mut reported = CrlObject::new(&crl, &question, arguments.find.as_ref())?;
        reported.diff = diff;
        worst = worst.max(report(reported, &crl, ring.as_ref(), &policy, arguments.json, arguments.limit)?);
    }
    Ok(worst)
}

/// Prints a CRL that was fetched.
pub(crate) fn report_fetched(
    crl: &Crl,
    ring: Option<&KeyRing>,
    policy: &Policy,
    now: Time,
    is_json: bool,
) -> anyhow::Result<Exit> {
    let question = Question { input: Path::new(&**crl.source()), index: 0, policy, now };
    let reported = CrlObject::new(crl, &question, None)?;
    report(reported, crl, ring, policy, is_json, 0)
}

fn report(
    mut reported: CrlObject<'_>,
    crl: &Crl,
    ring: Option<&KeyRing>,
    policy: &Policy,
    is_json: bool,
    limit: usize,
) -> anyhow::Result<Exit> {
    reported.signature = ring.map(|ring| SignatureObject::of(signer::of_crl(crl, ring, policy)));
    let is_bad = reported.signature.as_ref().is_some_and(|signature| !signature.verified);
    if is_json {
        json::print(&reported)?;
    } else {
        text::print(&reported, limit)?;
    }
    Ok(if is_bad { Exit::Rejected } else { Exit::Accepted })
}

/// Whether two CRLs speak of the same certificates, in the same form.
fn is_older_of(old: &Crl, new: &Crl) -> bool {
    old.issuer().matches(new.issuer())
        && old.scope() == new.scope()
        && old.base_number().is_some() == new.base_number().is_some()
}
