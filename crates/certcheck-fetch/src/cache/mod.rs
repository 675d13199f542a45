//! The memory: evidence, paths that were validated, and templates for clients of one kind.

pub(crate) mod entry;
pub(crate) mod evidence;
pub(crate) mod key;
pub(crate) mod known_paths;
pub(crate) mod lookup;
pub(crate) mod path_templates;
pub(crate) mod rejections;
