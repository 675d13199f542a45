//! A service that speaks HTTP/1.1 byte by byte, so that tests see what it is really sent.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use certcheck_rustls::tokio_rustls::client::TlsStream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, serve};

/// Every request that a service got, as it came.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// A service that answers each request with the request itself, and by its path with other things.
pub(crate) async fn mirror() -> (String, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let address = serve(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            while let Some(request) = read_message(&mut stream).await {
                noted.lock().expect("no panic").push(request.clone());
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                if !answer(&mut stream, &path, &request).await {
                    return;
                }
            }
        }
    })
    .await;
    (address, seen)
}

/// Answers one request. Whether the connection goes on.
async fn answer(stream: &mut TcpStream, path: &str, request: &str) -> bool {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    let written = match path {
        "/never" => {
            tokio::time::sleep(PATIENCE).await;
            return false;
        }
        "/garbage" => {
            let _gone = stream.write_all(b"SSH-2.0-service\r\n").await;
            return false;
        }
        // A body that goes on until the connection is gone.
        "/endless" => {
            if stream.write_all(format!("{chunked}\r\n").as_bytes()).await.is_err() {
                return false;
            }
            while stream.write_all(b"4\r\nmore\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            return false;
        }
        "/trailers" => {
            let body = "Trailer: X-Sum\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n";
            stream.write_all(format!("{chunked}{body}").as_bytes()).await
        }
        "/switch" => {
            let head =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            if stream.write_all(head.as_bytes()).await.is_err() {
                return false;
            }
            let (mut read, mut write) = stream.split();
            let _gone = tokio::io::copy(&mut read, &mut write).await;
            return false;
        }
        "/both" => {
            let lies = "Content-Length: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
            stream.write_all(format!("{chunked}{lies}").as_bytes()).await
        }
        _ => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
            let body = if request.starts_with("HEAD ") { "" } else { request };
            stream.write_all(format!("{head}{body}").as_bytes()).await
        }
    };
    written.is_ok() && path != "/close"
}

/// A message: its head, and its body by its length or its chunks.
async fn read_message(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16_384];
    // The front sends no request before the one before it is answered.
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_whole(&text) {
            return Some(text);
        }
    }
}

/// Whether all of a message has come, by its length or its chunks.
fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("\r\n\r\n") && (body.starts_with("0\r\n") || body.contains("\r\n0\r\n"));
    }
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    body.len() >= length.map_or(0, |length| length.trim().parse().expect("a number"))
}

/// Sends bytes as they are, and reads until the connection ends, or the answer is whole and nothing comes for a moment.
pub(crate) async fn raw(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    let mut answer = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_err() || stream.flush().await.is_err() {
        return String::new();
    }
    let mut buffer = [0; 4096];
    let mut patience = PATIENCE;
    while let Ok(Ok(read)) = tokio::time::timeout(patience, stream.read(&mut buffer)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
        // The answer to HEAD has the length of a body, and none.
        let text = String::from_utf8_lossy(&answer);
        let has_come = is_whole(&text) || request.starts_with("HEAD ") && text.contains("\r\n\r\n");
        patience = if has_come { Duration::from_millis(250) } else { PATIENCE };
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until a text has come.
pub(crate) async fn read_until(stream: &mut TlsStream<TcpStream>, text: &str) -> String {
    let mut all = String::new();
    let mut buffer = [0; 4096];
    while !all.contains(text) {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time");
        let read = read.expect("not cut");
        assert!(read > 0, "it ended before {text}: {all}");
        all.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    all
}
