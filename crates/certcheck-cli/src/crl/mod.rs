//! `certcheck crl`: what a CRL says.

mod diff;
mod facts;
mod listed;
mod read;
mod signer;
mod text;

use std::error::Error;
use std::io::Write as _;

use certcheck_core::crl::Crl;
use certcheck_core::{KeyRing, Policy, Revocation};

use crate::exit::Exit;
use crate::flags::CrlArguments;
use crate::{json, setup};

use diff::Diff;
use facts::{CrlObject, Question};

pub(crate) fn run(arguments: &CrlArguments) -> Result<Exit, Box<dyn Error>> {
    let ring = match arguments.ring.as_slice() {
        [] => None,
        paths => Some(KeyRing::from_paths(paths)?),
    };
    let mut policy = Policy::client(Revocation::Off);
    policy.allow_sha1 = arguments.allow_sha1;
    let now = setup::time(arguments.at);
    let mut older = Vec::new();
    if let Some(path) = &arguments.diff {
        for crl in read::crls(path)? {
            older.push(crl.map_err(|fault| format!("{}: {fault}", path.display()))?);
        }
    }
    let mut worst = Exit::Accepted;
    for (index, crl) in read::crls(&arguments.input)?.into_iter().enumerate() {
        let crl = match crl {
            Ok(crl) => crl,
            Err(fault) => {
                let path = arguments.input.display();
                writeln!(std::io::stderr(), "certcheck: {path}: CRL {index}: {fault}")?;
                worst = worst.max(Exit::Unusable);
                continue;
            }
        };
        let diff = match &arguments.diff {
            Some(path) => {
                let old = older.iter().find(|old| is_older_of(old, &crl));
                let (path, issuer) = (path.display(), crl.issuer());
                let old =
                    old.ok_or_else(|| format!("{path}: holds no CRL of {issuer} of this kind and scope"))?;
                Some(Diff::new(old, &crl)?)
            }
            None => None,
        };
        let question = Question { input: &arguments.input, index, policy: &policy, now };
        let mut told = CrlObject::new(&crl, &question, arguments.find.as_ref())?;
        told.signature = ring.as_ref().map(|ring| signer::find(&crl, ring, &policy));
        told.diff = diff;
        if told.signature.as_ref().is_some_and(|signature| !signature.verified) {
            worst = worst.max(Exit::Rejected);
        }
        if arguments.json {
            json::print(&told)?;
        } else {
            text::print(&told, arguments.limit)?;
        }
    }
    Ok(worst)
}

/// Whether two CRLs speak of the same certificates, in the same form.
fn is_older_of(old: &Crl, new: &Crl) -> bool {
    old.issuer().matches(new.issuer())
        && old.scope() == new.scope()
        && old.base_number().is_some() == new.base_number().is_some()
}
