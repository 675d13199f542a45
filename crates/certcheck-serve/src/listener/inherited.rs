//! Sockets that systemd passes on (sd_listen_fds(3)).

use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;

/// The sockets that this process was started with, each until it is taken.
pub(crate) struct Inherited(Mutex<Sockets>);

struct Sockets {
    fds: ListenFd,
    names: Vec<String>,
}

/// A socket that was passed on.
pub(super) enum InheritedSocket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Inherited {
    /// The sockets that the environment names.
    pub(crate) fn from_env() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let names = names.split(':').map(str::to_owned).collect();
        Self(Mutex::new(Sockets { fds: ListenFd::from_env(), names }))
    }

    /// Takes all sockets with this name.
    pub(super) fn take(&self, name: &str) -> Result<Vec<InheritedSocket>, String> {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Sockets { fds, names } = &mut *sockets;
        let mut taken = Vec::new();
        let numbers = (0..fds.len()).filter(|number| names.get(*number).is_some_and(|known| known == name));
        for number in numbers {
            let socket = match fds.take_tcp_listener(number) {
                Ok(tcp) => tcp.map(InheritedSocket::Tcp),
                Err(_) => fds
                    .take_unix_listener(number)
                    .map_err(|error| error.to_string())?
                    .map(InheritedSocket::Unix),
            };
            let Some(socket) = socket else { continue };
            let is_set = match &socket {
                InheritedSocket::Tcp(listener) => listener.set_nonblocking(true),
                InheritedSocket::Unix(listener) => listener.set_nonblocking(true),
            };
            is_set.map_err(|error| error.to_string())?;
            taken.push(socket);
        }
        if taken.is_empty() {
            let known = match (fds.len(), names.join("`, `")) {
                (0, _) => "systemd passed on no socket".to_owned(),
                (_, names) => format!("the sockets that systemd passed on are `{names}`"),
            };
            return Err(format!("{known}; the name is FileDescriptorName= of the socket unit"));
        }
        Ok(taken)
    }
}
