//! Signals, until one ends the front.

use std::path::{Path, PathBuf};

use certcheck_serve::config::{ConfigError, Loaded, ServeConfig};
use certcheck_serve::sandbox::{Enforced, Sandbox, SandboxError};
use certcheck_serve::{Front, Reread};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::notify::{Now, notify, watchdog};

/// File descriptors that a connection through a listener takes: of the client and of the service. Others take one.
const FILES_EACH: u64 = 2;
/// File descriptors for everything else.
const FILES_BESIDES: u64 = 256;

/// Runs a front until SIGTERM or SIGINT. The inner result is whether it could be started.
pub(super) fn run(
    loaded: Loaded,
    file: Option<PathBuf>,
    reread: Reread,
) -> anyhow::Result<Result<(), ConfigError>> {
    raise_file_limit(&loaded);
    if loaded.config.sandbox
        && let Err(error) = enter_sandbox(file.as_deref(), &loaded)
    {
        return Ok(Err(ConfigError::of(format!("{error}; `sandbox = false` starts without one"))));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let hangups = signal(SignalKind::hangup())?;
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let front = match Front::start(loaded) {
            Ok(front) => front,
            Err(error) => return Ok(Err(error)),
        };
        front.reread_by(reread);
        notify(Now::Ready);
        let alive = tokio::spawn(watchdog());
        let following = tokio::spawn({
            let front = front.clone();
            async move { front.follow_files(file).await }
        });
        let reloading = tokio::spawn(reload_on(hangups, front.clone()));
        tokio::select! {
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
        notify(Now::Stopping);
        following.abort();
        reloading.abort();
        let within = front.configuration().config.drain_timeout;
        tokio::select! {
            _drained = front.drain(within) => {}
            // A second signal ends it at once.
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
        alive.abort();
        for engine in front.engines() {
            engine.flush().await;
        }
        Ok(Ok(()))
    })
}

/// Reloads at each SIGHUP. What cannot be used is logged by the front.
async fn reload_on(mut hangups: Signal, front: Front) {
    while hangups.recv().await.is_some() {
        notify(Now::Reloading);
        let _logged = front.reread().await;
        notify(Now::Ready);
    }
}

/// Restricts this thread, which is the only one so far, to what the configuration names.
fn enter_sandbox(file: Option<&Path>, loaded: &Loaded) -> Result<(), SandboxError> {
    let sandbox = Sandbox::of(file, loaded)?;
    let (reads, writes) = (sandbox.reads.len(), sandbox.writes.len());
    match sandbox.enter()? {
        Enforced::Not => warn!(
            name: "sandbox-missing", target: "certcheck::sandbox",
            "this kernel has no Landlock: the process can read and write what its user can"
        ),
        enforced => info!(
            name: "sandboxed", target: "certcheck::sandbox", reads, writes, fully = enforced == Enforced::Fully,
            "the process can read and write only the folders of its configuration"
        ),
    }
    Ok(())
}

/// Raises the limit of open files as far as it may be, and warns if that is not enough.
fn raise_file_limit(loaded: &Loaded) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let needed = files_needed(&loaded.config);
    if let Some(files) = current.filter(|current| *current < needed) {
        warn!(
            name: "few-files", target: "certcheck::listener", files, needed,
            "too few files can be open for max_connections; raise the limit (ulimit -n, LimitNOFILE=) or lower max_connections"
        );
    }
}

/// The files that are open with as many connections as there may be.
fn files_needed(config: &ServeConfig) -> u64 {
    let count = |connections: usize| u64::try_from(connections).unwrap_or(u64::MAX);
    let through =
        config.listeners.iter().map(|one| count(one.limits.max_connections).saturating_mul(FILES_EACH));
    let validations = config.validations.iter().map(|one| count(one.limits.max_connections));
    let mirror = config.mirror.iter().map(|one| count(one.limits.max_connections));
    through.chain(validations).chain(mirror).fold(FILES_BESIDES, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use certcheck_serve::config::read_text;

    use super::*;

    #[test]
    fn connections_of_all_kinds_take_files() {
        const LISTENER: &str = "[[listener]]\nname = 'web'\nlisten = '127.0.0.1:0'\nupstream = '127.0.0.1:1'\n\
            ring = 'ring'\nmax_connections = 1000\n\
            certificates = { chain = 'server.pem', key = 'server.key' }\n";
        const VALIDATION: &str = "[[validation]]\nname = 'proxies'\nlisten = '127.0.0.1:0'\nring = 'ring'\n\
            secret_file = 'secret'\nmax_connections = 300\n";
        const MIRROR: &str = "[mirror]\nlisten = '127.0.0.1:0'\nring = 'ring'\nmax_connections = 500\n";
        for (text, connections) in [
            (LISTENER.to_owned(), 2_000),
            (VALIDATION.to_owned(), 300),
            (MIRROR.to_owned(), 500),
            (format!("{LISTENER}{VALIDATION}{MIRROR}"), 2_800),
        ] {
            let loaded = read_text(Path::new("serve.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(files_needed(&loaded.config), FILES_BESIDES + connections, "{text}");
        }
    }
}
