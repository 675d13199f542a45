//! The program under test, without settings of its user.

use std::process::Command;

/// A call of the program at this path, without the settings of the user who runs the tests: no settings file, no
/// variables of the program, no colours.
#[must_use]
pub fn isolated(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CERTCHECK_") {
            command.env_remove(name);
        }
    }
    command.env("CERTCHECK_CONFIG", "").env_remove("CLICOLOR_FORCE");
    command
}
