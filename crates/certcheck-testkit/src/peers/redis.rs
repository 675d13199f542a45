//! Redis, or Valkey, which speaks the same.

use std::path::PathBuf;
use std::process::Command;

use super::process::{Folder, Process, accepts, find};

/// An engine that keeps everything in memory alone.
pub struct Redis {
    process: Process,
    program: PathBuf,
    extra: Vec<String>,
}

impl Redis {
    /// Starts `redis-server` with these arguments in addition.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(extra: &[&str]) -> Option<Self> {
        let program = find("redis-server")?;
        let extra: Vec<_> = extra.iter().map(|word| (*word).to_owned()).collect();
        let process = Process::start(Folder::new("redis"), command(&program, &extra), accepts);
        Some(Self { process, program, extra })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.process.port
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.process.port)
    }

    /// Kills it. What it had is lost.
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

fn command(program: &PathBuf, extra: &[String]) -> impl Fn(&Folder, u16) -> Command {
    move |folder, port| {
        let mut command = Command::new(program);
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &port.to_string(),
        ]);
        command.arg("--dir").arg(folder.path()).args(extra);
        command
    }
}
