//! A mirror of CRLs and OCSP responses for the neighbours of a site, certcheck or not.
//!
//! ```text
//! active    what is configured: rings, and the hosts that may be asked
//! alias     one URL for what is the same
//! question  a request becomes the source that it is about
//! series    which CRLs follow each other, and which is the right one at a URL
//! select    may what came take the place of what is kept?
//! kept      a piece of evidence as it is served       tree  evidence from files instead of the network
//! source    one source: what is kept of it, when it is looked at, and why it failed
//! table     all sources, within bounds         places  how many are asked at once
//! keeper    finds, fetches, refreshes and announces
//! answer    evidence as an HTTP response              news, page, listing  what else can be asked for
//! via       requests of the mirror itself that come back
//! server    one connection                            set  the mirror over reloads
//! ```
//! A mirror decides nothing about certificates. What it serves is signed by a CA of its ring, current, and never older than
//! what it served before, so that no answer of a source displaces a good one by a bad one. Its clients verify all of it
//! again.

mod active;
mod alias;
mod answer;
mod keeper;
mod kept;
mod listing;
mod news;
mod page;
mod places;
mod question;
mod select;
mod series;
mod server;
mod set;
mod source;
mod table;
mod tree;
mod via;

#[cfg(fuzzing)]
pub(crate) use question::exercise;
pub(crate) use set::{MirrorSet, PreparedMirror};
pub(crate) use via::PSEUDONYM;
