//! The built-in cryptographic provider: `ring`, or `aws-lc-rs` if `ring` is not enabled.

#[cfg(feature = "ring")]
pub(crate) use ring::{digest, signature};

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
pub(crate) use aws_lc_rs::{digest, signature};

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("certcheck needs a cryptographic provider: enable the feature `ring` or `aws-lc-rs`");
