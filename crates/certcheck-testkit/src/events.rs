//! Events of `tracing`: captured while something runs, and held against the page that lists them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// An event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Captured {
    /// `INFO` and so on.
    pub level: String,
    /// The target.
    pub target: String,
    /// The name.
    pub name: String,
    /// The text.
    pub message: String,
    /// The other fields that have a value.
    pub fields: BTreeMap<String, String>,
}

impl Captured {
    /// The value of a field, or nothing.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Captured {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        if field.name() == "message" {
            self.message = value;
        } else {
            self.fields.insert(field.name().to_owned(), value);
        }
    }
}

/// Takes down the events of one thread.
struct Capture(Arc<Mutex<Vec<Captured>>>);

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("certcheck")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut captured = Captured {
            level: metadata.level().to_string(),
            target: metadata.target().to_owned(),
            name: metadata.name().to_owned(),
            message: String::new(),
            fields: BTreeMap::new(),
        };
        event.record(&mut captured);
        self.0.lock().expect("no panic").push(captured);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The events of our crates that this thread emits while something runs on it.
///
/// # Panics
/// If another thread panicked while it noted an event.
pub fn capture<T>(run: impl FnOnce() -> T) -> (T, Vec<Captured>) {
    let events = Arc::<Mutex<Vec<Captured>>>::default();
    let output = tracing::subscriber::with_default(Capture(Arc::clone(&events)), run);
    let captured = events.lock().expect("no panic").clone();
    (output, captured)
}

/// The events that the sources of a crate emit, and those that its table in `docs/observability.md` has, sorted. Each is
/// `name level target message fields`.
///
/// # Panics
/// If a source has an event without a name and a target, or the page has no such table.
#[must_use]
pub fn documented(crate_name: &str, src: &Path) -> [Vec<String>; 2] {
    let mut own = Vec::new();
    visit(src, &mut |text| own.extend(events_of(text)));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, after) = page.split_once(&format!("### Events of {crate_name}\n")).expect("a section");
    // The first table after the heading: others explain its fields.
    let table =
        after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows = table.filter(|line| line.starts_with("| `"));
    let mut table: Vec<String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, level, target, message, fields] = cells[..] else { panic!("{row}") };
            let text = format!("{name} {level} {target} {message} {fields}").replace('`', "");
            text.trim_end().to_owned()
        })
        .collect();
    own.sort();
    table.sort();
    [own, table]
}

fn visit(folder: &Path, read: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            visit(&entry, read);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            read(&fs::read_to_string(&entry).expect("a source"));
        }
    }
}

/// The calls of the macros of `tracing` in a source.
fn events_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        let call = format!("{level}!(");
        for (at, _) in text.match_indices(&call) {
            let is_whole = !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            if !is_whole {
                continue;
            }
            let arguments = arguments(&text[at + call.len()..]);
            let value = |label: &str| {
                let found = arguments.iter().find_map(|argument| argument.strip_prefix(label));
                found.unwrap_or_else(|| panic!("no {label} in {arguments:?}")).trim().trim_matches('"')
            };
            let (name, target) = (value("name:"), value("target:"));
            let message = arguments.last().map(|last| last.trim_matches('"')).expect("a message");
            let mut row = format!("{name} {level} {target} {message}");
            let mut fields = arguments[2..arguments.len() - 1].iter().map(|field| {
                let field = field.split('=').next().unwrap_or_default();
                field.trim().trim_start_matches(['%', '?'])
            });
            let first = fields.next().unwrap_or_default();
            write!(row, " {}", fields.fold(first.to_owned(), |all, field| all + ", " + field)).expect("text");
            found.push(row.trim_end().to_owned());
        }
    }
    found
}

/// The arguments of a call, up to its closing parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut is_quoted, mut current, mut all) = (0, false, String::new(), Vec::new());
    for sign in text.chars() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => break,
            ')' if !is_quoted => depth -= 1,
            ',' if !is_quoted && depth == 0 => {
                all.push(std::mem::take(&mut current).trim().to_owned());
                continue;
            }
            _ => {}
        }
        current.push(sign);
    }
    all.push(current.trim().to_owned());
    all.retain(|argument| !argument.is_empty());
    all
}
