//! A reader's terminal: a folder, the program in the path, and a second terminal for the lab.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::block::{self, Block};

/// How the pages call the program where it is not installed.
const NOT_INSTALLED: &str = "cargo run --release --bin certcheck --";
/// The ports of the lab in the pages: moved to free ones, since others may use them.
const PORTS: [&str; 3] = ["8440", "8441", "8442"];
const PATIENCE: Duration = Duration::from_secs(60);

/// The terminal, with whatever it started.
pub(crate) struct Terminal {
    folder: TempDir,
    ports: Vec<String>,
    lab: Option<Child>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(lab) = &mut self.lab {
            let _ = lab.kill();
            let _ = lab.wait();
        }
    }
}

impl Terminal {
    /// A terminal in a new folder.
    pub(crate) fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let (here, root) = (folder.path(), super::root().canonicalize().unwrap());
        let demo = root.join("testdata/demo");
        for name in ["testdata", "examples"] {
            symlink(root.join(name), here.join(name)).unwrap();
        }
        for part in ["anchors", "intermediates"] {
            fs::create_dir_all(here.join("keyring").join(part)).unwrap();
        }
        for (from, to) in [
            ("ring/root.pem", "keyring/anchors/root.pem"),
            ("ring/device-ca.pem", "keyring/intermediates/issuing-ca.pem"),
            ("good.pem", "client.pem"),
        ] {
            fs::copy(demo.join(from), here.join(to)).unwrap();
        }
        symlink(demo.join("crl"), here.join("crls")).unwrap();
        Self { folder, ports: free_ports(), lab: None }
    }

    pub(crate) const fn has_lab(&self) -> bool {
        self.lab.is_some()
    }

    /// Runs a block and returns what the page has to show for it, if it shows anything.
    pub(crate) fn run(&mut self, block: &Block, faults: &mut Vec<String>) -> Option<String> {
        match block {
            Block::Other => None,
            Block::Script { script, output: None } if is_lab(script) => {
                self.start_lab(script);
                None
            }
            Block::Script { script, output } => {
                let (exit, printed) = self.shell(if output.is_some() { "" } else { "set -e\n" }, script)?;
                if output.is_none() && exit != Some(0) {
                    faults.push(format!("exit code {exit:?} of\n{script}{printed}"));
                }
                output.is_some().then_some(printed)
            }
            Block::Session { session } => {
                let mut made = String::new();
                for command in block::commands(session) {
                    let (_, printed) = self.shell("", &command)?;
                    made += &format!("$ {command}\n{printed}");
                }
                Some(made)
            }
        }
    }

    /// Exit code, and what is printed, errors included. Nothing if a program of others is not installed here.
    fn shell(&self, before: &str, script: &str) -> Option<(Option<i32>, String)> {
        let first = script.lines().filter_map(|line| line.split(' ').next());
        let piped = script.split("| ").skip(1).filter_map(|rest| rest.split(' ').next());
        for program in first.chain(piped).filter(|program| ["curl", "jq", "openssl"].contains(program)) {
            certcheck_testkit::peers::tool::run(program, &["--version"], PATIENCE)?;
        }
        let output = self.command(&format!("exec 2>&1\n{before}{script}")).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let printed =
            PORTS.iter().zip(&self.ports).fold(printed, |printed, (port, free)| printed.replace(free, port));
        Some((output.status.code(), printed))
    }

    fn command(&self, script: &str) -> Command {
        let ports = PORTS.iter().zip(&self.ports);
        let script = ports.fold(script.replace(NOT_INSTALLED, "certcheck"), |script, (port, free)| {
            script
                .replace(&format!("port {port}"), &format!("port {free}"))
                .replace(&format!(":{port}"), &format!(":{free}"))
        });
        let program = Path::new(env!("CARGO_BIN_EXE_certcheck"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [program.parent().unwrap().to_owned()].into_iter().chain(std::env::split_paths(&path));
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("PATH", std::env::join_paths(folders).unwrap()).env("HOME", self.folder.path());
        for name in ["CLICOLOR_FORCE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command
    }

    /// The second terminal, with the lab until the page ends.
    fn start_lab(&mut self, script: &str) {
        assert!(self.lab.is_none(), "one lab for a page");
        let lab = self.command(&format!("exec {script}")).stdout(Stdio::null()).spawn().unwrap();
        let lab = self.lab.insert(lab);
        let began = Instant::now();
        while !Command::new(env!("CARGO_BIN_EXE_certcheck"))
            .args(["lab", "status"])
            .current_dir(self.folder.path())
            .output()
            .unwrap()
            .status
            .success()
        {
            assert!(lab.try_wait().unwrap().is_none(), "the lab ended");
            assert!(began.elapsed() < PATIENCE, "the lab is not ready");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a script is the lab that runs until Ctrl-C, and not an order to it.
fn is_lab(script: &str) -> bool {
    let mut words = script.trim().strip_prefix("certcheck lab").map(str::split_whitespace);
    words.as_mut().is_some_and(|words| words.next().is_none_or(|word| word.starts_with('-')))
        && script.lines().count() == 1
}

/// Ports that follow one another and that nobody uses. Each page of this process searches a range of its own, since it takes
/// them only later.
fn free_ports() -> Vec<String> {
    static PAGES: AtomicUsize = AtomicUsize::new(0);
    let before = PAGES.fetch_add(1, Ordering::Relaxed) % 12 * 1000 + std::process::id() as usize % 1000;
    let first = (20_000..60_000).step_by(PORTS.len()).skip(before).find(|first| {
        let sockets: Vec<_> =
            (0..PORTS.len()).map(|more| TcpListener::bind(("127.0.0.1", first + more as u16))).collect();
        sockets.iter().all(Result::is_ok)
    });
    let first = first.expect("free ports");
    (0..PORTS.len()).map(|more| (first + more as u16).to_string()).collect()
}
