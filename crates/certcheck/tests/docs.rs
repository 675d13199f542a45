//! Pages and the program: the reference that it writes, where links lead, and whether commands and names in pages exist.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const UPDATED_BY: &str = "updated by: cargo run -p certcheck -- reference > docs/cli.md";
const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(arguments: &[&str]) -> String {
    let mut command = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"));
    // A narrow terminal, which must make no difference.
    let output = command.args(arguments).env("COLUMNS", "40").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every page that is held to something, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| root().join(name))
        .to_vec();
    let folders = ["docs", "docs/proxies"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let docs = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The lines of a page, each with the word of the fence it stands in; `None` outside.
fn lines(page: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut fence = None;
    page.lines().map(move |line| {
        if let Some(word) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(word.trim()) };
            return (Some(""), line);
        }
        (fence, line)
    })
}

/// Commands by their words, such as `lab revoke`, with their flags, as the reference tells them.
fn commands(reference: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut commands = BTreeMap::<String, BTreeSet<String>>::new();
    let mut now = String::new();
    for (fence, line) in lines(reference) {
        if fence.is_some() {
            continue;
        }
        if let Some(name) =
            line.trim_start_matches('#').strip_prefix(" certcheck").filter(|_| line.starts_with("##"))
        {
            now = name.trim().to_owned();
            commands.insert(now.clone(), BTreeSet::from(["--help".to_owned(), "--version".to_owned()]));
        } else if let Some((signature, _)) = line.strip_prefix("- `").and_then(|rest| rest.split_once('`')) {
            let flags = signature.split([' ', ',']).map(|word| word.trim_end_matches('.'));
            let flags = flags.filter(|word| word.starts_with('-')).map(str::to_owned);
            commands.get_mut(&now).unwrap().extend(flags);
        }
    }
    commands
}

#[test]
fn the_reference_is_what_the_program_says() {
    let kept = fs::read_to_string(root().join("docs/cli.md")).unwrap_or_default();
    let made = run(&["reference"]);
    let differs = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
    assert!(kept == made, "docs/cli.md is stale, first at {differs:?}; {UPDATED_BY}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let commands = commands(&run(&["reference"]));
    assert!(commands.contains_key("lab revoke"), "{:?}", commands.keys());
    for shell in SHELLS {
        let script = run(&["completions", shell]);
        for command in commands.keys().filter(|command| !command.is_empty()) {
            let word = command.split(' ').next_back().unwrap();
            assert!(script.contains(word), "{shell}: {command}");
        }
    }
    let folder = TempDir::new().unwrap();
    let man = folder.path().join("man/man1");
    run(&["manual", "--dir", man.to_str().unwrap()]);
    for (command, flags) in &commands {
        let name = format!("certcheck {command}").trim().replace(' ', "-");
        let page = fs::read_to_string(man.join(format!("{name}.1"))).unwrap_or_default();
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page:?}");
        let page = page.replace("\\-", "-");
        for flag in flags.iter().filter(|flag| *flag != "--version") {
            assert!(page.contains(flag.as_str()), "{name}: {flag}");
        }
    }
    assert_eq!(fs::read_dir(&man).unwrap().count(), commands.len());
}

/// The anchors of the headings of a page, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = lines(page).filter(|(fence, line)| fence.is_none() && line.starts_with('#'));
    let is_kept = |character: &char| character.is_alphanumeric() || [' ', '-', '_'].contains(character);
    headings
        .map(|(_, line)| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| heading.chars().filter(is_kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn links_lead_to_headings_of_files() {
    let mut bad = Vec::new();
    for (path, page) in pages() {
        for (_, line) in lines(&page).filter(|(fence, _)| fence.is_none()) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if link.contains("://") || link.starts_with("mailto:") {
                    continue;
                }
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
                let has_anchor = || {
                    anchor.is_empty()
                        || fs::read_to_string(&file).is_ok_and(|page| anchors(&page).contains(anchor))
                };
                if !file.exists() || !has_anchor() {
                    bad.push(format!("{}: {link}", path.display()));
                }
            }
        }
    }
    assert!(bad.is_empty(), "lead nowhere: {bad:#?}");
}

/// Every word of the sources, such as names of types, methods and modules.
fn words_of_sources() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let sources = walkdir::WalkDir::new(root().join("crates")).into_iter().map(Result::unwrap);
    for source in sources.filter(|entry| entry.path().extension().is_some_and(|end| end == "rs")) {
        let text = fs::read_to_string(source.path()).unwrap();
        words.extend(text.split(|it: char| !it.is_alphanumeric() && it != '_').map(str::to_owned));
    }
    words
}

#[test]
fn rust_names_in_pages_exist() {
    let (words, mut bad, mut seen) = (words_of_sources(), Vec::new(), 0);
    for (path, page) in pages() {
        for (_, line) in lines(&page).filter(|(fence, _)| fence.is_none()) {
            for span in line.split('`').skip(1).step_by(2).filter(|span| span.contains("::")) {
                let name =
                    span.split(|it: char| !it.is_alphanumeric() && it != '_' && it != ':').next().unwrap();
                let unknown = name.split("::").find(|part| !part.is_empty() && !words.contains(*part));
                bad.extend(unknown.map(|part| format!("{}: no {part}: {span}", path.display())));
                seen += 1;
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(seen > 50, "only {seen} names were found in pages");
}

#[test]
fn the_summary_lists_every_page_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut listed: Vec<&str> =
        summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    listed.sort_unstable();
    let within = |(path, _): (PathBuf, String)| {
        path.strip_prefix(root().join("docs")).ok().map(|page| page.to_str().unwrap().to_owned())
    };
    let mut there: Vec<String> =
        pages().into_iter().filter_map(within).filter(|name| *name != "SUMMARY.md").collect();
    there.sort_unstable();
    assert_eq!(listed, there);
}

/// The words of a call of the program up to where it ends; enough for what stands in documents.
fn call<'l>(fence: Option<&str>, line: &'l str) -> Option<Vec<&'l str>> {
    let line = match fence {
        Some("sh") => line,
        // The rest of a console is output.
        Some("console") => line.strip_prefix("$ ")?,
        _ => return None,
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    // The name of the crate, as `cargo run -p` wants it, calls nothing.
    let is_crate =
        |at: usize| at.checked_sub(1).is_some_and(|before| ["-p", "--path"].contains(&words[before]));
    let at = words
        .iter()
        .enumerate()
        .position(|(at, word)| (*word == "certcheck" || word.ends_with("/certcheck")) && !is_crate(at))?;
    // After `cargo run --bin certcheck --`.
    let rest = words.get(at + 1..)?.iter().copied().skip_while(|word| *word == "--");
    let is_end = |word: &str| ["|", ">", ">>", "<", "&&", "||", ";", "#", "&", "2>", "\\"].contains(&word);
    let mut call = Vec::new();
    for word in rest.take_while(|word| !is_end(word)) {
        let last = word.strip_suffix(';');
        call.push(last.unwrap_or(word));
        if last.is_some() {
            break;
        }
    }
    Some(call)
}

#[test]
fn commands_in_documents_exist() {
    let commands = commands(&run(&["reference"]));
    let (mut bad, mut seen) = (Vec::new(), 0);
    for (path, page) in pages() {
        for (fence, line) in lines(&page) {
            let Some(words) = call(fence, line) else { continue };
            let mut command = String::new();
            for word in words.iter().filter(|word| !word.starts_with('-')) {
                let longer = format!("{command} {word}").trim().to_owned();
                if commands.contains_key(&longer) {
                    command = longer;
                } else if command.is_empty() {
                    bad.push(format!("{}: no command: {line}", path.display()));
                    break;
                }
            }
            let known = commands.get(&command).unwrap();
            for flag in words.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
                let flag = flag.split('=').next().unwrap_or_default();
                // The flags of every command are listed once, with the program itself.
                if !known.contains(flag) && !commands[""].contains(flag) {
                    bad.push(format!("{}: no flag {flag}: {line}", path.display()));
                }
            }
            seen += 1;
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(seen > 5, "only {seen} commands were found in documents");
}
