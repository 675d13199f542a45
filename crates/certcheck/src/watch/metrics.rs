//! What was found, as metrics. The names follow the convention of Prometheus; docs/observability.md has them in a table.

use certcheck_core::Time;

use super::{CertificateState, Found, Health, SampleState, SourceState};
use certcheck_serve::exposition::{Exposition, Kind, labels};

const BUILD: &str = "certcheck_build_info";
const ROUND: &str = "certcheck_watch_last_round_timestamp_seconds";
const ROUND_TOOK: &str = "certcheck_watch_last_round_duration_seconds";
const ROUNDS: &str = "certcheck_watch_rounds_total";
const INTERVAL: &str = "certcheck_watch_interval_seconds";
const RELOADS: &str = "certcheck_watch_ring_reloads_total";
const LOADED: &str = "certcheck_watch_ring_loaded_timestamp_seconds";
const RELOAD_GOOD: &str = "certcheck_watch_ring_reload_good";
const SOURCES: &str = "certcheck_watch_sources";
const SOURCE_GOOD: &str = "certcheck_source_good";
const SOURCE_STATE: &str = "certcheck_source_state";
const SOURCE_THIS: &str = "certcheck_source_this_update_timestamp_seconds";
const SOURCE_NEXT: &str = "certcheck_source_next_update_timestamp_seconds";
const SOURCE_END: &str = "certcheck_source_evidence_end_timestamp_seconds";
const SOURCE_TOOK: &str = "certcheck_source_fetch_duration_seconds";
const SOURCE_BYTES: &str = "certcheck_source_bytes";
const RING_GOOD: &str = "certcheck_ring_certificate_good";
const RING_STATE: &str = "certcheck_ring_certificate_state";
const RING_END: &str = "certcheck_ring_certificate_not_after_timestamp_seconds";
const SAMPLE_WATCHED: &str = "certcheck_sample_watched";
const SAMPLE_GOOD: &str = "certcheck_sample_good";
const SAMPLE_STATE: &str = "certcheck_sample_state";
const SAMPLE_END: &str = "certcheck_sample_not_after_timestamp_seconds";

/// What a daemon counts.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    /// Seconds between rounds.
    pub(super) interval: f64,
    pub(super) rounds: u64,
    pub(super) rounds_failed: u64,
    pub(super) reloads: u64,
    pub(super) reloads_failed: u64,
    /// Whether the last reload succeeded, or there was none.
    pub(super) is_ring_current: bool,
    pub(super) ring_loaded: Time,
}

/// The whole page: of one run, or of a daemon, which may have no finding yet.
pub(super) fn render(found: Option<&Found>, counts: Option<&Counts>) -> String {
    let mut page = Exposition::default();
    page.family(BUILD, Kind::Gauge, "Always 1, with the version of certcheck as a label.");
    page.sample(BUILD, &labels(&[("version", env!("CARGO_PKG_VERSION"))]), 1);
    if let Some(counts) = counts {
        daemon(&mut page, counts);
    }
    if let Some(found) = found {
        page.gauge(ROUND, "When sources were last asked, in seconds since 1970.", found.now.unix());
        page.gauge(ROUND_TOOK, "How long the last round took, in seconds.", found.took.as_secs_f64());
        page.gauge(SOURCES, "Number of sources that are watched.", found.sources.len());
        sources(&mut page, &found.sources);
        certificates(&mut page, &found.certificates);
        samples(&mut page, &found.samples);
    }
    page.into_text()
}

fn daemon(page: &mut Exposition, counts: &Counts) {
    let outcome = |outcome| labels(&[("outcome", outcome)]);
    page.gauge(INTERVAL, "Time between rounds, in seconds.", counts.interval);
    page.family(ROUNDS, Kind::Counter, "Rounds, by outcome: finished or failed.");
    page.sample(ROUNDS, &outcome("finished"), counts.rounds);
    page.sample(ROUNDS, &outcome("failed"), counts.rounds_failed);
    page.family(RELOADS, Kind::Counter, "Reloads of the ring, by outcome: loaded or kept (the old one).");
    page.sample(RELOADS, &outcome("loaded"), counts.reloads);
    page.sample(RELOADS, &outcome("kept"), counts.reloads_failed);
    page.gauge(
        RELOAD_GOOD,
        "1 if the last reload of the ring succeeded, else 0.",
        i64::from(counts.is_ring_current),
    );
    page.gauge(LOADED, "When the ring in use was loaded, in seconds since 1970.", counts.ring_loaded.unix());
}

fn sources(page: &mut Exposition, sources: &[SourceState]) {
    let of = |source: &SourceState| {
        labels(&[
            ("kind", source.kind),
            ("url", &source.url),
            ("subject", &source.certificate.subject),
            ("sha256", &source.certificate.sha256),
        ])
    };
    let states = sources.iter().map(|source| (of(source), source.state, source.code));
    good(page, SOURCE_GOOD, "1 if the source answers with usable evidence, else 0.", states.clone());
    state(page, SOURCE_STATE, states);
    let times = |page: &mut Exposition, name, help, time: fn(&SourceState) -> Option<Time>| {
        page.family(name, Kind::Gauge, help);
        for (source, time) in sources.iter().filter_map(|source| Some((source, time(source)?))) {
            page.sample(name, &of(source), time.unix());
        }
    };
    times(page, SOURCE_THIS, "thisUpdate of the evidence, in seconds since 1970.", |source| {
        source.times.this
    });
    times(page, SOURCE_NEXT, "nextUpdate of the evidence, in seconds since 1970.", |source| {
        source.times.next
    });
    times(
        page,
        SOURCE_END,
        "When the evidence ends by policy, with nextUpdate or without, in seconds since 1970.",
        |source| source.times.end,
    );
    page.family(SOURCE_TOOK, Kind::Gauge, "How long the exchange took, successful or not, in seconds.");
    for source in sources {
        page.sample(SOURCE_TOOK, &of(source), source.elapsed_us as f64 / 1e6);
    }
    page.family(SOURCE_BYTES, Kind::Gauge, "Size of the answer, in bytes.");
    for (source, bytes) in sources.iter().filter_map(|source| Some((source, source.bytes?))) {
        page.sample(SOURCE_BYTES, &of(source), bytes);
    }
}

fn certificates(page: &mut Exposition, certificates: &[CertificateState]) {
    let of = |one: &CertificateState| {
        labels(&[
            ("role", one.role),
            ("subject", &one.certificate.subject),
            ("sha256", &one.certificate.sha256),
        ])
    };
    let states = certificates.iter().map(|one| (of(one), one.state, one.code));
    let help = "1 if the certificate is valid, not revoked, and has a good path, else 0.";
    good(page, RING_GOOD, help, states.clone());
    state(page, RING_STATE, states);
    page.family(RING_END, Kind::Gauge, "notAfter of the certificate, in seconds since 1970.");
    for one in certificates {
        page.sample(RING_END, &of(one), one.until.unix());
    }
}

fn samples(page: &mut Exposition, samples: &[SampleState]) {
    let of = |one: &SampleState| labels(&[("input", &one.input)]);
    page.family(SAMPLE_WATCHED, Kind::Gauge, "1 if the sources of the sample are watched, else 0.");
    for one in samples {
        page.sample(SAMPLE_WATCHED, &of(one), i64::from(one.is_watched));
    }
    let states = samples.iter().map(|one| (of(one), one.state, one.code));
    let help = "1 if no source lists the sample as revoked and it has a good path, else 0.";
    good(page, SAMPLE_GOOD, help, states.clone());
    state(page, SAMPLE_STATE, states);
    page.family(SAMPLE_END, Kind::Gauge, "notAfter of the sample, in seconds since 1970.");
    for (one, until) in samples.iter().filter_map(|one| Some((one, one.until?))) {
        page.sample(SAMPLE_END, &of(one), until.unix());
    }
}

/// Whether each is good. What ends soon still is.
fn good<'c>(
    page: &mut Exposition,
    name: &str,
    help: &str,
    all: impl Iterator<Item = (String, Health, &'c str)>,
) {
    page.family(name, Kind::Gauge, help);
    for (labels, state, _) in all {
        page.sample(name, &labels, i64::from(matches!(state, Health::Good | Health::Soon)));
    }
}

/// The code of each, as a label.
fn state<'c>(page: &mut Exposition, name: &str, all: impl Iterator<Item = (String, Health, &'c str)>) {
    page.family(name, Kind::Gauge, "Always 1, with the state as a code.");
    for (of, _, code) in all {
        page.sample(name, &format!("{of},{}", labels(&[("code", code)])), 1);
    }
}

#[cfg(test)]
mod tests {
    /// Every name of this file is in the table, and the table names nothing else.
    #[test]
    fn the_table_has_them_all() {
        let [own, table] = certcheck_testkit::docs::metrics("certcheck watch", include_str!("metrics.rs"));
        assert_eq!(own, table);
    }
}
