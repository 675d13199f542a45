//! The connection to the engine, with a deadline for each operation, and a breaker: while the engine is in trouble,
//! nobody waits for it, and a task in the background tries it.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::info;

use super::trouble::{Trouble, Troubles};

/// How long a trial in the background may take.
const TRIAL: Duration = Duration::from_secs(2);
/// The pause between two trials: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// The least time between two connections that are given up because their engine takes no writes. After a failover,
/// another one does.
const BETWEEN_READ_ONLY: Duration = Duration::from_secs(10);

/// How an engine is connected to.
pub(in crate::store) trait Dial: fmt::Debug + Send + Sync + 'static {
    /// A connection that many use at once. It ends when the last clone is dropped.
    type Connection: Clone + Send + Sync + 'static;

    /// Connects, and asks whether the engine can be used.
    fn dial(&self) -> impl Future<Output = Result<Self::Connection, Failed>> + Send;

    /// Whether the connection has ended, whatever the trouble of an operation is.
    fn has_ended(_: &Self::Connection) -> bool {
        false
    }

    /// What it is that an operation got no answer in time.
    fn no_answer(_: &Self::Connection) -> Trouble {
        Trouble::Slow
    }
}

/// An operation that failed.
#[derive(Debug)]
pub(in crate::store) struct Failed {
    pub(in crate::store) trouble: Trouble,
    /// What the engine or the client says of it.
    pub(in crate::store) detail: String,
}

/// The connection to the engine.
pub(in crate::store) struct Link<D: Dial> {
    endpoint: D,
    troubles: Troubles,
    state: Mutex<LinkState<D::Connection>>,
    /// Changes whenever a trial ends.
    trials: watch::Sender<u64>,
}

struct LinkState<C> {
    connection: Option<C>,
    /// The number of the connection, so that the trouble of one does not end the next.
    number: u64,
    /// Nobody waits while this is set: the breaker is open, because of this.
    open: Option<Trouble>,
    trial: Option<JoinHandle<()>>,
    read_only_at: Option<Instant>,
}

impl<D: Dial> fmt::Debug for Link<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Link")
            .field("endpoint", &self.endpoint)
            .field("number", &state.number)
            .field("open", &state.open)
            .finish_non_exhaustive()
    }
}

/// What to do for an operation.
enum Next<C> {
    Use(C, u64),
    Wait,
    GiveUp(Trouble),
}

impl<D: Dial> Link<D> {
    pub(in crate::store) fn new(endpoint: D) -> Arc<Self> {
        let (trials, _) = watch::channel(0);
        let state = LinkState { connection: None, number: 0, open: None, trial: None, read_only_at: None };
        Arc::new(Self { endpoint, troubles: Troubles::default(), state: Mutex::new(state), trials })
    }

    pub(in crate::store) const fn endpoint(&self) -> &D {
        &self.endpoint
    }

    pub(in crate::store) const fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// Runs an operation that must end within this time, the wait for a connection included.
    pub(in crate::store) async fn run<T, E, F>(
        self: &Arc<Self>,
        patience: Duration,
        work: impl FnOnce(D::Connection) -> F,
    ) -> Result<T, Trouble>
    where
        E: Into<Failed>,
        F: Future<Output = Result<T, E>>,
    {
        let until = Instant::now() + patience;
        let (connection, number) = self.connection(until).await?;
        match timeout_at(until, work(connection.clone())).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                let Failed { trouble, detail } = error.into();
                self.troubles.note(trouble, &detail);
                let is_lost = trouble.is_of_link() || D::has_ended(&connection);
                if is_lost || (trouble == Trouble::ReadOnly && self.may_look_for_another()) {
                    self.end(number, trouble);
                }
                Err(trouble)
            }
            Err(_) => {
                let trouble = D::no_answer(&connection);
                self.troubles.note(trouble, &format!("no answer within {patience:?}"));
                // What it still sends is not wanted, and might be without end.
                self.end(number, trouble);
                Err(trouble)
            }
        }
    }

    async fn connection(self: &Arc<Self>, until: Instant) -> Result<(D::Connection, u64), Trouble> {
        let mut trials = self.trials.subscribe();
        loop {
            match self.next() {
                Next::Use(connection, number) => return Ok((connection, number)),
                Next::GiveUp(trouble) => return Err(trouble),
                Next::Wait => {}
            }
            if timeout_at(until, trials.changed()).await.is_err() {
                self.lock().open = Some(Trouble::Slow);
                self.troubles.note(Trouble::Slow, "no connection in time");
                return Err(Trouble::Slow);
            }
        }
    }

    fn next(self: &Arc<Self>) -> Next<D::Connection> {
        let mut state = self.lock();
        if let Some(connection) = &state.connection {
            return Next::Use(connection.clone(), state.number);
        }
        self.try_again(&mut state);
        state.open.map_or(Next::Wait, Next::GiveUp)
    }

    /// The connection with this number cannot be used any more.
    fn end(self: &Arc<Self>, number: u64, trouble: Trouble) {
        let mut state = self.lock();
        if state.number == number && state.connection.take().is_some() {
            state.open = Some(trouble);
            self.try_again(&mut state);
        }
    }

    fn may_look_for_another(&self) -> bool {
        let mut state = self.lock();
        let now = Instant::now();
        let is_due = state.read_only_at.is_none_or(|last| now.duration_since(last) > BETWEEN_READ_ONLY);
        if is_due {
            state.read_only_at = Some(now);
        }
        is_due
    }

    /// Tries the engine in the background, unless that is going on. A trial ends early if its runtime does.
    fn try_again(self: &Arc<Self>, state: &mut LinkState<D::Connection>) {
        if state.trial.as_ref().is_none_or(JoinHandle::is_finished) {
            state.trial = Some(tokio::spawn(find_engine(Arc::downgrade(self))));
        }
    }

    /// One trial. True if the engine answers.
    async fn attempt(&self) -> bool {
        let trouble = match timeout(TRIAL, self.endpoint.dial()).await {
            Ok(Ok(connection)) => {
                let mut state = self.lock();
                let was_open = state.open.take().is_some();
                state.connection = Some(connection);
                state.number += 1;
                state.trial = None;
                drop(state);
                if was_open {
                    info!(name: "store-available", target: "certcheck::store", "shared store used again");
                }
                None
            }
            Ok(Err(failed)) => Some((failed.trouble, failed.detail)),
            Err(_) => Some((Trouble::Slow, format!("no answer within {TRIAL:?}"))),
        };
        if let Some((trouble, detail)) = &trouble {
            self.lock().open = Some(*trouble);
            self.troubles.note(*trouble, detail);
        }
        self.trials.send_modify(|trials| *trials = trials.wrapping_add(1));
        trouble.is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LinkState<D::Connection>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of an engine, as long as there is no trouble. That is noted, and ends them.
pub(in crate::store) fn noted<D: Dial>(
    link: &Arc<Link<D>>,
    messages: BoxStream<'static, Result<String, Failed>>,
) -> impl Stream<Item = String> + Send + use<D> {
    let link = Arc::clone(link);
    messages.filter_map(move |message| {
        let message = message.map_err(|Failed { trouble, detail }| link.troubles.note(trouble, &detail));
        std::future::ready(message.ok())
    })
}

/// Tries until the engine answers, or until nobody has the link any more.
async fn find_engine<D: Dial>(link: Weak<Link<D>>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match link.upgrade() {
            Some(link) if !link.attempt().await => {}
            _ => return,
        }
        sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
