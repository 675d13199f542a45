//! The text format of Prometheus, for values that are looked up when they are asked for.

use std::fmt::{Display, Write as _};

/// A page of metrics.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// The kind of a family.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the kinds that are used")]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Exposition {
    /// Begins a family; its samples follow.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing to memory cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample with these [`labels`].
    pub fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, Kind::Gauge, help);
        self.sample(name, "", value);
    }

    /// The page.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// `name="value",...`, with escapes in values.
#[must_use]
pub fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let all: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        assert_eq!(labels(&[("url", "a\"b\\c\nd"), ("kind", "crl")]), r#"url="a\"b\\c\nd",kind="crl""#);
    }

    #[test]
    fn a_page_has_help_and_type() {
        let mut page = Exposition::default();
        page.gauge("x_bytes", "Bytes of x.", 3);
        page.family("y_total", Kind::Counter, "How many y.");
        page.sample("y_total", &labels(&[("of", "z")]), 4);
        let text = "# HELP x_bytes Bytes of x.\n# TYPE x_bytes gauge\nx_bytes 3\n\
                    # HELP y_total How many y.\n# TYPE y_total counter\ny_total{of=\"z\"} 4\n";
        assert_eq!(page.into_text(), text);
    }
}
