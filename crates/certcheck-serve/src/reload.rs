//! Reloads when files change.

use std::path::PathBuf;
use std::sync::Arc;
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

impl Front {
    /// Reloads whenever a file changes that the configuration names, or the file of the configuration itself. It is
    /// looked at as often as [`watch_files`](crate::config::ServeConfig::watch_files) says, and reloaded once nothing
    /// changes from one look to the next. It never resolves.
    pub async fn follow_files(&self, file: Option<PathBuf>, reread: Reread) {
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
            let (front, reread) = (self.clone(), Arc::clone(&reread));
            // What cannot be used is reported there, and looked at again once a file changes.
            let _reported = spawn_blocking(move || front.reload_from(|| reread())).await;
            used = now;
        }
    }

    async fn look(&self, file: Option<PathBuf>) -> Files {
        let loaded = self.configuration();
        let look = spawn_blocking(move || Files::of(file.as_deref(), &loaded));
        look.await.unwrap_or_default()
    }
}
