//! `certcheck ocsp`: what an OCSP response says.

mod facts;
mod subject;
mod text;

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use certcheck_core::policy::RevocationScope;
use certcheck_core::revocation::OcspEvidence;
use certcheck_core::{KeyRing, Policy, Purpose, Revocation, Time, signer};

use crate::exit::Exit;
use crate::flags::OcspArguments;
use crate::json::ErrorObject;
use crate::signer::SignatureObject;
use crate::{input, json, ring_files, setup};

use facts::{OcspObject, Question};
use subject::Subject;

pub(crate) fn run(arguments: &OcspArguments) -> anyhow::Result<Exit> {
    let ring = match arguments.ring.as_slice() {
        [] => None,
        paths => Some(ring_files::load(paths, false)?),
    };
    let source = arguments.input.display().to_string();
    let subject = arguments.cert.as_deref().map(Subject::read).transpose()?;
    // Of the path the leaf's status alone is asked, and must be known.
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.revocation_scope = RevocationScope::Leaf;
    policy.signatures.allow_sha1 = arguments.asked.allow_sha1;
    let now = setup::time(arguments.asked.at);
    let responses = input::ocsp_responses(&arguments.input).map_err(|error| anyhow!("{source}: {error}"))?;
    let mut worst = Exit::Accepted;
    for (index, der) in responses.into_iter().enumerate() {
        let response = match OcspEvidence::parse(der, &source) {
            Ok(response) => Arc::new(response),
            Err(fault) => {
                crate::visible::remark(format_args!("{source}: response {index}: {fault}"))?;
                if arguments.json {
                    json::print(&ErrorObject::of_part(&arguments.input, index, fault))?;
                }
                worst = worst.max(Exit::Unusable);
                continue;
            }
        };
        let question = Question { input: &arguments.input, index, policy: &policy, now };
        let mut reported = OcspObject::new(&response, &question)?;
        let exit = match (&ring, &subject) {
            (Some(ring), Some(subject)) => {
                let (check, exit) = subject.check(&response, ring, &policy, now)?;
                reported.check = Some(check);
                exit
            }
            (Some(ring), None) => find_signer(&mut reported, &response, ring, &policy, now),
            (None, _) => Exit::Accepted,
        };
        worst = worst.max(exit);
        if arguments.json {
            json::print(&reported)?;
        } else {
            text::print(&reported)?;
        }
    }
    Ok(worst)
}

/// Prints a response that was fetched.
pub(crate) fn report_fetched(
    response: &OcspEvidence,
    ring: Option<&KeyRing>,
    policy: &Policy,
    now: Time,
    is_json: bool,
) -> anyhow::Result<Exit> {
    let question = Question { input: Path::new(&**response.source()), index: 0, policy, now };
    let mut reported = OcspObject::new(response, &question)?;
    let exit = ring.map_or(Exit::Accepted, |ring| find_signer(&mut reported, response, ring, policy, now));
    if is_json {
        json::print(&reported)?;
    } else {
        text::print(&reported)?;
    }
    Ok(exit)
}

fn find_signer(
    reported: &mut OcspObject,
    response: &OcspEvidence,
    ring: &KeyRing,
    policy: &Policy,
    now: Time,
) -> Exit {
    // Nobody signs an error.
    let Some(basic) = response.basic() else { return Exit::Undetermined };
    let signature = SignatureObject::of(signer::of_response(&basic, ring, policy, now));
    let exit = if signature.verified { Exit::Accepted } else { Exit::Rejected };
    reported.signature = Some(signature);
    exit
}
