//! A child process that listens on a port, with a folder of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::PATIENCE;

/// How often a free port is tried: another process may take it before it is used.
const TRIES: u32 = 3;
/// The ports that are tried: all below the range of Linux, which begins at 32768.
const FIRST_PORT: u16 = 12_000;
const PORTS: u32 = 20_000;

/// The path of a program, in the `PATH` or in the folders of root. It must be there where peers are required.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let found = find_optional(program);
    let is_required = std::env::var_os("CERTCHECK_REQUIRE_PEERS").is_some();
    assert!(found.is_some() || !is_required, "there is no {program} here");
    found
}

/// The path of a program that may be missing.
pub(super) fn find_optional(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no {program} here");
    }
    found
}

/// A folder that is removed with its content.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("certcheck-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        Self(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, content).expect("written");
        file
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed when dropped.
pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
    /// After the child: dropped when the child is dead.
    pub(super) folder: Folder,
}

impl Process {
    /// Starts the process that `command` returns for a port, and waits until it is ready.
    pub(super) fn start(
        folder: Folder,
        command: impl Fn(&Folder, u16) -> Command,
        is_ready: impl Fn(&Folder, u16) -> bool,
    ) -> Self {
        for _ in 0..TRIES {
            let port = free_port();
            if let Some(child) = spawned(&folder, port, &command, &is_ready) {
                return Self { child, port, folder };
            }
        }
        panic!("does not start: {}", folder.read("stderr"));
    }

    /// Kills it, and starts it again on the same port.
    pub(super) fn restart(
        &mut self,
        command: impl Fn(&Folder, u16) -> Command,
        is_ready: impl Fn(&Folder, u16) -> bool,
    ) {
        self.kill();
        let child = spawned(&self.folder, self.port, command, is_ready);
        self.child = child.unwrap_or_else(|| panic!("does not start: {}", self.folder.read("stderr")));
    }

    /// Kills it. Its port and folder stay.
    pub(super) fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Sends it a signal, as `kill` names it.
    pub(super) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("runs").success(), "kill {signal}");
    }
}

/// The command of a server, for its folder and port.
type ServerCommand = Box<dyn Fn(&Folder, u16) -> Command + Send + Sync>;

/// A server that tests put into trouble.
pub struct Troubled {
    process: Process,
    command: ServerCommand,
}

impl Troubled {
    /// Starts the process that `command` returns for a port, and waits until it accepts connections.
    pub(super) fn start(
        name: &str,
        command: impl Fn(&Folder, u16) -> Command + Send + Sync + 'static,
    ) -> Self {
        let process = Process::start(Folder::new(name), &command, accepts);
        Self { process, command: Box::new(command) }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.process.port
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
        self.process.restart(&self.command, accepts);
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

/// The process on this port, if it gets ready there.
fn spawned(
    folder: &Folder,
    port: u16,
    command: impl Fn(&Folder, u16) -> Command,
    is_ready: impl Fn(&Folder, u16) -> bool,
) -> Option<Child> {
    let log = |name| File::create(folder.path().join(name)).expect("log");
    let mut child = command(folder, port)
        .stdin(Stdio::null())
        .stdout(log("stdout"))
        .stderr(log("stderr"))
        .spawn()
        .expect("starts");
    if runs(&mut child, || is_ready(folder, port)) {
        return Some(child);
    }
    end(&mut child);
    None
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A free port, below those that the system hands out: a test that runs at the same time gets none of these in between,
/// neither for a server on any port nor for a connection.
///
/// # Panics
/// If none is free.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let free = (0..PORTS).find_map(|_| {
        // Another process of tests begins elsewhere.
        let number = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST_PORT + u16::try_from(number % PORTS).expect("small");
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
    });
    free.expect("a free port")
}

/// Whether the port accepts connections.
pub(super) fn accepts(_: &Folder, port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Waits until it is ready. False if the child ended, because its port was taken or it cannot run.
fn runs(child: &mut Child, is_ready: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let is_ready = is_ready();
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        if is_ready {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}
