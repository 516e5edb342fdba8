//! The thread that waits for the disk, so that the switch does not: it has the state taken within a second of a change, and
//! writes call records.

use super::{Say, calls, csv, state, warning};
use crate::datetime::ZoneAt;
use crate::pbx::cdr::Cdr;
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
/// Most records waiting to be written.
const QUEUE: usize = 4096;
/// Most records written in one transaction.
const BATCH: usize = 256;
/// How long a record waits for others to be written with it: a transaction costs ten times what a record in it does.
const GATHER: Duration = Duration::from_millis(5);

enum Work {
    Sync,
    Record(Box<Cdr>),
    Stop,
}

/// The thread, in the hands of the store.
pub(super) struct Keeper {
    work: SyncSender<Work>,
    /// A sync was asked for and has not begun.
    asked: Arc<AtomicBool>,
    /// Records that found the queue full.
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

struct Hand {
    folder: PathBuf,
    asked: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    say: Say,
    calls: calls::Calls,
    text: csv::Text,
    trouble: Trouble,
    /// Records were written since the last sync.
    has_records: bool,
}

/// What was said already and is not said again until it works in between.
#[derive(Default)]
struct Trouble {
    sync: bool,
    calls: bool,
    text: bool,
}

impl Keeper {
    /// Starts the thread. Without one (the system refuses it) nothing is synced or recorded, and that is said.
    pub(super) fn start(folder: PathBuf, log: PathBuf, zone: ZoneAt, say: Say) -> Keeper {
        let (work, inbox) = sync_channel(QUEUE);
        let asked = Arc::new(AtomicBool::new(false));
        let lost = Arc::new(AtomicU64::new(0));
        let mut hand = Hand {
            calls: calls::Calls::new(&folder),
            text: csv::Text::new(&log, zone),
            folder,
            asked: asked.clone(),
            lost: lost.clone(),
            say: say.clone(),
            trouble: Trouble::default(),
            has_records: false,
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || hand.run(&inbox));
        if let Err(error) = &thread {
            say(&warning(format!("Call records are not written: the system gives no thread ({error})")));
        }
        Keeper { work, asked, lost, thread: thread.ok() }
    }

    /// Has the disk take what was written, soon.
    pub(super) fn sync(&self) {
        if !self.asked.swap(true, Ordering::AcqRel) && self.work.try_send(Work::Sync).is_err() {
            // The queue is full of records: the next change asks again.
            self.asked.store(false, Ordering::Release);
        }
    }

    /// Has a record written.
    pub(super) fn record(&self, record: Box<Cdr>) {
        if self.work.try_send(Work::Record(record)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has everything written that was asked for, and waits for it.
    pub(super) fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A thread that is gone already cannot be told.
            let _ = self.work.send(Work::Stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Hand {
    fn run(&mut self, inbox: &Receiver<Work>) {
        // Opened before it is needed: what an idle exchange holds open does not change with its first call.
        if let Err(why) = self.calls.open() {
            self.tell(Err(why), |trouble| &mut trouble.calls);
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
        self.asked.store(false, Ordering::Release);
        if std::mem::take(&mut self.has_records) {
            let log = self.calls.log();
            self.sync_log(&log);
        }
        let state = super::folder::with_end(&state::path(&self.folder), "-wal");
        if self.sync_log(&state).is_some_and(|length| length > LARGE_LOG) {
            self.move_log();
        }
    }

    /// Has the disk take a log file, and tells its length; what fails is said once.
    fn sync_log(&mut self, log: &Path) -> Option<u64> {
        let done = File::open(log).and_then(|log| {
            log.sync_data()?;
            log.metadata()
        });
        match done {
            Ok(found) => {
                self.trouble.sync = false;
                return Some(found.len());
            }
            // Nothing was written, or the file was moved aside just now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                if !std::mem::replace(&mut self.trouble.sync, true) {
                    (self.say)(&warning(format!(
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

    /// Writes a record and those that come soon after it; says whether it is told to stop.
    fn records(&mut self, first: Box<Cdr>, inbox: &Receiver<Work>) -> bool {
        std::thread::sleep(GATHER);
        let (mut records, mut is_over) = (vec![first], false);
        while !is_over && records.len() < BATCH {
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

    fn write(&mut self, records: &[Box<Cdr>]) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            (self.say)(&warning(format!("{lost} call records were lost: the disk is too slow for so many calls")));
        }
        let done = self.calls.write(records);
        self.has_records = true;
        self.tell(done, |trouble| &mut trouble.calls);
        let done = self.text.write(records);
        self.tell(done, |trouble| &mut trouble.text);
    }

    fn tell(&mut self, done: Result<(), String>, said: fn(&mut Trouble) -> &mut bool) {
        let failed = done.is_err();
        let said_before = std::mem::replace(said(&mut self.trouble), failed);
        if let Err(why) = done
            && !said_before
        {
            (self.say)(&warning(format!("Call records are not kept: {why}")));
        }
    }
}
