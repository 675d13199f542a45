//! One connection to a validation listener, in the protocol that it speaks.

use std::future::Future;
use std::sync::Arc;

use metrics::counter;

use super::context::Context;
use super::{grpc, server, spop};
use crate::admission::{Counted, Limit};
use crate::config::ValidationProtocol;
use crate::events::{self, About};
use crate::incoming;
use crate::listener::Peer;
use crate::metrics as names;
use crate::service;
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
        service::limited(About { listener: &self.listener, peer: peer.address() }, limit, max);
    }
}

/// Serves a connection to its end, if its peer is listed.
async fn connection(context: Context, io: Stream, peer: Peer, counted: Counted) {
    let active = context.active();
    if !incoming::is_listed(&active.config.peers, peer) {
        let listener = Arc::clone(&context.listener);
        counter!(names::LIMITED, "listener" => listener, "reason" => "client-address").increment(1);
        events::address_refused(About { listener: &context.listener, peer: peer.address() });
        return;
    }
    let protocol = active.config.protocol;
    drop(active);
    match protocol {
        ValidationProtocol::Http => server::serve(context, io, peer).await,
        ValidationProtocol::Grpc => grpc::serve(context, io, peer).await,
        ValidationProtocol::Spop => spop::serve(context, io, peer).await,
    }
    drop(counted);
}
