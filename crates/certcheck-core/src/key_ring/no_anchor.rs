//! The contents of a ring without an anchor, for its error.

use core::fmt;

/// What a ring without an anchor was made from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct NoAnchor {
    /// The number of files that were read.
    pub files: usize,
    /// The number of intermediates in them.
    pub intermediates: usize,
    /// The number of distrusted certificates in them.
    pub distrusted: usize,
    /// A file with a self-issued certificate that is no anchor, because its signature cannot be verified.
    pub self_issued: Option<String>,
    /// The number of parts that could not be parsed and were skipped.
    pub skipped: usize,
    /// The first of these parts, with its fault.
    pub first_skipped: Option<String>,
}

impl fmt::Display for NoAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, intermediates, distrusted, .. } = self;
        f.write_str("the key ring has no anchor, so no certificate can be accepted (")?;
        match files {
            0 => f.write_str("no file was found")?,
            files => write!(
                f,
                "{files} {} read, with {intermediates} intermediate and {distrusted} distrusted certificates",
                if *files == 1 { "file was" } else { "files were" }
            )?,
        }
        if let Some(first) = &self.first_skipped {
            write!(f, ", {} skipped, the first: {first}", self.skipped)?;
        }
        if let Some(file) = &self.self_issued {
            write!(f, ", and the self-issued certificate in {file} has a signature that cannot be verified")?;
        }
        f.write_str("); add a root certificate, or put a trusted CA certificate into anchors/")
    }
}
