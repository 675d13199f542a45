//! Policies as JSON.

use std::path::Path;

use certcheck_serve::at_tls::{CompiledPolicy, Diagnostic, ListenerPlan};
use certcheck_serve::config::ConfigFault;
use serde::Serialize;

use crate::json::Document;

/// A policy: what is wrong with it, and what is served for it.
#[derive(Serialize)]
pub(super) struct PolicyObject {
    file: String,
    usable: bool,
    errors: usize,
    diagnostics: Vec<DiagnosticObject>,
    listeners: Vec<PolicyListener>,
}

impl Document for PolicyObject {
    const TYPE: &'static str = "policy";
}

#[derive(Serialize)]
struct DiagnosticObject {
    severity: &'static str,
    code: &'static str,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

#[derive(Serialize)]
struct PolicyListener {
    rules: Vec<String>,
    addresses: Vec<String>,
    ports: Vec<String>,
    facts: Vec<FactObject>,
}

#[derive(Serialize)]
struct FactObject {
    topic: &'static str,
    text: String,
    lines: Vec<usize>,
}

impl PolicyObject {
    pub(super) fn of(file: &Path, policy: &CompiledPolicy, faults: &[ConfigFault]) -> Self {
        let diagnostics = policy.diagnostics.sorted().into_iter().map(DiagnosticObject::of);
        let errors = policy.diagnostics.errors() + faults.len();
        Self {
            file: file.display().to_string(),
            usable: errors == 0,
            errors,
            diagnostics: diagnostics.chain(faults.iter().map(DiagnosticObject::of_fault)).collect(),
            listeners: policy.listeners.iter().map(PolicyListener::of).collect(),
        }
    }
}

impl DiagnosticObject {
    fn of(diagnostic: &Diagnostic) -> Self {
        Self {
            severity: diagnostic.severity.word(),
            code: diagnostic.code.word(),
            line: diagnostic.at.line,
            column: diagnostic.at.column,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }

    fn of_fault(fault: &ConfigFault) -> Self {
        let (line, column) = fault.place.as_ref().map(|place| (place.line, place.column)).unwrap_or_default();
        let message = fault.message.clone();
        Self { severity: "error", code: "key-ring", line, column, message, help: None }
    }
}

impl PolicyListener {
    fn of(plan: &ListenerPlan) -> Self {
        let facts = certcheck_serve::at_tls::explain(plan).into_iter();
        Self {
            rules: plan.rules.clone(),
            addresses: plan.addresses.iter().map(ToString::to_string).collect(),
            ports: plan.ports.iter().map(|(first, last)| format!("{first}-{last}")).collect(),
            facts: facts
                .map(|fact| FactObject {
                    topic: fact.topic,
                    text: fact.text,
                    lines: fact.from.iter().map(|(_, at)| at.line).collect(),
                })
                .collect(),
        }
    }
}
