//! The front of the lab: what `certcheck serve` is with the configuration in the lab's folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use certcheck_core::reason::Reason;
use certcheck_core::status::Status;
use certcheck_fetch::CheckReport;
use certcheck_rustls::{AcceptError, Client};
use certcheck_serve::config::{self, ConfigError, Loaded};
use certcheck_serve::{ClientObserver, Front};

use super::folder::Folder;
use super::log::{Event, Log};
use super::sources::ECHO_AGENT;
use crate::text::shown;

/// The name of the listener.
pub(super) const LISTENER: &str = "echo";
/// The name of the validation listener.
pub(super) const VALIDATION: &str = "proxy";
/// Why a connection ends by itself.
const BY_ITSELF: [&str; 4] = ["client-ended", "client-broken", "upstream-ended", "upstream-broken"];

/// Starts the front by the configuration in the folder, and follows its files.
pub(super) fn start(folder: &Folder, log: Log) -> anyhow::Result<Front> {
    let file = folder.serve();
    let loaded = read(&file).map_err(|error| anyhow!("{error}"))?;
    let front = Front::start_observed(loaded, Arc::new(Clients(log))).map_err(|error| anyhow!("{error}"))?;
    let (again, followed) = (file.clone(), front.clone());
    front.reread_by(Arc::new(move || read(&again)));
    tokio::spawn(async move { followed.follow_files(Some(file)).await });
    Ok(front)
}

/// The configuration, with short waits: what is broken and repaired by hand is to be seen soon.
fn read(file: &Path) -> Result<Loaded, ConfigError> {
    let mut loaded = config::read_file(file)?;
    let of_listeners = loaded.config.listeners.iter_mut().map(|listener| &mut listener.check);
    let validations = loaded.config.validations.iter_mut();
    let of_policies =
        validations.flat_map(|validation| &mut validation.policies).map(|policy| &mut policy.check);
    for check in of_listeners.chain(of_policies) {
        let network = &mut check.network;
        network.user_agent = Some(ECHO_AGENT.to_owned());
        network.limits.first_byte = Duration::from_secs(1);
        network.limits.small_whole = Duration::from_secs(3);
        network.limits.back_off_max = Duration::from_secs(2);
        network.limits.breaker_pause = Duration::from_secs(2);
    }
    Ok(loaded)
}

/// Records what becomes of clients.
struct Clients(Log);

impl ClientObserver for Clients {
    fn accepted(&self, client: &Client, took: Duration) {
        // There is a report where certificates are demanded.
        let Some(report) = client.report() else { return };
        let event = Event::new("echo", name_of(report), "accepted").detail(evidence(report));
        self.0.record(event.took(took));
    }

    fn refused(&self, error: &AcceptError, took: Duration) {
        let event = Event::new("echo", refused_name(error), "refused").detail(refusal(error));
        self.0.record(event.took(took));
    }

    fn ended(&self, client: &Client, why: &str, lasted: Duration) {
        if let Some(report) = client.report().filter(|_| !BY_ITSELF.contains(&why)) {
            let event = Event::new("echo", name_of(report), "cut-off").detail(why);
            self.0.record(event.took(lasted));
        }
    }
}

/// The common name of the client that a report is about; the subject if it has none.
fn name_of(report: &CheckReport) -> String {
    let details = report.details();
    let view = details.view();
    let Some(leaf) = view.path.first() else { return "somebody".to_owned() };
    let subject = leaf.certificate.subject().to_string();
    let name = subject.split(',').find_map(|part| part.strip_prefix("CN=")).unwrap_or(&subject);
    shown(&name.chars().take(40).collect::<String>())
}

fn refused_name(error: &AcceptError) -> String {
    match error {
        AcceptError::Refused(refused) => name_of(refused.report()),
        _ => "somebody".to_owned(),
    }
}

/// The code of a refusal, and the cause of an unknown status.
fn refusal(error: &AcceptError) -> String {
    let AcceptError::Refused(refused) = error else { return error.code().to_owned() };
    match refused.reason().map(|rejection| &rejection.reason) {
        Some(Reason::RevocationUnknown(cause)) => format!("{}, {}", error.code(), cause.code()),
        _ => error.code().to_owned(),
    }
}

/// The evidence by which the client is good.
fn evidence(report: &CheckReport) -> String {
    match report.details().view().path.first().map(|leaf| &leaf.revocation) {
        Some(Status::Good(proof)) => format!("{} of {}", proof.by.code(), proof.this_update),
        _ => "without evidence".to_owned(),
    }
}
