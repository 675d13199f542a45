//! A lab from its start to a signal.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use certcheck_core::{KeyRing, Policy, Revocation};
use certcheck_fetch::{Engine, FetchLimits, Guard};
use certcheck_rustls::{AcceptLimits, Acceptor, ServerParts, SessionPolicy};
use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::authority::Authority;
use super::control::{self, Lab};
use super::folder::{Folder, State};
use super::log::Log;
use super::pki::{Holder, Pki, Urls};
use super::sources::{ECHO_AGENT, Sources, taken};
use super::{banner, echo};
use crate::flags::{LabArguments, LabSource};
use crate::setup;

/// How far clocks may differ, in seconds: there is one clock, and faults are to be seen soon.
const SKEW: i64 = 4;
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
    let log = Log::start(arguments.json, Arc::clone(&closed))?;
    let port = arguments.port;
    let echo_listener = listen(port.unwrap_or(0), "the echo service")?;
    let control_listener = listen(0, "orders")?;
    let sources = Sources::start(port.map(|port| port.saturating_add(1)), log.clone(), arguments.all)?;
    let (cdp, ocsp) = (sources.url(LabSource::Cdp), sources.url(LabSource::Ocsp));
    let pki = Pki::new(setup::time(None), &Urls { cdp: &cdp, ocsp: &ocsp })?;
    folder.write(&pki)?;
    let acceptor = acceptor(folder, &pki.server)?;
    let Pki { cas, subjects, .. } = pki;
    let authority = Arc::new(Authority::new(cas, subjects));
    sources.serve(&authority);
    let (echo_at, control_at) = (echo_listener.local_addr()?, control_listener.local_addr()?);
    let state = State::new(echo_at, cdp, ocsp, control_at, crate::secret::secret()?);
    folder.write_state(&state)?;
    let ended = state.clone();
    let lab = Arc::new(Lab { authority, sources, state, log: log.clone(), stop: Arc::clone(&stop) });
    banner::print(folder, &lab, arguments.json)?;
    tokio::spawn(control::serve(control_listener, Arc::clone(&lab)));
    tokio::spawn(echo::serve(echo_listener, acceptor, log));
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

/// The acceptor, as in any server, except that loopback may be asked and that waits are short.
fn acceptor(folder: &Folder, server: &Holder) -> anyhow::Result<Acceptor> {
    let ring = KeyRing::from_paths(&[folder.ring()])?;
    let mut policy = Policy::client(Revocation::HardFail);
    policy.freshness.skew = SKEW;
    let mut limits = FetchLimits::default();
    limits.first_byte = Duration::from_secs(1);
    limits.small_whole = Duration::from_secs(3);
    limits.back_off_max = Duration::from_secs(2);
    limits.breaker_pause = Duration::from_secs(2);
    let guard = Guard::new().allow_net("127.0.0.0/8".parse()?);
    let engine = Engine::builder(ring, policy)
        .limits(limits)
        .guard(guard)
        .user_agent(ECHO_AGENT.to_owned())
        .build()?;
    let chain = [&server.der, &server.issuer].map(|der| CertificateDer::from(der.clone()));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server.key.pkcs8()));
    let parts = ServerParts::new(chain.into(), key)?.alpn([echo::HTTP]);
    Ok(Acceptor::new(parts, Arc::new(engine), SessionPolicy::default(), AcceptLimits::default())?)
}
