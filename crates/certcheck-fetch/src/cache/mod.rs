//! What is remembered: evidence in memory, paths that were validated, and what clients of one kind have in common.

pub(crate) mod entry;
pub(crate) mod evidence;
pub(crate) mod key;
pub(crate) mod known_paths;
pub(crate) mod path_templates;
pub(crate) mod rejections;
