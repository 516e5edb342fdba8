//! Arguments, pick the command, exit code.
fn main() {}
