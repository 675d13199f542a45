//! AT-TLS policies of z/OS: how they are read, and what a front does with them.
//!
//! Nothing here does I/O or reads a clock: a policy comes as bytes.
//!
//! ```text
//! lexer       lines of words                 vocabulary  all statements and parameters, in one table
//! value       words to values                grammar     lines to statements
//! rules       references, levels, order      plan        the settings of a rule
//! listeners   rules to listeners             configure   listeners to the configuration of a front
//! explain     a listener in plain words      format      the text in one form
//! ```

mod addresses;
mod compile;
mod configure;
mod diagnostic;
mod explain;
mod format;
mod grammar;
mod keyring;
mod lexer;
mod listeners;
mod permissions;
mod plan;
mod rules;
mod suite;
mod text;
mod value;
pub mod vocabulary;

pub use addresses::AddressRange;
pub use compile::{CompiledPolicy, compile};
pub use configure::{RingFiles, configure};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Position, Severity};
pub use explain::{PlainFact, explain};
pub use format::format;
pub use grammar::{MAX_ITEMS, ReadOptions, parse};
pub use keyring::KeyringName;
pub use lexer::{MAX_BYTES, MAX_LINE, Word};
pub use permissions::Permissions;
pub use plan::{ListenerPlan, PlanSource, PlannedCertificate, PlannedSettings};
pub use rules::ActionLevel;
pub use text::{Comments, Item, PolicyText, Setting, Statement};
pub use value::{Secret, Value};
