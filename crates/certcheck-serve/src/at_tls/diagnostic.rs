//! What is wrong with a policy, or differs from z/OS: each with its line and column.

use core::fmt;

/// A place in the text of a policy.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Position {
    /// The line, from 1. 0 if there is no place.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    pub(super) const fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Severity {
    /// Nothing of the policy is used.
    Error,
    /// The policy is used. Something of it is different from z/OS or from what its author may expect.
    Warning,
    /// For information.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The stable code of a diagnostic.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Code {
    /// The text is not UTF-8.
    NotText,
    /// The text, a line, or the number of statements is above the limit.
    TooLarge,
    /// A word that is neither a statement nor a parameter.
    UnknownWord,
    /// A statement of another discipline of the policy agent, which is skipped.
    ForeignStatement,
    /// A parameter or statement in a statement to which it does not belong.
    Misplaced,
    /// An opening or closing brace is missing.
    MissingBrace,
    /// A brace that belongs to no statement.
    StrayBrace,
    /// A brace on the line of something else.
    BraceOnLine,
    /// A statement without the name that it needs.
    MissingName,
    /// A name that is too long or cannot be one.
    BadName,
    /// A parameter without its value.
    MissingValue,
    /// A value that the parameter cannot have.
    BadValue,
    /// A number outside its range.
    OutOfRange,
    /// A symbol such as `?port?` that nobody replaced.
    Placeholder,
    /// Text behind a value, which is ignored.
    IgnoredText,
    /// A parameter or a name that is there twice.
    Duplicate,
    /// A reference to a statement that is not there.
    MissingReference,
    /// A parameter that the statement needs.
    MissingParameter,
    /// A statement that no rule uses.
    Unused,
    /// A rule that certcheck does not serve.
    NotServed,
    /// A rule that no connection can reach, because of another one.
    Shadowed,
    /// Rules for one port that need different settings.
    Conflict,
    /// Something that would make the service accept more than on z/OS, or than the policy says.
    NeedsPermission,
    /// A parameter that certcheck does not apply, or not as z/OS does.
    NotApplied,
    /// A default of z/OS that certcheck does not use, or uses differently.
    DifferentDefault,
    /// A policy without anything that certcheck can serve.
    NothingToServe,
    /// A key ring or certificate that cannot be found in its folder.
    KeyRing,
}

impl Code {
    /// The stable word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotText => "not-text",
            Self::TooLarge => "too-large",
            Self::UnknownWord => "unknown-word",
            Self::ForeignStatement => "foreign-statement",
            Self::Misplaced => "misplaced",
            Self::MissingBrace => "missing-brace",
            Self::StrayBrace => "stray-brace",
            Self::BraceOnLine => "brace-on-line",
            Self::MissingName => "missing-name",
            Self::BadName => "bad-name",
            Self::MissingValue => "missing-value",
            Self::BadValue => "bad-value",
            Self::OutOfRange => "out-of-range",
            Self::Placeholder => "placeholder",
            Self::IgnoredText => "ignored-text",
            Self::Duplicate => "duplicate",
            Self::MissingReference => "missing-reference",
            Self::MissingParameter => "missing-parameter",
            Self::Unused => "unused",
            Self::NotServed => "not-served",
            Self::Shadowed => "shadowed",
            Self::Conflict => "conflict",
            Self::NeedsPermission => "needs-permission",
            Self::NotApplied => "not-applied",
            Self::DifferentDefault => "different-default",
            Self::NothingToServe => "nothing-to-serve",
            Self::KeyRing => "key-ring",
        }
    }
}

/// Something to know about a policy.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Its stable code.
    pub code: Code,
    /// Where it is.
    pub at: Position,
    /// What is wrong or different, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}[{}]: {}", self.at, self.severity.word(), self.code.word(), self.message)
    }
}

/// The diagnostics of a policy, of which a bounded number is kept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// The most that are kept of each severity. Errors beyond it still count.
    pub const MAX: usize = 200;

    /// Adds one, unless the same is there.
    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        at: Position,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let diagnostic = Diagnostic { severity, code, at, message: message.into(), help };
        if self.list.contains(&diagnostic) {
            return;
        }
        if severity == Severity::Error {
            self.errors += 1;
        }
        if self.list.iter().filter(|other| other.severity == severity).count() < Self::MAX {
            self.list.push(diagnostic);
        }
    }

    pub(super) fn error(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.add(Severity::Error, code, at, message, None);
    }

    pub(super) fn error_with_help(
        &mut self,
        code: Code,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, code, at, message, Some(help.into()));
    }

    pub(super) fn warning(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.add(Severity::Warning, code, at, message, None);
    }

    pub(super) fn note(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.add(Severity::Note, code, at, message, None);
    }

    /// Adds those of another list.
    pub(super) fn extend(&mut self, other: Self) {
        for Diagnostic { severity, code, at, message, help } in other.list {
            self.add(severity, code, at, message, help);
        }
    }

    /// Those with one of these codes.
    pub(super) fn only(self, codes: &[Code]) -> Self {
        let mut only = Self::default();
        only.extend(Self {
            list: self.list.into_iter().filter(|it| codes.contains(&it.code)).collect(),
            errors: 0,
        });
        only
    }

    /// Those that are kept, in the order of the text.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<_> = self.list.iter().collect();
        all.sort_by_key(|diagnostic| (diagnostic.at, diagnostic.severity));
        all
    }

    /// How many errors there are, including those that are not kept.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Whether nothing of the policy may be used.
    #[must_use]
    pub const fn has_errors(&self) -> bool {
        self.errors > 0
    }
}
