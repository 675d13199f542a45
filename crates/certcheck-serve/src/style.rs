//! The look of pages: one style for reports and for the status page.

/// The style sheet. It follows the reader's choice of light or dark, fits narrow screens, and loads nothing.
pub const STYLE: &str = include_str!("style.css");
