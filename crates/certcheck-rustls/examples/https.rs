//! HTTPS with axum and hyper. Handlers see the client. A client that is revoked, or refused by a ring that is reloaded, is
//! disconnected.
//!
//! ```text
//! cargo run -p certcheck-rustls --example https -- --ring keyring --cert server.pem --key server.key
//! curl --cacert server-root.pem --cert client.pem --key client.key https://localhost:4433/
//! ```
//! With `--with verifier` the accept loop is that of tokio-rustls, as it would be in a server of another crate.

mod common;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Extension;
use axum::http::StatusCode;
use axum::routing::get;
use certcheck_fetch::{Engine, Watch};
use certcheck_rustls::{AcceptLimits, Acceptor, Identity, SessionPolicy};
use common::{Failure, Flags};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// How long a handshake may take if the acceptor does not limit it.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long answers under way may take once their client is refused.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = Flags::parse()?;
    let engine = flags.engine()?;
    let parts = flags.parts()?.alpn(["h2", "http/1.1"]);
    let front = if flags.with_verifier {
        Front::Verifier(TlsAcceptor::from(Arc::new(parts.server_config(&engine)?)), Arc::clone(&engine))
    } else {
        let (sessions, limits) = (SessionPolicy::default(), AcceptLimits::default());
        Front::Acceptor(Acceptor::new(parts, Arc::clone(&engine), sessions, limits)?)
    };
    let app = axum::Router::new().route("/", get(hello));
    let listener = TcpListener::bind(flags.listen).await?;
    flags.reload_on_hangup(engine)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (io, peer) = common::next(&listener).await;
        let (front, app) = (front.clone(), app.clone());
        tokio::spawn(async move {
            if let Err(error) = front.serve(io, peer, app).await {
                println!("{peer}: {error}");
            }
        });
    }
}

/// A handler that sees the client.
async fn hello(Extension(who): Extension<Arc<Identity>>) -> Result<String, (StatusCode, String)> {
    // A name that cannot be relied on is an error. It is not the same as no name.
    let emails = who.emails().map_err(|error| (StatusCode::FORBIDDEN, error.to_string()))?.join(", ");
    let policies: Vec<_> = who.policies().iter().map(ToString::to_string).collect();
    let (subject, policies) = (who.subject(), policies.join(", "));
    Ok(format!("you are {subject}\ne-mails: {emails}\npolicies: {policies}\n"))
}

#[derive(Clone)]
enum Front {
    Verifier(TlsAcceptor, Arc<Engine>),
    Acceptor(Acceptor),
}

impl Front {
    async fn serve(self, io: TcpStream, peer: SocketAddr, app: axum::Router) -> Result<(), Failure> {
        match self {
            Self::Verifier(tls, engine) => {
                let stream = timeout(HANDSHAKE, tls.accept(io)).await??;
                let chain = stream.get_ref().1.peer_certificates().ok_or("no certificate")?;
                // The verifier has accepted this chain a moment ago: all that the check needs is in memory.
                let report = engine.check_cached(chain, engine.now());
                let who = Identity::of(&report.details().view())?;
                let watch = engine.watch(&report, chain);
                serve(stream, peer, who, watch, app).await
            }
            Self::Acceptor(acceptor) => {
                let (stream, client) = acceptor.accept(io).await?.into_parts();
                // Both are present if certificates are required.
                let who = client.identity().ok_or("no certificate")??;
                let watch = client.watch().ok_or("no certificate")?;
                serve(stream, peer, who, watch, app).await
            }
        }
    }
}

/// Serves a connection until it ends, or until its client is refused.
async fn serve<IO: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: IO,
    peer: SocketAddr,
    who: Identity,
    watch: Watch,
    app: axum::Router,
) -> Result<(), Failure> {
    println!("{peer} is {who}");
    let who = Arc::new(who);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&who));
        app.clone().call(request)
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Without a timer hyper would wait for ever for the head of a request.
    server.http1().timer(TokioTimer::new());
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        served = connection.as_mut() => return served,
        ended = watch => ended,
    };
    println!("{peer} ends: {}", common::word(&ended));
    // Requests under way are answered, and none after them.
    connection.as_mut().graceful_shutdown();
    timeout(GRACE, connection).await?
}
