//! The folder of the lab: ring, clients, and a state file by which the commands find the lab.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use certcheck_forge::pem;
use serde::{Deserialize, Serialize};

use super::pki::{Holder, Pki};

const STATE: &str = "lab.json";
const PROXY: &str = "proxy";
const PARTS: [&str; 3] = ["ring", "clients", PROXY];
const SERVER_CA: &str = "server-ca.pem";
const SERVER: &str = "server.pem";
const SERVER_KEY: &str = "server.key";
const SERVE: &str = "serve.toml";
/// Bytes of a state file.
const MAX_STATE: u64 = 64 << 10;

/// What the state file says.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct State {
    /// `certcheck lab`, by which the folder is known to be a lab's.
    program: String,
    pub(super) pid: u32,
    pub(super) echo: SocketAddr,
    /// The URL of the front's status page. Labs of earlier versions have none.
    #[serde(default)]
    pub(super) status_page: String,
    pub(super) cdp: String,
    pub(super) ocsp: String,
    pub(super) control: SocketAddr,
    /// It gives control of the lab. Empty once the lab has ended.
    pub(super) token: String,
    /// When the lab ended; not there while it runs, or if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<String>,
}

impl State {
    pub(super) fn new(
        echo: SocketAddr,
        status_page: String,
        cdp: String,
        ocsp: String,
        control: SocketAddr,
        token: String,
    ) -> Self {
        let (program, pid) = ("certcheck lab".to_owned(), std::process::id());
        Self { program, pid, echo, status_page, cdp, ocsp, control, token, ended: None }
    }

    /// The state of a lab that has ended: nothing is sent to its port, which another program may have by then.
    pub(super) fn ended(mut self, at: String) -> Self {
        self.token.clear();
        self.ended = Some(at);
        self
    }
}

/// The folder of a lab.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

fn named(path: &Path) -> impl FnOnce(io::Error) -> anyhow::Error {
    move |error| anyhow!("{}: {error}", path.display())
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn ring(&self) -> PathBuf {
        self.0.join("ring")
    }

    pub(super) fn server_ca(&self) -> PathBuf {
        self.0.join(SERVER_CA)
    }

    /// The configuration of the front.
    pub(super) fn serve(&self) -> PathBuf {
        self.0.join(SERVE)
    }

    /// The certificate and the key of a client.
    pub(super) fn client(&self, name: &str) -> (PathBuf, PathBuf) {
        let clients = self.0.join("clients");
        (clients.join(format!("{name}.pem")), clients.join(format!("{name}.key")))
    }

    /// What the state file says; `None` if there is none of a lab, or one that others could have written.
    pub(super) fn state(&self) -> Option<State> {
        let file = fs::File::open(self.0.join(STATE)).ok()?;
        let is_ours = |found: io::Result<fs::Metadata>| found.is_ok_and(|found| whose(&found).is_none());
        if !is_ours(fs::metadata(&self.0)) || !is_ours(file.metadata()) {
            return None;
        }
        let mut text = String::new();
        file.take(MAX_STATE).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok().filter(|state: &State| state.program == "certcheck lab")
    }

    /// Makes the folder, or empties that of an earlier lab. Nothing else is ever removed.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let path = self.path();
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(named(path))?;
        // Another user who can write there could replace the ring.
        if let Some(why) = whose(&fs::metadata(path).map_err(named(path))?) {
            bail!("{} {why}; name another folder with --dir", path.display());
        }
        let is_empty = fs::read_dir(path).map_err(named(path))?.next().is_none();
        if is_empty {
            return Ok(());
        }
        if self.state().is_none() {
            let path = path.display();
            bail!(
                "{path} is not empty and is not the folder of a lab; nothing was changed: name another folder with --dir"
            );
        }
        for part in PARTS.map(|part| path.join(part)) {
            ignore_absence(fs::remove_dir_all(&part)).map_err(named(&part))?;
        }
        for file in [SERVER_CA, SERVER, SERVER_KEY, SERVE, STATE].map(|file| path.join(file)) {
            ignore_absence(fs::remove_file(&file)).map_err(named(&file))?;
        }
        Ok(())
    }

    /// Writes ring and clients.
    pub(super) fn write(&self, pki: &Pki) -> anyhow::Result<()> {
        let [anchors, below] = ["anchors", "intermediates"].map(|part| self.ring().join(part));
        for folder in [&anchors, &below, &self.0.join("clients")] {
            fs::create_dir_all(folder).map_err(named(folder))?;
        }
        for (place, ca) in pki.cas.iter().enumerate() {
            let folder = if place == 0 { &anchors } else { &below };
            write(&folder.join(format!("{}.pem", ca.slug)), &certificates(&[&ca.der]), 0o644)?;
        }
        for Holder { name, key, der, issuer } in &pki.clients {
            let (certificate, secret) = self.client(name);
            write(&certificate, &certificates(&[der, issuer]), 0o644)?;
            write(&secret, &pem("PRIVATE KEY", &key.pkcs8()), 0o600)?;
        }
        let Holder { key, der, issuer, .. } = &pki.server;
        write(&self.0.join(SERVER), &certificates(&[der, issuer]), 0o644)?;
        write(&self.0.join(SERVER_KEY), &pem("PRIVATE KEY", &key.pkcs8()), 0o600)?;
        write(&self.server_ca(), &certificates(&[issuer]), 0o644)
    }

    /// Writes the configuration of a front that listens there, before a service that listens there, with more tables.
    pub(super) fn write_serve(&self, port: u16, upstream: SocketAddr, more: &str) -> anyhow::Result<()> {
        let text = format!(
            "# The front of the lab, as `certcheck serve --config` takes it. Changes are used at once.\n\
             admin.listen = \"127.0.0.1:0\"\n\
             watch_files = \"1s\"\n\
             \n\
             [[listener]]\n\
             name = \"echo\"\n\
             listen = \"127.0.0.1:{port}\"\n\
             upstream = \"{upstream}\"\n\
             certificates = {{ chain = \"{SERVER}\", key = \"{SERVER_KEY}\" }}\n\
             alpn = [\"http/1.1\"]\n\
             ring = \"ring\"\n\
             allow_net = \"127.0.0.0/8\"        # the CRLs and the responder are on loopback\n\
             clock_skew = \"4s\"                # there is one clock, and changes are to be seen soon\n\
             proxy_protocol = \"v2\"            # tells the service who the client is\n\
             proxy_protocol_tlvs = [\"alpn\", \"certificate\"]\n\
             {more}"
        );
        write(&self.serve(), &text, 0o644)
    }

    /// The folder of a proxy.
    pub(super) fn proxy(&self) -> PathBuf {
        self.0.join(PROXY)
    }

    /// Writes a file for a proxy.
    pub(super) fn write_proxy(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        write(&self.proxy().join(name), text, mode)
    }

    /// Writes what every proxy has: a certificate and a key of its own, also in one file, and the CAs whose names its
    /// clients are sent.
    pub(super) fn write_proxy_certificates(&self, pki: &Pki) -> anyhow::Result<()> {
        DirBuilder::new().mode(0o700).create(self.proxy()).map_err(named(&self.proxy()))?;
        let Holder { key, der, issuer, .. } = &pki.server;
        let (chain, key) = (certificates(&[der, issuer]), pem("PRIVATE KEY", &key.pkcs8()));
        self.write_proxy(SERVER, &chain, 0o644)?;
        self.write_proxy(SERVER_KEY, &key, 0o600)?;
        self.write_proxy("server.all.pem", &(chain + &key), 0o600)?;
        let cas: Vec<&[u8]> = pki.cas.iter().map(|ca| &*ca.der).collect();
        self.write_proxy("ca.pem", &certificates(&cas), 0o644)
    }

    /// Lets a proxy that was started as root read its files as another user: all but keys. There is nothing to do for others.
    pub(super) fn open_proxy_to_others(&self) -> anyhow::Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let open = |path: PathBuf, mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(named(&path))
        };
        open(self.0.clone(), 0o711)?;
        open(self.proxy(), 0o755)?;
        for entry in fs::read_dir(self.proxy()).map_err(named(&self.proxy()))? {
            let path = entry?.path();
            let has_key = path.file_name().is_some_and(|name| name == SERVER_KEY || name == "server.all.pem");
            if !has_key {
                open(path, 0o644)?;
            }
        }
        Ok(())
    }

    /// Writes the state file, whole or not at all.
    pub(super) fn write_state(&self, state: &State) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(state)?;
        let (new, path) = (self.0.join("lab.json.new"), self.0.join(STATE));
        ignore_absence(fs::remove_file(&new)).map_err(named(&new))?;
        write(&new, &format!("{text}\n"), 0o600)?;
        fs::rename(&new, &path).map_err(named(&path))
    }
}

/// Why others can write this.
fn whose(found: &fs::Metadata) -> Option<&'static str> {
    if found.uid() != rustix::process::geteuid().as_raw() {
        Some("belongs to another user")
    } else {
        (found.mode() & 0o022 != 0).then_some("can be written by others")
    }
}

fn ignore_absence(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn certificates(ders: &[&[u8]]) -> String {
    ders.iter().map(|der| pem("CERTIFICATE", der)).collect()
}

/// Writes a file that is not there, with this mode from the first.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(named(path))
}
