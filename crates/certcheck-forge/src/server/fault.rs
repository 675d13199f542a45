//! Faults of a server.

use std::io;

use super::connection::Connection;
use super::page::Page;
use super::request::Request;

/// A fault of a server, for [`Server::break_with`](super::Server::break_with).
pub trait ServerFault: Send + Sync {
    /// Its name, for [`Options::observed_by`](super::Options::observed_by).
    fn name(&self) -> &'static str;

    /// The answer, if the fault is only a page.
    fn page(&self, request: &Request) -> Option<Page>;

    /// Acts on the connection and ends it, if there is no page. `page` returns the correct answer.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    fn act(&self, connection: Connection<'_>, page: &dyn Fn() -> Page) -> io::Result<()>;
}
