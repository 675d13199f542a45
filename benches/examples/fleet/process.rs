//! The mirror and the nodes: processes of their own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use certcheck_testkit::peers::free_port;
use certcheck_testkit::pem;

use crate::origin::Origin;

/// The longest time until one listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Process {
    pub(crate) fn mirror(program: &Path, origin: &Origin) -> Self {
        Self::start(program, origin, "mirror", |address| {
            format!(
                "watch_files = 'off'\n[mirror]\nlisten = '{address}'\nring = 'ring'\nhosts = ['{}']\nrefresh = '1s'\n\
                 allow_net = '127.0.0.0/8'\n",
                origin.server.address()
            )
        })
    }

    pub(crate) fn node(
        program: &Path,
        origin: &Origin,
        number: usize,
        mirror: SocketAddr,
        upstream: SocketAddr,
    ) -> Self {
        Self::start(program, origin, &format!("node-{number}"), |address| {
            format!(
                "watch_files = 'off'\nmirrors = 'http://{mirror}'\n[[listener]]\nlisten = '{address}'\nupstream = '{upstream}'\n\
                 ring = 'ring'\nallow_net = '127.0.0.0/8'\nhandshake_timeout = '60s'\n\
                 certificates = {{ chain = 'server.pem', key = 'server.key' }}\n"
            )
        })
    }

    fn start(program: &Path, origin: &Origin, name: &str, config: impl Fn(SocketAddr) -> String) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let folder = std::env::temp_dir().join(format!("certcheck-fleet-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("ring")).unwrap();
        let write = |file: &str, text: String| fs::write(folder.join(file), text).unwrap();
        write("ring/root.pem", pem("CERTIFICATE", &origin.pki.root()));
        write("ring/ca.pem", pem("CERTIFICATE", &origin.pki.ca()));
        write("server.pem", pem("CERTIFICATE", &origin.pki.server()));
        write("server.key", pem("PRIVATE KEY", &origin.pki.server_key().pkcs8()));
        write("serve.toml", config(address));
        let log = File::create(folder.join("log")).unwrap();
        let mut command = Command::new(program.canonicalize().unwrap());
        command.current_dir(&folder).args(["serve", "--config", "serve.toml"]);
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{name} ended: {}", log());
            assert!(begun.elapsed() < PATIENCE, "{name} does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, folder, address }
    }

    /// The memory that it has, in KiB. Pages that processes share count in part.
    pub(crate) fn resident_kib(&self) -> i64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).unwrap();
        let line = rollup.lines().find(|line| line.starts_with("Pss:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}
