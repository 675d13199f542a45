//! How near a front is to its end.

use tokio::sync::watch;

/// How near a front is to its end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// It serves.
    Running,
    /// Connections end as soon as their protocol allows it.
    Draining,
    /// Connections are cut.
    Over,
}

/// Resolves once a front is in that phase or a later one, or is gone.
pub(crate) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _gone = phase.wait_for(|phase| *phase >= wanted).await;
}
