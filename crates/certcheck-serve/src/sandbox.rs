//! A sandbox of Landlock: what a front can read and write is what its configuration names.
//!
//! Rules are about folders, so that files can be replaced in them and a reload goes on. A folder that a later
//! configuration names is not among them: that needs a restart.

use core::fmt;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::config::{CheckConfig, ListenAddress, Loaded};

/// The most folders that rules are made for.
const MOST: usize = 4_096;

/// What the system reads for the front: names of hosts, roots of `https`, the number of processors, random bytes.
const OF_THE_SYSTEM: &[&str] = &[
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/dev/null",
    "/dev/urandom",
    "/lib",
    "/lib64",
    "/proc/self",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
];
/// Variables that name roots of `https` elsewhere.
const ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// What of a sandbox holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Enforced {
    /// All of it.
    Fully,
    /// What the kernel knows of it.
    Partly,
    /// Nothing: the kernel has no Landlock, or it is off.
    Not,
}

/// Why there is no sandbox.
#[derive(Debug)]
#[non_exhaustive]
pub enum SandboxError {
    /// The folder for evidence cannot be made.
    Folder(PathBuf, io::Error),
    /// The kernel refuses the rules.
    Rules(String),
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder, error) => {
                write!(f, "the folder {} cannot be made: {error}", folder.display())
            }
            Self::Rules(error) => write!(f, "the kernel refuses the sandbox: {error}"),
        }
    }
}

impl core::error::Error for SandboxError {}

/// The folders and files that a front uses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sandbox {
    /// What it reads.
    pub reads: BTreeSet<PathBuf>,
    /// What it also writes: evidence, and Unix sockets with their lock files.
    pub writes: BTreeSet<PathBuf>,
}

impl Sandbox {
    /// What a configuration needs that was read from this file.
    ///
    /// # Errors
    /// If the folder for evidence is not there and cannot be made.
    pub fn of(file: Option<&Path>, loaded: &Loaded) -> Result<Self, SandboxError> {
        let mut sandbox = Self::default();
        let config = &loaded.config;
        for path in file.into_iter().chain(loaded.policies.iter().map(PathBuf::as_path)) {
            sandbox.read(path, 0);
        }
        for path in config.own_files() {
            sandbox.read(path, 0);
        }
        for check in config.checks() {
            sandbox.use_check(check)?;
        }
        if let Some(tree) = config.mirror.as_ref().and_then(|mirror| mirror.tree.as_deref()) {
            sandbox.read(tree, 0);
        }
        let listen = config.listeners.iter().flat_map(|listener| &listener.listen);
        let validations = config.validations.iter().flat_map(|validation| &validation.listen);
        let mirror = config.mirror.iter().flat_map(|mirror| &mirror.listen);
        for address in listen.chain(validations).chain(mirror).chain(&config.admin.listen) {
            if let ListenAddress::Unix(path) = address {
                sandbox.writes.extend(folder_of(path));
            }
        }
        sandbox.reads.extend(OF_THE_SYSTEM.iter().map(PathBuf::from));
        let named = ROOTS.iter().filter_map(env::var_os);
        sandbox.reads.extend(named.flat_map(|value| env::split_paths(&value).collect::<Vec<_>>()));
        Ok(sandbox)
    }

    /// Notes what the checks of an engine read, and where they keep evidence.
    fn use_check(&mut self, check: &CheckConfig) -> Result<(), SandboxError> {
        for path in check.paths() {
            self.read(path, CheckConfig::DEPTH);
        }
        match &check.network.cache_dir {
            Some(folder) => {
                let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
                made.map_err(|error| SandboxError::Folder(folder.clone(), error))?;
                self.writes.insert(folder.clone());
            }
            // Large CRLs are files without a name there.
            None => drop(self.writes.insert(env::temp_dir())),
        }
        Ok(())
    }

    /// Notes the folder of a file or folder, so that it can be replaced, and where links in it lead to.
    fn read(&mut self, path: &Path, depth: usize) {
        if self.reads.len() >= MOST {
            return;
        }
        let target = fs::canonicalize(path).ok();
        let target = target.as_deref();
        for path in [Some(path), target].into_iter().flatten() {
            match folder_of(path) {
                Some(folder) => drop(self.reads.insert(folder)),
                // In the root of the file system: not all that is there.
                None => drop(self.reads.insert(path.to_owned())),
            }
        }
        let Some(target) = target.filter(|target| depth > 0 && target.is_dir()) else { return };
        self.reads.insert(target.to_owned());
        for entry in fs::read_dir(target).into_iter().flatten().flatten() {
            let is_followed = entry.file_type().is_ok_and(|kind| kind.is_symlink() || kind.is_dir());
            if is_followed {
                self.read(&entry.path(), depth - 1);
            }
        }
    }

    /// Restricts this thread and all that it starts from now on. It cannot be taken back.
    ///
    /// # Errors
    /// If the kernel has Landlock and refuses the rules.
    #[cfg(target_os = "linux")]
    pub fn enter(&self) -> Result<Enforced, SandboxError> {
        use landlock::{
            ABI, Access as _, AccessFs, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
            path_beneath_rules,
        };
        // Older kernels restrict what they know of it.
        let all = AccessFs::from_all(ABI::V5);
        let created = Ruleset::default().handle_access(all).and_then(Ruleset::create);
        let status = created
            .and_then(|rules| {
                rules.add_rules(path_beneath_rules(&self.reads, AccessFs::ReadFile | AccessFs::ReadDir))
            })
            .and_then(|rules| rules.add_rules(path_beneath_rules(&self.writes, all & !AccessFs::Execute)))
            .and_then(landlock::RulesetCreated::restrict_self)
            .map_err(|error| SandboxError::Rules(error.to_string()))?;
        Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => Enforced::Fully,
            RulesetStatus::PartiallyEnforced => Enforced::Partly,
            RulesetStatus::NotEnforced => Enforced::Not,
        })
    }

    /// This system has none.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn enter(&self) -> Result<Enforced, SandboxError> {
        Ok(Enforced::Not)
    }
}

/// The folder that a path is in, if it is not the root of the file system. Relative paths are in the current folder.
fn folder_of(path: &Path) -> Option<PathBuf> {
    match path.parent() {
        None => None,
        Some(parent) if parent == Path::new("/") => None,
        Some(parent) if parent == Path::new("") => Some(PathBuf::from(".")),
        Some(parent) => Some(parent.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config;

    #[test]
    fn folders_and_what_links_lead_to_are_read_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().canonicalize().expect("there").join(name);
        for name in ["etc/ring/anchors", "keys/archive", "elsewhere", "crls", "secret", "tokens"] {
            fs::create_dir_all(path(name)).expect("made");
        }
        for name in ["keys/archive/key1.pem", "elsewhere/ca.pem", "crls/ca.crl"] {
            fs::write(path(name), "").expect("written");
        }
        symlink(path("keys/archive/key1.pem"), path("etc/server.key")).expect("a link");
        symlink(path("elsewhere/ca.pem"), path("etc/ring/anchors/ca.pem")).expect("a link");
        let text = format!(
            "[[listener]]\nlisten = ['127.0.0.1:0', 'unix:{}']\nupstream = '127.0.0.1:1'\nring = 'ring'\ncrl = '{}'\n\
             cache_dir = '{}'\ncertificates = {{ chain = 'server.pem', key = 'server.key' }}\n\
             [[validation]]\nlisten = 'unix:{}'\nring = 'ring'\nsecret_file = '{}'\ncache_dir = '{}'\n",
            path("run/front.sock").display(),
            path("crls/ca.crl").display(),
            path("cache/evidence").display(),
            path("validation/v.sock").display(),
            path("tokens/proxies").display(),
            path("cache/others").display(),
        );
        let file = path("etc/serve.toml");
        let loaded = config::read_text(&file, &text).expect("good");
        let sandbox = Sandbox::of(Some(&file), &loaded).expect("the folder is made");
        let own = |paths: &BTreeSet<PathBuf>| -> Vec<String> {
            let below = paths.iter().filter_map(|one| one.strip_prefix(path("")).ok());
            below.map(|one| one.display().to_string()).collect()
        };
        let reads = ["crls", "elsewhere", "etc", "etc/ring", "etc/ring/anchors", "keys/archive", "tokens"];
        assert_eq!(own(&sandbox.reads), reads);
        assert_eq!(own(&sandbox.writes), ["cache/evidence", "cache/others", "run", "validation"]);
        assert!(path("cache/evidence").is_dir());
    }

    #[test]
    fn the_root_of_the_file_system_is_no_folder_to_read() {
        for (path, folder) in [("/ring", None), ("/", None), ("ring", Some(".")), ("/etc/ring", Some("/etc"))]
        {
            assert_eq!(folder_of(Path::new(path)), folder.map(PathBuf::from), "{path}");
        }
    }
}
