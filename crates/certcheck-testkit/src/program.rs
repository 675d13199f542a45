//! The program under test: calls without settings of its user, processes that run on, and waiting for what they do.

use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// How long what happens within seconds may take, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A call of the program at this path, without the settings of the user who runs the tests: no settings file, no
/// variables of the program, no colours.
#[must_use]
pub fn isolated(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CERTCHECK_") {
            command.env_remove(name);
        }
    }
    command.env("CERTCHECK_CONFIG", "").env_remove("CLICOLOR_FORCE");
    command
}

/// Exit code, standard output and standard error of a call.
///
/// # Panics
/// If it cannot be started, is ended by a signal, or writes something else than UTF-8.
#[must_use]
pub fn run(command: &mut Command) -> (i32, String, String) {
    ended(command.output().expect("runs"))
}

/// Exit code, standard output and standard error of a process that has ended.
///
/// # Panics
/// If a signal ended it, or it wrote something else than UTF-8.
#[must_use]
pub fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// A process that runs on. It ends with this value.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

/// Asks again until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(PAUSE);
    }
}
