//! The look of pages: one style for reports and for the status page.

use certcheck_rustls::certcheck_core::digest::sha256;
use data_encoding::BASE64;

/// The style sheet. It follows the reader's choice of light or dark, fits narrow screens, and loads nothing.
pub const STYLE: &str = include_str!("style.css");

/// The Content-Security-Policy of a page: it may load its own style alone.
pub(crate) fn content_policy() -> String {
    let hash = BASE64.encode(&sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
