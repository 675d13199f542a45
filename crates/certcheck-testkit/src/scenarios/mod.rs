//! Scenarios: a small PKI, a question about it, and the answer, as files say them. The library, the program and TLS servers
//! are asked the same.

mod question;
mod revocation_case;
mod scenario;

pub use question::{Question, files_of};
pub use revocation_case::{Case, Suite};
pub use scenario::{Expect, Scenario};
