//! The names of counters, gauges and histograms: docs/observability.md has them in a table.
//!
//! Names follow the convention of Prometheus: base units as suffixes, `_total` for counters, `_info` for values in a
//! label.

use metrics::{Key, Label, Level, Metadata};

/// Always 1, with the `version` of this crate.
pub(crate) const BUILD: &str = "certcheck_build_info";
/// Usable answers, by `kind` and `from`.
pub(crate) const ANSWERS: &str = "certcheck_evidence_answers_total";
/// Exchanges with a source, by `kind`.
pub(crate) const FETCHES: &str = "certcheck_fetches_total";
/// Exchanges without a usable answer, by `kind` and `cause`.
pub(crate) const FAILURES: &str = "certcheck_fetch_failures_total";
/// Seconds of an exchange, by `kind`.
pub(crate) const SECONDS: &str = "certcheck_fetch_duration_seconds";
/// Bytes of an answer, by `kind`.
pub(crate) const BYTES: &str = "certcheck_fetch_bytes";
/// Age of evidence in seconds when it is kept, by `kind`.
pub(crate) const AGE: &str = "certcheck_evidence_age_seconds";
/// Evidence that was dropped because memory was full.
pub(crate) const EVICTIONS: &str = "certcheck_memory_evictions_total";
/// Bytes of evidence in memory.
pub(crate) const MEMORY: &str = "certcheck_memory_bytes";
/// Stored evidence that was refused, by `why`.
pub(crate) const STORE_REFUSED: &str = "certcheck_store_refused_total";
/// Answers of mirrors that did not count, by `cause`.
pub(crate) const MIRROR_REFUSED: &str = "certcheck_mirror_answers_refused_total";
/// Looks for evidence that a mirror or a store announced, by `outcome`.
pub(crate) const ANNOUNCED: &str = "certcheck_announced_total";
/// Operations of a shared store that brought nothing, because its engine could not be used, by `why`.
pub(crate) const STORE_UNAVAILABLE: &str = "certcheck_store_unavailable_total";
/// Checks, by `verdict` and `by`: `known` if a look-up was enough, else `full`.
pub(crate) const CHECKS: &str = "certcheck_checks_total";
/// Clients that were accepted with an unknown revocation status, by `cause`.
pub(crate) const TOLERATED: &str = "certcheck_checks_tolerated_total";
/// Evidence that was fetched before its end, by `outcome`.
pub(crate) const REFRESHES: &str = "certcheck_refreshes_total";
/// Clients of live connections that would be refused from then on, by `reason`.
pub(crate) const ENDED: &str = "certcheck_watches_ended_total";

/// A key that is made when the program is built.
macro_rules! fixed_key {
    ($key:ident = $name:ident, $($label:literal => $value:literal),+) => {
        pub(crate) static $key: Key = {
            static LABELS: &[Label] = &[$(Label::from_static_parts($label, $value)),+];
            Key::from_static_parts($name, LABELS)
        };
    };
}

// Those that nearly every check counts.
fixed_key!(ACCEPTED_KNOWN = CHECKS, "verdict" => "accept", "by" => "known");
fixed_key!(ACCEPTED_FULL = CHECKS, "verdict" => "accept", "by" => "full");
fixed_key!(OCSP_FROM_MEMORY = ANSWERS, "kind" => "ocsp", "from" => "memory");
fixed_key!(CRL_FROM_MEMORY = ANSWERS, "kind" => "crl", "from" => "memory");

/// Adds one to the counter with this key.
pub(crate) fn count(key: &'static Key) {
    static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));
    metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA)).increment(1);
}

/// Gives the recorder a description of each metric, which exporters show as HELP, and the version.
pub(crate) fn describe() {
    for (name, help) in [
        (ANSWERS, "Usable answers, by kind and by where they came from."),
        (FETCHES, "Exchanges that were begun with a source, by kind."),
        (FAILURES, "Exchanges without a usable answer, by kind and cause."),
        (EVICTIONS, "Evidence that was dropped because memory was full."),
        (STORE_REFUSED, "Stored evidence that was refused, by why."),
        (ANNOUNCED, "Looks for evidence that a mirror or a store announced, by outcome."),
        (MIRROR_REFUSED, "Answers of mirrors that did not count, by cause."),
        (STORE_UNAVAILABLE, "Operations of a shared store that brought nothing, by why."),
        (CHECKS, "Checks, by verdict and by how they were answered: known (a look-up) or full."),
        (TOLERATED, "Clients that were accepted with an unknown revocation status, by cause."),
        (REFRESHES, "Evidence that was fetched before its end, by outcome."),
        (ENDED, "Clients of live connections that would be refused from then on, by reason."),
    ] {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in [
        (SECONDS, "How long an exchange with a source took, in seconds."),
        (BYTES, "Size of an answer, in bytes."),
        (AGE, "Age of evidence by its thisUpdate when it is kept, in seconds."),
    ] {
        metrics::describe_histogram!(name, help);
    }
    metrics::describe_gauge!(MEMORY, "Evidence in memory, in bytes.");
    metrics::describe_gauge!(BUILD, "Always 1, with the version of certcheck as a label.");
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use certcheck_testkit::{docs, events};

    /// Every name of this file is in this crate's table, and the table names nothing else.
    #[test]
    fn the_table_has_them_all() {
        let [own, table] = docs::metrics(env!("CARGO_PKG_NAME"), include_str!("metrics.rs"));
        assert_eq!(own, table);
    }

    #[test]
    fn each_is_described_and_named_by_convention() {
        let described = docs::described_metrics(super::describe);
        let [own, _] = docs::metrics(env!("CARGO_PKG_NAME"), include_str!("metrics.rs"));
        assert_eq!(described, own);
    }

    /// The table of this crate's events has them all, with their fields, and names nothing else.
    #[test]
    fn the_page_lists_each_event() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let [own, table] = events::documented(env!("CARGO_PKG_NAME"), &src);
        assert_eq!(own, table);
    }
}
