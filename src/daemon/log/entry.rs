//! What waits for the thread that writes the log.

use super::settings::Settings;
use crate::clock::Wall;
use crate::event::Level;
use crate::observe::command::Output;
use crate::observe::control_api::LogOrder;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};
use std::sync::mpsc::SyncSender;
use tokio::sync::oneshot;

/// Lines that may wait to be written.
pub(super) const MAX_LINES: usize = 8192;
/// Bytes that may wait to be written.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// One line on its way to be written.
pub(super) struct Entry {
    pub(super) at: Wall,
    pub(super) level: Level,
    pub(super) text: String,
    /// It is on stderr already, in words for a person who looks on.
    pub(super) printed: bool,
}

/// What the writing thread is asked.
pub(super) enum Work {
    /// Write this line.
    Line(Entry),
    /// Put these settings in force, and open every file anew.
    Renew(Box<Settings>),
    /// Carry out a console's order.
    Order(LogOrder, oneshot::Sender<Output>),
    /// Report when all before it is written.
    Flush(SyncSender<()>),
}

/// What the handles of the log and the thread that writes share.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) bytes: AtomicUsize,
    /// Lines that found no room.
    pub(super) lost: AtomicU64,
    /// The highest verbosity that any target takes; a line above it need not be queued.
    pub(super) deepest: AtomicU8,
}
