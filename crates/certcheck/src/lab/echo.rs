//! The service behind the front, which knows nothing of TLS. It greets a client by what the front says about it and echoes
//! lines, or answers HTTP. Behind a proxy it answers HTTP alone.
//!
//! A client that speaks HTTP is recognised by ALPN (RFC 7301), or by its first bytes, which may take a moment.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::proxy_header;
use crate::text::shown;

/// Connections at once.
const AT_ONCE: usize = 256;
/// Bytes of a line, or of the head of an HTTP request.
const MOST: usize = 8 << 10;
/// How long a client may say nothing.
const IDLE: Duration = Duration::from_secs(600);
/// How long a client that may speak HTTP has to begin.
const MOMENT: Duration = Duration::from_millis(200);
/// How long the header may take, and the end.
const PARTING: Duration = Duration::from_secs(2);

const HTTP: &[u8] = b"http/1.1";

/// What the service is behind, and so how it learns who a client is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Behind {
    /// By the PROXY protocol.
    Front,
    /// By a header of HTTP.
    Proxy,
}

/// Serves until dropped.
pub(super) async fn serve(listener: TcpListener, behind: Behind) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((io, _)) = listener.accept().await else {
            // The process has no descriptors left, most likely.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        tokio::spawn(async move {
            connection(io, behind).await;
            drop(permit);
        });
    }
}

async fn connection(mut io: TcpStream, behind: Behind) {
    match behind {
        Behind::Front => {
            let Ok(Ok(Some(facts))) = timeout(PARTING, proxy_header::read(&mut io)).await else { return };
            let is_http = facts.alpn.as_deref() == Some(HTTP);
            let _left = converse(&mut io, &facts.hello(), is_http).await;
        }
        Behind::Proxy => {
            let _left = answer(&mut io, &mut Vec::new(), named_client).await;
        }
    }
    let _gone = timeout(PARTING, io.shutdown()).await;
}

/// Talks with a client until it leaves.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    hello: &str,
    is_http: bool,
) -> io::Result<()> {
    let mut taken = Vec::new();
    let first = timeout(if is_http { IDLE } else { MOMENT }, read(stream, &mut taken)).await;
    if let Ok(first) = first
        && first? == 0
    {
        return Ok(());
    }
    if is_http || is_request(&taken) {
        return answer(stream, &mut taken, |_| hello.to_owned()).await;
    }
    stream.write_all(hello.as_bytes()).await?;
    loop {
        while let Some(end) = taken.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = taken.drain(..=end).collect();
            stream.write_all(&line).await?;
        }
        stream.flush().await?;
        if taken.len() >= MOST {
            return stream.write_all(b"that line is too long\n").await;
        }
        if timeout(IDLE, read(stream, &mut taken)).await?? == 0 {
            return Ok(());
        }
    }
}

/// Reads what is there, up to the bound.
async fn read<S: AsyncRead + Unpin>(stream: &mut S, taken: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 1 << 10];
    let room = MOST.saturating_sub(taken.len()).min(chunk.len());
    let Some(room) = chunk.get_mut(..room) else { return Ok(0) };
    let came = stream.read(room).await?;
    taken.extend_from_slice(room.get(..came).unwrap_or_default());
    Ok(came)
}

/// Whether this begins like an HTTP request (RFC 9112 3).
fn is_request(bytes: &[u8]) -> bool {
    let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    bytes.get(method.len()..).is_some_and(|rest| rest.starts_with(b" /"))
        && !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
}

/// Answers one HTTP request, whatever it is, and no other.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    taken: &mut Vec<u8>,
    hello: impl FnOnce(&[u8]) -> String,
) -> io::Result<()> {
    while !taken.windows(4).any(|four| four == b"\r\n\r\n") && taken.len() < MOST {
        if timeout(IDLE, read(stream, taken)).await?? == 0 {
            return Ok(());
        }
    }
    let hello = hello(taken);
    let (length, body) = (hello.len(), if taken.starts_with(b"HEAD ") { "" } else { &*hello });
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}

/// The greeting of a client by what the proxy says in the head of a request.
fn named_client(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("x-client-subject").then(|| shown(value.trim()))
    };
    match head.lines().find_map(header) {
        Some(subject) => format!("you are {subject}\n"),
        None => "you are nobody that the proxy names\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_names_the_client() {
        assert_eq!(named_client(b"GET / HTTP/1.1\r\nx-client-subject: CN=good\r\n\r\n"), "you are CN=good\n");
        assert_eq!(
            named_client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            "you are nobody that the proxy names\n"
        );
    }

    #[test]
    fn requests_are_distinguished_from_lines() {
        for text in ["GET / HTTP/1.1\r\n", "POST /x HTTP/1.0\r\n", "HEAD /"] {
            assert!(is_request(text.as_bytes()), "{text}");
        }
        for text in
            ["", "GET", "hello\n", " / ", "get / HTTP/1.1", "GET x\n", "I / you\n\n".trim_start_matches("I ")]
        {
            assert!(!is_request(text.as_bytes()), "{text}");
        }
    }

    #[tokio::test]
    async fn lines_come_back_and_endless_ones_do_not() {
        let (mut client, mut server) = tokio::io::duplex(64 << 10);
        let talk = tokio::spawn(async move { converse(&mut server, "hello\n", false).await });
        client.write_all(b"one\ntwo\n").await.unwrap();
        client.write_all(&[b'x'; MOST + 1]).await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello\none\ntwo\nthat line is too long\n");
        talk.await.unwrap().unwrap();
    }
}
