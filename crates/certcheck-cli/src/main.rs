//! The `certcheck` program.
fn main() {}
