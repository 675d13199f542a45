//! A lab from its start to a signal.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::authority::Authority;
use super::control::{self, Lab};
use super::echo::{self, Behind};
use super::folder::{Folder, State};
use super::log::Log;
use super::pki::{Pki, Urls};
use super::proxy::Proxy;
use super::sources::{Sources, taken};
use super::{banner, front};
use crate::flags::{LabArguments, LabSource};
use crate::setup;

/// How long open connections have when the lab ends.
const PARTING: Duration = Duration::from_millis(500);

/// Makes a lab and runs it until a signal or the order to stop.
pub(super) fn run(arguments: &LabArguments, folder: &Folder) -> anyhow::Result<()> {
    if folder.state().is_some_and(|state| state.ended.is_none() && control::is_running(&state)) {
        let path = folder.path().display();
        bail!(
            "a lab is already running in {path}; stop it with certcheck lab stop --dir {path}, or name another folder with --dir"
        );
    }
    folder.prepare()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(run_until_signal(arguments, folder));
    runtime.shutdown_timeout(PARTING);
    outcome
}

async fn run_until_signal(arguments: &LabArguments, folder: &Folder) -> anyhow::Result<()> {
    // From here on a signal ends the lab in order.
    let (mut interrupts, mut terminations) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (closed, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (log, ready) = Log::start(arguments.json, Arc::clone(&closed))?;
    let port = arguments.port;
    // The front listens there later, by its configuration.
    drop(listen(port.unwrap_or(0), "the echo service")?);
    let echo_listener = listen(0, "the service behind the front")?;
    let control_listener = listen(0, "orders")?;
    let sources = Sources::start(port.map(|port| port.saturating_add(1)), log.clone(), arguments.all)?;
    let (cdp, ocsp) = (sources.url(LabSource::Cdp), sources.url(LabSource::Ocsp));
    let pki = Pki::new(setup::time(None), &Urls { cdp: &cdp, ocsp: &ocsp })?;
    folder.write(&pki)?;
    let proxy = arguments.proxy.map(|kind| Proxy::new(kind, port)).transpose()?;
    if let Some(proxy) = &proxy {
        folder.write_proxy_certificates(&pki)?;
        proxy.write_secret(folder)?;
    }
    let validation = proxy.as_ref().map(Proxy::validation).unwrap_or_default();
    folder.write_serve(port.unwrap_or(0), echo_listener.local_addr()?, &validation)?;
    let Pki { cas, subjects, .. } = pki;
    let authority = Arc::new(Authority::new(cas, subjects));
    sources.serve(&authority);
    tokio::spawn(echo::serve(echo_listener, Behind::Front));
    let front = front::start(folder, log.clone())?;
    let first = |addresses: Vec<SocketAddr>| addresses.first().copied().context("the front does not listen");
    let (echo_at, control_at) = (first(front.addresses(front::LISTENER))?, control_listener.local_addr()?);
    if let Some(proxy) = &proxy {
        let service = listen(0, "the service behind the proxy")?;
        let validation = first(front.validation_addresses(front::VALIDATION))?;
        proxy.write(folder, validation, service.local_addr()?)?;
        tokio::spawn(echo::serve(service, Behind::Proxy));
    }
    let status_page = format!("http://{}/", first(front.admin_addresses())?);
    let state = State::new(echo_at, status_page, cdp, ocsp, control_at, crate::secret::secret()?);
    folder.write_state(&state)?;
    let ended = state.clone();
    let lab = Arc::new(Lab { authority, sources, state, log, stop: Arc::clone(&stop) });
    banner::print(folder, &lab, proxy.as_ref(), arguments.json)?;
    drop(ready);
    tokio::spawn(control::serve(control_listener, Arc::clone(&lab)));
    tokio::select! {
        _ = interrupts.recv() => {}
        _ = terminations.recv() => {}
        () = closed.notified() => {}
        () = stop.notified() => {}
    }
    folder.write_state(&ended.ended(setup::time(None).to_string()))?;
    if !crate::output::is_quiet() {
        banner::print_end(folder)?;
    }
    Ok(())
}

fn listen(port: u16, what: &str) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken(port, what))?;
    listener.set_nonblocking(true)?;
    Ok(tokio::net::TcpListener::from_std(listener)?)
}
