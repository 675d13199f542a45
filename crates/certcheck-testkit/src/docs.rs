//! Pages of `docs/` that tests compare with the code.

use std::path::Path;
use std::sync::Mutex;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// The names of metrics that a crate's `metrics.rs` has, and those that its section of `docs/observability.md` has, sorted.
///
/// # Panics
/// If there is no such page or section.
#[must_use]
pub fn metrics(crate_name: &str, source: &str) -> [Vec<String>; 2] {
    let names = |text: &str, quote: char| -> Vec<String> {
        let pieces = text.split(quote).filter(|piece| piece.starts_with("certcheck_"));
        let mut names: Vec<String> = pieces.map(str::to_owned).collect();
        names.sort();
        names
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, after) = page.split_once(&format!("## Metrics of {crate_name}\n")).expect("a section");
    let table = after.split("\n#").next().unwrap_or_default();
    [names(source, '"'), names(table, '`')]
}

/// The names that a crate describes to the recorder of `metrics`, sorted.
///
/// # Panics
/// If a name does not follow the convention of Prometheus for its kind, or a description is no sentence.
#[must_use]
pub fn described_metrics(describe: impl FnOnce()) -> Vec<String> {
    let recorder = Described::default();
    metrics::with_local_recorder(&recorder, describe);
    let mut names = recorder.0.into_inner().unwrap();
    names.sort();
    names
}

/// A recorder that keeps descriptions and ignores metrics.
#[derive(Default)]
struct Described(Mutex<Vec<String>>);

impl Described {
    fn add(&self, name: &KeyName, is_counter: bool, help: &str) {
        let name = name.as_str();
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        let odd_units =
            ["_milliseconds", "_ms", "_micros", "_kib", "_kibibytes", "_kb", "_octets", "_minutes"];
        assert!(!odd_units.iter().any(|unit| name.ends_with(unit)), "{name} is not in a base unit");
        assert!(help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
        self.0.lock().unwrap().push(name.to_owned());
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.add(&name, true, &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.add(&name, false, &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.add(&name, false, &help);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
