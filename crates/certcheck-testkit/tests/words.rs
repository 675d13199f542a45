//! One word for one thing: words that were given up for the field's own stay away, and no public type name stands twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Words that no type, function, module, field or variable of the workspace has any more, and what is said instead.
const GIVEN_UP: &[(&str, &str)] = &[
    ("Newcomer", "ParsedCheck"),
    ("newcomer", "parsed"),
    ("Surroundings", "AssessContext"),
    ("Arrived", "FetchedEvidence"),
    ("Gathered", "AnswersWith"),
    ("suppose", "preview"),
    ("Supposition", "AnswerPreview"),
    ("Halt", "ControlFlow"),
    ("takes_signers_unasked", "SignerStatuses::AssumedGood"),
    ("let_pass", "tolerated"),
    ("lets_pass", "tolerates"),
    ("Duty", "ProfileViolation"),
    ("duties", "profile"),
    ("Station", "PathPosition"),
    ("NameOffence", "NameConstraintViolation"),
    ("Nameless", "NoSubjectName"),
    ("judge", "decide, validate or classify"),
    ("admit", "is_current, is_allowed or select"),
    ("TriedKeys", "SignatureMemo"),
    ("Rooms", "IndexAllocator"),
    ("Held", "CachedEvidence"),
    ("Flight", "InFlight"),
    ("Flying", "FetchWatcher"),
    ("Landing", "FetchOutcome"),
    ("Sought", "PendingNeed"),
    ("Came", "WaitOutcome"),
    ("Patience", "WaitDeadlines"),
    ("Driven", "CheckOutcome"),
    ("Looker", "CacheLookup"),
    ("Compiled", "EvidenceSet"),
    ("Refusals", "RejectionCache"),
    ("Phases", "FetchTimings"),
    ("Directories", "LdapSource"),
    ("left_something", "fetch_in_background"),
    ("Half", "PathOnlyVerifier"),
    ("Handshaken", "HandshakeOutput"),
    ("Serving", "ActiveConfig"),
    ("let_go", "release"),
    ("told", "record, report or to_failure"),
    ("tell", "record, report or to_failure"),
    ("most", "max"),
    ("floor", "minimum"),
];

/// Words that are good for something else, and not for these: the crate, the type's old name, and what it is called.
const RENAMED: &[(&str, &str, &str)] = &[
    ("certcheck-core", "Template", "IssuerPath"),
    ("certcheck-core", "Kind", "LeafProfile"),
    ("certcheck-core", "Answered", "AnswerSource"),
    ("certcheck-core", "Subject", "CheckedCertificate"),
    ("certcheck-core", "Own", "OwnEvidence"),
    ("certcheck-core", "Ask", "EvidenceRequest"),
    ("certcheck-core", "Progress", "CheckSession"),
    ("certcheck-core", "Names", "NameInterner"),
    ("certcheck-core", "Admitted", "IssuerPath"),
    ("certcheck-fetch", "Key", "EvidenceKey"),
    ("certcheck-fetch", "Slot", "CacheSlot"),
    ("certcheck-fetch", "Order", "CheckRequest"),
    ("certcheck-fetch", "Shape", "BodySniffer"),
    ("certcheck-fetch", "Refused", "BlockedUrl"),
    ("certcheck-fetch", "Report", "CheckReport"),
    ("certcheck-fetch", "Limits", "FetchLimits"),
    ("certcheck-rustls", "Rules", "VerifierHooks"),
    ("certcheck-rustls", "Pending", "HandshakeContext"),
    ("certcheck-rustls", "Counted", "PendingGauge"),
];

/// Old words that comments do without, and what they say.
const PROSE: &[(&str, &str)] = &[
    ("anew", "again"),
    ("lacks", "is missing, or has no"),
    ("in the making", "builder"),
    ("door 1", "the verifier"),
    ("door 2", "the acceptor"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below these folders of the workspace, with its path from there.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let is_output = path.file_name().is_some_and(|name| name == "target");
            let entries = if is_output { None } else { std::fs::read_dir(&path).ok() };
            open.extend(entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            // These files have all the words.
            if !["words.rs", "phrases.rs"].iter().any(|file| name.ends_with(&format!("testkit/tests/{file}")))
            {
                found.push((name, std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found.sort();
    found
}

/// A text without its comments and without what stands in its strings, line for line.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    let lines = |text: &str| "\n".repeat(text.matches('\n').count());
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        code.push_str(before);
        if from.starts_with("//") {
            rest = from.find('\n').and_then(|end| from.get(end..)).unwrap_or_default();
        } else if let (true, Some(inside)) = (before.ends_with("r#"), from.strip_prefix('"')) {
            let end = inside.find("\"#").unwrap_or(inside.len());
            code.push_str(&lines(inside.get(..end).unwrap_or_default()));
            rest = inside.get(end + 2..).unwrap_or_default();
        } else if let Some(inside) = from.strip_prefix('"') {
            let mut ends = inside.char_indices().scan(false, |escaped, (at, character)| {
                let ends = character == '"' && !*escaped;
                *escaped = character == '\\' && !*escaped;
                Some((at, ends))
            });
            let end = ends.find_map(|(at, ends)| ends.then_some(at)).unwrap_or(inside.len());
            code.push_str(&lines(inside.get(..end).unwrap_or_default()));
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            // A quotation mark as a character opens no string.
            let skipped = ["'\"'", "'\\\"'", "b'\"'"].iter().find(|mark| from.starts_with(**mark));
            let length = skipped.map_or(1, |mark| mark.len());
            code.push(' ');
            rest = from.get(length..).unwrap_or_default();
        }
    }
    code.push_str(rest);
    code
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
}

#[test]
fn words_that_were_given_up_name_nothing() {
    let mut faults = Vec::new();
    // A script for a browser, which asks for parts of a page by their names.
    let is_script = |file: &str| file.ends_with("certcheck/tests/browser/mod.rs");
    for (file, text) in
        sources(&["crates", "benches", "fuzz"]).into_iter().filter(|(file, _)| !is_script(file))
    {
        // Not the method of numbers.
        let text = code(&text).replace(".floor()", "");
        for (at, code) in text.lines().enumerate() {
            let found = GIVEN_UP.iter().filter(|(word, _)| words(code).any(|found| found == *word));
            faults.extend(found.map(|(word, now)| format!("{file}:{}: {word} is {now} now", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn renamed_types_keep_their_names() {
    let mut faults = Vec::new();
    for (library, word, now) in RENAMED {
        for (file, text) in sources(&[&format!("crates/{library}/src")]) {
            let defines = |line: &&str| {
                let code = code(line);
                let mut words = words(&code).filter(|word| !word.is_empty());
                let is_definition = words.any(|word| ["struct", "enum", "trait", "type"].contains(&word));
                is_definition && words.next() == Some(*word)
            };
            faults.extend(text.lines().filter(defines).map(|line| format!("{file}: `{line}` is {now} now")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn comments_do_without_old_words() {
    let mut faults = Vec::new();
    // Comments on flags are the text of `--help`.
    let is_help = |file: &str| file.starts_with("crates/certcheck/src/flags/");
    for (file, text) in sources(&["crates", "benches", "fuzz"]).into_iter().filter(|(file, _)| !is_help(file))
    {
        for (at, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let comment = format!(" {} ", comment.to_lowercase());
            let is_in = |word: &str| {
                comment.match_indices(word).any(|(at, _)| {
                    let letter = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
                    !letter(comment[..at].chars().next_back())
                        && !letter(comment[at + word.len()..].chars().next())
                })
            };
            let found = PROSE.iter().filter(|(word, _)| is_in(word));
            faults.extend(found.map(|(word, now)| format!("{file}:{}: \"{word}\": say {now}", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_public_type_name_stands_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in sources(&["crates"]).into_iter().filter(|(file, _)| file.contains("/src/")) {
        for line in text.lines().map(str::trim) {
            let Some(item) = line.strip_prefix("pub ") else { continue };
            let mut words = words(item);
            if words.next().is_some_and(|word| ["struct", "enum", "trait", "type", "union"].contains(&word))
                && let Some(name) = words.next()
            {
                places.entry(name.to_owned()).or_default().push(file.clone());
            }
        }
    }
    assert!(places.len() > 100, "{} public types", places.len());
    let twice: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}
