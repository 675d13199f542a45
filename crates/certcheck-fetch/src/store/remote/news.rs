//! What other processes have put into the store: by the engine's messages, and by reading heads now and then, because
//! messages get lost.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, pending};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::engine::Engine;
use super::entries::Entries;
use super::known::Seen;
use super::trouble::Trouble;
use crate::store::News;
use crate::store::version::EvidenceVersion;

/// How often the heads are read: between this and twice as long.
const POLL: Duration = Duration::from_secs(30);
/// When they are read again after the engine could not be used, in the mean.
const AGAIN: Duration = Duration::from_secs(1);
/// How long messages are collected before their heads are read, so that many of them cost little, and how many.
const COLLECT: Duration = Duration::from_millis(50);
const COLLECTED: usize = 4_096;
/// Heads that are read at once.
const AT_ONCE: usize = 64;
/// How long it may take to connect, and the pause before the next attempt: doubled from the first to the last.
const CONNECT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// The news of a store, as long as it is polled.
pub(in crate::store) fn news_of<E: Engine>(store: &Arc<Entries<E>>) -> BoxStream<'static, News> {
    let listener = Listener {
        store: Arc::clone(store),
        messages: None,
        was_connected: false,
        retry_at: Instant::now(),
        pause: FIRST_PAUSE,
        poll_at: Instant::now() + next_poll(),
        ready: VecDeque::new(),
    };
    stream::unfold(listener, async |mut listener| Some((listener.next().await, listener))).boxed()
}

fn next_poll() -> Duration {
    POLL.mul_f64(1.0 + fastrand::f64())
}

struct Listener<E> {
    store: Arc<Entries<E>>,
    /// The names in messages.
    messages: Option<BoxStream<'static, String>>,
    was_connected: bool,
    retry_at: Instant,
    pause: Duration,
    poll_at: Instant,
    ready: VecDeque<News>,
}

impl<E: Engine> Listener<E> {
    async fn next(&mut self) -> News {
        loop {
            if let Some(news) = self.ready.pop_front() {
                return news;
            }
            let is_lost = self.messages.is_none();
            let message = match &mut self.messages {
                Some(messages) => Either::Left(messages.next()),
                None => Either::Right(pending()),
            };
            tokio::select! {
                message = message => match message {
                    Some(message) => self.collect(message).await,
                    None => self.lose(),
                },
                () = sleep_until(self.retry_at), if is_lost => self.connect().await,
                () = sleep_until(self.poll_at) => {
                    self.poll_at = Instant::now() + next_poll();
                    let seen = self.store.known.all();
                    self.compare(seen).await;
                }
            }
        }
    }

    async fn connect(&mut self) {
        let trouble = match timeout(CONNECT, self.store.engine.listen()).await {
            Ok(Ok(messages)) => {
                self.messages = Some(messages);
                self.pause = FIRST_PAUSE;
                if std::mem::replace(&mut self.was_connected, true) {
                    self.ready.push_back(News::Missed);
                    self.poll_at = Instant::now();
                }
                return;
            }
            Ok(Err(failed)) => (failed.trouble, failed.detail),
            Err(_) => (Trouble::Slow, format!("no connection for news within {CONNECT:?}")),
        };
        self.store.engine.troubles().note(trouble.0, &trouble.1);
        self.lose();
    }

    /// There is no connection. The next attempt comes after a pause.
    fn lose(&mut self) {
        self.messages = None;
        self.retry_at = Instant::now() + self.pause.mul_f64(0.5 + fastrand::f64());
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    /// Takes this message and those that follow soon, and looks at the heads that they name.
    async fn collect(&mut self, first: String) {
        let mut named = HashSet::from([first]);
        let until = Instant::now() + COLLECT;
        let mut is_lost = false;
        if let Some(messages) = &mut self.messages {
            for _ in 0..COLLECTED {
                match timeout_at(until, messages.next()).await {
                    Ok(Some(name)) => {
                        named.insert(name);
                    }
                    Ok(None) => is_lost = true,
                    Err(_) => {}
                }
                if is_lost || Instant::now() >= until {
                    break;
                }
            }
        }
        if is_lost {
            self.lose();
        }
        // Anybody can send a message: only what this process has seen is of interest, and only if it has changed.
        let seen = named.iter().filter_map(|name| self.store.known.named(name)).collect();
        self.compare(seen).await;
    }

    /// Compares heads with what was last seen of them. If they cannot be read, all are read soon.
    async fn compare(&mut self, seen: Vec<Seen>) {
        let store = Arc::clone(&self.store);
        let mut heads = stream::iter(seen)
            .map(|seen| {
                let store = Arc::clone(&store);
                async move {
                    let version = store.version_of(&seen.key).await;
                    (seen, version)
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((seen, version)) = heads.next().await {
            let Ok(found) = version else {
                self.poll_at = self.poll_at.min(Instant::now() + AGAIN.mul_f64(0.5 + fastrand::f64()));
                return;
            };
            let found = found.map(|(version, _)| version);
            // It may have been read or written meanwhile.
            let last = store.known.seen(&seen.key).map_or(seen.version, |seen| seen.version);
            if let Some(news) = difference(&seen, last, found) {
                store.known.update(&seen.key, found);
                self.ready.push_back(news);
            }
        }
    }
}

/// The news in what a head was and is.
fn difference(seen: &Seen, last: Option<EvidenceVersion>, found: Option<EvidenceVersion>) -> Option<News> {
    // Nothing is less than anything.
    match found.cmp(&last) {
        std::cmp::Ordering::Greater => Some(News::Newer(seen.key)),
        std::cmp::Ordering::Less => Some(News::Lost(seen.key)),
        std::cmp::Ordering::Equal => None,
    }
}
