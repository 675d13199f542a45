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
use crate::phase::{Phase, reached};
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
    /// The front ends, and the time for connections to end by themselves is over.
    Drained,
    /// The front ends, and the connection with it as its protocol has it.
    Parted,
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
            Self::Drained | Self::Parted => "drained",
            Self::Refused(code) => code,
        }
    }

    /// The same, if it was the front that ended the connection.
    pub(crate) const fn reason_to_cut(self) -> Option<&'static str> {
        match self {
            Self::Ended(_) | Self::Broken(_) | Self::Parted => None,
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
    phase: watch::Receiver<Phase>,
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
            phase: context.phase.clone(),
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
        let mut phase = self.phase.clone();
        let mut is_reload_over = false;
        loop {
            tokio::select! {
                biased;
                ended = until_refused(&mut watch) => match ended {
                    Ended::Rejected(report) => return End::Refused(report.code()),
                    // The engine is gone, and nothing further is known.
                    _ => watch = None,
                },
                changed = self.active.changed(), if !is_reload_over => {
                    is_reload_over = changed.is_err();
                    match self.after_reload() {
                        AfterReload::Unchanged => {}
                        AfterReload::Refused(code) => return End::Refused(code),
                        AfterReload::Recheck(check) => recheck = Some(check),
                    }
                    let last_activity = Instant::from_std(passing.last_activity());
                    idle.as_mut().reset(last_activity + self.idle.unwrap_or(NEVER));
                    lifetime.as_mut().reset(begun + self.lifetime.unwrap_or(NEVER));
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
                () = &mut idle, if self.idle.is_some() => {
                    let until = Instant::from_std(passing.last_activity()) + self.idle.unwrap_or(NEVER);
                    if until <= Instant::now() {
                        return End::Idle;
                    }
                    idle.as_mut().reset(until);
                }
                () = &mut lifetime, if self.lifetime.is_some() => return End::Lifetime,
                () = reached(&mut phase, Phase::Over) => return End::Drained,
                // Last: a busy connection uses up all that a task may do at once, and nothing behind it would be looked at.
                outcome = &mut *passing => return match outcome {
                    Ok(side) => End::Ended(side),
                    Err((side, _)) => End::Broken(side),
                },
            }
        }
    }

    /// What a reload means for this client. An engine that goes on tells its watches itself.
    fn after_reload(&mut self) -> AfterReload<'s> {
        let active = Arc::clone(&self.active.borrow_and_update());
        self.idle = active.config.limits.idle_timeout;
        self.lifetime = active.config.limits.max_lifetime;
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

#[cfg(test)]
mod tests {
    use core::task::{Context as Waking, Poll};

    use tokio::task::coop::consume_budget;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::board::Board;
    use crate::certificates::Certificates;
    use crate::config::{ListenerConfig, Upstream};
    use crate::limit_log::LimitLog;
    use crate::observer::Observed;
    use crate::provider;

    const SHORT: Option<Duration> = Some(Duration::from_millis(50));
    /// For what ends, on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// What passes: all the time, or nothing. It counts how often it was asked.
    struct Passes {
        is_busy: bool,
        since: std::time::Instant,
        asked: usize,
    }

    impl Passes {
        fn new(is_busy: bool) -> Self {
            Self { is_busy, since: std::time::Instant::now(), asked: 0 }
        }
    }

    impl Future for Passes {
        type Output = Result<Side, (Side, io::Error)>;

        fn poll(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<Self::Output> {
            self.asked += 1;
            // All that a task may do at once.
            while self.is_busy && pin!(consume_budget()).poll(waking).is_ready() {}
            Poll::Pending
        }
    }

    impl Passing for Passes {
        fn last_activity(&self) -> std::time::Instant {
            self.since
        }
    }

    fn active(idle: Option<Duration>, lifetime: Option<Duration>) -> Arc<Active> {
        let upstream = Upstream::parse("127.0.0.1:1").expect("an upstream");
        let mut config = ListenerConfig::new("test", upstream);
        config.client_auth = ClientCertificate::None;
        config.limits.idle_timeout = idle;
        config.limits.max_lifetime = lifetime;
        let certificates = Arc::new(Certificates::empty());
        let provider = provider::get().expect("cryptography");
        Arc::new(Active::new(config, certificates, None, Arc::default(), &provider, None).expect("good"))
    }

    /// A session, and the senders of its configuration and of its end.
    fn session(
        idle: Option<Duration>,
        lifetime: Option<Duration>,
    ) -> (Session<'static>, watch::Sender<Arc<Active>>, watch::Sender<Phase>) {
        let (active, phase) =
            (watch::Sender::new(active(idle, lifetime)), watch::Sender::new(Phase::Running));
        let context = Context {
            listener: "test".into(),
            active: active.subscribe(),
            phase: phase.subscribe(),
            board: Board::new(),
            observed: Observed::default(),
            limits: LimitLog::new("test"),
        };
        let session = Session::new(&context, &active.borrow(), None);
        (session, active, phase)
    }

    /// The end of a session, if it ends within this time.
    async fn end(session: Session<'_>, passes: &mut Passes, within: Duration) -> Option<End> {
        timeout(within, session.run(passes)).await.ok()
    }

    #[tokio::test]
    async fn a_busy_connection_ends_like_any_other() {
        let (limited, _active, _phase) = session(None, SHORT);
        assert_eq!(end(limited, &mut Passes::new(true), PATIENCE).await, Some(End::Lifetime));
        let (drained, _active, phase) = session(None, None);
        let draining = async {
            sleep(Duration::from_millis(20)).await;
            // By itself this ends no connection.
            phase.send_replace(Phase::Draining);
            sleep(Duration::from_millis(20)).await;
            phase.send_replace(Phase::Over);
        };
        let mut passes = Passes::new(true);
        assert_eq!(tokio::join!(end(drained, &mut passes, PATIENCE), draining).0, Some(End::Drained));
        let (reloaded, shared, _phase) = session(None, None);
        shared.send_replace(active(None, SHORT));
        assert_eq!(end(reloaded, &mut Passes::new(true), PATIENCE).await, Some(End::Lifetime));
    }

    #[tokio::test]
    async fn limits_of_a_reload_hold_for_live_connections() {
        let (shorter, shared, _phase) = session(None, None);
        shared.send_replace(active(SHORT, None));
        assert_eq!(end(shorter, &mut Passes::new(false), PATIENCE).await, Some(End::Idle));
        let (without, shared, _phase) = session(SHORT, SHORT);
        shared.send_replace(active(None, None));
        let mut passes = Passes::new(false);
        assert_eq!(end(without, &mut passes, Duration::from_secs(1)).await, None);
        assert!(passes.asked < 10, "it is asked {} times", passes.asked);
    }
}
