//! The names of counters, gauges and histograms: docs/observability.md has them in a table.

/// Handshakes, by `listener`, `outcome`, `code` and `resumed`.
pub(crate) const HANDSHAKES: &str = "certcheck_listener_handshakes_total";
/// The time of a handshake with its check, by `listener`.
pub(crate) const HANDSHAKE_SECONDS: &str = "certcheck_handshake_seconds";
/// Connections at present, by `listener`.
pub(crate) const CONNECTIONS: &str = "certcheck_connections";
/// Connections that were cut, by `listener` and `reason`.
pub(crate) const CUT: &str = "certcheck_connections_cut_total";
/// Connections that were closed, and requests that were refused, because of a limit, by `listener` and `reason`.
pub(crate) const LIMITED: &str = "certcheck_connections_limited_total";
/// Bytes that were passed on, by `listener` and `direction`.
pub(crate) const BYTES: &str = "certcheck_bytes_total";
/// Connections for which the service could not be reached, by `listener`.
pub(crate) const UPSTREAM_FAILURES: &str = "certcheck_upstream_failures_total";
/// Requests over HTTP, by `listener` and `status`.
pub(crate) const REQUESTS: &str = "certcheck_requests_total";
/// Clients refused by rules, by `listener` and `code`.
pub(crate) const ACCESS_REFUSED: &str = "certcheck_access_refused_total";
/// The end of the server certificate that expires first, by `listener`.
pub(crate) const NOT_AFTER: &str = "certcheck_server_certificate_not_after_timestamp_seconds";
/// Reloads, by `outcome`.
pub(crate) const RELOADS: &str = "certcheck_reload_total";
/// The number of configurations that were used so far.
pub(crate) const GENERATION: &str = "certcheck_config_generation";
/// Answers of validation listeners, by `listener`, `route` and `verdict`.
pub(crate) const VALIDATIONS: &str = "certcheck_validations_total";
/// The time of an answer, by `listener`.
pub(crate) const VALIDATION_SECONDS: &str = "certcheck_validation_seconds";
/// Checks of validation listeners that wait for evidence, by `listener`.
pub(crate) const VALIDATION_CHECKS: &str = "certcheck_validation_checks";
/// Watches of validation listeners that are open, by `listener`.
pub(crate) const VALIDATION_WATCHES: &str = "certcheck_validation_watches";
/// Bytes of requests to validation listeners that are not answered yet, by `listener`.
pub(crate) const VALIDATION_REQUEST_BYTES: &str = "certcheck_validation_request_bytes";

/// Requests to the mirror, by `kind` and `status`.
pub(crate) const MIRROR_REQUESTS: &str = "certcheck_mirror_requests_total";
/// Evidence that the mirror has replaced, by `kind`.
pub(crate) const MIRROR_REPLACED: &str = "certcheck_mirror_replaced_total";
/// Answers of sources that the mirror does not serve, by `kind` and `code`.
pub(crate) const MIRROR_REFUSED: &str = "certcheck_mirror_refused_total";
/// Bytes that the mirror has.
pub(crate) const MIRROR_BYTES: &str = "certcheck_mirror_bytes";

/// Gives the recorder a description of each metric, which exporters show as HELP.
pub(crate) fn describe() {
    metrics::describe_counter!(
        HANDSHAKES,
        "Handshakes, by listener, outcome, code and whether a session resumed."
    );
    metrics::describe_histogram!(HANDSHAKE_SECONDS, "Time from the first byte to the verdict.");
    metrics::describe_gauge!(CONNECTIONS, "Connections at present, handshakes included.");
    metrics::describe_counter!(CUT, "Connections that the front ended, by reason.");
    metrics::describe_counter!(
        LIMITED,
        "Connections closed, and requests refused, because of a limit, by reason."
    );
    metrics::describe_counter!(BYTES, "Bytes that were passed on, by direction.");
    metrics::describe_counter!(UPSTREAM_FAILURES, "Connections for which the service could not be reached.");
    metrics::describe_counter!(REQUESTS, "Requests over HTTP, by class of status.");
    metrics::describe_counter!(ACCESS_REFUSED, "Clients with good certificates that rules refuse, by code.");
    metrics::describe_gauge!(NOT_AFTER, "End of the server certificate that expires first.");
    metrics::describe_counter!(RELOADS, "Reloads of the configuration, by outcome.");
    metrics::describe_gauge!(GENERATION, "Number of configurations that were used so far.");
    metrics::describe_counter!(VALIDATIONS, "Answers of validation listeners, by route and verdict.");
    metrics::describe_histogram!(VALIDATION_SECONDS, "Time of an answer of a validation listener.");
    metrics::describe_gauge!(VALIDATION_CHECKS, "Checks of validation listeners that wait for evidence.");
    metrics::describe_gauge!(VALIDATION_WATCHES, "Watches of validation listeners that are open.");
    metrics::describe_counter!(MIRROR_REQUESTS, "Requests to the mirror, by kind and class of status.");
    metrics::describe_counter!(MIRROR_REPLACED, "Evidence that the mirror has replaced, by kind.");
    metrics::describe_counter!(MIRROR_REFUSED, "Answers of sources that the mirror does not serve, by code.");
    metrics::describe_gauge!(MIRROR_BYTES, "Bytes of evidence that the mirror has.");
    metrics::describe_gauge!(
        VALIDATION_REQUEST_BYTES,
        "Bytes of requests to validation listeners that are not answered yet."
    );
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
