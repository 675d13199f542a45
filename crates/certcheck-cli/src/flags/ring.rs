//! `certcheck ring`.

use std::path::PathBuf;

use certcheck_core::Time;
use clap::Args;

use super::parse_time;

#[derive(Args, Debug)]
pub(crate) struct RingArguments {
    /// Key ring: a file, a directory of files, or a directory with anchors/, intermediates/, distrusted/.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) ring: Vec<PathBuf>,

    /// Pass over what cannot be parsed in the ring, and name it, instead of refusing the ring. What is distrusted is never
    /// passed over.
    #[arg(long)]
    pub(crate) ring_skip_unreadable: bool,

    /// The time to ask about, in RFC 3339. Now by default.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Time>,

    /// How many days ahead an expiry is told of.
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    pub(crate) expires_within: u32,

    /// Write a page that draws the ring: who issued whom, what expires when, what is weak. It loads nothing; a file that
    /// is there is replaced.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
