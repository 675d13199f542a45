//! A home with settings, and the program that is run in it.

use std::path::{Path, PathBuf};

use certcheck_testkit::program;
use serde_json::Value;
use tempfile::TempDir;

/// A home of one's own, with a settings file or without.
pub(crate) struct Home(pub(crate) TempDir);

pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new(settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join(".config/certcheck");
        std::fs::create_dir_all(&folder).expect("made");
        if !settings.is_empty() {
            std::fs::write(folder.join("certcheck.toml"), settings).expect("written");
        }
        Self(home)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join(".config/certcheck/certcheck.toml")
    }

    pub(crate) fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = program::isolated(env!("CARGO_BIN_EXE_certcheck"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(arguments);
        command.env_remove("XDG_CONFIG_HOME").env_remove("CERTCHECK_CONFIG").env("HOME", self.0.path());
        let (exit, out, err) = program::run(command.envs(variables.iter().copied()));
        Ran { exit, out, err }
    }

    /// The value of a setting and where it comes from, as `certcheck config` has them.
    pub(crate) fn setting(&self, variables: &[(&str, &str)], name: &str) -> (String, String) {
        let ran = self.run(variables, &["config", "--all", "--json"]);
        assert_eq!(ran.exit, 0, "{}", ran.err);
        let all: Value = serde_json::from_str(&ran.out).expect("JSON");
        let rows = all["settings"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["name"] == name).expect("the setting");
        let values: Vec<_> =
            row["values"].as_array().expect("values").iter().filter_map(Value::as_str).collect();
        (values.join(" "), row["from"].as_str().expect("a source").to_owned())
    }
}

/// A client that the demo ring accepts.
pub(crate) const GOOD: [&str; 4] = ["verify", "testdata/demo/good.pem", "--at", "2027-01-01"];

/// A path in the demo data.
pub(crate) fn demo(path: &str) -> String {
    format!("{}/../../testdata/demo/{path}", env!("CARGO_MANIFEST_DIR"))
}
