//! What clients are checked by: rings, policies and given evidence out of files, and engines over them.

mod engines;
mod given;

pub(crate) use engines::{CheckFault, Engines, PreparedEngines};
