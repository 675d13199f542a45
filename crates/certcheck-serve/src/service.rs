//! One connection: limits, handshake, service, and bytes both ways until a reason to end.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_rustls::{AcceptError, Client};
use metrics::{counter, histogram};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::access;
use crate::active::{Active, Tls};
use crate::admission::{Counted, Limit};
use crate::board::Board;
use crate::config::HttpConfig;
use crate::events::{self, About};
use crate::http::{HttpClient, HttpConnection};
use crate::incoming::{self, HeaderError};
use crate::limit_log::LimitLog;
use crate::listener::Peer;
use crate::metrics as names;
use crate::observer::Observed;
use crate::phase::Phase;
use crate::proxy::{Relay, Transferred};
use crate::proxy_protocol::{self, Addresses, TlsFacts};
use crate::session::{End, Session};
use crate::sockets::Serve;
use crate::stream::Stream;

/// How long a refused client may take to read its alert, after the deadline.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection knows of its listener.
#[derive(Clone)]
pub(crate) struct Context {
    /// The listener's name.
    pub(crate) listener: Arc<str>,
    /// What the listener does, now and after reloads.
    pub(crate) active: watch::Receiver<Arc<Active>>,
    /// How near the front is to its end.
    pub(crate) phase: watch::Receiver<Phase>,
    /// What operators look at.
    pub(crate) board: Arc<Board>,
    pub(crate) observed: Observed,
    /// The log of its limits.
    pub(crate) limits: Arc<LimitLog>,
}

impl Serve for Context {
    fn listener(&self) -> &str {
        &self.listener
    }

    fn max_connections(&self) -> usize {
        self.active.borrow().config.limits.max_connections
    }

    fn serve(self, io: Stream, peer: Peer, counted: Counted) -> impl Future<Output = ()> + Send {
        connection(self, io, peer, counted)
    }

    fn limited(&self, peer: Peer, limit: Limit, max: usize) {
        self.limits.limited(peer.address(), limit, max);
    }
}

/// Serves a connection to its end.
async fn connection(context: Context, mut io: Stream, peer: Peer, mut counted: Counted) {
    let active = Arc::clone(&context.active.borrow());
    let limits = active.config.limits;
    let mut about = About { listener: &context.listener, peer: peer.address() };
    let mut addresses = about.peer.zip(io.local_address()).map(|(peer, own)| Addresses::new(peer, own));
    // The address that the networks of clients are about.
    let mut client = about.peer;
    let since = Instant::now();
    if incoming::is_listed(&active.config.accept_proxy_from, peer) {
        let read = timeout(limits.handshake_timeout, incoming::read_header(&mut io)).await;
        match read.unwrap_or(Err(HeaderError::Deadline)) {
            Ok(header) => {
                addresses = header.addresses.or(addresses);
                let source = header.addresses.map(|addresses| addresses.source);
                // That of the proxy is not that of a client that the proxy does not name.
                client = if header.is_local { about.peer } else { source };
                about.peer = source.or(about.peer);
            }
            Err(error) => {
                let listener = Arc::clone(&context.listener);
                counter!(names::LIMITED, "listener" => listener, "reason" => "proxy-header").increment(1);
                events::header_refused(about, &error);
                return;
            }
        }
    }
    if !incoming::may_connect(&active.config.clients, client) {
        let listener = Arc::clone(&context.listener);
        counter!(names::LIMITED, "listener" => listener, "reason" => "client-address").increment(1);
        events::address_refused(about);
        return;
    }
    if let Some(address) = about.peer
        && let Err(limit) = counted.of_address(address.ip(), limits.max_connections_per_address)
    {
        context.limits.limited(about.peer, limit, limits.max_connections_per_address);
        return;
    }
    // What the header took is not left for the handshake.
    let left = limits.handshake_timeout.saturating_sub(since.elapsed());
    let connection = Connection { context: &context, active: &active, about, addresses };
    match &active.tls {
        Tls::Checked(acceptor) => {
            let accepted = async {
                match about.peer {
                    Some(peer) => acceptor.accept_from(io, peer).await,
                    None => acceptor.accept(io).await,
                }
            };
            let accepted = accepted.instrument(events::listener_span(&context.listener));
            let accepted = Box::pin(timeout(left + LINGER, accepted)).await;
            match accepted.unwrap_or(Err(AcceptError::Deadline)) {
                Ok(admitted) => {
                    handshake_counted(&context, "accept", "accept", admitted.client().is_resumed(), since);
                    let (stream, client) = admitted.into_parts();
                    context.observed.accepted(&client, since.elapsed());
                    let facts = TlsFacts::of(stream.get_ref().1, Some(&client), &active.certificates);
                    Box::pin(connection.pass_on(stream, Some(client), &facts)).await;
                }
                Err(error) => {
                    context.board.not_accepted(&context.listener, about.peer, &error);
                    context.observed.refused(&error, since.elapsed());
                    let outcome = if matches!(error, AcceptError::Refused(_)) { "refused" } else { "failed" };
                    handshake_counted(&context, outcome, error.code(), false, since);
                }
            }
        }
        Tls::Unchecked(acceptor, places) => {
            let handshake = async {
                // It is never closed.
                let _place = places.acquire().await;
                acceptor.accept(io).await
            };
            match Box::pin(timeout(left, handshake)).await {
                Ok(Ok(stream)) => {
                    handshake_counted(&context, "accept", "accept", false, since);
                    let facts = TlsFacts::of(stream.get_ref().1, None, &active.certificates);
                    Box::pin(connection.pass_on(stream, None, &facts)).await;
                }
                Ok(Err(_)) => handshake_counted(&context, "failed", "handshake", false, since),
                Err(_) => handshake_counted(&context, "failed", "deadline", false, since),
            }
        }
    }
}

fn handshake_counted(
    context: &Context,
    outcome: &'static str,
    code: &'static str,
    resumed: bool,
    since: Instant,
) {
    let listener = Arc::clone(&context.listener);
    let resumed = if resumed { "true" } else { "false" };
    counter!(
        names::HANDSHAKES,
        "listener" => Arc::clone(&listener), "outcome" => outcome, "code" => code, "resumed" => resumed
    )
    .increment(1);
    histogram!(names::HANDSHAKE_SECONDS, "listener" => listener).record(since.elapsed());
}

/// A connection whose client is accepted.
struct Connection<'c> {
    context: &'c Context,
    active: &'c Arc<Active>,
    about: About<'c>,
    addresses: Option<Addresses>,
}

impl Connection<'_> {
    /// Connects the client with the service, and passes bytes on until one of them ends, or there is a reason to end.
    async fn pass_on<S>(&self, stream: S, client: Option<Client>, facts: &TlsFacts)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { context, active, .. } = self;
        let since = Instant::now();
        let config = &active.config;
        let header = proxy_protocol::write(&config.proxy_protocol, self.addresses, facts);
        if let Some(http) = &config.http {
            let is_http2 = facts.alpn.as_deref() == Some(b"h2");
            self.serve_http(stream, client, http, is_http2, header).await;
            return;
        }
        if let Err(refusal) = access::enter(&config.access, client.as_ref()) {
            access::refused(&context.board, &context.listener, self.about.peer, client.as_ref(), &refusal);
            self.ended(client.as_ref(), refusal.code(), Transferred::default(), since);
            return;
        }
        let upstream = match active.upstream.connect(config, header.as_deref()).await {
            Ok(upstream) => upstream,
            Err(error) => {
                counter!(names::UPSTREAM_FAILURES, "listener" => Arc::clone(&context.listener)).increment(1);
                events::upstream_unreachable(self.about, &config.upstream, &error);
                self.ended(client.as_ref(), "upstream-unreachable", Transferred::default(), since);
                return;
            }
        };
        drop(header);
        let _listed = context.board.connected(&context.listener, self.about.peer, client.as_ref(), "tcp");
        let mut relay = Relay::new(stream, upstream);
        let end = Session::new(context, active, client.as_ref()).run(&mut relay).await;
        if !matches!(end, End::Ended(_)) {
            relay.upstream().reset_when_dropped();
        }
        self.count_cut(end);
        self.ended(client.as_ref(), end.why(), relay.transferred(), since);
    }

    /// Answers the client's requests until one of them ends the connection, or there is a reason to end.
    async fn serve_http<S>(
        &self,
        stream: S,
        client: Option<Client>,
        http: &HttpConfig,
        is_http2: bool,
        header: Option<Vec<u8>>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let since = Instant::now();
        let served = HttpClient {
            listener: Arc::clone(&self.context.listener),
            active: self.context.active.clone(),
            board: Arc::clone(&self.context.board),
            peer: self.about.peer,
            client: client.clone(),
            header,
            is_http2,
            phase: self.context.phase.clone(),
        };
        let protocol = if is_http2 { "h2" } else { "http/1.1" };
        let context = self.context;
        let _listed = context.board.connected(&context.listener, self.about.peer, client.as_ref(), protocol);
        let mut served = HttpConnection::new(stream, http, served);
        let mut end = Session::new(self.context, self.active, client.as_ref()).run(&mut served).await;
        if matches!(end, End::Ended(_)) && *context.phase.borrow() == Phase::Draining {
            end = End::Parted;
        }
        self.count_cut(end);
        self.ended(client.as_ref(), end.why(), served.transferred(), since);
    }

    fn count_cut(&self, end: End) {
        if let Some(reason) = end.reason_to_cut() {
            counter!(names::CUT, "listener" => Arc::clone(&self.context.listener), "reason" => reason)
                .increment(1);
        }
    }

    /// Reports the end.
    fn ended(&self, client: Option<&Client>, why: &str, transferred: Transferred, since: Instant) {
        let listener = &self.context.listener;
        for (direction, bytes) in
            [("to-upstream", transferred.to_upstream), ("to-client", transferred.to_client)]
        {
            counter!(names::BYTES, "listener" => Arc::clone(listener), "direction" => direction)
                .increment(bytes);
        }
        self.context.observed.ended(client, why, since.elapsed());
        let subject = access::subject_of(client);
        events::connection_ended(self.about, subject.as_deref(), why, transferred, since.elapsed());
    }
}
