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
        let names = |text: &str, quote: char| -> Vec<String> {
            let pieces = text.split(quote).filter(|piece| piece.starts_with("certcheck_"));
            let mut names: Vec<String> = pieces.map(str::to_owned).collect();
            names.sort();
            names
        };
        let own = include_str!("metrics.rs").split("#[cfg(test)]").next().unwrap_or_default();
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
        let page = std::fs::read_to_string(page).expect("the page");
        let (_, after) =
            page.split_once(concat!("## Metrics of ", env!("CARGO_PKG_NAME"))).expect("a section");
        let table = after.split("## ").next().unwrap_or_default();
        assert_eq!(names(own, '"'), names(table, '`'));
    }
}
