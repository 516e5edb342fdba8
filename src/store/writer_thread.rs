//! The thread that waits for the disk, so that the core thread does not: it syncs the state within a second of a
//! change, and writes call records.

use super::calls::Record;
use super::sink::{Sink, warning};
use super::{calls, csv, folder, state};
use crate::datetime::ZoneAt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Changes within this time are synced together; a power cut costs them.
const DELAY: Duration = Duration::from_millis(500);
/// The log file is moved into the database when it is larger than this.
const LARGE_LOG: u64 = 4 * 1024 * 1024;
/// Records that may wait to be written.
const MAX_WAITING: usize = 4096;
/// Records written in one transaction at most.
const MAX_BATCH: usize = 256;
/// How long a record waits for others to be written with it: a transaction costs ten times what a record in it does.
const GATHER: Duration = Duration::from_millis(5);

enum Work {
    Sync,
    Record(Record),
    Stop,
}

/// The store's handle of the thread.
pub(super) struct WriterThread {
    work: SyncSender<Work>,
    /// A sync was asked for and has not begun.
    sync_wanted: Arc<AtomicBool>,
    /// Records that found the queue full.
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works with.
struct Writer {
    folder: PathBuf,
    sync_wanted: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    sink: Sink,
    calls: calls::Calls,
    text: csv::Text,
    reported: Reported,
    /// Records were written since the last sync.
    has_records: bool,
}

/// Failures that were logged and are not logged again until it has worked in between.
#[derive(Default)]
struct Reported {
    sync: bool,
    calls: bool,
    text: bool,
}

impl WriterThread {
    /// Starts the thread. Without one (the system refuses it) nothing is synced or recorded, and that is logged.
    pub(super) fn start(folder: PathBuf, log: PathBuf, zone: ZoneAt, sink: Sink) -> WriterThread {
        let (work, inbox) = sync_channel(MAX_WAITING);
        let sync_wanted = Arc::new(AtomicBool::new(false));
        let lost = Arc::new(AtomicU64::new(0));
        let mut writer = Writer {
            calls: calls::Calls::new(&folder),
            text: csv::Text::new(&log, zone),
            folder,
            sync_wanted: sync_wanted.clone(),
            lost: lost.clone(),
            sink: sink.clone(),
            reported: Reported::default(),
            has_records: false,
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || writer.run(&inbox));
        if let Err(error) = &thread {
            sink(&warning(format!("Call records are not written: the system gives no thread ({error})")));
        }
        WriterThread { work, sync_wanted, lost, thread: thread.ok() }
    }

    /// Syncs what was written to the disk, soon.
    pub(super) fn sync(&self) {
        if !self.sync_wanted.swap(true, Ordering::AcqRel) && self.work.try_send(Work::Sync).is_err() {
            // The queue is full of records: the next change asks again.
            self.sync_wanted.store(false, Ordering::Release);
        }
    }

    /// Writes a record, soon.
    pub(super) fn record(&self, record: Record) {
        if self.work.try_send(Work::Record(record)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes and syncs all that was asked for, and waits for it.
    pub(super) fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A thread that has ended already takes no order.
            let _ = self.work.send(Work::Stop);
            let _ = thread.join();
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Writer {
    fn run(&mut self, inbox: &Receiver<Work>) {
        // Opened before it is needed: what an idle exchange holds open does not change with its first call.
        if let Err(why) = self.calls.open() {
            self.report(Err(why), |reported| &mut reported.calls);
        }
        let mut sync_at: Option<Instant> = None;
        loop {
            let work = match sync_at {
                Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match work {
                Ok(Work::Sync) => sync_at = sync_at.or(Some(Instant::now() + DELAY)),
                Ok(Work::Record(record)) => {
                    sync_at = sync_at.or(Some(Instant::now() + DELAY));
                    if self.records(record, inbox) {
                        break;
                    }
                }
                Ok(Work::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    sync_at = None;
                    self.sync();
                }
            }
            // Records that keep coming may not put a sync off.
            if sync_at.is_some_and(|at| at <= Instant::now()) {
                sync_at = None;
                self.sync();
            }
        }
        self.sync();
    }

    fn sync(&mut self) {
        self.sync_wanted.store(false, Ordering::Release);
        if std::mem::take(&mut self.has_records) {
            let log = self.calls.log();
            self.sync_log(&log);
        }
        let state = folder::with_end(&state::path(&self.folder), "-wal");
        if self.sync_log(&state).is_some_and(|length| length > LARGE_LOG) {
            self.move_log();
        }
    }

    /// Syncs a log file to the disk, and gives its length; what fails is logged once.
    fn sync_log(&mut self, log: &Path) -> Option<u64> {
        let done = File::open(log).and_then(|log| {
            log.sync_data()?;
            log.metadata()
        });
        match done {
            Ok(found) => {
                self.reported.sync = false;
                return Some(found.len());
            }
            // Nothing was written, or the file was moved aside just now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                if !std::mem::replace(&mut self.reported.sync, true) {
                    (self.sink)(&warning(format!(
                        "{}: the disk does not take it: {error}; a power cut would lose it",
                        log.display()
                    )));
                }
            }
        }
        None
    }

    fn move_log(&mut self) {
        // When it fails, the log grows and the next sync tries again; a damaged file shows when the switch writes.
        let _ = state::open_again(&self.folder).and_then(|connection| state::checkpoint(&connection));
    }

    /// Writes a record and those that come soon after it; true: the thread is to stop.
    fn records(&mut self, first: Record, inbox: &Receiver<Work>) -> bool {
        std::thread::sleep(GATHER);
        let (mut records, mut is_over) = (vec![first], false);
        while !is_over && records.len() < MAX_BATCH {
            match inbox.try_recv() {
                Ok(Work::Record(record)) => records.push(record),
                // The sync that follows every record serves.
                Ok(Work::Sync) => {}
                Ok(Work::Stop) => is_over = true,
                Err(_) => break,
            }
        }
        self.write(&records);
        is_over
    }

    fn write(&mut self, records: &[Record]) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            (self.sink)(&warning(format!("{lost} call records were lost: the disk is too slow for so many calls")));
        }
        let done = self.calls.write(records);
        self.has_records = true;
        self.report(done, |reported| &mut reported.calls);
        let done = self.text.write(records);
        self.report(done, |reported| &mut reported.text);
    }

    /// Logs a failure, unless the last attempt failed, too.
    fn report(&mut self, done: Result<(), String>, reported: fn(&mut Reported) -> &mut bool) {
        let failed = done.is_err();
        let was_reported = std::mem::replace(reported(&mut self.reported), failed);
        if let Err(why) = done
            && !was_reported
        {
            (self.sink)(&warning(format!("Call records are not kept: {why}")));
        }
    }
}
