//! Reports for people: HTML pages that load nothing. They show what `--json` prints.
//!
//! A page is a body within [`page::page`], written through a [`Draft`](crate::file::Draft). Whatever comes from outside goes through
//! [`words::Shown`] or, as any text in a template, is escaped.

pub(crate) mod bench;
mod page;
pub(crate) mod ring;
mod svg;
mod timeline;
pub(crate) mod verify;
mod words;
