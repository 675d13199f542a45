//! The responder of the `openssl` program.

use std::path::Path;
use std::process::Command;

use super::process::{Folder, Process, find};

/// `openssl ocsp`, which answers from the index of an `openssl ca`. It takes one request after the other, and a
/// connection that closes without one stops it for good.
pub struct OpensslResponder(Process);

impl OpensslResponder {
    /// The files are named relative to `folder`. Answers hold for a day unless `extra` says `-ndays` or `-nmin`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(
        folder: &Path,
        index: &str,
        ca: &str,
        signer: &str,
        key: &str,
        extra: &[&str],
    ) -> Option<Self> {
        let program = find("openssl")?;
        // Without -multi, whose master process would outlive a signal.
        let command = |_: &Folder, port: u16| {
            let mut command = Command::new(&program);
            command.current_dir(folder).args(["ocsp", "-ignore_err", "-port", &port.to_string()]);
            command.args(["-index", index, "-CA", ca, "-rsigner", signer, "-rkey", key]);
            if !extra.iter().any(|word| ["-ndays", "-nmin"].contains(word)) {
                command.args(["-ndays", "1"]);
            }
            command.args(extra);
            command
        };
        // Not asked by a connection: one without a request leaves it waiting for ever.
        let is_ready = |folder: &Folder, _| folder.read("stdout").contains("ACCEPT");
        Some(Self(Process::start(Folder::new("ocsp"), command, is_ready)))
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.0.port)
    }
}
