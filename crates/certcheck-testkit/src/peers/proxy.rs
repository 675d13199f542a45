//! Proxies that end TLS and ask a validation listener about each client, with the configurations of `examples/proxies`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Folder, Process, accepts, find, find_optional};

/// The addresses and the secret in the examples.
const LISTENS: &str = "8443";
const VALIDATION: &str = "8700";
const SPOP: &str = "8701";
const GRPC: &str = "8702";
const SERVICE: &str = "8080";
const SECRET: &str = "replace-this-secret";

/// A proxy that ends TLS and asks a validation listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "names of programs")]
#[expect(clippy::exhaustive_enums, reason = "a test has a row for each")]
pub enum ProxyKind {
    Nginx,
    Haproxy,
    /// In TCP mode.
    HaproxyTcp,
    Apache,
    Caddy,
    Traefik,
    Envoy,
    /// Over gRPC.
    EnvoyGrpc,
    /// In TCP mode, over gRPC.
    EnvoyTcp,
}

impl ProxyKind {
    const fn program_name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy | Self::HaproxyTcp => "haproxy",
            Self::Apache => "apache2",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::Envoy | Self::EnvoyGrpc | Self::EnvoyTcp => "envoy",
        }
    }

    /// The folder of its example.
    const fn folder(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::HaproxyTcp => "haproxy-tcp",
            Self::EnvoyGrpc => "envoy-grpc",
            Self::EnvoyTcp => "envoy-tcp",
            other => other.program_name(),
        }
    }

    /// Whether the program is here. Those that Debian has must be, where peers are required.
    ///
    /// # Panics
    /// If it must be, and is not.
    #[must_use]
    pub fn is_here(self) -> bool {
        self.program().is_some()
    }

    /// The program, if it is here. Those that Debian has must be, where peers are required.
    fn program(self) -> Option<PathBuf> {
        match self {
            Self::Nginx | Self::Haproxy | Self::HaproxyTcp | Self::Apache | Self::Caddy => {
                find(self.program_name())
            }
            Self::Traefik | Self::Envoy | Self::EnvoyGrpc | Self::EnvoyTcp => {
                find_optional(self.program_name())
            }
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            // One process, so that none is left.
            Self::Nginx => &["-p", ".", "-e", "stderr", "-c", "nginx.conf", "-g", "master_process off;"],
            Self::Haproxy | Self::HaproxyTcp => &["-db", "-f", "haproxy.cfg"],
            Self::Apache => &["-X", "-d", ".", "-f", "apache.conf"],
            Self::Caddy => &["run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            Self::Traefik => &["--configFile=traefik.yaml"],
            Self::Envoy | Self::EnvoyGrpc | Self::EnvoyTcp => {
                &["-c", "envoy.yaml", "--use-dynamic-base-id", "--concurrency", "1", "-l", "warn"]
            }
        }
    }
}

/// What a proxy needs: its certificate and key, the CA whose name clients are sent, and who it asks and serves.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests")]
pub struct ProxyParts {
    /// Its certificate, in PEM.
    pub certificate: String,
    /// Its key, in PEM.
    pub key: String,
    /// The CA, in PEM.
    pub ca: String,
    /// The secret that it sends.
    pub secret: String,
    /// The validation listener.
    pub validation: SocketAddr,
    /// The one that speaks SPOP.
    pub spop: SocketAddr,
    /// The one that speaks gRPC.
    pub grpc: SocketAddr,
    /// The service behind it.
    pub service: SocketAddr,
}

/// A proxy that runs.
pub struct Proxy(Process);

impl Proxy {
    /// Starts a proxy with the configuration of its example.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(kind: ProxyKind, parts: &ProxyParts) -> Option<Self> {
        let program = kind.program()?;
        let command = |folder: &Folder, port: u16| {
            for (name, content) in [
                ("server.pem", &parts.certificate),
                ("server.key", &parts.key),
                ("server.all.pem", &format!("{}{}", parts.certificate, parts.key)),
                ("ca.pem", &parts.ca),
                ("secret", &parts.secret),
            ] {
                folder.write(name, content);
            }
            let example =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/proxies").join(kind.folder());
            for entry in fs::read_dir(example).expect("a folder") {
                let file = entry.expect("a file").path();
                let content = fs::read_to_string(&file).expect("a text");
                let content = content
                    .replace(LISTENS, &port.to_string())
                    .replace(VALIDATION, &parts.validation.port().to_string())
                    .replace(SPOP, &parts.spop.port().to_string())
                    .replace(GRPC, &parts.grpc.port().to_string())
                    .replace(SERVICE, &parts.service.port().to_string())
                    .replace(SECRET, &parts.secret);
                folder.write(file.file_name().and_then(|name| name.to_str()).expect("a name"), &content);
            }
            let mut command = Command::new(&program);
            // Caddy keeps its state where these say.
            command.args(kind.arguments()).current_dir(folder.path()).env("HOME", folder.path());
            command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
            command
        };
        Some(Self(Process::start(Folder::new(kind.folder()), command, accepts)))
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.0.port))
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        ["stdout", "stderr", "access.log"].map(|name| self.0.folder.read(name)).concat()
    }
}
