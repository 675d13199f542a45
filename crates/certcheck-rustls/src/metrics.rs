//! The names of counters and gauges: docs/observability.md has them in a table.

/// Handshakes with a client certificate or without, by `door` and `outcome`.
pub(crate) const HANDSHAKES: &str = "certcheck_handshakes_total";
/// Connections between accept and verdict.
pub(crate) const PENDING: &str = "certcheck_handshakes_pending";
/// Sessions that a client wanted to resume, by `outcome`.
pub(crate) const SESSIONS: &str = "certcheck_sessions_total";

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
