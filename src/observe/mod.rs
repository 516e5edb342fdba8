//! The only face the outside sees: plain snapshots, the console's commands, and the socket they come in by.
//!
//! `snapshot` is what there is to see, `exchange` what a command may ask of the switch, `command` the one table of
//! commands, `live` the log as consoles hear it, `control` the owner-only socket, `place` where that socket lies.

pub mod command;
pub mod control;
pub mod exchange;
pub mod live;
pub mod place;
pub mod snapshot;
pub mod text;
pub mod wire;
pub mod word;
