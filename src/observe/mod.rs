//! The only face the outside sees: plain snapshots, the console's commands, and the socket they come in by.
//!
//! `snapshot` is what there is to see, `exchange` what a command may ask of the switch, `command` the one table of
//! commands, `live` the log as consoles hear it, `control` the owner-only socket, `place` where that socket lies.

pub mod command;
pub mod control;
pub mod control_api;
pub mod escape;
pub mod log_stream;
pub mod snapshot;
pub mod socket_path;
pub mod tokenize;
pub mod wire;
