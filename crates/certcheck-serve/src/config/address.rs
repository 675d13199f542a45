//! Where a front listens, and where the service behind it is.

use core::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket, in bytes: `sun_path` without its NUL.
const MAX_UNIX_PATH: usize = 107;
/// The longest host name (RFC 1035 2.3.4).
const MAX_HOST: usize = 253;

/// Why a text is not an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressFault(String);

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for AddressFault {}

fn fault<T>(text: impl Into<String>) -> Result<T, AddressFault> {
    Err(AddressFault(text.into()))
}

/// Ports from the first to the last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "two numbers")]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, at least the first.
    pub last: u16,
}

impl PortRange {
    /// Its ports.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }
}

/// Where a front listens.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// Ports of an IP address. Port 0 is a free one.
    Tcp {
        /// The address.
        address: IpAddr,
        /// The ports.
        ports: Vec<PortRange>,
    },
    /// A Unix socket.
    Unix(PathBuf),
    /// Sockets that systemd passes on, by this name (`FileDescriptorName=`).
    Systemd(String),
}

impl ListenAddress {
    /// An address from its text: `0.0.0.0:6777`, `[::]:7000-7010,8443`, `unix:/run/x.sock` or `systemd:name`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix_path(path).map(Self::Unix);
        }
        if let Some(name) = text.strip_prefix("systemd:") {
            let is_good = !name.is_empty()
                && name.len() <= 255
                && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
            return if is_good {
                Ok(Self::Systemd(name.to_owned()))
            } else {
                fault("a systemd socket has a name of 1 to 255 printable characters without `:`")
            };
        }
        let Some((host, ports)) = text.rsplit_once(':') else {
            return fault(
                "no port; an address is 0.0.0.0:6777, [::]:7000-7010, unix:/run/x.sock or systemd:name",
            );
        };
        let address = ip_address(host)?;
        let ports = ports.split(',').map(port_range).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::Tcp { address, ports })
    }

    /// The listener of one TCP socket.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        let ports = vec![PortRange { first: address.port(), last: address.port() }];
        Self::Tcp { address: address.ip(), ports }
    }

    /// The TCP sockets of it.
    pub fn sockets(&self) -> impl Iterator<Item = SocketAddr> {
        let tcp = match self {
            Self::Tcp { address, ports } => Some((*address, ports)),
            Self::Unix(_) | Self::Systemd(_) => None,
        };
        tcp.into_iter().flat_map(|(address, ports)| {
            ports.iter().flat_map(|range| range.ports()).map(move |port| SocketAddr::new(address, port))
        })
    }

    /// Whether only this machine can reach it. Of a socket of systemd this is not known here, and assumed.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Tcp { address, .. } => address.is_loopback(),
            Self::Unix(_) | Self::Systemd(_) => true,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, ports } => {
                match address {
                    IpAddr::V4(address) => write!(f, "{address}:")?,
                    IpAddr::V6(address) => write!(f, "[{address}]:")?,
                }
                for (at, PortRange { first, last }) in ports.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
                }
                Ok(())
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// The service that plain bytes are sent to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Upstream {
    /// A TCP port.
    Tcp {
        /// An IP address or a host name.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl Upstream {
    /// An upstream from its text: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or `unix:/run/app.sock`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix_path(path).map(Self::Unix);
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return fault("no port; an upstream is 127.0.0.1:8080, localhost:8080 or unix:/run/app.sock");
        };
        let port = match port.parse() {
            Ok(0) | Err(_) => return fault(format!("`{port}` is not a port from 1 to 65535")),
            Ok(port) => port,
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(_) => ip_address(host)?.to_string(),
            None if is_host_name(host) => host.to_ascii_lowercase(),
            None => {
                return fault(format!("`{host}` is neither an IP address nor a host name; IPv6 is [::1]"));
            }
        };
        Ok(Self::Tcp { host, port })
    }

    /// Whether it is on this machine by its text: a Unix socket, a loopback address, or `localhost`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                let host = host.trim_end_matches('.');
                host.parse().map_or(host == "localhost", |address: IpAddr| address.is_loopback())
            }
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn unix_path(text: &str) -> Result<PathBuf, AddressFault> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return fault("a Unix socket has an absolute path, such as unix:/run/app.sock");
    }
    if text.len() > MAX_UNIX_PATH || text.contains('\0') {
        return fault(format!("a Unix socket has a path of at most {MAX_UNIX_PATH} bytes, without NUL"));
    }
    Ok(path.to_owned())
}

fn ip_address(host: &str) -> Result<IpAddr, AddressFault> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = match inner {
        Some(inner) => inner.parse().map(IpAddr::V6).ok(),
        None => host.parse().map(IpAddr::V4).ok(),
    };
    match address {
        Some(address) => Ok(address),
        None => fault(format!("`{host}` is not an IP address; use 127.0.0.1, 0.0.0.0, [::1] or [::]")),
    }
}

fn port_range(text: &str) -> Result<PortRange, AddressFault> {
    let wrong =
        || AddressFault(format!("`{text}` is neither a port from 0 to 65535 nor a range such as 7000-7010"));
    let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    let Some((first, last)) = text.split_once('-') else {
        let port = number(text)?;
        return Ok(PortRange { first: port, last: port });
    };
    let (first, last) = (number(first)?, number(last)?);
    if first == 0 || last < first {
        return fault(format!(
            "`{text}` is not a range: its first port is from 1, and its last is not below that"
        ));
    }
    if last - first >= 1_024 {
        return fault(format!("`{text}` has more than 1024 ports"));
    }
    Ok(PortRange { first, last })
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    // What looks like an IPv4 address must be one.
    let is_numeric = text.split('.').all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= MAX_HOST
        && text.split('.').all(is_label)
        && (!is_numeric || text.parse::<std::net::Ipv4Addr>().is_ok())
}
