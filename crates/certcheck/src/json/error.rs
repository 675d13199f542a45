//! What could not be done.

use std::path::Path;

use serde::Serialize;

use super::Document;

/// Why a command stopped, or why a part of its input could not be parsed.
#[derive(Serialize)]
pub(crate) struct ErrorObject {
    /// `null` where the whole command stopped.
    pub(crate) input: Option<String>,
    /// Which part of the input, counted from 0.
    pub(crate) index: Option<usize>,
    pub(crate) message: String,
}

impl Document for ErrorObject {
    const TYPE: &'static str = "error";
}

impl ErrorObject {
    /// Of a command that stopped.
    pub(crate) fn of_command(error: &anyhow::Error) -> Self {
        Self { input: None, index: None, message: format!("{error:#}") }
    }

    /// Of a part of an input.
    pub(crate) fn of_part(input: &Path, index: usize, fault: impl ToString) -> Self {
        Self { input: Some(input.display().to_string()), index: Some(index), message: fault.to_string() }
    }
}
