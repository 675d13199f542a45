//! Certificates out of headers, in the form in which each proxy writes them.
//!
//! ```text
//! fault, encoding (Base64, percent, DER) -> pem, xfcc -> form: one reader for each source
//! spoofed: other headers about a client
//! ```
//! A value that can be read in two ways is refused. What stands for "no certificate" is a closed list: the header is
//! absent, or its value is empty, `(null)` or `::`.

mod encoding;
mod fault;
mod form;
mod pem;
mod spoofed;
#[cfg(test)]
mod tests;
mod xfcc;

pub(crate) use encoding::{base64_der, split_der};
pub(crate) use fault::HeaderFault;
pub(crate) use form::{Presented, escaped_pem, read, text};
pub(crate) use spoofed::other_header;
pub(crate) use xfcc::certificates_with as xfcc_with;

/// The longest value of a header.
pub(crate) const MAX_VALUE: usize = 64 << 10;
/// The largest certificate.
pub(crate) const MAX_CERTIFICATE: usize = 64 << 10;
/// The most certificates of one client.
pub(crate) const MAX_CHAIN: usize = 10;
