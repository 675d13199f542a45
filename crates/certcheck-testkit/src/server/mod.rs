//! A loopback HTTP/1.1 server with correct answers, or with one named fault.

mod dripper;
mod fault;
mod gzip;

pub use certcheck_forge::server::{Connection, OcspResponder, Options, Page, Request, Server, ServerFault};

pub use dripper::Dripper;
pub use fault::Fault;
pub use gzip::gzipped;
