//! The error of a ring without an anchor.

use core::fmt;

use super::fault::{RingError, RingFault};
use super::{RingCertificate, Role};

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
        f.write_str("the key ring has no anchor, so no certificate can be accepted: ")?;
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
            write!(f, "; the self-issued certificate in {file} has a signature that cannot be verified")?;
        }
        f.write_str("; add a root certificate, or put a trusted CA certificate into anchors/")
    }
}

/// The error of a ring without an anchor: what was looked at, and why nothing in it is one.
pub(super) fn no_anchor(
    inputs: &[String],
    files: usize,
    certificates: &[RingCertificate],
    skipped: &[RingError],
) -> RingError {
    const SHOWN: usize = 5;
    let mut source = inputs.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match inputs.len() {
        0 => source.push_str("key ring"),
        many if many > SHOWN => source.push_str(&format!(" and {} more", many - SHOWN)),
        _ => {}
    }
    let count = |role| certificates.iter().filter(|entry| entry.role == role).count();
    let self_issued = certificates.iter().find(|entry| {
        entry.role == Role::Intermediate && entry.issuer == entry.subject && !entry.is_self_signed
    });
    let fault = NoAnchor {
        files,
        intermediates: count(Role::Intermediate),
        distrusted: count(Role::Distrusted),
        self_issued: self_issued.map(|entry| entry.source.to_string()),
        skipped: skipped.len(),
        first_skipped: skipped.first().map(ToString::to_string),
    };
    RingError { source, fault: RingFault::NoAnchor(Box::new(fault)) }
}
