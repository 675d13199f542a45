//! The ways in which a source of the lab fails at HTTP.

use std::io;

use certcheck_forge::server::{Connection, Page, Request, ServerFault};

use crate::flags::LabFault;

/// A source that does not answer, or answers with bytes that cannot be parsed.
#[derive(Clone, Copy)]
pub(super) enum Outage {
    Hang,
    Refuse,
    Garbage,
}

impl Outage {
    /// The fault at HTTP; stale evidence is served as any other.
    pub(super) const fn of(fault: LabFault) -> Option<Self> {
        match fault {
            LabFault::Hang => Some(Self::Hang),
            LabFault::Refuse => Some(Self::Refuse),
            LabFault::Garbage => Some(Self::Garbage),
            LabFault::Stale => None,
        }
    }
}

impl ServerFault for Outage {
    fn name(&self) -> &'static str {
        match self {
            Self::Hang => LabFault::Hang.code(),
            Self::Refuse => LabFault::Refuse.code(),
            Self::Garbage => LabFault::Garbage.code(),
        }
    }

    fn page(&self, _: &Request) -> Option<Page> {
        matches!(self, Self::Garbage).then(Page::garbage)
    }

    fn act(&self, connection: Connection<'_>, _: &dyn Fn() -> Page) -> io::Result<()> {
        if matches!(self, Self::Hang) {
            return connection.hang();
        }
        connection.reset();
        Ok(())
    }
}
