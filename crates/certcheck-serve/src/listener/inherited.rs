//! Sockets that systemd passes on (sd_listen_fds(3)).

use std::io;

use listenfd::ListenFd;

/// The sockets that this process was started with. They stay open, because they come only once: a configuration may use
/// one, not use it, and use it again.
pub(crate) struct Inherited(Vec<(String, io::Result<InheritedSocket>)>);

/// A socket that was passed on.
pub(super) enum InheritedSocket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl InheritedSocket {
    /// The same socket once more, which does not block.
    fn again(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(listener) => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(listener))
            }
            Self::Unix(listener) => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                Ok(Self::Unix(listener))
            }
        }
    }
}

impl Inherited {
    /// The sockets that the environment names.
    pub(crate) fn from_env() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut fds = ListenFd::from_env();
        let sockets = (0..fds.len()).filter_map(|number| {
            let name = names.next().unwrap_or_default().to_owned();
            let socket = match fds.take_tcp_listener(number) {
                Ok(tcp) => Ok(InheritedSocket::Tcp(tcp?)),
                Err(_) => match fds.take_unix_listener(number) {
                    Ok(unix) => Ok(InheritedSocket::Unix(unix?)),
                    Err(error) => Err(error),
                },
            };
            Some((name, socket))
        });
        Self(sockets.collect())
    }

    /// All sockets with this name.
    pub(super) fn named(&self, name: &str) -> Result<Vec<InheritedSocket>, String> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        let sockets = named.map(|(_, socket)| match socket {
            Ok(socket) => socket.again().map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        });
        let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
        if sockets.is_empty() {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
            let known = match names.join("`, `") {
                _ if names.is_empty() => "systemd passed on no socket".to_owned(),
                names => format!("the sockets that systemd passed on are `{names}`"),
            };
            return Err(format!("{known}; the name is FileDescriptorName= of the socket unit"));
        }
        Ok(sockets)
    }
}
