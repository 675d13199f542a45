//! `certcheck serve`: a TLS front that runs until a signal ends it, and `certcheck mirror`, which is a front without TLS.

mod daemon;
mod mirror;
mod notify;
mod policy;
mod quick;

use std::io::Write as _;
use std::sync::Arc;

use certcheck_serve::config::{self, ConfigError};
use certcheck_serve::{Front, Reread, policy_file};

use crate::exit::Exit;
use crate::flags::{GlobalArguments, MirrorArguments, ServeArguments};
use crate::{log, output, visible};

/// Runs the command.
///
/// # Errors
/// Of output, or if there is no runtime. What is wrong with the configuration is printed, one fault a line.
pub(crate) fn run(arguments: ServeArguments, global: &GlobalArguments) -> anyhow::Result<Exit> {
    let file = arguments.config.clone().or_else(|| arguments.at_tls.at_tls.clone());
    let (is_check, is_print) = (arguments.check_config, arguments.print_config);
    let reread = source(arguments);
    let loaded = match reread() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    if is_print {
        output::data().write_all(config::print(&loaded.config, &loaded.origins).as_bytes())?;
        return Ok(Exit::Accepted);
    }
    if is_check {
        if let Err(error) = Front::check(&loaded) {
            return refuse(&error);
        }
        let listeners = loaded.config.listeners.len() + loaded.config.validations.len();
        let plural = if listeners == 1 { "" } else { "s" };
        visible::note(format_args!("the configuration can be used: {listeners} listener{plural}"))?;
        return Ok(Exit::Accepted);
    }
    log::install_for_service(&loaded.config.log, global.verbose, global.quiet);
    match daemon::run(loaded, file, reread)? {
        Ok(()) => Ok(Exit::Accepted),
        Err(error) => refuse(&error),
    }
}

/// Runs a mirror alone.
///
/// # Errors
/// As for [`run`].
pub(crate) fn run_mirror(arguments: MirrorArguments, global: &GlobalArguments) -> anyhow::Result<Exit> {
    let reread: Reread = Arc::new(move || mirror::configuration(&arguments));
    let loaded = match reread() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    log::install_for_service(&loaded.config.log, global.verbose, global.quiet);
    match daemon::run(loaded, None, reread)? {
        Ok(()) => Ok(Exit::Accepted),
        Err(error) => refuse(&error),
    }
}

/// What reads the configuration, now and at each reload.
fn source(arguments: ServeArguments) -> Reread {
    let ServeArguments { config, quick, at_tls, .. } = arguments;
    match (config, at_tls.at_tls.clone()) {
        (Some(file), _) => Arc::new(move || policy_file::read_config(&file, &policy::warn)),
        (None, Some(file)) => Arc::new(move || policy::configuration(&file, &at_tls, &quick)),
        (None, None) => Arc::new(move || quick::configuration(&quick)),
    }
}

/// Prints each fault on a line of its own.
fn refuse(error: &ConfigError) -> anyhow::Result<Exit> {
    for fault in error.faults() {
        visible::remark(fault)?;
    }
    Ok(Exit::Unusable)
}
