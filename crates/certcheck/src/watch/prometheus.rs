//! What was found, in the text format of Prometheus, for the textfile collector of a node exporter.

use std::fmt::Write as _;

use certcheck_core::Time;

use super::{Found, Health};

/// All of it.
pub(super) fn render(found: &Found, now: Time) -> String {
    let mut out = Page(String::new());
    let sources = &found.sources;
    let of = |source: &super::SourceState| {
        labels(&[
            ("kind", source.kind),
            ("url", &source.url),
            ("subject", &source.subject),
            ("sha256", &source.sha256),
        ])
    };
    out.family("certcheck_watch_sources", "How many sources are watched.");
    out.sample("certcheck_watch_sources", "", sources.len());
    let states = sources.iter().map(|source| (of(source), source.state, source.code));
    out.health("certcheck_source", "the source answers and its answer is of use", states);
    out.family("certcheck_source_this_update_seconds", "thisUpdate of the answer, in seconds since 1970.");
    for (source, this) in sources.iter().filter_map(|source| Some((source, source.times.this?))) {
        out.sample("certcheck_source_this_update_seconds", &of(source), this.unix());
    }
    out.family("certcheck_source_next_update_seconds", "nextUpdate of the answer, in seconds since 1970.");
    for (source, next) in sources.iter().filter_map(|source| Some((source, source.times.next?))) {
        out.sample("certcheck_source_next_update_seconds", &of(source), next.unix());
    }
    out.family(
        "certcheck_source_evidence_end_seconds",
        "Until when policy lets the answer speak, nextUpdate or not, in seconds since 1970.",
    );
    for (source, end) in sources.iter().filter_map(|source| Some((source, source.times.end?))) {
        out.sample("certcheck_source_evidence_end_seconds", &of(source), end.unix());
    }
    out.family("certcheck_source_fetch_seconds", "How long it took to get the answer, or to do without.");
    for source in sources {
        out.sample("certcheck_source_fetch_seconds", &of(source), source.elapsed_us as f64 / 1e6);
    }
    out.family("certcheck_source_bytes", "Bytes of the answer.");
    for (source, bytes) in sources.iter().filter_map(|source| Some((source, source.bytes?))) {
        out.sample("certcheck_source_bytes", &of(source), bytes);
    }
    let of = |one: &super::CertificateState| {
        labels(&[("role", one.role), ("subject", &one.subject), ("sha256", &one.sha256)])
    };
    out.family("certcheck_ring_certificate_not_after_seconds", "notAfter, in seconds since 1970.");
    for one in &found.certificates {
        out.sample("certcheck_ring_certificate_not_after_seconds", &of(one), one.until.unix());
    }
    let certificates = found.certificates.iter().map(|one| (of(one), one.state, one.code));
    out.health(
        "certcheck_ring_certificate",
        "the certificate is valid, and a path to it is good",
        certificates,
    );
    let inputs = found.inputs.iter().map(|one| (labels(&[("input", &one.input)]), one.state, one.code));
    out.health("certcheck_watch_input", "the sources of the certificate that was given are watched", inputs);
    out.family("certcheck_watch_run_seconds", "When this was found, in seconds since 1970.");
    out.sample("certcheck_watch_run_seconds", "", now.unix());
    out.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, help: &str) {
        // Nothing can fail that is written to memory.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    /// Two families: whether it is so, and what it came to as a code.
    fn health<'c>(
        &mut self,
        name: &str,
        what: &str,
        all: impl Iterator<Item = (String, Health, &'c str)> + Clone,
    ) {
        let (good, state) = (format!("{name}_good"), format!("{name}_state"));
        self.family(&good, &format!("1 if {what}, else 0."));
        for (labels, state, _) in all.clone() {
            self.sample(&good, &labels, i64::from(matches!(state, Health::Good | Health::Soon)));
        }
        self.family(&state, "1, with what it came to as a code.");
        for (of, _, code) in all {
            self.sample(&state, &format!("{of},{}", labels(&[("code", code)])), 1);
        }
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

/// `name="value",...`; what would end a value is escaped.
fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let all: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_before_its_end() {
        assert_eq!(labels(&[("url", "a\"b\\c\nd"), ("kind", "crl")]), r#"url="a\"b\\c\nd",kind="crl""#);
    }
}
