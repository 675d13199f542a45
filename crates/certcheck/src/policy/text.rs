//! Policies as text for people.

use std::io::{self, Write};
use std::path::Path;

use anstyle::Style;
use certcheck_serve::at_tls::{Code, CompiledPolicy, Diagnostic, ListenerPlan, PlainFact, Severity};
use certcheck_serve::config::ConfigFault;

use crate::numbers::counted;
use crate::text::{BAD, GOOD, QUIET, UNSURE};
use crate::visible::{self, Visible};

/// The columns of topics.
const TOPICS: usize = 12;

/// Which diagnostics are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    All,
    ErrorsAndWarnings,
    Errors,
}

impl Shown {
    fn has(self, severity: Severity) -> bool {
        match self {
            Self::All => true,
            Self::ErrorsAndWarnings => severity != Severity::Note,
            Self::Errors => severity == Severity::Error,
        }
    }
}

/// One line for each diagnostic, and one for what helps.
pub(super) fn diagnostics(
    out: &mut impl Write,
    file: &Path,
    policy: &CompiledPolicy,
    shown: Shown,
) -> io::Result<()> {
    for diagnostic in policy.diagnostics.sorted().into_iter().filter(|it| shown.has(it.severity)) {
        let Diagnostic { severity, code, at, message, help, .. } = diagnostic;
        let style = style(*severity);
        let (word, code) = (severity.word(), code.word());
        writeln!(out, "{}:{at}: {style}{word}[{code}]{style:#}: {}", visible::path(file), Visible(message))?;
        if let Some(help) = help {
            writeln!(out, "  {QUIET}{}{QUIET:#}", Visible(help))?;
        }
    }
    Ok(())
}

/// Faults of the configuration that was made of a policy.
pub(super) fn faults(out: &mut impl Write, faults: &[ConfigFault]) -> io::Result<()> {
    for fault in faults {
        let place = fault.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        writeln!(out, "{}{BAD}error[key-ring]{BAD:#}: {}", Visible(place), Visible(&fault.message))?;
    }
    Ok(())
}

/// What the check resulted in.
pub(super) fn conclusion(
    out: &mut impl Write,
    file: &Path,
    policy: &CompiledPolicy,
    faults: usize,
) -> io::Result<()> {
    let file = visible::path(file);
    let errors = policy.diagnostics.errors() + faults;
    if errors > 0 {
        let errors = counted(errors, "error");
        return writeln!(out, "{file}: {BAD}refused{BAD:#}, {errors}; nothing of the policy is used");
    }
    let count = |severity| policy.diagnostics.sorted().iter().filter(|it| it.severity == severity).count();
    let warnings = counted(count(Severity::Warning), "warning");
    let notes = counted(count(Severity::Note), "note");
    let listeners = counted(policy.listeners.len(), "listener");
    writeln!(out, "{file}: {GOOD}good{GOOD:#}, {listeners}, {warnings}, {notes}")
}

/// The listeners in plain words, and where they differ from z/OS.
pub(super) fn explanation(out: &mut impl Write, file: &Path, policy: &CompiledPolicy) -> io::Result<()> {
    for plan in &policy.listeners {
        writeln!(out, "{}", title(plan))?;
        for PlainFact { topic, text, from, .. } in certcheck_serve::at_tls::explain(plan) {
            let lines: Vec<String> = from.iter().map(|(_, at)| at.line.to_string()).collect();
            let from = match lines.as_slice() {
                [] => "default".to_owned(),
                [line] => format!("line {line}"),
                lines => format!("lines {}", lines.join(", ")),
            };
            writeln!(out, "  {topic:TOPICS$} {} {QUIET}({from}){QUIET:#}", Visible(text))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Different from z/OS, or from what the text suggests:")?;
    let mut all = policy.diagnostics.sorted();
    all.retain(|it| it.code != Code::IgnoredText);
    all.sort_by_key(|it| it.severity);
    if all.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for Diagnostic { at, message, severity, .. } in all {
        let style = if *severity == Severity::Note { QUIET } else { Style::new() };
        writeln!(out, "  {style}{}:{}: {}{style:#}", visible::path(file), at.line, Visible(message))?;
    }
    Ok(())
}

fn title(plan: &ListenerPlan) -> String {
    let names: Vec<String> = plan.rules.iter().map(|rule| Visible(rule).to_string()).collect();
    match names.as_slice() {
        [name] => format!("Rule {name}"),
        names => format!("Rules {}", names.join(", ")),
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => UNSURE,
        _ => QUIET,
    }
}
