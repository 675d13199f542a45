//! `certcheck version`.

use std::io::Write as _;

use serde::Serialize;

use crate::exit::Exit;
use crate::flags::VersionArguments;
use crate::{json, output};

/// What this build is.
#[derive(Serialize)]
struct Build {
    version: &'static str,
    /// What verifies signatures.
    provider: &'static str,
    features: Vec<&'static str>,
    target: String,
}

impl json::Document for Build {
    const TYPE: &'static str = "version";
}

pub(crate) fn run(arguments: &VersionArguments) -> anyhow::Result<Exit> {
    let build = build();
    if arguments.json {
        json::print(&build)?;
        return Ok(Exit::Accepted);
    }
    let mut out = output::text();
    writeln!(out, "certcheck {}", build.version)?;
    writeln!(out, "  signatures: {}", build.provider)?;
    let features = if build.features.is_empty() { "none".to_owned() } else { build.features.join(", ") };
    writeln!(out, "  features:   {features}")?;
    writeln!(out, "  target:     {}", build.target)?;
    Ok(Exit::Accepted)
}

fn build() -> Build {
    let features = [("ldap", cfg!(feature = "ldap"))];
    Build {
        version: env!("CARGO_PKG_VERSION"),
        provider: if cfg!(feature = "aws-lc-rs") { "aws-lc-rs" } else { "ring" },
        features: features.into_iter().filter(|(_, is_in)| *is_in).map(|(name, _)| name).collect(),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    }
}
