//! The `certcheck` program: is this client certificate still good, right now?
#![forbid(unsafe_code)]

mod bench;
mod cache;
mod config;
mod crl;
mod documents;
mod element;
mod evidence;
mod exit;
mod fetch;
mod file;
mod findings;
mod flags;
mod hex;
mod hint;
mod html;
mod input;
mod json;
mod kind;
mod lab;
mod log;
mod network;
mod numbers;
mod ocsp;
mod output;
mod policy;
mod pool;
mod progress;
mod ring_command;
mod ring_files;
mod secret;
mod sentence;
mod serve;
mod setup;
mod signer;
mod sources;
mod text;
mod verify;
mod version;
mod visible;
mod watch;

use std::io;
use std::process::ExitCode;

use exit::Exit;
use flags::{Command, Flags};

fn main() -> ExitCode {
    let exit = run().unwrap_or_else(|error| {
        // A reader of our output that goes away early is no error.
        let is_broken_pipe =
            error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe);
        if !is_broken_pipe {
            let _ = visible::remark(format_args!("{error:#}"));
        }
        Exit::Unusable
    });
    exit.into()
}

fn run() -> anyhow::Result<Exit> {
    let (flags, settings): (Flags, _) = config::parse(std::env::args_os().collect())?;
    output::configure(&flags.global);
    // A service logs by its configuration.
    if !matches!(flags.command, Command::Serve(_) | Command::Mirror(_)) {
        log::install(flags.global.verbose, flags.global.quiet);
    }
    settings.warn()?;
    let is_json = flags.command.is_json();
    let outcome = match flags.command {
        Command::Verify(arguments) => verify::run(*arguments),
        Command::Ring(arguments) => ring_command::run(&arguments),
        Command::Crl(arguments) => crl::run(&arguments),
        Command::Ocsp(arguments) => ocsp::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Cache(arguments) => cache::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Serve(arguments) => serve::run(*arguments, &flags.global),
        Command::Mirror(arguments) => serve::run_mirror(*arguments, &flags.global),
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Config(arguments) => config::show(&arguments, &settings),
        Command::Version(arguments) => version::run(&arguments),
        Command::Schema(arguments) => documents::schema(&arguments),
        Command::Completions(arguments) => documents::completions(&arguments),
        Command::Manual(arguments) => documents::manual(&arguments),
        Command::Reference => documents::reference(),
    };
    outcome.inspect_err(|error| {
        if is_json {
            let _ = json::print(&json::ErrorObject::of_command(error));
        }
    })
}
