//! How far a front has come to its end.

use tokio::sync::watch;

/// How far a front has come to its end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// It serves.
    Serving,
    /// Connections end as soon as their protocol allows it.
    Draining,
    /// Connections are cut.
    Over,
}

/// Resolves once a front has come so far, or is gone.
pub(crate) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _gone = phase.wait_for(|phase| *phase >= wanted).await;
}
