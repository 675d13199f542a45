//! Reloads: at a signal, when files change, and by a call of the admin listener.

use core::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::config::{ConfigError, Loaded};
use crate::events;
use crate::files::Files;
use crate::run::Front;

/// How often it is looked whether files are watched, where they are not.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads a configuration again.
pub type Reread = Arc<dyn Fn() -> Result<Loaded, ConfigError> + Send + Sync>;

/// What is read at a reload, and whether one goes on.
#[derive(Default)]
pub(crate) struct Reloads {
    reread: Mutex<Option<Reread>>,
    turn: tokio::sync::Mutex<()>,
}

/// Why a configuration was not read again, or is not used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadError {
    /// It cannot be used, and the one before it stays.
    Unusable(ConfigError),
    /// Another reload goes on.
    Busy,
    /// It is not known what to read: see [`Front::reread_by`].
    NoSource,
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(f),
            Self::Busy => f.write_str("another reload goes on; ask again once it has ended"),
            Self::NoSource => f.write_str("this front was started without something to read again"),
        }
    }
}

impl core::error::Error for ReloadError {}

impl Front {
    /// Sets what [`Front::reread`] reads, and with it the reloads for files and by the admin listener.
    pub fn reread_by(&self, reread: Reread) {
        *self.reloads().reread.lock().unwrap_or_else(PoisonError::into_inner) = Some(reread);
    }

    /// Reads the configuration again and uses it, once other reloads have ended.
    ///
    /// # Errors
    /// As for [`Front::reload_from`]. Then nothing has changed.
    pub async fn reread(&self) -> Result<(), ReloadError> {
        let _turn = self.reloads().turn.lock().await;
        self.reread_now().await
    }

    /// The same, unless another one goes on: so callers cannot queue reloads.
    pub(crate) async fn reread_unless_busy(&self) -> Result<(), ReloadError> {
        let _turn = self.reloads().turn.try_lock().map_err(|_| ReloadError::Busy)?;
        self.reread_now().await
    }

    async fn reread_now(&self) -> Result<(), ReloadError> {
        let reread = self.reloads().reread.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reread = reread.ok_or(ReloadError::NoSource)?;
        let front = self.clone();
        match spawn_blocking(move || front.reload_from(|| reread())).await {
            Ok(outcome) => outcome.map_err(ReloadError::Unusable),
            Err(_) => Err(ReloadError::Unusable(ConfigError::of("reading it again did not end"))),
        }
    }

    /// Reloads whenever a file changes that the configuration names, or the file of the configuration itself. It is
    /// looked at as often as [`watch_files`](crate::config::ServeConfig::watch_files) says, and reloaded once nothing
    /// changes from one look to the next. It never resolves.
    pub async fn follow_files(&self, file: Option<PathBuf>) {
        let mut used = self.look(file.clone()).await;
        let mut last = None;
        loop {
            let interval = self.configuration().config.watch_files;
            sleep(interval.unwrap_or(PAUSE)).await;
            let now = self.look(file.clone()).await;
            if interval.is_none() {
                used = now;
                continue;
            }
            let Some(changed) = now.changed(&used) else { continue };
            // A file that is being written changes again.
            if last.as_ref() != Some(&now) {
                last = Some(now);
                continue;
            }
            events::file_changed(changed);
            // What cannot be used is reported there, and looked at again once a file changes.
            let _reported = self.reread().await;
            used = now;
        }
    }

    async fn look(&self, file: Option<PathBuf>) -> Files {
        let loaded = self.configuration();
        let look = spawn_blocking(move || Files::of(file.as_deref(), &loaded));
        look.await.unwrap_or_default()
    }
}
