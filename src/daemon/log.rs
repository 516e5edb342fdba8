//! The log: lines of every thread go into a queue with a bound, and a thread of its own writes them to stderr and to the files
//! of logger.conf, so that a slow disk holds nobody up. Consoles hear them as they are said.

mod file;
mod format;
mod target;
#[cfg(test)]
mod tests;
mod tracing;
mod writer;

use super::Sink;
use super::clock::wall;
use crate::clock::Wall;
use crate::config::logger_conf::LoggerConf;
use crate::datetime::ISO;
use crate::observe::command::Output;
use crate::observe::control_api::LogOrder;
use crate::observe::escape;
use crate::observe::log_stream::{LogLine, LogStream};
use crate::observe::wire::Kind;
use crate::pbx::effect::{Level, Line};
pub use format::story;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Most lines waiting to be written.
const QUEUE: usize = 8192;
/// Most bytes waiting to be written.
const MOST_WAITING: usize = 4 * 1024 * 1024;
/// How long the end of the program waits for the last lines.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the log is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Which lines go where.
    pub conf: LoggerConf,
    /// Where relative names of files start.
    pub folder: PathBuf,
    /// A larger file becomes an old one, in bytes.
    pub max_size: u64,
    /// How deep the story is told where logger.conf names no depth.
    pub verbose: u8,
}

/// Reads logger.conf anew; gives it unless it cannot be used, and what is to be said of it in whole lines.
pub type Reread = Box<dyn Fn() -> (Option<LoggerConf>, String) + Send>;

/// One line on its way to be written.
struct Entry {
    at: Wall,
    level: Level,
    text: String,
    /// Stderr was told this already, in words for a person who looks on.
    printed: bool,
}

/// What the writing thread is asked.
enum Work {
    Line(Entry),
    Renew(Box<Settings>),
    Order(LogOrder, oneshot::Sender<Output>),
    Flush(SyncSender<()>),
}

/// What the hands that speak and the thread that writes both see.
#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    /// Lines that found no room.
    lost: AtomicU64,
    /// The deepest story that anything written takes; what lies deeper need not be queued.
    deepest: AtomicU8,
}

/// A hand on the log. Any number of threads may have one.
#[derive(Clone)]
pub struct Log {
    work: SyncSender<Work>,
    waiting: Arc<Waiting>,
}

impl Log {
    /// Starts the thread that writes. What it has to say of its own trouble it says to `live`, too.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(settings: Settings, live: LogStream, reread: Reread) -> io::Result<Log> {
        let (work, inbox) = sync_channel(QUEUE);
        let waiting = Arc::new(Waiting::default());
        waiting.deepest.store(u8::MAX, Ordering::Relaxed);
        let log = Log { work, waiting: waiting.clone() };
        let writer = writer::Writer::new(settings, live, reread, waiting);
        std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&inbox))?;
        Ok(log)
    }

    /// Puts this log behind the program's tracing events. Once in a process; later calls change nothing.
    pub fn hear_tracing(&self) {
        tracing::install(self.clone());
    }

    /// Has a line written. It never waits: a line that finds no room is counted, and the log says so.
    pub fn write(&self, level: Level, text: String) {
        self.enter(level, text, false);
    }

    /// The same for what stderr was told already, such as how the program began and ended: the files alone get it.
    pub fn keep(&self, level: Level, text: String) {
        self.enter(level, text, true);
    }

    fn enter(&self, level: Level, text: String, printed: bool) {
        let length = text.len();
        let before = self.waiting.bytes.fetch_add(length, Ordering::Relaxed);
        let has_room = before.saturating_add(length) <= MOST_WAITING;
        let entry = Entry { at: wall(), level, text, printed };
        if !has_room || self.work.try_send(Work::Line(entry)).is_err() {
            self.waiting.bytes.fetch_sub(length, Ordering::Relaxed);
            self.waiting.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has other settings put in force, and every file opened anew.
    pub fn renew(&self, settings: Settings) {
        // The thread ends with the last hand: there is one.
        let _ = self.work.send(Work::Renew(Box::new(settings)));
    }

    /// Has a console's order carried out by the thread that writes, which may take the disk's time.
    pub fn order(&self, what: LogOrder, reply: oneshot::Sender<Output>) {
        if let Err(refused) = self.work.try_send(Work::Order(what, reply))
            && let Work::Order(_, reply) = match refused {
                std::sync::mpsc::TrySendError::Full(work) | std::sync::mpsc::TrySendError::Disconnected(work) => work,
            }
        {
            let text = "The log does not keep up: is the disk or stderr stuck?\n".to_owned();
            // A console that left does not hear the answer.
            let _ = reply.send(Output::failed(text));
        }
    }

    /// Waits until what was said before is written; not for ever, should the disk be stuck.
    pub fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        if self.work.try_send(Work::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(FAREWELL);
        }
    }

    fn takes(&self, level: Level) -> bool {
        match level {
            Level::Verbose(depth) => depth <= self.waiting.deepest.load(Ordering::Relaxed),
            Level::Notice | Level::Warning | Level::Error | Level::Security => true,
        }
    }
}

/// A sink that makes a tracing event of every line that is written anywhere, and has consoles hear it: they choose themselves
/// how much of the story they show.
pub fn sink(log: Log, live: LogStream) -> Sink {
    Arc::new(move |line: &Line| {
        if log.takes(line.level) {
            tracing::event(line);
        }
        if live.has_subscribers() {
            live.publish(said(line));
        }
    })
}

/// A line as consoles show it: the story without its time, as on Asterisk's console, all else as in the log.
fn said(line: &Line) -> LogLine {
    let (kind, level) = match line.level {
        Level::Verbose(level) => {
            let text = story(level, line.text.trim_end_matches('\n'));
            return LogLine { kind: Kind::Story, level, text };
        }
        Level::Notice => (Kind::Notice, 0),
        Level::Warning => (Kind::Warning, 0),
        Level::Error => (Kind::Error, 0),
        Level::Security => (Kind::Security, 0),
    };
    LogLine { kind, level, text: format::dated(ISO, wall(), line.level, &line.text) }
}

/// A line as plain text without the time, or nothing when it lies above `verbose`.
pub fn plain(line: &Line, verbose: u8) -> Option<String> {
    match line.level {
        Level::Verbose(level) if level > verbose => None,
        Level::Verbose(level) => Some(story(level, &line.text)),
        Level::Notice | Level::Warning | Level::Error | Level::Security => {
            Some(format!("{}: {}", format::word(line.level), escape::line(&line.text)))
        }
    }
}
