//! From the text of a policy to listeners, in one step.

use super::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use super::grammar::{self, ReadOptions};
use super::listeners;
use super::permissions::Permissions;
use super::plan::ListenerPlan;
use super::rules;
use super::text::PolicyText;

/// A policy: its text, its listeners, and everything that is wrong or different.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CompiledPolicy {
    /// The statements.
    pub text: PolicyText,
    /// The listeners. Empty if there are errors: then nothing of a policy may be used.
    pub listeners: Vec<ListenerPlan>,
    /// What is wrong or different.
    pub diagnostics: Diagnostics,
}

impl CompiledPolicy {
    /// A policy of which only the text was read.
    #[must_use]
    pub const fn unplanned(text: PolicyText, diagnostics: Diagnostics) -> Self {
        Self { text, listeners: Vec::new(), diagnostics }
    }
}

/// The listeners of a policy.
#[must_use]
pub fn compile(text: &[u8], options: ReadOptions, permissions: &Permissions) -> CompiledPolicy {
    let (text, mut diagnostics) = grammar::parse(text, options);
    if diagnostics.has_errors() {
        // Statements that could not be read would be missing too.
        let is_about_value = |it: &&Diagnostic| {
            use Code::{BadValue, MissingValue, OutOfRange};
            it.severity != Severity::Error || [BadValue, MissingValue, OutOfRange].contains(&it.code)
        };
        if diagnostics.sorted().iter().all(is_about_value) {
            let mut of_rules = Diagnostics::default();
            let _rules = rules::resolve(&text, options, &mut of_rules);
            diagnostics.extend(of_rules.only(&[Code::MissingReference, Code::Duplicate]));
        }
        return CompiledPolicy { text, listeners: Vec::new(), diagnostics };
    }
    let (mut listeners, of_rules) = listeners::plan(&text, options, permissions);
    diagnostics.extend(of_rules);
    if diagnostics.has_errors() {
        listeners.clear();
    }
    CompiledPolicy { text, listeners, diagnostics }
}
