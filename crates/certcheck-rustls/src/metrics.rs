//! The names of counters and gauges: docs/observability.md has them in a table.

/// Handshakes with a client certificate or without, by `component` and `outcome`.
pub(crate) const HANDSHAKES: &str = "certcheck_handshakes_total";
/// Connections between accept and verdict.
pub(crate) const PENDING: &str = "certcheck_handshakes_pending";
/// Sessions that a client wanted to resume, by `outcome`.
pub(crate) const SESSIONS: &str = "certcheck_sessions_total";

/// Gives the recorder a description of each metric, which exporters show as HELP.
pub(crate) fn describe() {
    metrics::describe_counter!(HANDSHAKES, "Handshakes, by component (verifier or acceptor) and outcome.");
    metrics::describe_gauge!(PENDING, "Connections to the acceptor that have no verdict yet.");
    metrics::describe_counter!(SESSIONS, "Sessions that clients wanted to resume, by outcome.");
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::docs;

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
}
