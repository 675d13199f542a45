//! What the program prints about itself: completions, manual pages, the page `docs/cli.md`, and the schema of its JSON.

mod reference;
mod schema;

use std::fs;
use std::io::{self, Write as _};

use anyhow::anyhow;
use clap::CommandFactory as _;

use crate::exit::Exit;
use crate::flags::{CompletionsArguments, Flags, ManualArguments, SchemaArguments, SchemaCommand};

pub(crate) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Flags::command(), "certcheck", &mut script);
    print(&script)
}

/// One page for each command, named as `git` names its own.
pub(crate) fn manual(arguments: &ManualArguments) -> anyhow::Result<Exit> {
    let dir = &arguments.dir;
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Flags::command(), dir));
    written.map_err(|error| anyhow!("{}: {error}", dir.display()))?;
    Ok(Exit::Accepted)
}

pub(crate) fn reference() -> anyhow::Result<Exit> {
    print(reference::page(Flags::command()).as_bytes())
}

/// The schema of all objects, or of those of a command.
pub(crate) fn schema(arguments: &SchemaArguments) -> anyhow::Result<Exit> {
    match arguments.command.map(SchemaCommand::types) {
        None => print(schema::ALL.as_bytes()),
        Some(types) => print(schema::of(types)?.as_bytes()),
    }
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(Exit::Accepted)
}
