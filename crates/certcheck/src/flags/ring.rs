//! `certcheck ring`.

use std::path::PathBuf;

use certcheck_core::Time;
use clap::Args;

use super::when::{parse_days, parse_time};

#[derive(Args, Debug)]
pub(crate) struct RingArguments {
    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Skip files of the ring that cannot be parsed, with a warning, instead of refusing the ring. Files in distrusted/ are
    /// never skipped.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// Check as of this time: RFC 3339, a date such as 2027-01-01 (midnight UTC), or relative: now+1d, +1d, -2h [default:
    /// now].
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    /// Report certificates that expire within so many days: 60, 60d or 8w.
    #[arg(long, value_name = "DAYS", default_value = "60", value_parser = parse_days)]
    pub(crate) expires_within: u32,

    /// Write an HTML page with the ring: its paths, expiry dates, weak keys and signatures. The page loads nothing. An existing
    /// file is replaced.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
