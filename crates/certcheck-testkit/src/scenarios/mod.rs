//! Scenarios: a small PKI, a check in it, and the expected result, from files. The library, the program and TLS servers
//! run the same ones.

mod question;
mod revocation_case;
mod scenario;

pub use question::{Question, files_of};
pub use revocation_case::{Case, Suite};
pub use scenario::{Expect, Scenario};
