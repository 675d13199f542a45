//! What is wrong with a path of a server.

use std::io;

use super::connection::Connection;
use super::page::Page;
use super::request::Request;

/// A way to answer wrong, for [`Server::break_with`](super::Server::break_with).
pub trait ServerFault: Send + Sync {
    /// Its name, for [`Options::observed_by`](super::Options::observed_by).
    fn name(&self) -> &'static str;

    /// The answer, where the fault is no more than a page.
    fn page(&self, request: &Request) -> Option<Page>;

    /// Acts on the connection and ends it, where there is no page. `page` makes the right answer.
    ///
    /// # Errors
    /// The client has gone away, or the server stops.
    fn act(&self, connection: Connection<'_>, page: &dyn Fn() -> Page) -> io::Result<()>;
}
