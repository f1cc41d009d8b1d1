//! passerelle-bench
fn main() {}
