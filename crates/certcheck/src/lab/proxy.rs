//! A proxy of another project in front of a service, which asks the lab's validation listener about its clients: its
//! configuration, as in `examples/proxies`, with all files that it needs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::bail;

use super::folder::Folder;
use crate::flags::LabProxy;
use crate::secret;

/// What the examples have in place of addresses and the secret.
const LISTENS: &str = "8443";
const VALIDATION: &str = "8700";
const SERVICE: &str = "8080";
const SECRET: &str = "replace-this-secret";
/// The ports behind that of the echo service: of the validation listener, and of the proxy.
const VALIDATION_OFFSET: u16 = 3;
const PROXY_OFFSET: u16 = 4;

macro_rules! example {
    ($path:literal) => {
        include_str!(concat!("proxies/", $path))
    };
}

impl LabProxy {
    /// The source of its route.
    const fn source(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "xfcc",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Apache => "apache",
        }
    }

    /// Its configuration: names of files, and what is in them.
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nginx => &[("nginx.conf", example!("nginx/nginx.conf"))],
            Self::Haproxy => &[
                ("haproxy.cfg", example!("haproxy/haproxy.cfg")),
                ("certcheck.lua", example!("haproxy/certcheck.lua")),
            ],
            Self::Envoy => &[("envoy.yaml", example!("envoy/envoy.yaml"))],
            Self::Traefik => &[
                ("traefik.yaml", example!("traefik/traefik.yaml")),
                ("dynamic.yaml", example!("traefik/dynamic.yaml")),
            ],
            Self::Caddy => &[("Caddyfile", example!("caddy/Caddyfile"))],
            Self::Apache => &[
                ("apache.conf", example!("apache/apache.conf")),
                ("certcheck.lua", example!("apache/certcheck.lua")),
            ],
        }
    }

    /// What starts it in its folder.
    const fn command(self) -> &'static str {
        match self {
            Self::Nginx => "nginx -p . -e stderr -c nginx.conf",
            Self::Haproxy => "haproxy -db -f haproxy.cfg",
            Self::Envoy => "envoy -c envoy.yaml --use-dynamic-base-id --concurrency 1",
            Self::Traefik => "traefik --configFile=traefik.yaml",
            Self::Caddy => "caddy run --config Caddyfile --adapter caddyfile",
            // Debian has it in a folder that only root has in PATH.
            Self::Apache => "PATH=$PATH:/usr/sbin apache2 -X -d \"$PWD\" -f apache.conf",
        }
    }
}

/// A proxy that the user of the lab starts.
pub(super) struct Proxy {
    kind: LabProxy,
    secret: String,
    /// The port of the validation listener. 0: a free one.
    pub(super) validation_port: u16,
    /// Where it will listen.
    pub(super) address: SocketAddr,
}

impl Proxy {
    /// With ports behind that of the echo service, or with free ones.
    pub(super) fn new(kind: LabProxy, echo: Option<u16>) -> anyhow::Result<Self> {
        let port = |offset| match echo {
            None => Ok(0),
            Some(echo) => match echo.checked_add(offset) {
                Some(port) => Ok(port),
                None => bail!("--port: with --proxy the four ports after it are used too"),
            },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port(PROXY_OFFSET)?));
        let address = match listener.and_then(|listener| listener.local_addr()) {
            Ok(address) => address,
            Err(error) => {
                bail!("port {} for the proxy: {error}; name another with --port", port(PROXY_OFFSET)?)
            }
        };
        let (secret, validation_port) = (secret::secret()?, port(VALIDATION_OFFSET)?);
        Ok(Self { kind, secret, validation_port, address })
    }

    /// The table of its validation listener in the configuration of the front, for which the secret is in a file.
    pub(super) fn validation(&self) -> String {
        format!(
            "\n\
             [[validation]]\n\
             name = \"proxy\"\n\
             listen = \"127.0.0.1:{}\"\n\
             secret_file = \"proxy/secret\"\n\
             ring = \"ring\"\n\
             allow_net = \"127.0.0.0/8\"\n\
             clock_skew = \"4s\"\n\
             \n\
             [[validation.route]]\n\
             source = \"{}\"               # what {} hands over\n",
            self.validation_port,
            self.kind.source(),
            self.kind.name(),
        )
    }

    pub(super) fn write_secret(&self, folder: &Folder) -> anyhow::Result<()> {
        folder.write_proxy("secret", &self.secret, 0o600)
    }

    /// Writes its configuration, once the addresses are known.
    pub(super) fn write(
        &self,
        folder: &Folder,
        validation: SocketAddr,
        service: SocketAddr,
    ) -> anyhow::Result<()> {
        let [listens, validation, service] =
            [self.address, validation, service].map(|address| address.port().to_string());
        let values =
            [(LISTENS, &*listens), (VALIDATION, &*validation), (SERVICE, &*service), (SECRET, &*self.secret)];
        for (name, example) in self.kind.files() {
            // Some have the secret in them.
            folder.write_proxy(name, &filled(example, &values), 0o600)?;
        }
        if self.kind == LabProxy::Apache {
            folder.open_proxy_to_others()?;
        }
        Ok(())
    }

    /// What starts it.
    pub(super) const fn command(&self) -> &'static str {
        self.kind.command()
    }

    pub(super) const fn name(&self) -> &'static str {
        self.kind.name()
    }
}

/// A text with values in place of what stands for them. What is put in is not looked at again.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let next = |rest: &str| {
        let places = values.iter().filter_map(|(from, to)| Some((rest.find(from)?, from.len(), *to)));
        places.min_by_key(|(at, ..)| *at)
    };
    while let Some((at, length, value)) = next(rest) {
        let (before, behind) = rest.split_at(at);
        filled.push_str(before);
        filled.push_str(value);
        rest = behind.get(length..).unwrap_or_default();
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn values_are_put_in_once() {
        let values = [("8443", "18700"), ("8700", "1"), ("8080", "2")];
        assert_eq!(filled("a 8443 8700\n8080 8443", &values), "a 18700 1\n2 18700");
        assert_eq!(filled("", &values), "");
    }

    #[test]
    fn each_example_has_what_is_replaced() {
        for kind in LabProxy::value_variants() {
            let all: String = kind.files().iter().map(|(_, text)| *text).collect();
            for part in [LISTENS, VALIDATION, SERVICE] {
                assert!(
                    all.contains(&format!("127.0.0.1:{part}"))
                        || all.contains(&format!("port_value: {part}"))
                        || all.contains(&format!("localhost:{part}")),
                    "{kind:?}: {part}"
                );
            }
            assert!(all.contains(SECRET) || all.contains("io.open(\"secret\")"), "{kind:?}");
            assert!(all.contains(&format!("/v1/auth/{}", kind.source())), "{kind:?}");
        }
    }
}
