//! How connections over HTTP end with their front.

mod support;

use std::sync::Arc;
use std::time::Duration;

use certcheck_serve::Front;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A service that answers each request once it may.
async fn service(may: &Arc<Semaphore>) -> String {
    let may = Arc::clone(may);
    serve(move |mut stream| {
        let may = Arc::clone(&may);
        async move {
            let mut request = [0; 4096];
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                may.acquire().await.expect("never closed").forget();
                if stream.write_all(ANSWER.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

/// A front drains, and has begun to.
async fn drain(front: &Front) -> tokio::task::JoinHandle<certcheck_serve::Drained> {
    let draining = front.clone();
    let drained = tokio::spawn(async move { draining.drain(PATIENCE).await });
    let is_draining = || front.status().ready.missing.iter().any(|missing| missing.kind == "draining");
    until("it drains", || is_draining() && front.addresses("web").is_empty()).await;
    drained
}

#[tokio::test(flavor = "multi_thread")]
async fn http1_ends_with_the_answer_that_goes_on() {
    let (pki, may) = (Pki::new(), Arc::new(Semaphore::new(1)));
    let (front, address) = pki.front(&service(&may).await, "[listener.http]\n");
    let client = pki.client("good");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // One waits for its answer, and one for its next request.
    let (mut busy, mut idle) = (dial(address, &client).await, dial(address, &client).await);
    idle.write_all(request).await.expect("written");
    let mut answer = vec![0; 17];
    idle.read_exact(&mut answer).await.expect("answered");
    assert_eq!(answer, b"HTTP/1.1 200 OK\r\n");
    busy.write_all(request).await.expect("written");
    until("the service has the request", || front.connections() == 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let drained = drain(&front).await;
    let rest = read_to_end(&mut idle).await.expect("a clean end");
    assert!(rest.ends_with(b"\r\n\r\nhello"));
    until("the idle one has ended", || front.connections() == 1).await;
    may.add_permits(1);
    let answer = String::from_utf8(read_to_end(&mut busy).await.expect("a clean end")).expect("text");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(drained.await.expect("no panic").cut, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_sent_goaway_and_the_answers_that_go_on() {
    let (pki, may) = (Pki::new(), Arc::new(Semaphore::new(0)));
    let (front, address) = pki.front(&service(&may).await, "[listener.http]\n");
    let (mut sender, driven) = dial_http2(address, &pki.client("good")).await;
    let request = || Request::get("https://localhost/").body(Empty::<Bytes>::new()).expect("a request");
    let answers: Vec<_> = (0..3).map(|_| tokio::spawn(sender.send_request(request()))).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let drained = drain(&front).await;
    may.add_permits(3);
    for answer in answers {
        assert_eq!(answer.await.expect("no panic").expect("answered").status(), 200);
    }
    // The client would go on: it is the front that ends the connection, and says so.
    let ended = timeout(PATIENCE, driven).await.expect("in time").expect("no panic");
    ended.expect("a clean end");
    sender.send_request(request()).await.expect_err("no further request");
    assert_eq!(drained.await.expect("no panic").cut, 0);
}
