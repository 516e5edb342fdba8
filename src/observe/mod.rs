//! All that the outside sees: plain snapshots, the console's commands, and the socket they come in by.
//!
//! `snapshot` is what there is to see, `control_api` what a command may ask of the switch, `command` the one table of
//! commands, `log_stream` the log as consoles get it, `control` the owner-only socket, `socket_path` where that socket
//! is.

pub mod command;
pub mod control;
pub mod control_api;
pub mod escape;
pub mod feature_rows;
pub mod line_test_rows;
pub mod log_stream;
pub mod provision_rows;
pub mod quality_json;
pub mod quality_rows;
pub mod snapshot;
pub mod socket_path;
pub mod tokenize;
pub mod wire;
