//! `certcheck lab`: a local PKI with CRLs, OCSP and a service behind it, to revoke and break things in.
//!
//! ```text
//! Pki -> Authority (CRLs, OCSP) -> Sources (CDP, OCSP; can be broken) <- front (as certcheck serve) -> echo
//!            ^ control: revoke, release, break, repair, status, stop
//! proxy: the configuration of a proxy, which asks the front and is in front of echo too
//! ```

mod authority;
mod banner;
mod control;
mod echo;
mod folder;
mod front;
mod log;
mod outage;
mod pki;
mod proxy;
mod proxy_header;
mod serve;
mod sources;

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::bail;
use control::{Action, Status};
use folder::Folder;

use crate::exit::Exit;
use crate::flags::{LabArguments, LabCommand, LabFault, LabSource};
use crate::text::{BAD, GOOD, UNSURE};
use crate::{json, visible};

pub(crate) fn run(arguments: &LabArguments) -> anyhow::Result<Exit> {
    let folder = Folder::new(&arguments.dir);
    let Some(command) = &arguments.command else {
        serve::run(arguments, &folder)?;
        return Ok(Exit::Accepted);
    };
    if arguments.port.is_some() || arguments.all || arguments.proxy.is_some() {
        bail!("--port, --proxy and --all are for starting a lab");
    }
    let action = match command.clone() {
        LabCommand::Revoke { name, hold } => Action::Revoke { name, hold },
        LabCommand::Release { name } => Action::Release { name },
        LabCommand::Break { source, how } => Action::Break { source, how },
        LabCommand::Repair => Action::Repair,
        LabCommand::Status => Action::Status,
        LabCommand::Stop => Action::Stop,
    };
    let status = control::order(&folder, action)?;
    if arguments.json {
        json::print(&status)?
    } else {
        print(command, &status, folder.path())?
    }
    Ok(Exit::Accepted)
}

/// What was done, in a line.
fn print(command: &LabCommand, status: &Status, dir: &Path) -> io::Result<()> {
    let mut out = crate::output::text();
    match command {
        LabCommand::Revoke { name, hold: false } => {
            writeln!(out, "{BAD}revoked{BAD:#}: {name}; all see it within 3 seconds")
        }
        LabCommand::Revoke { name, hold: true } => writeln!(out, "{UNSURE}on hold{UNSURE:#}: {name}"),
        LabCommand::Release { name } => {
            writeln!(out, "{GOOD}released{GOOD:#}: {name}; all see it within 3 seconds")
        }
        LabCommand::Break { source, how } => {
            let what = match source {
                LabSource::Cdp => "CRLs",
                LabSource::Ocsp => "OCSP",
            };
            let does = match how {
                LabFault::Hang => "takes requests and never answers",
                LabFault::Refuse => "resets connections",
                LabFault::Garbage => "answers with bytes that cannot be parsed",
                LabFault::Stale => "answers with evidence that ended an hour ago",
            };
            writeln!(out, "{UNSURE}broken{UNSURE:#}: {what}: {does}")
        }
        LabCommand::Repair => writeln!(out, "{GOOD}repaired{GOOD:#}: CRLs and OCSP"),
        LabCommand::Stop => {
            writeln!(out, "stopped: the lab in {}; its files are still there", visible::path(dir))
        }
        LabCommand::Status => {
            drop(out);
            banner::print_status(status)
        }
    }
}
