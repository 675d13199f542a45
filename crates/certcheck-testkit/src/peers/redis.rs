//! Redis, or Valkey, which speaks the same.

use std::ops::{Deref, DerefMut};
use std::process::Command;

use super::process::{Folder, Troubled, find};

/// An engine that keeps everything in memory alone.
pub struct Redis(Troubled);

impl Redis {
    /// Starts `redis-server` with these arguments in addition.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(extra: &[&str]) -> Option<Self> {
        let program = find("redis-server")?;
        let extra: Vec<_> = extra.iter().map(|word| (*word).to_owned()).collect();
        let command = move |folder: &Folder, port: u16| {
            let mut command = Command::new(&program);
            command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
            command.args(["--port", &port.to_string()]).arg("--dir").arg(folder.path()).args(&extra);
            command
        };
        Some(Self(Troubled::start("redis", command)))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port())
    }
}

impl Deref for Redis {
    type Target = Troubled;

    fn deref(&self) -> &Troubled {
        &self.0
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Troubled {
        &mut self.0
    }
}
