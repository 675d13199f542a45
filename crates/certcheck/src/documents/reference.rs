//! The page `docs/cli.md`.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

const HEAD: &str = "\
# Command line

Made by `cargo run -p certcheck -- reference > docs/cli.md`; a test holds it against the program.
`certcheck COMMAND --help` says the same.
";

/// The whole page. Nothing in it depends on the terminal.
pub(super) fn page(command: Command) -> String {
    let mut command = command.disable_help_subcommand(true).term_width(0);
    command.build();
    let mut page = HEAD.to_owned();
    section(&mut page, &command, 2);
    page
}

/// A command, and those below it.
fn section(page: &mut String, command: &Command, depth: usize) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    line(page, &format!("\n{} {name}\n", "#".repeat(depth)));
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        line(page, &prose(about));
    }
    block(page, &command.clone().render_usage().to_string());
    let shown: Vec<&Command> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if !shown.is_empty() {
        line(page, "\n| command | what it does |\n|---|---|");
    }
    for sub in &shown {
        let name = sub.get_bin_name().unwrap_or_else(|| sub.get_name());
        let about = sub.get_about().map(prose).unwrap_or_default();
        line(page, &format!("| [`{}`](#{}) | {about} |", sub.get_name(), name.replace(' ', "-")));
    }
    options(page, command);
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        block(page, &after.to_string());
    }
    for sub in shown {
        section(page, sub, (depth + 1).min(4));
    }
}

/// The arguments in their order, those of each help heading by themselves.
fn options(page: &mut String, command: &Command) {
    // Flags of every command are listed once, at the top.
    let is_inherited = |arg: &Arg| arg.is_global_set() && command.get_name() != "certcheck";
    let is_told = |arg: &&Arg| {
        !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()) && !is_inherited(arg)
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(is_told).collect();
    let mut headings: Vec<Option<&str>> = vec![None];
    for arg in &arguments {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        let mut under = arguments.iter().filter(|arg| arg.get_help_heading() == heading).peekable();
        if let (Some(heading), Some(_)) = (heading, under.peek()) {
            line(page, &format!("\n{heading}:"));
        }
        if under.peek().is_some() {
            line(page, "");
        }
        under.for_each(|arg| argument(page, arg));
    }
}

fn argument(page: &mut String, arg: &Arg) {
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(prose).unwrap_or_default();
    let is_repeated = is_flag(arg) && matches!(arg.get_action(), clap::ArgAction::Append);
    let repeated = if is_repeated { " (repeatable)" } else { "" };
    let mut said = format!("- `{}`{repeated}: {}.", signature(arg), help.trim_end_matches('.'));
    let takes_value = arg.get_action().takes_values();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !defaults.is_empty() {
        let _ = write!(said, " Default: `{}`.", defaults.join(" "));
    }
    line(page, &said);
    if takes_value {
        for value in arg.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
            let help = value.get_help().map(|help| format!(": {}", prose(help))).unwrap_or_default();
            line(page, &format!("  - `{}`{help}", value.get_name()));
        }
    }
}

fn is_flag(arg: &Arg) -> bool {
    arg.get_short().is_some() || arg.get_long().is_some()
}

/// `-v, --verbose...`, `--ring <PATH>`, `[CERT]...`.
fn signature(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let is_flag = is_flag(arg);
    let mut signature = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() {
        let names = arg.get_value_names().unwrap_or_default();
        for name in names {
            let (open, close) = if is_flag || arg.is_required_set() { ("<", ">") } else { ("[", "]") };
            let space = if is_flag { " " } else { "" };
            let _ = write!(signature, "{space}{open}{name}{close}");
        }
    }
    // A flag takes one value: `--crl a b` is not two CRLs.
    let has_several = matches!(arg.get_action(), clap::ArgAction::Append) && !is_flag;
    if has_several || matches!(arg.get_action(), clap::ArgAction::Count) {
        signature.push_str("...");
    }
    signature
}

/// Help is one paragraph here; what looks like HTML is not.
fn prose(help: &StyledStr) -> String {
    let text = help.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('<', "&lt;").replace('|', "\\|")
}

fn block(page: &mut String, text: &str) {
    line(page, &format!("\n```text\n{}\n```", text.trim_end()));
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}
