//! What systemd is informed about (sd_notify(3)). Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// What has happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Now {
    Ready,
    Reloading,
    Stopping,
    Alive,
}

/// Informs systemd. That it cannot be reached is no reason to end.
pub(super) fn notify(now: Now) {
    let _unreachable = match now {
        Now::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Now::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|since| sd_notify::notify(&[NotifyState::Reloading, since])),
        Now::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
        Now::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
    };
}

/// Says that the process is alive, as often as systemd wants to hear it. It resolves only where systemd does not.
pub(super) async fn watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    // In time also where a round is late.
    let pause = (limit / 3).max(Duration::from_millis(10));
    loop {
        notify(Now::Alive);
        tokio::time::sleep(pause).await;
    }
}
