//! How near a front is to its end.

use std::pin::{Pin, pin};

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

/// Serves a connection over HTTP to its end. Once the front drains, `shut_down` has it end after the requests that go
/// on.
pub(crate) async fn serve_until_drained<C: Future>(
    connection: C,
    mut phase: watch::Receiver<Phase>,
    shut_down: fn(Pin<&mut C>),
) -> C::Output {
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = reached(&mut phase, Phase::Draining) => {}
    }
    shut_down(connection.as_mut());
    connection.await
}
