//! Who can reach the admin listener.

use crate::listener::Bound;

/// Who can reach a socket of the admin listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// Programs of this machine, over TCP.
    Loopback,
    /// Programs of this machine that may open the socket.
    Unix,
    /// Others too.
    Network,
}

impl Reach {
    pub(super) fn of(bound: &Bound) -> Self {
        match bound.local_address() {
            Some(address) if address.ip().is_loopback() => Self::Loopback,
            None if bound.is_unix() => Self::Unix,
            // Also where it is not known.
            _ => Self::Network,
        }
    }
}
