//! One connection to a validation listener, in the protocol that it speaks.

use std::future::Future;
use std::sync::Arc;

use certcheck_rustls::{Acceptor, Client, Engine};
use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::active::Active;
use super::context::Context;
use super::{grpc, server, spop};
use crate::access;
use crate::admission::{Counted, Limit, address_of};
use crate::config::ValidationProtocol;
use crate::events::{self, About};
use crate::identity::{AccessRefusal, AccessRules};
use crate::incoming;
use crate::listener::Peer;
use crate::metrics as names;
use crate::phase::{Phase, reached};
use crate::sockets::Serve;
use crate::stream::Stream;

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

/// Serves a connection to its end, if its peer is listed.
async fn connection(context: Context, io: Stream, peer: Peer, mut counted: Counted) {
    let active = context.active();
    if !incoming::is_listed(&active.config.peers, peer) {
        let listener = Arc::clone(&context.listener);
        counter!(names::LIMITED, "listener" => listener, "reason" => "client-address").increment(1);
        events::address_refused(About { listener: &context.listener, peer: peer.address() });
        return;
    }
    let max = active.config.limits.max_connections_per_address;
    if let Err(limit) = counted.of_address(address_of(peer), max) {
        context.limited(peer, limit, max);
        return;
    }
    let protocol = active.config.protocol;
    let removed = unlisted(context.active.clone(), peer);
    let Some(acceptor) = active.acceptor.clone() else {
        if active.config.tls.is_none() {
            drop(active);
            tokio::select! {
                () = speak(protocol, context, io, peer) => {}
                () = removed => {}
            }
        }
        return drop(counted);
    };
    drop(active);
    let accepted = async {
        match peer.address() {
            Some(address) => acceptor.accept_from(io, address).await,
            None => acceptor.accept(io).await,
        }
    };
    // Why a peer is refused is an event of the acceptor.
    let accepted = Box::pin(accepted.instrument(events::listener_span(&context.listener))).await;
    if let Ok(admitted) = accepted
        && let Some(watch) = admitted.watch()
    {
        let (stream, client) = admitted.into_parts();
        if let Err(refusal) = allow(&context.active(), &client) {
            access::report_refused(&context.listener, peer.address(), Some(&client), &refusal);
            return;
        }
        let active = context.active.clone();
        let disallowed = disallowed(context.active.clone(), client);
        let context = Context { has_certificate: true, ..context };
        tokio::select! {
            () = speak(protocol, context, stream, peer) => {}
            // It is revoked, or not good by the present ring.
            _ended = watch => {}
            () = other_engine(active, acceptor.engine()) => {}
            () = disallowed => {}
            () = removed => {}
        }
    }
    drop(counted);
}

/// Whether the certificate of a peer is one of those that may ask.
fn allow(active: &Active, client: &Client) -> Result<(), AccessRefusal> {
    let allow = active.config.tls.iter().flat_map(|tls| tls.allow.iter().cloned()).collect();
    let rules = AccessRules { allow, ..AccessRules::default() };
    access::enter(&rules, Some(client)).map(|_entry| ())
}

/// Waits until a reload does not allow the certificate of a peer any more.
async fn disallowed(mut active: watch::Receiver<Arc<Active>>, client: Client) {
    let _gone = active.wait_for(|active| allow(active, &client).is_err()).await;
}

/// Waits until peers are checked by another engine, or not at all.
async fn other_engine(mut active: watch::Receiver<Arc<Active>>, engine: &Arc<Engine>) {
    let is_same = |acceptor: &Acceptor| Arc::ptr_eq(acceptor.engine(), engine);
    let _gone = active.wait_for(|active| !active.acceptor.as_ref().is_some_and(is_same)).await;
}

/// Waits until a reload has removed the listener, or the peer from those that may ask.
async fn unlisted(mut active: watch::Receiver<Arc<Active>>, peer: Peer) {
    let _gone = active.wait_for(|active| !incoming::is_listed(&active.config.peers, peer)).await;
}

/// Speaks the protocol of the listener, until the time for connections to end by themselves is over.
async fn speak<S>(protocol: ValidationProtocol, context: Context, io: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut phase = context.phase.clone();
    let spoken = async {
        match protocol {
            ValidationProtocol::Http => server::serve(context, io, peer).await,
            ValidationProtocol::Grpc => grpc::serve(context, io, peer).await,
            ValidationProtocol::Spop => spop::serve(context, io, peer).await,
        }
    };
    tokio::select! {
        () = spoken => {}
        () = reached(&mut phase, Phase::Over) => {}
    }
}
