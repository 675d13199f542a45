//! Events of the libraries, on standard error.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{output, visible};

/// The crates whose events are our own.
const OWN: &[&str] =
    &["certcheck", "certcheck_core", "certcheck_fetch", "certcheck_forge", "certcheck_rustls"];

/// Writes events to standard error: warnings always, with one `-v` our own, with two those of libraries too.
pub(crate) fn install(verbose: u8, is_quiet: bool) {
    let (own, others) = match verbose {
        0 if is_quiet => (LevelFilter::ERROR, LevelFilter::ERROR),
        0 => (LevelFilter::WARN, LevelFilter::WARN),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        2 => (LevelFilter::DEBUG, LevelFilter::DEBUG),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    let targets =
        OWN.iter().fold(Targets::new().with_default(others), |targets, name| targets.with_target(*name, own));
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(own.max(others))
        .with_writer(|| visible::WholeLines)
        .with_ansi(output::has_colors_on_stderr())
        .without_time()
        .with_target(verbose >= 2)
        .finish()
        .with(targets);
    // It fails only if there is a subscriber already.
    let _there = tracing::subscriber::set_global_default(subscriber);
}
