//! The service: TLS by [`Acceptor`]. It greets a client with its name and echoes lines, or answers HTTP.
//!
//! A client that speaks HTTP is recognised by ALPN (RFC 7301), or by its first bytes, which may take a moment.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_core::reason::Reason;
use certcheck_core::status::Status;
use certcheck_fetch::{CheckReport, Ended};
use certcheck_rustls::{AcceptError, Acceptor, Client};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::log::{Event, Log};
use crate::text::shown;

/// Connections at once.
const AT_ONCE: usize = 256;
/// Bytes of a line, or of the head of an HTTP request.
const MOST: usize = 8 << 10;
/// How long a client may say nothing.
const IDLE: Duration = Duration::from_secs(600);
/// How long a client that may speak HTTP has to begin.
const MOMENT: Duration = Duration::from_millis(200);
/// How long the last line may take.
const PARTING: Duration = Duration::from_secs(2);

pub(super) const HTTP: &[u8] = b"http/1.1";

/// Serves until dropped.
pub(super) async fn serve(listener: TcpListener, acceptor: Acceptor, log: Log) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((io, _)) = listener.accept().await else {
            // The process has no descriptors left, most likely.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, log) = (acceptor.clone(), log.clone());
        tokio::spawn(async move {
            connection(&acceptor, io, &log).await;
            drop(permit);
        });
    }
}

async fn connection(acceptor: &Acceptor, io: TcpStream, log: &Log) {
    let begun = Instant::now();
    let accepted = acceptor.accept(io).await;
    let elapsed = begun.elapsed();
    let admitted = match accepted {
        Ok(admitted) => admitted,
        Err(error) => {
            let event = Event::new("echo", refused_name(&error), "refused").detail(refusal(&error));
            return log.record(event.took(elapsed));
        }
    };
    let is_http = admitted.alpn() == Some(HTTP);
    let (mut stream, client) = admitted.into_parts();
    // Both are there where certificates are demanded.
    let (Some(report), Some(watch)) = (client.report(), client.watch()) else { return };
    let name = name_of(report);
    let event = Event::new("echo", &name, "accepted").detail(evidence(report));
    log.record(event.took(elapsed));
    let hello = hello(&client, report);
    let ended = {
        let talk = pin!(converse(&mut stream, &hello, is_http));
        tokio::select! {
            _left = talk => None,
            ended = watch => Some(ended),
        }
    };
    match ended {
        Some(Ended::Rejected(report)) => {
            let code = report.code();
            log.record(Event::new("echo", &name, "cut-off").detail(code).took(begun.elapsed()));
            let line = format!("you are no longer accepted: {code}\n");
            let _gone = timeout(PARTING, stream.write_all(line.as_bytes())).await;
        }
        // For an HTTP client all is logged by then.
        None if !is_http => log.record(Event::new("echo", &name, "left").took(begun.elapsed())),
        _ => {}
    }
    let _gone = timeout(PARTING, stream.shutdown()).await;
}

/// The common name of the client that a report is about; the subject if it has none.
fn name_of(report: &CheckReport) -> String {
    let details = report.details();
    let view = details.view();
    let Some(leaf) = view.path.first() else { return "somebody".to_owned() };
    let subject = leaf.certificate.subject().to_string();
    let name = subject.split(',').find_map(|part| part.strip_prefix("CN=")).unwrap_or(&subject);
    shown(&name.chars().take(40).collect::<String>())
}

fn refused_name(error: &AcceptError) -> String {
    match error {
        AcceptError::Refused(refused) => name_of(refused.report()),
        _ => "somebody".to_owned(),
    }
}

/// The code of a refusal, and the cause of an unknown status.
fn refusal(error: &AcceptError) -> String {
    let AcceptError::Refused(refused) = error else { return error.code().to_owned() };
    match refused.reason().map(|rejection| &rejection.reason) {
        Some(Reason::RevocationUnknown(cause)) => format!("{}, {}", error.code(), cause.code()),
        _ => error.code().to_owned(),
    }
}

/// The evidence by which the client is good.
fn evidence(report: &CheckReport) -> String {
    match report.details().view().path.first().map(|leaf| &leaf.revocation) {
        Some(Status::Good(proof)) => format!("{} of {}", proof.by.code(), proof.this_update),
        _ => "without evidence".to_owned(),
    }
}

/// The greeting of an admitted client.
fn hello(client: &Client, report: &CheckReport) -> String {
    let Some(Ok(identity)) = client.identity() else { return "you are accepted\n".to_owned() };
    let emails = identity.emails().map(|emails| emails.join(", ")).unwrap_or_default();
    let resumed = if client.is_resumed() { ", a session resumed" } else { "" };
    let until = identity.not_after();
    format!(
        "you are {}\ne-mail {emails}\nuntil {until}, not revoked by {}{resumed}\n",
        identity.subject(),
        evidence(report)
    )
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
        return answer(stream, &mut taken, hello).await;
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
    hello: &str,
) -> io::Result<()> {
    while !taken.windows(4).any(|four| four == b"\r\n\r\n") && taken.len() < MOST {
        if timeout(IDLE, read(stream, taken)).await?? == 0 {
            return Ok(());
        }
    }
    let (length, body) = (hello.len(), if taken.starts_with(b"HEAD ") { "" } else { hello });
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

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
