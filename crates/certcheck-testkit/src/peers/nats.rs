//! NATS with JetStream.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::process::Command;

use super::process::{Folder, Troubled, find};

/// A server of NATS with JetStream, whose streams are in its folder.
pub struct Nats(Troubled);

impl Nats {
    /// Starts `nats-server` with these lines of configuration in addition.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(extra: &str) -> Option<Self> {
        let (program, extra) = (find("nats-server")?, extra.to_owned());
        let command = move |folder: &Folder, port: u16| {
            let streams = folder.path().join("streams");
            // Nothing is there the first time.
            let _gone = fs::remove_dir_all(&streams);
            let config = format!(
                "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {streams:?}, max_file: 4G }}\n{extra}\n"
            );
            let config = folder.write("nats.conf", &config);
            let mut command = Command::new(&program);
            command.arg("-c").arg(config);
            command
        };
        Some(Self(Troubled::start("nats", command)))
    }

    /// Its address, without a bucket.
    #[must_use]
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// The payload of the answer to a request, by a connection of its own and without a user.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn ask(&self, subject: &str, request: &[u8]) -> Vec<u8> {
        self.ask_with_headers(subject, "", request)
    }

    /// The same with these headers, which may be anything.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn ask_with_headers(&self, subject: &str, headers: &str, request: &[u8]) -> Vec<u8> {
        let stream = TcpStream::connect(("127.0.0.1", self.port())).expect("connects");
        let mut reader = BufReader::new(stream);
        let connect = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}";
        let size = headers.len() + request.len();
        let publishes = match headers.len() {
            0 => format!("PUB {subject} answer.1 {size}"),
            length => format!("HPUB {subject} answer.1 {length} {size}"),
        };
        let head = format!("{connect}\r\nSUB answer.> 1\r\n{publishes}\r\n{headers}");
        let request = [head.as_bytes(), request, b"\r\n"].concat();
        reader.get_mut().write_all(&request).expect("writes");
        loop {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).expect("reads") > 0, "the server closed the connection");
            let words: Vec<&str> = line.split_whitespace().collect();
            let (headers, size) = match words[..] {
                ["MSG", .., size] => (0, size),
                ["HMSG", .., headers, size] => (headers.parse().expect("a size"), size),
                ["-ERR", ..] => panic!("{line}"),
                _ => continue,
            };
            let mut answer = vec![0; size.parse().expect("a size")];
            reader.read_exact(&mut answer).expect("an answer");
            assert!(!answer.starts_with(b"NATS/1.0 503"), "nothing answers {subject}");
            return answer.split_off(headers);
        }
    }
}

impl Deref for Nats {
    type Target = Troubled;

    fn deref(&self) -> &Troubled {
        &self.0
    }
}

impl DerefMut for Nats {
    fn deref_mut(&mut self) -> &mut Troubled {
        &mut self.0
    }
}
