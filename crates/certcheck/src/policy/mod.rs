//! `certcheck policy`: AT-TLS policies of z/OS.

mod json;
mod text;

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use anyhow::anyhow;
use certcheck_serve::at_tls::{
    CompiledPolicy, MAX_BYTES, Permissions, ReadOptions, compile, configure, format, parse,
};
use certcheck_serve::config::{self, ConfigFault, ListenerConfig, Upstream};
use certcheck_serve::ring_folders;

use crate::exit::Exit;
use crate::flags::{PolicyArguments, PolicyCheck, PolicyCommand, PolicyConvert, PolicyFile, PolicyText};
use crate::{output, visible};

pub(crate) fn run(arguments: &PolicyArguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        PolicyCommand::Check(arguments) => check(arguments),
        PolicyCommand::Explain(arguments) => explain(arguments),
        PolicyCommand::Format(arguments) => formatted(arguments),
        PolicyCommand::Convert(arguments) => convert(arguments),
    }
}

fn check(arguments: &PolicyCheck) -> anyhow::Result<Exit> {
    let PolicyFile { text, allow, json } = &arguments.policy;
    let policy = compile(&read(&text.file)?, options(text), &allow.iter().copied().collect());
    let faults = match &arguments.keyring_dir {
        Some(rings) if !policy.diagnostics.has_errors() => ring_faults(&policy, &text.file, rings),
        _ => Vec::new(),
    };
    if *json {
        crate::json::print(&json::PolicyObject::of(&text.file, &policy, &faults))?;
    } else {
        let mut out = output::text();
        text::diagnostics(&mut out, &text.file, &policy, text::Shown::All)?;
        text::faults(&mut out, &faults)?;
        text::conclusion(&mut out, &text.file, &policy, faults.len())?;
    }
    Ok(exit(policy.diagnostics.has_errors() || !faults.is_empty()))
}

fn explain(arguments: &PolicyFile) -> anyhow::Result<Exit> {
    let PolicyFile { text, allow, json } = arguments;
    let policy = compile(&read(&text.file)?, options(text), &allow.iter().copied().collect());
    let has_errors = policy.diagnostics.has_errors();
    if *json {
        crate::json::print(&json::PolicyObject::of(&text.file, &policy, &[]))?;
    } else if has_errors {
        report_errors(&text.file, &policy)?;
    } else {
        text::explanation(&mut output::text(), &text.file, &policy)?;
    }
    Ok(exit(has_errors))
}

fn formatted(arguments: &PolicyText) -> anyhow::Result<Exit> {
    let (text, diagnostics) = parse(&read(&arguments.file)?, options(arguments));
    let policy = CompiledPolicy::unplanned(text, diagnostics);
    report_errors(&arguments.file, &policy)?;
    if policy.diagnostics.has_errors() {
        return Ok(Exit::Unusable);
    }
    output::data().write_all(format(&policy.text).as_bytes())?;
    Ok(Exit::Accepted)
}

fn convert(arguments: &PolicyConvert) -> anyhow::Result<Exit> {
    let PolicyConvert { text, allow, keyring_dir, upstream } = arguments;
    let permissions: Permissions = allow.iter().copied().collect();
    let policy = compile(&read(&text.file)?, options(text), &permissions);
    report_errors(&text.file, &policy)?;
    if policy.diagnostics.has_errors() {
        return Ok(Exit::Unusable);
    }
    let find = |name: &_, label: Option<&str>| ring_folders::planned(keyring_dir, name, label);
    match configure(&policy, &text.file, &ListenerConfig::new("", upstream.clone()), find) {
        Ok(loaded) => {
            output::data().write_all(config::print(&loaded.config, &loaded.origins).as_bytes())?;
            Ok(Exit::Accepted)
        }
        Err(error) => {
            text::faults(&mut io::stderr().lock(), error.faults())?;
            Ok(Exit::Unusable)
        }
    }
}

/// Errors and warnings on standard error: standard output is for what was asked for.
fn report_errors(file: &Path, policy: &CompiledPolicy) -> io::Result<()> {
    let shown = if output::is_quiet() { text::Shown::Errors } else { text::Shown::ErrorsAndWarnings };
    text::diagnostics(&mut anstream::stderr().lock(), file, policy, shown)
}

/// What is wrong with the key rings that a policy names.
fn ring_faults(policy: &CompiledPolicy, file: &Path, rings: &Path) -> Vec<ConfigFault> {
    // The service makes no difference to rings.
    let base = ListenerConfig::new("", Upstream::Tcp { host: "127.0.0.1".to_owned(), port: 1 });
    let find = |name: &_, label: Option<&str>| ring_folders::find(rings, name, label);
    match configure(policy, file, &base, find) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().to_vec(),
    }
}

const fn options(text: &PolicyText) -> ReadOptions {
    ReadOptions { fragment: text.fragment }
}

const fn exit(has_errors: bool) -> Exit {
    if has_errors { Exit::Unusable } else { Exit::Accepted }
}

/// The bytes of a policy, and one more than is allowed of one that is too large.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES)?.saturating_add(1);
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes))
    };
    done.map_err(|error| anyhow!("{}: {error}", visible::path(file)))?;
    Ok(bytes)
}
