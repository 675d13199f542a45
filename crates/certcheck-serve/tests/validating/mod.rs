//! A validation listener, requests to it, and what the description of its interface says about answers.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::net::SocketAddr;

use certcheck_serve::Front;
use certcheck_serve::config::{self, Loaded};
use data_encoding::BASE64;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::*;

pub(crate) const SECRET: &str = "X-Certcheck-Secret: 0123456789abcdef\r\n";

/// A validation listener `proxies` on a free port, with more lines behind those of its table.
pub(crate) fn config(pki: &Pki, more: &str) -> Loaded {
    fs::write(pki.path("secret"), "0123456789abcdef\n").expect("written");
    let text = format!(
        "watch_files = 'off'\n\
         [[validation]]\n\
         name = 'proxies'\n\
         listen = ['127.0.0.1:0', 'unix:{}']\n\
         secret_file = 'secret'\n\
         ring = 'ring'\n\
         allow_net = '127.0.0.0/8'\n\
         {more}",
        pki.path("validation.sock").display()
    );
    config::read_text(&pki.path("serve.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn start(pki: &Pki, more: &str) -> (Front, SocketAddr) {
    let front = Front::start(config(pki, more)).unwrap_or_else(|error| panic!("{error}"));
    let address = front.validation_addresses("proxies")[0];
    (front, address)
}

/// An answer: status, head and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) async fn ask_over(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    request: &[u8],
) -> Answer {
    stream.write_all(request).await.expect("written");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{read:?}: {answer}"));
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) async fn ask(address: SocketAddr, request: &str) -> Answer {
    ask_over(TcpStream::connect(address).await.expect("connects"), request.as_bytes()).await
}

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await
}

pub(crate) async fn post(address: SocketAddr, path: &str, kind: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    let stream = TcpStream::connect(address).await.expect("connects");
    ask_over(stream, &[head.as_bytes(), body].concat()).await
}

pub(crate) async fn verify(address: SocketAddr, question: &Value) -> Answer {
    post(address, "/v1/verify", "application/json", SECRET, question.to_string().as_bytes()).await
}

pub(crate) fn chain_of(pki: &Pki, name: &str) -> Vec<String> {
    pki.person(name).chain.iter().map(|der| BASE64.encode(der)).collect()
}

/// The description of the interface.
pub(crate) fn openapi() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).expect("JSON")
}

/// What is wrong with a value, by the parts of JSON Schema that the description uses.
pub(crate) fn fault(schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return fault(openapi().pointer(name.trim_start_matches('#')).expect("defined"), value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().filter(|choice| fault(choice, value).is_none()).count();
        return (fits != 1).then(|| format!("{value} fits {fits} of {choices:?}"));
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_other = |key: &str| schema.get(key).is_some_and(|wanted| wanted != value);
    let is_unlisted = schema["enum"].as_array().is_some_and(|list| !list.contains(value));
    if (!types.is_empty() && !types.contains(&kind.into())) || is_other("const") || is_unlisted {
        return Some(format!("{value} is not {schema}"));
    }
    let items = value.as_array().into_iter().flatten().find_map(|item| fault(&schema["items"], item));
    let (Some(object), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return items;
    };
    let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing = missing.filter(|key| !object.contains_key(*key)).map(|key| format!("no {key}")).next();
    let inner = object.iter().find_map(|(key, value)| match known.get(key) {
        Some(schema) => fault(schema, value),
        None => (schema["additionalProperties"] == false).then(|| format!("{key} is not described")),
    });
    missing.or(inner)
}

/// An answer is described: its status, and its body.
pub(crate) fn assert_described(path: &str, method: &str, answer: &Answer) {
    let answers = &openapi()["paths"][path][method]["responses"];
    let described = &answers[answer.status.to_string()];
    assert!(described.is_object(), "{path}: {} is not described", answer.status);
    let name = described["$ref"].as_str().unwrap_or_default();
    let openapi = openapi();
    let described =
        openapi.pointer(name.trim_start_matches('#')).filter(|_| !name.is_empty()).unwrap_or(described);
    let schema = &described["content"]["application/json"]["schema"];
    if schema.is_object() {
        assert_eq!(fault(schema, &answer.json()), None, "{answer:?}");
    }
    for header in described["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("X-Certcheck"))
    {
        assert!(answer.header(header.0).is_some(), "{} is missing: {answer:?}", header.0);
    }
}
