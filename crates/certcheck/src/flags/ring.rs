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

    /// Pass over what cannot be parsed in the ring, and name it, instead of refusing the ring. What is distrusted is never
    /// passed over.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// The time to ask about: RFC 3339, a date such as 2027-01-01 (midnight UTC), or from now, such as +1d or -2h. Now by
    /// default.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(crate) at: Option<Time>,

    /// How many days ahead an expiry is told of.
    #[arg(long, value_name = "DAYS", default_value = "60", value_parser = parse_days)]
    pub(crate) expires_within: u32,

    /// Write a page that draws the ring: who issued whom, what expires when, what is weak. It loads nothing; a file that
    /// is there is replaced.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
