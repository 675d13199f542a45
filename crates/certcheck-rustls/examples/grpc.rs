//! gRPC with tonic, whose accept loop takes connections that are admitted already. Each call sees who makes it.
//!
//! ```text
//! cargo run -p certcheck-rustls --example grpc -- --ring keyring --cert server.pem --key server.key
//! ```
//! Service and codec are written by hand, so that no protoc is needed: a message is text. What tonic-prost-build makes
//! of a `.proto` takes their place.

mod common;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _};
use certcheck_fetch::Watch;
use certcheck_rustls::{AcceptLimits, Acceptor, Identity, SessionPolicy, TlsStream};
use common::{Failure, Flags};
use futures_util::future::BoxFuture;
use futures_util::stream::poll_fn;
use hyper::http;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};
use tower_service::Service;

/// Admitted connections that tonic has not taken yet.
const WAITING: usize = 64;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flags = Flags::parse()?;
    let engine = flags.engine()?;
    let parts = flags.parts()?.alpn(["h2"]);
    let (sessions, limits) = (SessionPolicy::default(), AcceptLimits::default());
    let acceptor = Acceptor::new(parts, Arc::clone(&engine), sessions, limits)?;
    let listener = TcpListener::bind(flags.listen).await?;
    flags.reload_on_hangup(engine)?;
    println!("listening on {}", listener.local_addr()?);

    let (sender, mut admitted) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let (io, peer) = common::next(&listener).await;
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            // Each in a task of its own: a client that is slow holds up nobody else.
            tokio::spawn(async move {
                match accept(&acceptor, io, peer).await {
                    Ok(connection) => drop(sender.send(Ok::<_, Infallible>(connection)).await),
                    Err(error) => println!("{peer}: {error}"),
                }
            });
        }
    });
    let incoming = poll_fn(move |context| admitted.poll_recv(context));
    Ok(Server::builder().add_service(Who).serve_with_incoming(incoming).await?)
}

async fn accept(acceptor: &Acceptor, io: TcpStream, peer: SocketAddr) -> Result<Connection, Failure> {
    let (stream, client) = acceptor.accept(io).await?.into_parts();
    // Both are there where certificates are demanded.
    let who = client.identity().ok_or("no certificate")??;
    println!("{peer} is {who}");
    Ok(Connection { stream, peer, who: Arc::new(who), watch: client.watch() })
}

/// A stream that breaks off once its client is good no more.
struct Connection {
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    who: Arc<Identity>,
    watch: Option<Watch>,
}

/// What tonic puts into the extensions of each request.
impl Connected for Connection {
    type ConnectInfo = Arc<Identity>;

    fn connect_info(&self) -> Arc<Identity> {
        Arc::clone(&self.who)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        // HTTP/2 reads all the time, so this is looked at whenever there is news.
        if let Some(Poll::Ready(ended)) = self.watch.as_mut().map(|watch| Pin::new(watch).poll(context)) {
            self.watch = None;
            println!("{} ends: {}", self.peer, common::word(&ended));
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The service `example.Who` with its one method, `AmI`.
#[derive(Clone)]
struct Who;

impl NamedService for Who {
    const NAME: &'static str = "example.Who";
}

impl Service<http::Request<Body>> for Who {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/example.Who/AmI" => Grpc::new(Text).unary(AmI, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

struct AmI;

impl UnaryService<String> for AmI {
    type Response = String;
    type Future = Ready<Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let who = request.extensions().get::<Arc<Identity>>();
        let answer = |who: &Arc<Identity>| format!("{}, you are {}", request.get_ref(), who.subject());
        ready(who.map(|who| Response::new(answer(who))).ok_or_else(|| Status::unauthenticated("nobody")))
    }
}

/// Messages that are text and nothing else.
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|_| Status::invalid_argument("not UTF-8"))
    }
}
