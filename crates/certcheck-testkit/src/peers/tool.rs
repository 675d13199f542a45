//! Programs that run to their end, mostly TLS clients.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::process::{find, find_optional};

/// The output of a program, and whether it succeeded.
#[derive(Debug)]
pub struct Ran {
    /// Standard output, then standard error.
    pub text: String,
    /// Whether the exit code was 0.
    pub is_success: bool,
}

/// Runs a program until it ends, or for this long. Its standard input stays open without input, as with a terminal.
/// `None` if the program is not installed.
///
/// # Panics
/// If it cannot be run, or if peers are required and it is not installed.
#[must_use]
pub fn run(program: &str, arguments: &[&str], patience: Duration) -> Option<Ran> {
    run_with(program, arguments, None, patience)
}

/// Like [`run`], for a program that may be missing where peers are required.
///
/// # Panics
/// If it cannot be run.
#[must_use]
pub fn run_optional(program: &str, arguments: &[&str], patience: Duration) -> Option<Ran> {
    find_optional(program)?;
    run_with(program, arguments, None, patience)
}

/// Like [`run`], with a standard input that ends.
///
/// # Panics
/// The same as for [`run`].
#[must_use]
pub fn run_on(program: &str, arguments: &[&str], input: &[u8], patience: Duration) -> Option<Ran> {
    run_with(program, arguments, Some(input), patience)
}

fn run_with(program: &str, arguments: &[&str], input: Option<&[u8]>, patience: Duration) -> Option<Ran> {
    let mut child = Command::new(find(program)?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take();
    if let (Some(input), Some(mut stdin)) = (input, stdin.take_if(|_| input.is_some())) {
        let input = input.to_vec();
        // A program that ignores its input ends without it.
        thread::spawn(move || stdin.write_all(&input));
    }
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _gone = from.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let outputs = [
        read(Box::new(child.stdout.take().expect("piped"))),
        read(Box::new(child.stderr.take().expect("piped"))),
    ];
    let begun = Instant::now();
    let mut is_success = false;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            is_success = status.success();
            break;
        }
        if begun.elapsed() > patience {
            let _gone = child.kill();
            let _gone = child.wait();
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    drop(stdin);
    let text = outputs.map(|output| output.join().unwrap_or_default()).concat();
    Some(Ran { text, is_success })
}
