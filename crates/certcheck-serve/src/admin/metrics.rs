//! `/metrics`: what is counted, and what is looked up when it is asked for.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::revocation::EvidenceKind;
use certcheck_rustls::certcheck_fetch::EvidenceState;
use data_encoding::HEXLOWER;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::exposition::{Exposition, Kind, labels};
use crate::run::Shared;

const THIS_UPDATE: &str = "certcheck_evidence_this_update_timestamp_seconds";
const NEXT_UPDATE: &str = "certcheck_evidence_next_update_timestamp_seconds";
const SOURCE_UP: &str = "certcheck_source_up";
const SOURCE_SECONDS: &str = "certcheck_source_exchange_seconds";
const READY: &str = "certcheck_ready";
const UPSTREAM_UP: &str = "certcheck_upstream_up";

/// CRLs that have metrics of their own.
const CRLS: usize = 500;

/// The bounds of histograms of times, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Makes the process count for `/metrics`. A recorder that is there already stays, and `/metrics` then has only what is
/// looked up.
pub(crate) fn install() {
    let handle = RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .ok()?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).ok().map(|()| handle)
    });
    if let Some(handle) = handle {
        handle.run_upkeep();
    }
}

/// The whole page.
pub(super) fn render(shared: &Shared) -> String {
    let counted = RECORDER.get().and_then(Option::as_ref).map(|handle| {
        handle.run_upkeep();
        handle.render()
    });
    let mut page = Exposition::default();
    page.gauge(READY, "1 if clients can be served, else 0.", i64::from(shared.ready().ready));
    page.family(
        UPSTREAM_UP,
        Kind::Gauge,
        "1 if the last attempt to connect to the service succeeded, else 0.",
    );
    for (listener, is_up) in shared.upstreams_up() {
        page.sample(UPSTREAM_UP, &labels(&[("listener", &listener)]), i64::from(is_up));
    }
    let engines = shared.engines();
    let mut crls = BTreeMap::<String, EvidenceState>::new();
    for state in engines.iter().flat_map(|engine| engine.evidence(CRLS)) {
        if state.kind == EvidenceKind::Crl {
            crls.insert(id(&state.url), state);
        }
    }
    page.family(THIS_UPDATE, Kind::Gauge, "thisUpdate of a CRL in memory, in seconds since 1970.");
    for (id, time) in crls.iter().filter_map(|(id, crl)| Some((id, crl.this_update?))) {
        page.sample(THIS_UPDATE, &labels(&[("kind", "crl"), ("source_id", id)]), time.unix());
    }
    page.family(NEXT_UPDATE, Kind::Gauge, "nextUpdate of a CRL in memory, in seconds since 1970.");
    for (id, time) in crls.iter().filter_map(|(id, crl)| Some((id, crl.next_update?))) {
        page.sample(NEXT_UPDATE, &labels(&[("kind", "crl"), ("source_id", id)]), time.unix());
    }
    let hosts: BTreeMap<_, _> =
        engines.iter().flat_map(|engine| engine.hosts()).map(|host| (id(&host.host), host)).collect();
    page.family(SOURCE_UP, Kind::Gauge, "1 if the last exchange with a host brought evidence, else 0.");
    for (id, host) in &hosts {
        page.sample(SOURCE_UP, &labels(&[("source_id", id)]), i64::from(host.failure.is_none()));
    }
    page.family(SOURCE_SECONDS, Kind::Gauge, "How long the last exchange with a host took, in seconds.");
    for (id, host) in &hosts {
        page.sample(SOURCE_SECONDS, &labels(&[("source_id", id)]), host.took.as_secs_f64());
    }
    counted.unwrap_or_default() + &page.into_text()
}

/// A short name for a URL or a host, so that labels tell nothing about certificates.
pub(super) fn id(source: &str) -> String {
    let mut id = HEXLOWER.encode(&sha256(source.as_bytes()));
    id.truncate(8);
    id
}

#[cfg(test)]
mod tests {
    /// Every name of this file is in the table, and the table names nothing else.
    #[test]
    fn the_table_has_them_all() {
        let [own, table] = certcheck_testkit::docs::metrics("the admin listener", include_str!("metrics.rs"));
        assert_eq!(own, table);
    }
}
