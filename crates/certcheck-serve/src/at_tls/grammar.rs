//! The grammar of policies: lines of words to statements.
//!
//! A line has a keyword and its value; what is behind the value is ignored. A statement has its parameters between braces,
//! which are on lines of their own. Braces that are missing are accepted where the text can mean one thing only: no
//! parameter belongs both to a statement and to one in it (a test of the vocabulary holds this).

use super::diagnostic::{Code, Diagnostics, Position, Severity};
use super::lexer::{self, Line, Word};
use super::text::{Comments, Item, PolicyText, Setting, Statement};
use super::value;
use super::vocabulary::{self, Parameter, StatementKind};

/// The most statements and parameters of a policy.
pub const MAX_ITEMS: usize = 20_000;

/// How a policy is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "options that its users set, field by field")]
pub struct ReadOptions {
    /// Whether the text is a part of a policy: statements may have no braces, and key rings and ciphers that are named may
    /// not be there.
    pub fragment: bool,
}

/// The statements of a policy, and what is wrong with the text. With errors, the statements are those that could be read.
#[must_use]
pub fn parse(text: &[u8], options: ReadOptions) -> (PolicyText, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let lines = lexer::lines(text, &mut diagnostics);
    let mut parser = Parser {
        is_fragment: options.fragment,
        policy: PolicyText::default(),
        open: Vec::new(),
        comments: Vec::new(),
        skip: Skip::No,
        items: 0,
        first_bare: None,
        bare: 0,
        diagnostics,
    };
    for line in lines {
        parser.line(line);
        if parser.items > MAX_ITEMS {
            let at = Position::new(1, 1);
            let message = format!("the policy has more than {MAX_ITEMS} statements and parameters");
            parser.diagnostics.error(Code::TooLarge, at, message);
            break;
        }
    }
    parser.finish()
}

/// A statement that is not closed.
struct Open {
    statement: Statement,
    brace: Brace,
}

/// The opening brace of a statement.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Brace {
    /// It is expected next.
    Awaited,
    Seen,
    Missing,
}

/// A block that is skipped because its statement is unknown.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Skip {
    No,
    /// If the next line is a brace.
    IfBrace,
    /// So many braces are open.
    Inside(usize),
}

struct Parser {
    is_fragment: bool,
    policy: PolicyText,
    open: Vec<Open>,
    /// Comments for the next item.
    comments: Vec<String>,
    skip: Skip,
    items: usize,
    /// The first statement without braces.
    first_bare: Option<Position>,
    bare: usize,
    diagnostics: Diagnostics,
}

impl Parser {
    fn line(&mut self, line: Line) {
        let Line { number, words, comment } = line;
        let mut words = words.as_slice();
        if words.is_empty() {
            self.comments.extend(comment);
            return;
        }
        let mut comment = comment;
        loop {
            let Some((first, rest)) = words.split_first() else {
                self.comments.extend(comment);
                return;
            };
            if !["{", "}"].contains(&first.text.as_str()) {
                break;
            }
            if self.skips(first) {
                // Inside of what is skipped.
            } else if first.text == "{" {
                self.open_brace(first.at);
            } else {
                self.close_brace(first.at);
            }
            if let Some(next) = rest.first() {
                self.brace_on_line(next.at);
            } else if let Some(text) = comment.take() {
                self.comments.push(text);
            }
            words = rest;
        }
        if let Skip::Inside(_) = self.skip {
            self.count_braces(words);
            return;
        }
        self.skip = Skip::No;
        let (words, brace) = match words.split_last() {
            Some((last, before)) if !before.is_empty() && (last.text == "{" || last.text == "}") => {
                self.brace_on_line(last.at);
                (before, Some(last))
            }
            _ => (words, None),
        };
        self.items += 1;
        self.keyword(words, comment, number);
        match brace {
            Some(brace) if self.skips(brace) => {}
            Some(brace) if brace.text == "{" => self.open_brace(brace.at),
            Some(brace) => self.close_brace(brace.at),
            None => {}
        }
    }

    /// Whether a brace belongs to what is skipped.
    fn skips(&mut self, brace: &Word) -> bool {
        match (self.skip, brace.text.as_str()) {
            (Skip::IfBrace, "{") => self.skip = Skip::Inside(1),
            (Skip::Inside(depth), "{") => self.skip = Skip::Inside(depth + 1),
            (Skip::Inside(1), _) => self.skip = Skip::No,
            (Skip::Inside(depth), _) => self.skip = Skip::Inside(depth - 1),
            _ => {
                self.skip = Skip::No;
                return false;
            }
        }
        true
    }

    /// Follows braces at the end of a line that is skipped.
    fn count_braces(&mut self, words: &[Word]) {
        if let Some(brace) = words.last().filter(|word| word.text == "{" || word.text == "}") {
            self.skips(brace);
        }
    }

    fn brace_on_line(&mut self, at: Position) {
        let message = "a brace is on a line of its own; z/OS ignores one behind other text";
        self.diagnostics.warning(Code::BraceOnLine, at, message);
    }

    fn open_brace(&mut self, at: Position) {
        match self.open.last_mut() {
            Some(open) if open.brace == Brace::Awaited => open.brace = Brace::Seen,
            _ => self.diagnostics.error(Code::StrayBrace, at, "this brace opens no statement"),
        }
    }

    fn close_brace(&mut self, at: Position) {
        match self.open.pop() {
            None => self.diagnostics.error(Code::StrayBrace, at, "this brace closes no statement"),
            Some(open) => {
                if open.brace == Brace::Awaited || open.brace == Brace::Missing {
                    let title = open.statement.title();
                    let message = format!(
                        "`{title}` has a closing brace and no opening one; it is read as if it had both"
                    );
                    self.diagnostics.warning(Code::MissingBrace, open.statement.at, message);
                    self.policy.is_fragment = true;
                }
                self.close(open.statement);
            }
        }
    }

    /// A statement or parameter by its words.
    fn keyword(&mut self, words: &[Word], comment: Option<String>, number: usize) {
        let Some((keyword, rest)) = words.split_first() else { return };
        if let Some(open) = self.open.last_mut().filter(|open| open.brace == Brace::Awaited) {
            open.brace = Brace::Missing;
        }
        if let Some(kind) = StatementKind::of(&keyword.text) {
            self.statement(kind, keyword, rest, comment);
        } else if let Some(parameter) = vocabulary::named(&keyword.text).next() {
            self.setting(parameter, keyword, rest, comment);
        } else if self.open.is_empty() && vocabulary::is_foreign(&keyword.text) {
            let message = format!("`{}` is not part of AT-TLS; it is skipped", keyword.text);
            self.diagnostics.warning(Code::ForeignStatement, keyword.at, message);
            self.skip = Skip::IfBrace;
        } else {
            self.unknown(keyword, number);
        }
    }

    fn unknown(&mut self, keyword: &Word, number: usize) {
        let text: String = keyword.text.chars().take(80).collect();
        if value::is_placeholder(&keyword.text) {
            let message = format!("`{text}` is a symbol that was not replaced");
            self.diagnostics.error(Code::Placeholder, keyword.at, message);
            return;
        }
        let message = format!("`{text}` is neither a statement nor a parameter of AT-TLS");
        let help = match vocabulary::nearest(&keyword.text) {
            Some(near) => format!("is `{near}` meant?"),
            None => format!("remove line {number}, or correct the word"),
        };
        self.diagnostics.error_with_help(Code::UnknownWord, keyword.at, message, help);
        self.skip = Skip::IfBrace;
    }

    fn statement(&mut self, kind: StatementKind, keyword: &Word, rest: &[Word], comment: Option<String>) {
        let (name, ignored) = match rest.split_first() {
            Some((name, ignored)) => (Some(name), ignored),
            None => (None, rest),
        };
        if let Some(name) = name
            && let Some(fault) = value::name_fault(&name.text)
        {
            let code = if value::is_placeholder(&name.text) { Code::Placeholder } else { Code::BadName };
            self.diagnostics.error(code, name.at, fault);
        }
        // Without braces, a statement with a name is one of its own.
        let may_contain = |open: &Open| {
            kind.parents().contains(&open.statement.kind) && (open.brace == Brace::Seen || name.is_none())
        };
        let parent = self.open.iter().rposition(may_contain);
        match parent {
            Some(parent) => self.close_down_to(parent + 1, keyword),
            None if name.is_none() && !self.open.is_empty() && !kind.parents().is_empty() => {
                let parents: Vec<_> = kind.parents().iter().map(|parent| parent.keyword()).collect();
                let inside = self.open.last().map(|open| open.statement.title()).unwrap_or_default();
                let message = format!(
                    "`{}` without a name belongs in {}, not in `{inside}`",
                    kind.keyword(),
                    parents.join(" or ")
                );
                self.diagnostics.error(Code::Misplaced, keyword.at, message);
                self.skip = Skip::IfBrace;
                return;
            }
            None => self.close_down_to(0, keyword),
        }
        if parent.is_none() && name.is_none() {
            let message = format!("`{}` has no name", kind.keyword());
            let help = "write a name behind it, by which other statements refer to it";
            self.diagnostics.error_with_help(Code::MissingName, keyword.at, message, help);
        }
        let behind = self.behind(ignored, comment);
        let comments = Comments { before: core::mem::take(&mut self.comments), behind };
        let statement = Statement {
            kind,
            at: keyword.at,
            name: name.cloned(),
            items: Vec::new(),
            comments,
            last_comments: Vec::new(),
        };
        self.open.push(Open { statement, brace: Brace::Awaited });
    }

    fn setting(
        &mut self,
        parameter: &'static Parameter,
        keyword: &Word,
        rest: &[Word],
        comment: Option<String>,
    ) {
        let within =
            |kinds: &[StatementKind]| self.open.iter().rposition(|open| kinds.contains(&open.statement.kind));
        let (proper, tolerated) = (within(parameter.within), within(parameter.tolerated_within));
        let homes: Vec<_> = parameter.within.iter().map(|kind| kind.keyword()).collect();
        let homes = homes.join(" or ");
        let name = parameter.name;
        let Some(at) = proper.or(tolerated) else {
            let place = match self.open.last() {
                Some(open) => format!("in `{}`", open.statement.title()),
                None => "outside of a statement".to_owned(),
            };
            let message = format!("`{name}` cannot be {place}; it belongs in {homes}");
            let help = format!("move line {} into a {homes} statement", keyword.at.line);
            self.diagnostics.error_with_help(Code::Misplaced, keyword.at, message, help);
            return;
        };
        self.close_down_to(at + 1, keyword);
        if proper.is_none() {
            let message = format!("`{name}` belongs in {homes}; it is read as if it were there");
            self.diagnostics.warning(Code::Misplaced, keyword.at, message);
        }
        let (value, used) = match value::parse(parameter, keyword, rest) {
            Ok(parsed) => parsed,
            Err(fault) => {
                self.diagnostics.error(fault.code, fault.at, fault.message);
                return;
            }
        };
        let behind = self.behind(rest.get(used..).unwrap_or_default(), comment);
        let comments = Comments { before: core::mem::take(&mut self.comments), behind };
        let setting = Setting { parameter, at: keyword.at, value, comments };
        let Some(open) = self.open.last_mut() else { return };
        let same = open.statement.settings().find(|other| other.parameter.name == name);
        if let Some(same) = same.filter(|_| !parameter.repeats) {
            let message = format!("`{name}` is there twice in `{}`", open.statement.title());
            let help = format!("the first one is in line {}; remove one of them", same.at.line);
            self.diagnostics.error_with_help(Code::Duplicate, keyword.at, message, help);
            return;
        }
        open.statement.items.push(Item::Setting(setting));
    }

    /// What is behind a value: it is kept as a comment.
    fn behind(&mut self, ignored: &[Word], comment: Option<String>) -> Option<String> {
        let Some(first) = ignored.first() else { return comment };
        let mut text = ignored.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let message = format!("`{text}` behind the value is ignored, as on z/OS");
        self.diagnostics.note(Code::IgnoredText, first.at, message);
        if let Some(comment) = comment {
            text = format!("{text} # {comment}");
        }
        Some(text)
    }

    /// Closes statements whose closing brace is missing, since the next word cannot be in them.
    fn close_down_to(&mut self, depth: usize, next: &Word) {
        while self.open.len() > depth {
            let Some(open) = self.open.pop() else { return };
            self.close_without_brace(open, Some(next));
        }
    }

    fn close_without_brace(&mut self, open: Open, next: Option<&Word>) {
        let title = open.statement.title();
        let at = open.statement.at;
        self.policy.is_fragment = true;
        match open.brace {
            Brace::Seen => {
                let before = match next {
                    Some(next) => format!("before `{}` in line {}", next.text, next.at.line),
                    None => "at the end of the policy".to_owned(),
                };
                // A named statement in it could be one of its own.
                let is_unclear = open.statement.statements().any(|inner| inner.name.is_some());
                let message = format!("the closing brace of `{title}` is missing {before}");
                let severity =
                    if is_unclear && !self.is_fragment { Severity::Error } else { Severity::Warning };
                let help = match severity {
                    Severity::Error => "add the brace: it is not clear which statements belong to it",
                    _ => "add the brace; z/OS refuses the policy without it",
                };
                self.diagnostics.add(severity, Code::MissingBrace, at, message, Some(help.to_owned()));
            }
            Brace::Awaited | Brace::Missing if self.is_fragment => {
                self.bare += 1;
                self.first_bare.get_or_insert(at);
            }
            Brace::Awaited | Brace::Missing => {
                let message = format!("`{title}` has no braces");
                let help = "add them, or use --fragment for a part of a policy as it is printed";
                self.diagnostics.error_with_help(Code::MissingBrace, at, message, help);
            }
        }
        self.close(open.statement);
    }

    /// A statement that is complete.
    fn close(&mut self, mut statement: Statement) {
        statement.last_comments = core::mem::take(&mut self.comments);
        for inner in statement.statements() {
            let reference =
                statement.settings().find(|setting| setting.parameter.refers_to() == Some(inner.kind));
            if let Some(reference) = reference.filter(|_| !inner.kind.repeats()) {
                let keyword = inner.kind.keyword();
                let message = format!(
                    "`{}` has both `{keyword}` and `{}`",
                    statement.title(),
                    reference.parameter.name
                );
                self.diagnostics.error_with_help(Code::Duplicate, inner.at, message, "remove one of them");
            }
        }
        match self.open.last_mut() {
            Some(open) => {
                let same = open.statement.statements().find(|other| other.kind == statement.kind);
                if let Some(same) = same.filter(|_| !statement.kind.repeats()) {
                    let keyword = statement.kind.keyword();
                    let message = format!("`{keyword}` is there twice in `{}`", open.statement.title());
                    let help = format!("the first one is in line {}; remove one of them", same.at.line);
                    self.diagnostics.error_with_help(Code::Duplicate, statement.at, message, help);
                }
                open.statement.items.push(Item::Statement(statement));
            }
            None => self.policy.statements.push(statement),
        }
    }

    fn finish(mut self) -> (PolicyText, Diagnostics) {
        while let Some(open) = self.open.pop() {
            self.close_without_brace(open, None);
        }
        if let Some(at) = self.first_bare {
            let count = self.bare;
            let message = format!("{count} statements have no braces; each ends where the next one begins");
            let help = "z/OS needs braces: `certcheck policy format --fragment` adds them";
            self.diagnostics.add(Severity::Warning, Code::MissingBrace, at, message, Some(help.to_owned()));
        }
        self.policy.comments = self.comments;
        (self.policy, self.diagnostics)
    }
}
