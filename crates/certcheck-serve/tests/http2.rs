//! HTTP/2 on both sides of a front, as gRPC has it.

mod support;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::*;

/// A body in frames.
struct Frames(Vec<Frame<Bytes>>);

impl Frames {
    fn new(data: &str, trailers: &[(&str, &str)]) -> Self {
        let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).expect("a name");
        let value = |value: &str| HeaderValue::from_str(value).expect("a value");
        let trailers: HeaderMap = trailers.iter().map(|(one, text)| (name(one), value(text))).collect();
        Self(vec![Frame::trailers(trailers), Frame::data(Bytes::from(data.to_owned()))])
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

/// All of a body: its data and its trailers.
async fn whole(mut body: Incoming) -> (String, HeaderMap) {
    let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame.expect("not cut").into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => trailers = frame.into_trailers().expect("trailers"),
        }
    }
    (String::from_utf8(data).expect("text"), trailers)
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_pass_and_ours_come_from_no_client() {
    let pki = Pki::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let upstream = serve(move |stream| {
        let noted = Arc::clone(&noted);
        async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let noted = Arc::clone(&noted);
                async move {
                    let (head, body) = request.into_parts();
                    let (data, trailers) = whole(body).await;
                    noted.lock().expect("no panic").push((head.uri.to_string(), head.headers, trailers));
                    let answer = Frames::new(&data, &[("grpc-status", "0")]);
                    Ok::<_, Infallible>(Response::new(answer))
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ended = server.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let (front, address) = pki.front(&upstream, "[listener.http]\nservice_version = '2'\n");
    let (mut sender, driven) = dial_http2(address, &pki.client("good")).await;
    for number in 0..3 {
        let request = Request::post(format!("https://localhost/call?{number}"))
            .header("te", "trailers")
            .header("x_client_user", "evil")
            .header("x.client.subject", "evil")
            .header("client-cert", ":evil:")
            .header("x-forwarded-for", "evil");
        let trailers = [("x-sum", "1"), ("x-client-user", "evil"), ("client_cert", "evil")];
        let body = Frames::new("question", &trailers);
        let answer = sender.send_request(request.body(body).expect("a request")).await.expect("answered");
        assert_eq!(answer.status(), 200);
        let (data, trailers) = whole(answer.into_body()).await;
        assert_eq!(
            (data.as_str(), trailers.get("grpc-status")),
            ("question", Some(&HeaderValue::from_static("0")))
        );
    }
    let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
    assert_eq!(seen.len(), 3);
    for (number, (uri, headers, trailers)) in seen.iter().enumerate() {
        assert_eq!(uri, &format!("http://localhost/call?{number}"));
        assert_eq!(headers.get("te"), Some(&HeaderValue::from_static("trailers")));
        assert_eq!(headers.get("x-client-subject"), Some(&HeaderValue::from_static("CN=good,O=Fetch")));
        assert_eq!(trailers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-sum"]);
        let all = headers.values().chain(trailers.values());
        assert!(
            all.filter_map(|value| value.to_str().ok()).all(|value| !value.contains("evil")),
            "{headers:?}"
        );
    }
    // A client that is revoked is cut, and its requests with it.
    let later = "crl = 'later.crl'\n[listener.http]\nservice_version = '2'\n";
    pki.write("later.crl", "X509 CRL", &pki.crl(&["good"]));
    front.reload(pki.config(&upstream, later).expect("good")).expect("used");
    until("the connection ends", || front.connections() == 0).await;
    drop(sender);
    let _ended = tokio::time::timeout(PATIENCE, driven).await.expect("cut").expect("no panic");
}
