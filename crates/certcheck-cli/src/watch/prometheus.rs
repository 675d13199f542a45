//! What was found, in the text format of Prometheus, for the textfile collector of a node exporter.

use std::fmt::Write as _;

use certcheck_core::Time;

use super::{Found, Health};

/// All of it.
pub(super) fn render(found: &Found, now: Time) -> String {
    let mut out = Page(String::new());
    let sources = &found.sources;
    let of = |source: &super::SourceState| {
        labels(&[("kind", source.kind), ("url", &source.url), ("subject", &source.subject)])
    };
    out.family("certcheck_source_good", "1 if the source answers and its answer is of use, else 0.");
    for source in sources {
        out.sample("certcheck_source_good", &of(source), i64::from(source.state != Health::Bad));
    }
    out.family("certcheck_source_state", "1, with what the source came to as a code.");
    for source in sources {
        let code = labels(&[("code", source.code)]);
        out.sample("certcheck_source_state", &format!("{},{code}", of(source)), 1);
    }
    out.family("certcheck_source_this_update_seconds", "thisUpdate of the answer, in seconds since 1970.");
    for (source, this) in sources.iter().filter_map(|source| Some((source, source.times.0?))) {
        out.sample("certcheck_source_this_update_seconds", &of(source), this.unix());
    }
    out.family("certcheck_source_next_update_seconds", "nextUpdate of the answer, in seconds since 1970.");
    for (source, next) in sources.iter().filter_map(|source| Some((source, source.times.1?))) {
        out.sample("certcheck_source_next_update_seconds", &of(source), next.unix());
    }
    out.family("certcheck_source_fetch_seconds", "How long it took to get the answer, or to do without.");
    for source in sources {
        out.sample("certcheck_source_fetch_seconds", &of(source), source.elapsed_us as f64 / 1e6);
    }
    out.family("certcheck_source_octets", "Octets of the answer.");
    for (source, octets) in sources.iter().filter_map(|source| Some((source, source.octets?))) {
        out.sample("certcheck_source_octets", &of(source), octets);
    }
    out.family("certcheck_ring_certificate_not_after_seconds", "notAfter, in seconds since 1970.");
    for one in &found.certificates {
        let labels = labels(&[("role", one.role), ("subject", &one.subject), ("sha256", &one.sha256)]);
        out.sample("certcheck_ring_certificate_not_after_seconds", &labels, one.until.unix());
    }
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
