//! The certcheck core.
