//! Plain English: phrases that pages, comments and messages do without. `banned_phrases.txt` lists them, with what to say instead.

use std::fs;
use std::path::{Path, PathBuf};

/// Files and folders that are held to the list: pages, and the comments and strings of sources.
const CHECKED: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "crates",
    "docs",
    "xtask",
];
/// Those that are to be held to it. `cargo test -p certcheck-testkit --test phrases -- --ignored` lists what is left.
const NOT_YET: &[&str] = &["benches", "fuzz"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A phrase of the list.
struct Phrase {
    phrase: String,
    instead: &'static str,
    /// Longer phrases that are right.
    exceptions: Vec<String>,
}

impl Phrase {
    fn all() -> Vec<Self> {
        let lines = include_str!("banned_phrases.txt").lines();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let fields: Vec<_> = line.split('|').map(str::trim).collect();
                let exceptions = fields.get(2).copied().unwrap_or_default().split(", ");
                Self {
                    phrase: fields[0].to_ascii_lowercase(),
                    instead: fields.get(1).unwrap_or_else(|| panic!("nothing to say instead: {line}")),
                    exceptions: exceptions
                        .filter(|words| !words.is_empty())
                        .map(str::to_ascii_lowercase)
                        .collect(),
                }
            })
            .collect()
    }
}

/// A paragraph, a block of comments or a string: words with one space between them, and the line of each byte.
#[derive(Default)]
struct Passage {
    text: String,
    lines: Vec<usize>,
}

impl Passage {
    /// Adds a line or a part of it. What is in backquotes is code.
    fn add(&mut self, text: &str, line: usize) {
        let prose = text.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for word in prose.split_whitespace() {
            self.text += " ";
            self.text += &word.to_ascii_lowercase();
            self.lines.resize(self.text.len(), line);
        }
    }

    /// The lines in which the phrase begins.
    fn find(&self, phrase: &Phrase) -> Vec<usize> {
        let is_letter = |character: char| character.is_alphanumeric() || character == '_';
        let is_exception = |at: usize, longer: &String| {
            let from = longer.find(&phrase.phrase).and_then(|offset| at.checked_sub(offset));
            from.and_then(|from| self.text.get(from..)).is_some_and(|text| text.starts_with(longer.as_str()))
        };
        let found = self.text.match_indices(&phrase.phrase).filter(|(at, found)| {
            !self.text[..*at].ends_with(is_letter) && !self.text[at + found.len()..].starts_with(is_letter)
        });
        let wrong = found.filter(|(at, _)| !phrase.exceptions.iter().any(|longer| is_exception(*at, longer)));
        wrong.map(|(at, _)| self.lines[at]).collect()
    }
}

/// The paragraphs, rows and headings of a page.
fn passages_of_page(page: &str) -> Vec<Passage> {
    let (mut passages, mut is_fenced) = (vec![Passage::default()], false);
    for (line, text) in page.lines().enumerate() {
        let is_fence = text.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        if is_fence || is_fenced || text.trim().is_empty() || text.starts_with('|') {
            passages.push(Passage::default());
        }
        if let (false, false, Some(passage)) = (is_fence, is_fenced, passages.last_mut()) {
            passage.add(text, line + 1);
        }
    }
    passages
}

/// The comments and strings of a source. Comments in lines that follow one another are one passage.
fn passages_of_source(source: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    let (mut comment, mut last) = (Passage::default(), 0);
    let mut rest = source;
    let line_of = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        let line = line_of(from);
        if let Some(text) = from.strip_prefix("//") {
            let end = text.find('\n').unwrap_or(text.len());
            if line > last + 1 {
                passages.push(std::mem::take(&mut comment));
            }
            comment.add(text[..end].trim_start_matches(['/', '!']), line);
            (rest, last) = (&text[end..], line);
        } else if let Some(text) = from.strip_prefix('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before.trim_end_matches('#').ends_with('r');
            let end = if is_raw {
                text.find(&format!("\"{}", "#".repeat(hashes)))
            } else {
                let mut is_escaped = false;
                text.find(|character| {
                    let ends = character == '"' && !is_escaped;
                    is_escaped = character == '\\' && !is_escaped;
                    ends
                })
            };
            let end = end.unwrap_or(text.len());
            let mut string = Passage::default();
            for (more, part) in text[..end].replace("\\n", " ").lines().enumerate() {
                string.add(part.trim_end_matches('\\'), line + more);
            }
            passages.push(string);
            rest = text.get(end + 1..).unwrap_or_default();
        } else if let Some(text) = from.strip_prefix('\'') {
            // A character, which may be a quotation mark, or a lifetime.
            let length =
                if text.starts_with('\\') { 2 } else { text.chars().next().map_or(0, char::len_utf8) };
            rest = if text[length..].starts_with('\'') { &text[length + 1..] } else { text };
        } else {
            rest = &from[1..];
        }
    }
    passages.push(comment);
    passages
}

/// Every page and source of these files and folders that is not among the others.
fn files(paths: &[&str], others: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut open): (Vec<_>, Vec<_>) =
        (Vec::new(), paths.iter().map(|path| root().join(path)).collect());
    while let Some(path) = open.pop() {
        assert!(path.exists(), "{} is not there", path.display());
        if others.iter().any(|other| path == root().join(other)) {
            continue;
        }
        if path.is_dir() {
            // Tests may quote what they refuse.
            let is_skipped = |path: &Path| ["target", "tests"].iter().any(|folder| path.ends_with(folder));
            let entries = fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path());
            open.extend(entries.filter(|path| !is_skipped(path)));
        } else if path.extension().is_some_and(|extension| extension == "md" || extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn faults(files: &[PathBuf]) -> Vec<String> {
    let phrases = Phrase::all();
    let mut faults = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).expect("a file");
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let passages = if is_source { passages_of_source(&text) } else { passages_of_page(&text) };
        for (passage, phrase) in
            passages.iter().flat_map(|passage| phrases.iter().map(move |phrase| (passage, phrase)))
        {
            faults.extend(passage.find(phrase).into_iter().map(|line| {
                let name = path.strip_prefix(root()).unwrap_or(path).display();
                format!("{name}:{line}: \"{}\": say {}", phrase.phrase, phrase.instead)
            }));
        }
    }
    faults
}

#[test]
fn nothing_says_a_banned_phrase() {
    let files = files(CHECKED, &[]);
    let faults = faults(&files);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
#[ignore = "lists what is left to do"]
fn what_is_left() {
    let faults = faults(&files(NOT_YET, CHECKED));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn phrases_are_found_wherever_they_are() {
    let phrases = Phrase::all();
    let count = |passages: &[Passage]| -> usize {
        passages.iter().flat_map(|passage| phrases.iter().map(|phrase| passage.find(phrase).len())).sum()
    };
    assert_eq!(
        count(&passages_of_page(
            "It is of no\nuse.\n\n| at | hand |\n\n```sh\nanew\n```\n`anew`, renewed.\n"
        )),
        1
    );
    assert_eq!(count(&passages_of_page("No more than two bytes, of an OCTET STRING.\nNo more.\n")), 1);
    let source = "/// What is at\n/// hand.\nlet text = \"made \\\n    anew\\nlest\"; let quote = '\"'; // told of\nfn anew<'a>() {}\n";
    assert_eq!(count(&passages_of_source("let raw = r#\"a \"door\" \"#; let next = \"door\";")), 2);
    let passages = passages_of_source(source);
    let found = passages.iter().flat_map(|passage| phrases.iter().flat_map(|phrase| passage.find(phrase)));
    let mut lines: Vec<_> = found.collect();
    lines.sort_unstable();
    assert_eq!(lines, [1, 4, 4, 4]);
}
