//! Whether services can be reached: as clients' connections show it, and by one of the front where there are none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certcheck_rustls::Time;
use tokio::time::{Instant, sleep_until};

use super::upstream::{UpstreamError, connect};
use crate::board;
use crate::config::{ListenerConfig, ProxyVersion, Upstream};
use crate::proxy_protocol;
use crate::stream::Stream;

/// How soon a service that could not be reached is tried again, at the soonest.
const SOON: Duration = Duration::from_secs(3);

/// Whether a service can be reached, by the last attempt.
#[derive(Debug, Default)]
pub(crate) struct UpstreamHealth(Mutex<Option<Attempt>>);

/// The last attempt to connect to a service.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    ended: Instant,
    pub(crate) at: Time,
    pub(crate) took: Duration,
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// Attempts in a row that failed.
    pub(crate) failures: u32,
}

impl UpstreamHealth {
    /// Connects to the service of a listener, and sends it a header if there is one. The outcome is noted.
    pub(crate) async fn connect(
        &self,
        listener: &ListenerConfig,
        header: Option<&[u8]>,
    ) -> Result<Stream, UpstreamError> {
        let begun = Instant::now();
        let (within, is_remote_allowed) = (listener.limits.connect_timeout, listener.allow_remote_upstream);
        let outcome = connect(&listener.upstream, is_remote_allowed, within, header).await;
        let failure = outcome.as_ref().err().map(ToString::to_string);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.as_ref().map_or(0, |last| last.failures);
        let failures = if failure.is_some() { before.saturating_add(1) } else { 0 };
        let (ended, at) = (Instant::now(), board::now());
        *last = Some(Attempt { ended, at, took: ended - begun, failure, failures });
        drop(last);
        outcome
    }

    /// The last attempt. `None` before the first.
    pub(crate) fn last(&self) -> Option<Attempt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries again and again whether the service can be reached, once no attempt was made for `every`.
    async fn watch(self: Arc<Self>, listener: ListenerConfig, every: Duration) {
        let header = proxy_protocol::for_probe(listener.proxy_protocol.version);
        loop {
            if let Some(last) = self.last() {
                let pause = if last.failure.is_some() { every.min(SOON) } else { every };
                let due = last.ended + pause;
                if due > Instant::now() {
                    sleep_until(due).await;
                    // A client may have tried meanwhile.
                    continue;
                }
            }
            // It is closed again at once.
            let _noted = self.connect(&listener, header).await;
        }
    }
}

/// The services behind all listeners. Listeners that reach a service in the same way share what is known of it.
#[derive(Clone, Default)]
pub(crate) struct Upstreams(Vec<(Way, Arc<UpstreamHealth>)>);

/// The way to a service.
#[derive(Clone, PartialEq)]
struct Way {
    upstream: Upstream,
    is_remote_allowed: bool,
    version: ProxyVersion,
    within: Duration,
    probe: Option<Duration>,
}

impl Way {
    fn of(listener: &ListenerConfig) -> Self {
        Self {
            upstream: listener.upstream.clone(),
            is_remote_allowed: listener.allow_remote_upstream,
            version: listener.proxy_protocol.version,
            within: listener.limits.connect_timeout,
            probe: listener.limits.upstream_probe,
        }
    }
}

impl Upstreams {
    /// Those of these listeners. What is known of a service stays known.
    pub(crate) fn prepare(&self, listeners: &[ListenerConfig]) -> Self {
        let mut prepared = Self::default();
        for listener in listeners {
            if prepared.find(listener).is_none() {
                let health = self.find(listener).unwrap_or_default();
                prepared.0.push((Way::of(listener), health));
            }
        }
        prepared
    }

    /// What is known of the service of a listener.
    pub(crate) fn find(&self, listener: &ListenerConfig) -> Option<Arc<UpstreamHealth>> {
        let way = Way::of(listener);
        self.0.iter().find(|(known, _)| *known == way).map(|(_, health)| Arc::clone(health))
    }

    /// A future for each service that is tried. None of them resolves.
    pub(crate) fn watches<'u>(
        &'u self,
        listeners: &'u [ListenerConfig],
    ) -> impl Iterator<Item = impl Future<Output = ()> + Send + 'static> + 'u {
        self.0.iter().filter_map(|(way, health)| {
            let listener = listeners.iter().find(|listener| Way::of(listener) == *way)?;
            Some(Arc::clone(health).watch(listener.clone(), way.probe?))
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    fn listener(upstream: &str) -> ListenerConfig {
        ListenerConfig::new("test", Upstream::parse(upstream).expect("an upstream"))
    }

    #[tokio::test]
    async fn a_service_is_tried_no_more_often_than_is_said() {
        let service = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut listener = listener(&service.local_addr().expect("bound").to_string());
        let every = Duration::from_millis(200);
        listener.limits.upstream_probe = Some(every);
        let upstreams = Upstreams::default().prepare(&[listener.clone(), listener.clone()]);
        assert_eq!(upstreams.0.len(), 1, "both listeners share it");
        let begun = Instant::now();
        let watches: Vec<_> = upstreams.watches(std::slice::from_ref(&listener)).map(tokio::spawn).collect();
        for _ in 0..4 {
            service.accept().await.expect("a connection");
        }
        let took = begun.elapsed();
        assert!(took >= every * 3, "four attempts within {took:?}");
        // An attempt of a client counts too.
        let health = upstreams.find(&listener).expect("known");
        for _ in 0..10 {
            health.connect(&listener, None).await.expect("reached");
            service.accept().await.expect("a connection");
            tokio::time::sleep(every / 10).await;
        }
        assert!(timeout(every / 4, service.accept()).await.is_err());
        drop(service);
        while health.last().is_none_or(|last| last.failures < 2) {
            tokio::time::sleep(every / 10).await;
        }
        watches.iter().for_each(tokio::task::JoinHandle::abort);
        // A reload keeps what is known, and forgets the services of others.
        let again = upstreams.prepare(std::slice::from_ref(&listener));
        assert!(again.find(&listener).and_then(|health| health.last()).is_some());
        let other = self::listener("127.0.0.1:1");
        assert!(again.prepare(std::slice::from_ref(&other)).find(&listener).is_none());
    }
}
