//! The responder of the `openssl` program.

use std::path::Path;
use std::process::Command;

use super::process::{Folder, Process, find};

/// The responder `openssl ocsp`, with the index of an `openssl ca`. It handles one request after the other. A
/// connection that is closed without a request stops it for good.
pub struct OpensslResponder(Process);

impl OpensslResponder {
    /// Starts the responder. File names are relative to `folder`. Answers are valid for a day unless `extra` has
    /// `-ndays` or `-nmin`.
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
        // Not checked by a connection: one without a request would block it for ever.
        let is_ready = |folder: &Folder, _| folder.read("stdout").contains("ACCEPT");
        Some(Self(Process::start(Folder::new("ocsp"), command, is_ready)))
    }

    /// The URL of the responder.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.0.port)
    }
}
