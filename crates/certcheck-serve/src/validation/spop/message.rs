//! What HAProxy sends, and what it is sent.

use std::net::IpAddr;

use super::codec::{Malformed, Reader, Value, put_boolean, put_bytes, put_number, put_text, put_u32};

/// Kinds of frames (3.2).
const HAPROXY_HELLO: u8 = 1;
const HAPROXY_DISCONNECT: u8 = 2;
const NOTIFY: u8 = 3;
const AGENT_HELLO: u8 = 101;
const AGENT_DISCONNECT: u8 = 102;
const ACK: u8 = 103;
/// The flag of a frame that is whole.
const FIN: u32 = 1;
const VERSION: &str = "2.0";
/// 3.2.3: the smallest frame that both sides can send.
const LEAST_FRAME: u64 = 256;
/// The action that sets a variable, its number of arguments, and the scope of the transaction: on a connection that is
/// kept, the answer about one request must not be one about the next.
const SET_VAR: u8 = 1;
const SET_VAR_ARGUMENTS: u8 = 3;
const TRANSACTION: u8 = 2;
/// Messages of one frame.
const MAX_MESSAGES: usize = 8;

/// Why a connection ends (3.2.10).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Normal = 0,
    Timeout = 2,
    TooBig = 3,
    Invalid = 4,
    BadVersion = 8,
    BadFrameSize = 9,
    Fragmented = 10,
    /// There is no room for the frame.
    Resources = 13,
}

impl From<Malformed> for Status {
    fn from(_: Malformed) -> Self {
        Self::Invalid
    }
}

/// A frame of HAProxy.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Message<'b> {
    Hello { max_frame: u32, is_healthcheck: bool },
    Notify { stream: u64, frame: u64, question: Question<'b> },
    Disconnect,
}

/// What is asked, in the arguments of a message.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Question<'b> {
    pub(super) secret: Option<&'b [u8]>,
    /// The certificate of the client, in DER.
    pub(super) leaf: Option<&'b [u8]>,
    /// Those above it, one behind the other. HAProxy has none on a resumed session.
    pub(super) chain: Option<&'b [u8]>,
    pub(super) policy: Option<&'b [u8]>,
    pub(super) source: Option<IpAddr>,
}

/// Reads a frame, without its length.
pub(super) fn read(frame: &[u8]) -> Result<Message<'_>, Status> {
    let mut reader = Reader(frame);
    let (kind, flags) = (reader.byte()?, reader.u32()?);
    let (stream, number) = (reader.number()?, reader.number()?);
    if flags & FIN == 0 {
        return Err(Status::Fragmented);
    }
    match kind {
        HAPROXY_HELLO => hello(reader),
        NOTIFY => Ok(Message::Notify { stream, frame: number, question: question(reader)? }),
        HAPROXY_DISCONNECT => Ok(Message::Disconnect),
        _ => Err(Status::Invalid),
    }
}

fn hello(mut reader: Reader<'_>) -> Result<Message<'_>, Status> {
    let (mut versions, mut max_frame, mut is_healthcheck) = (None, None, false);
    while !reader.is_empty() {
        match (reader.bytes()?, reader.value()?) {
            (b"supported-versions", Value::Bytes(text)) => versions = Some(text),
            (b"max-frame-size", Value::Number(size)) => max_frame = Some(size),
            (b"healthcheck", Value::Boolean(value)) => is_healthcheck = value,
            _ => {}
        }
    }
    let versions = versions.ok_or(Status::BadVersion)?;
    if !versions.split(|byte| *byte == b',').any(|version| version.trim_ascii() == VERSION.as_bytes()) {
        return Err(Status::BadVersion);
    }
    let max_frame = max_frame.filter(|size| *size >= LEAST_FRAME).and_then(|size| u32::try_from(size).ok());
    Ok(Message::Hello { max_frame: max_frame.ok_or(Status::BadFrameSize)?, is_healthcheck })
}

/// The arguments of all messages of a frame. One that is there twice could be read in two ways.
fn question(mut reader: Reader<'_>) -> Result<Question<'_>, Status> {
    let mut question = Question::default();
    let mut messages = 0;
    while !reader.is_empty() {
        messages += 1;
        if messages > MAX_MESSAGES {
            return Err(Status::Invalid);
        }
        let _name = reader.bytes()?;
        for _ in 0..reader.byte()? {
            let place = match (reader.bytes()?, reader.value()?) {
                (b"secret", Value::Bytes(bytes)) => question.secret.replace(bytes),
                (b"leaf", Value::Bytes(bytes)) => question.leaf.replace(bytes),
                (b"chain", Value::Bytes(bytes)) => question.chain.replace(bytes),
                (b"policy", Value::Bytes(bytes)) => question.policy.replace(bytes),
                // A policy that is named and not known must not be the usual one.
                (b"policy", _) => return Err(Status::Invalid),
                (b"src", Value::Address(address)) if question.source.is_none() => {
                    question.source = Some(address);
                    None
                }
                (b"src", Value::Address(_)) => return Err(Status::Invalid),
                _ => None,
            };
            if place.is_some() {
                return Err(Status::Invalid);
            }
        }
    }
    Ok(question)
}

/// A frame with its length.
fn frame(kind: u8, (stream, number): (u64, u64), payload: &[u8]) -> Vec<u8> {
    let mut content = vec![kind];
    content.extend(FIN.to_be_bytes());
    put_number(&mut content, stream);
    put_number(&mut content, number);
    content.extend_from_slice(payload);
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), &content].concat()
}

/// The answer to a hello. Frames follow each other: HAProxy opens another connection for what is asked meanwhile.
pub(super) fn agent_hello(max_frame: u32) -> Vec<u8> {
    let mut payload = Vec::new();
    put_bytes(&mut payload, b"version");
    put_text(&mut payload, VERSION);
    put_bytes(&mut payload, b"max-frame-size");
    put_u32(&mut payload, max_frame);
    put_bytes(&mut payload, b"capabilities");
    put_text(&mut payload, "");
    frame(AGENT_HELLO, (0, 0), &payload)
}

/// The end of a connection.
pub(super) fn disconnect(status: Status) -> Vec<u8> {
    let mut payload = Vec::new();
    put_bytes(&mut payload, b"status-code");
    put_u32(&mut payload, status as u32);
    put_bytes(&mut payload, b"message");
    put_text(&mut payload, if status == Status::Normal { "end" } else { "frame refused" });
    frame(AGENT_DISCONNECT, (0, 0), &payload)
}

/// The answer to a question: whether the client is accepted, and texts about it, as variables of the transaction.
pub(super) fn ack(of: (u64, u64), is_accepted: bool, texts: &[(&str, &str)]) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut variable = |name: &str, put: &dyn Fn(&mut Vec<u8>)| {
        payload.extend([SET_VAR, SET_VAR_ARGUMENTS, TRANSACTION]);
        put_bytes(&mut payload, name.as_bytes());
        put(&mut payload);
    };
    variable("ok", &|out| put_boolean(out, is_accepted));
    for (name, text) in texts {
        variable(name, &|out| put_text(out, text));
    }
    frame(ACK, of, &payload)
}
