//! Blocks of a page: what is to be run, and what the page says that it prints.

/// A block of commands, and the output that the page shows for it.
#[derive(Debug)]
pub(crate) enum Block {
    /// A script.
    Script { script: String, output: Option<String> },
    /// Commands with their output between them, as in a terminal.
    Session { session: String },
    /// Something that is not run.
    Other,
}

impl Block {
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self, Self::Other)
    }

    /// What the page shows: the output of a script, or a session with its commands.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Script { output, .. } => output.as_deref().unwrap_or_default(),
            Self::Session { session } => session,
            Self::Other => "",
        }
    }

    /// The text of the page that shows this output for the block.
    pub(crate) fn with(&self, output: &str) -> String {
        match self {
            Self::Script { script, .. } => format!("```sh\n{script}```\n\n```output\n{output}```\n"),
            Self::Session { .. } => format!("```console\n{output}```\n"),
            Self::Other => String::new(),
        }
    }
}

/// The blocks of a page, in their order. An `output` block belongs to the script before it.
pub(crate) fn of(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(word) = line.strip_prefix("```") else { continue };
        let inside: String =
            lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match (word, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block::Script { script: inside, output: None }),
            ("console", _) => blocks.push(Block::Session { session: inside }),
            ("output", Some(Block::Script { output: output @ None, .. })) => *output = Some(inside),
            ("output", _) => panic!("no `sh` block stands before the output\n{inside}"),
            _ => blocks.push(Block::Other),
        }
    }
    blocks
}

/// The commands of a session, each after `$ `, with the lines that continue it.
pub(crate) fn commands(session: &str) -> Vec<String> {
    let mut commands = Vec::<String>::new();
    for line in session.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push(command.to_owned()),
            (None, Some(command)) if command.ends_with('\\') => *command = format!("{command}\n{line}"),
            // What the command prints.
            (None, _) => {}
        }
    }
    commands
}
