//! The names of counters and gauges: docs/observability.md has them in a table.

/// Answers that were of use, by `kind` and `from`.
pub(crate) const ANSWERS: &str = "certcheck_evidence_answers_total";
/// Exchanges with a source, by `kind`.
pub(crate) const FETCHES: &str = "certcheck_fetches_total";
/// Exchanges that brought nothing of use, by `kind` and `cause`.
pub(crate) const FAILURES: &str = "certcheck_fetch_failures_total";
/// Seconds of an exchange, by `kind`.
pub(crate) const SECONDS: &str = "certcheck_fetch_seconds";
/// Bytes of what came, by `kind`.
pub(crate) const BYTES: &str = "certcheck_fetch_bytes";
/// Age of evidence in seconds when it is kept, by `kind`.
pub(crate) const AGE: &str = "certcheck_evidence_age_seconds";
/// Evidence that memory had no room for.
pub(crate) const EVICTIONS: &str = "certcheck_memory_evictions_total";
/// KiB of evidence in memory.
pub(crate) const MEMORY: &str = "certcheck_memory_kibibytes";
/// What the store held and is not taken, by `why`.
pub(crate) const STORE_REFUSED: &str = "certcheck_store_refused_total";
/// Checks, by `verdict` and `by`: `known` if nothing but a look-up was needed, `full` else.
pub(crate) const CHECKS: &str = "certcheck_checks_total";
/// Clients that were accepted though something of their revocation is not known, by `cause`.
pub(crate) const TOLERATED: &str = "certcheck_checks_tolerated_total";
/// Evidence got ahead of its end, by `outcome`.
pub(crate) const REFRESHES: &str = "certcheck_refreshes_total";
/// Clients of live connections that would be refused from then on, by `reason`.
pub(crate) const ENDED: &str = "certcheck_watches_ended_total";

#[cfg(test)]
mod tests {
    /// Every name of this file stands in this crate's table, and the table names nothing else.
    #[test]
    fn the_table_has_them_all() {
        let [own, table] =
            certcheck_testkit::docs::metrics(env!("CARGO_PKG_NAME"), include_str!("metrics.rs"));
        assert_eq!(own, table);
    }
}
