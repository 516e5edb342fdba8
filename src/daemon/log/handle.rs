//! The handle through which every thread writes to the log.

use super::entry::{Entry, MAX_BYTES, MAX_LINES, Waiting, Work};
use super::settings::{Reread, Settings};
use super::writer::Writer;
use crate::daemon::clock::wall;
use crate::event::Level;
use crate::observe::command::Output;
use crate::observe::control_api::LogOrder;
use crate::observe::log_stream::LogStream;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the end of the program waits for the last lines.
const FAREWELL: Duration = Duration::from_secs(2);

/// A handle to the log. Any number of threads may have one.
#[derive(Clone)]
pub struct Log {
    pub(super) work: SyncSender<Work>,
    pub(super) waiting: Arc<Waiting>,
}

impl Log {
    /// Starts the thread that writes. Its own failures are lines for `live`, too.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(settings: Settings, live: LogStream, reread: Reread) -> io::Result<Log> {
        let (work, inbox) = sync_channel(MAX_LINES);
        let waiting = Arc::new(Waiting::default());
        waiting.deepest.store(u8::MAX, Ordering::Relaxed);
        let log = Log { work, waiting: waiting.clone() };
        let writer = Writer::new(settings, live, reread, waiting);
        std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&inbox))?;
        Ok(log)
    }

    /// Writes a line. It never waits: a line that finds no room is counted, and the log says so.
    pub fn write(&self, level: Level, text: String) {
        self.enter(level, text, false);
    }

    /// Writes a line that is on stderr already, such as how the program began and ended: the files alone get it.
    pub fn keep(&self, level: Level, text: String) {
        self.enter(level, text, true);
    }

    fn enter(&self, level: Level, text: String, printed: bool) {
        let length = text.len();
        let before = self.waiting.bytes.fetch_add(length, Ordering::Relaxed);
        let has_room = before.saturating_add(length) <= MAX_BYTES;
        let entry = Entry { at: wall(), level, text, printed };
        if !has_room || self.work.try_send(Work::Line(entry)).is_err() {
            self.waiting.bytes.fetch_sub(length, Ordering::Relaxed);
            self.waiting.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Puts other settings in force, and opens every file anew.
    pub fn renew(&self, settings: Settings) {
        // The thread ends with the last handle: there is one.
        let _ = self.work.send(Work::Renew(Box::new(settings)));
    }

    /// Carries out a console's order on the thread that writes, since the disk may take its time.
    pub fn order(&self, what: LogOrder, reply: oneshot::Sender<Output>) {
        if let Err(refused) = self.work.try_send(Work::Order(what, reply))
            && let Work::Order(_, reply) = match refused {
                TrySendError::Full(work) | TrySendError::Disconnected(work) => work,
            }
        {
            let text = "The log does not keep up with its lines: is the disk stuck, or stderr?\n".to_owned();
            // The console may have left.
            let _ = reply.send(Output::failed(text));
        }
    }

    /// Waits until all lines before are written; not for ever, should the disk be stuck.
    pub fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        if self.work.try_send(Work::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(FAREWELL);
        }
    }

    /// Does any target take lines of this level?
    pub(super) fn takes(&self, level: Level) -> bool {
        match level {
            Level::Verbose(depth) => depth <= self.waiting.deepest.load(Ordering::Relaxed),
            Level::Message | Level::Notice | Level::Warning | Level::Error | Level::Security => true,
        }
    }
}
