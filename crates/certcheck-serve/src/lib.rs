//! Mutual TLS with full revocation checking in front of any service.
//!
//! A front ends TLS connections whose clients have good certificates, and passes plain bytes on to a service that knows
//! nothing of TLS.
#![forbid(unsafe_code)]

pub mod at_tls;
pub mod config;
pub mod identity;
mod provider;
pub mod ring_folders;
