//! Why a connection ends: its own end, a limit, or a client that would be refused now.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use certcheck_rustls::certcheck_fetch::Watch;
use certcheck_rustls::{CheckReport, Client, Ended, Engine, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::access;
use crate::active::Active;
use crate::config::ClientCertificate;
use crate::http::HttpConnection;
use crate::proxy::{Relay, Side};
use crate::service::Context;

/// The time for a client's check by another engine.
const RECHECK: Duration = Duration::from_secs(10);
/// As good as never: a year.
const NEVER: Duration = Duration::from_secs(365 * 86_400);

/// Why a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Both sides ended theirs, this one first.
    Ended(Side),
    /// The connection to this side broke.
    Broken(Side),
    /// No byte was passed on for too long.
    Idle,
    /// It lasted too long.
    Lifetime,
    /// The front ends.
    Drained,
    /// The client would be refused now, with this code.
    Refused(&'static str),
}

impl End {
    /// The code for logs.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Ended(Side::Client) => "client-ended",
            Self::Ended(Side::Upstream) => "upstream-ended",
            Self::Broken(Side::Client) => "client-broken",
            Self::Broken(Side::Upstream) => "upstream-broken",
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Drained => "drained",
            Self::Refused(code) => code,
        }
    }

    /// The same, if it was the front that ended the connection.
    pub(crate) const fn reason_to_cut(self) -> Option<&'static str> {
        match self {
            Self::Ended(_) | Self::Broken(_) => None,
            _ => Some(self.why()),
        }
    }
}

/// What passes between a client and the service. It resolves to the side that ended first, or to the side that failed
/// and why.
pub(crate) trait Passing: Future<Output = Result<Side, (Side, io::Error)>> + Unpin {
    /// When the last byte passed, in either direction.
    fn last_activity(&self) -> std::time::Instant;
}

impl<C, U> Passing for Relay<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    fn last_activity(&self) -> std::time::Instant {
        Self::last_activity(self)
    }
}

impl Passing for HttpConnection {
    fn last_activity(&self) -> std::time::Instant {
        Self::last_activity(self)
    }
}

/// A client that is connected with the service.
pub(crate) struct Session<'s> {
    active: watch::Receiver<Arc<Active>>,
    is_over: watch::Receiver<bool>,
    client: Option<&'s Client>,
    engine: Option<Arc<Engine>>,
    idle: Option<Duration>,
    lifetime: Option<Duration>,
}

type Recheck<'s> = Pin<Box<dyn Future<Output = CheckReport> + Send + 's>>;

impl<'s> Session<'s> {
    pub(crate) fn new(context: &Context, active: &Arc<Active>, client: Option<&'s Client>) -> Self {
        Self {
            active: context.active.clone(),
            is_over: context.is_over.clone(),
            client,
            engine: active.engine().cloned(),
            idle: active.config.limits.idle_timeout,
            lifetime: active.config.limits.max_lifetime,
        }
    }

    /// Passes bytes on until there is a reason to end.
    pub(crate) async fn run<P: Passing>(mut self, passing: &mut P) -> End {
        let begun = Instant::now();
        let mut watch = self.client.and_then(Client::watch);
        let mut recheck: Option<Recheck<'_>> = None;
        let mut lifetime = pin!(sleep_until(begun + self.lifetime.unwrap_or(NEVER)));
        let mut idle = pin!(sleep_until(begun + self.idle.unwrap_or(NEVER)));
        let mut is_over = self.is_over.clone();
        let mut is_reload_over = false;
        loop {
            tokio::select! {
                biased;
                ended = until_refused(&mut watch) => match ended {
                    Ended::Rejected(report) => return End::Refused(report.code()),
                    // The engine is gone, and nothing further is known.
                    _ => watch = None,
                },
                outcome = &mut *passing => return match outcome {
                    Ok(side) => End::Ended(side),
                    Err((side, _)) => End::Broken(side),
                },
                changed = self.active.changed(), if !is_reload_over => {
                    is_reload_over = changed.is_err();
                    match self.after_reload() {
                        AfterReload::Unchanged => {}
                        AfterReload::Refused(code) => return End::Refused(code),
                        AfterReload::Recheck(check) => recheck = Some(check),
                    }
                }
                report = finished(&mut recheck) => {
                    recheck = None;
                    // An unknown status is no reason to end a connection.
                    if report.verdict() == Verdict::Reject {
                        return End::Refused(report.code());
                    }
                    if let (Some(engine), Some(client)) = (&self.engine, self.client) {
                        let renewed = engine.watch(&report, client.presented());
                        watch = Some(match client.peer() {
                            Some(peer) => renewed.from_peer(peer),
                            None => renewed,
                        });
                    }
                }
                () = &mut idle => {
                    let Some(limit) = self.idle else { continue };
                    let until = Instant::from_std(passing.last_activity()) + limit;
                    if until <= Instant::now() {
                        return End::Idle;
                    }
                    idle.as_mut().reset(until);
                }
                () = &mut lifetime, if self.lifetime.is_some() => return End::Lifetime,
                _ = is_over.wait_for(|is_over| *is_over) => return End::Drained,
            }
        }
    }

    /// What a reload means for this client. An engine that goes on tells its watches itself.
    fn after_reload(&mut self) -> AfterReload<'s> {
        let active = Arc::clone(&self.active.borrow_and_update());
        self.idle = active.config.limits.idle_timeout;
        let is_required = active.config.client_auth == ClientCertificate::Required;
        let report = self.client.and_then(Client::report);
        // Over HTTP each request is answered by the rules of its time.
        if active.config.http.is_none()
            && let Err(refusal) = access::enter(&active.config.access, self.client)
        {
            return AfterReload::Refused(refusal.code());
        }
        match (report, active.engine()) {
            (None, _) if is_required => AfterReload::Refused("no-certificate"),
            (Some(_), Some(engine)) if !self.is_engine(engine) => {
                let engine = Arc::clone(engine);
                self.engine = Some(Arc::clone(&engine));
                let presented = self.client.map(Client::presented).unwrap_or_default();
                AfterReload::Recheck(Box::pin(
                    async move { engine.check(presented, engine.now(), RECHECK).await },
                ))
            }
            _ => AfterReload::Unchanged,
        }
    }

    fn is_engine(&self, other: &Arc<Engine>) -> bool {
        self.engine.as_ref().is_some_and(|engine| Arc::ptr_eq(engine, other))
    }
}

enum AfterReload<'s> {
    Unchanged,
    Refused(&'static str),
    Recheck(Recheck<'s>),
}

/// Resolves once the client would be refused, or its watch has ended.
async fn until_refused(watch: &mut Option<Watch>) -> Ended {
    match watch {
        Some(watch) => watch.await,
        None => std::future::pending().await,
    }
}

/// The report of a check that goes on.
async fn finished(recheck: &mut Option<Recheck<'_>>) -> CheckReport {
    match recheck {
        Some(recheck) => recheck.await,
        None => std::future::pending().await,
    }
}
