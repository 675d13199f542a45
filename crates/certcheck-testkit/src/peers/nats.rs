//! NATS with JetStream.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::process::{Folder, Process, accepts, find};

/// A server of NATS with JetStream, whose streams are in its folder.
pub struct Nats {
    process: Process,
    program: PathBuf,
    extra: String,
}

impl Nats {
    /// Starts `nats-server` with these lines of configuration in addition.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(extra: &str) -> Option<Self> {
        let program = find("nats-server")?;
        let process = Process::start(Folder::new("nats"), command(&program, extra), accepts);
        Some(Self { process, program, extra: extra.to_owned() })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.process.port
    }

    /// Its address, without a bucket.
    #[must_use]
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.process.port)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, with nothing in it.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.process.restart(command(&self.program, &self.extra), accepts);
    }

    /// Stops its process, so that it neither answers nor ends its connections.
    ///
    /// # Panics
    /// If `kill` cannot be run.
    pub fn freeze(&self) {
        self.process.signal("-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// If `kill` cannot be run.
    pub fn thaw(&self) {
        self.process.signal("-CONT");
    }
}

fn command(program: &PathBuf, extra: &str) -> impl Fn(&Folder, u16) -> Command {
    move |folder, port| {
        let streams = folder.path().join("streams");
        // Nothing is there the first time.
        let _gone = fs::remove_dir_all(&streams);
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {streams:?}, max_file: 4G }}\n{extra}\n"
        );
        let config = folder.write("nats.conf", &config);
        let mut command = Command::new(program);
        command.arg("-c").arg(config);
        command
    }
}
