//! The format of results.

use clap::{Args, ValueEnum};

/// The format of results.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct OutputArguments {
    /// The format on standard output [default: text].
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatFlag>,

    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FormatFlag {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// SARIF 2.1.0, for code scanning: what is not accepted or good.
    Sarif,
    /// JUnit XML, for test reports: a test case for each.
    Junit,
}

impl OutputArguments {
    /// The format. `--format` counts where settings of the same level have both.
    pub(crate) const fn format(self) -> FormatFlag {
        match (self.format, self.json) {
            (Some(format), _) => format,
            (None, true) => FormatFlag::Json,
            (None, false) => FormatFlag::Text,
        }
    }

    /// Whether it is JSON lines.
    pub(crate) const fn is_json(self) -> bool {
        matches!(self.format(), FormatFlag::Json)
    }

    /// Whether it is one document of all results.
    pub(crate) const fn is_document(self) -> bool {
        matches!(self.format(), FormatFlag::Sarif | FormatFlag::Junit)
    }
}
