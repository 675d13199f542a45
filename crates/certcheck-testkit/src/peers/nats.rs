//! NATS with JetStream.

use std::fs;
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
