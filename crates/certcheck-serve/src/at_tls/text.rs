//! A policy as it is written: statements with their parameters, comments and places.

use super::diagnostic::Position;
use super::lexer::Word;
use super::value::Value;
use super::vocabulary::{Parameter, StatementKind};

/// A policy as it is written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyText {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// Comments behind the last statement.
    pub comments: Vec<String>,
    /// Whether braces were missing.
    pub is_fragment: bool,
}

/// A statement.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// Its kind.
    pub kind: StatementKind,
    /// Where its keyword is.
    pub at: Position,
    /// Its name. Statements in another one need none.
    pub name: Option<Word>,
    /// What is in it.
    pub items: Vec<Item>,
    /// The comments about it.
    pub comments: Comments,
    /// Comments behind the last item.
    pub last_comments: Vec<String>,
}

/// What is in a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Item {
    /// A parameter with its value.
    Setting(Setting),
    /// Another statement.
    Statement(Statement),
}

/// A parameter with its value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// The parameter.
    pub parameter: &'static Parameter,
    /// Where its word is.
    pub at: Position,
    /// The value.
    pub value: Value,
    /// The comments about it.
    pub comments: Comments,
}

/// Comments about a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Comments {
    /// Lines before it.
    pub before: Vec<String>,
    /// The text behind it: a comment, or what is ignored.
    pub behind: Option<String>,
}

impl Statement {
    /// The parameters in it, without those of statements in it.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.items.iter().filter_map(|item| match item {
            Item::Setting(setting) => Some(setting),
            Item::Statement(_) => None,
        })
    }

    /// The statements in it.
    pub fn statements(&self) -> impl Iterator<Item = &Self> {
        self.items.iter().filter_map(|item| match item {
            Item::Statement(statement) => Some(statement),
            Item::Setting(_) => None,
        })
    }

    /// The setting of a parameter.
    pub(super) fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings().find(|setting| setting.parameter.name == name)
    }

    /// Its keyword and name, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {}", self.kind.keyword(), name.text),
            None => self.kind.keyword().to_owned(),
        }
    }

    fn without_places(mut self) -> Self {
        self.at = Position::default();
        if let Some(name) = &mut self.name {
            name.at = Position::default();
        }
        for item in &mut self.items {
            match item {
                Item::Setting(setting) => setting.at = Position::default(),
                Item::Statement(statement) => *statement = statement.clone().without_places(),
            }
        }
        self
    }
}

impl PolicyText {
    /// The same without places, to compare texts that differ in blanks.
    #[must_use]
    pub fn without_places(mut self) -> Self {
        self.statements = self.statements.into_iter().map(Statement::without_places).collect();
        self.is_fragment = false;
        self
    }
}
