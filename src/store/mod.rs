//! What outlives a restart, in SQLite: registrations, the key/value database, call records. Knows files and the
//! switch's values; only the daemon knows it.
//!
//! The core thread writes registrations and values itself, in one transaction for all events it found waiting, before
//! the responses are sent; nothing waits for the disk there (no fsync). A second thread syncs them to the disk within a
//! second, and writes and syncs call records.

mod binding_row;
mod boot_clock;
mod calls;
mod csv;
mod folder;
mod found;
pub mod history;
pub mod kept_file;
mod line_row;
mod places;
mod sink;
mod state;
#[cfg(test)]
mod tests;
mod utc;
mod writer_thread;

use crate::clock::{Now, Time};
use crate::datetime::ZoneAt;
use crate::event::{Level, LogLine};
use crate::pbx::effect::StoreOrder;
use boot_clock::BootClock;
use calls::Record;
pub use found::Found;
pub use places::Places;
pub use sink::Sink;
use sink::warning;
use state::{State, Trouble};
use std::path::{Path, PathBuf};
use std::time::Duration;
use writer_thread::WriterThread;

/// A store that could not be written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// What is said when the exchange before this one was killed, or its machine had no power any more.
const CUT_OFF: &str = "The exchange ended without being stopped (killed, a crash, a power cut): its calls are cut off and \
    have no record; a telephone that still shows one is told so as soon as it does something with it";

/// The store, owned by the core thread.
pub struct Store {
    folder: PathBuf,
    boot: BootClock,
    state: Option<State>,
    /// What was stored has been read, or is lost: what is in memory now is all there is.
    is_read: bool,
    /// It cannot be written, and that was logged.
    is_in_trouble: bool,
    again: Option<Time>,
    writer: WriterThread,
    sink: Sink,
}

/// The first of the folders that can be written to, made if need be; the error says for each why it cannot.
///
/// # Errors
/// None of them can.
pub fn first_usable(places: &[PathBuf]) -> Result<PathBuf, String> {
    folder::choose(places)
}

impl Store {
    /// Opens the store in the first usable of the places. When none is usable, that is logged, and everything goes on
    /// in memory. `zone` is the time zone of call records as text. `None`: no place is named at all.
    pub fn open(places: &Places, now: Now, zone: ZoneAt, sink: Sink) -> Option<(Store, Found)> {
        let folder = match first_usable(&places.state) {
            Ok(folder) => folder,
            Err(reasons) => {
                let first = places.state.first()?.clone();
                sink(&warning(format!(
                    "There is no usable state folder: {reasons}. Name one that this user may write to: [state] folder in \
                     strowger.toml"
                )));
                first
            }
        };
        let log = places.log.clone().unwrap_or_else(|| folder.clone());
        let writer = WriterThread::start(folder.clone(), log, zone, sink.clone());
        let mut store = Store {
            folder,
            boot: BootClock::new(),
            state: None,
            is_read: false,
            is_in_trouble: false,
            again: None,
            writer,
            sink,
        };
        let found = store.read(now);
        Some((store, found))
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key of our nonces: the one kept, or a new one that is kept from now on.
    pub fn nonce_key(&self, fresh: [u8; 32]) -> [u8; 32] {
        // The failure of the state file is logged with what to do; here a nonce of before is a stranger's to us, that is
        // all.
        folder::keep_key(&self.folder, fresh).unwrap_or(fresh)
    }

    /// Writes orders in one transaction, before anything is answered; records of calls go to the other thread.
    /// `everything` is asked when what was missed has to be made up for. Gives what was found when a store that could
    /// not be opened at the start can be now.
    pub fn write(
        &mut self,
        now: Now,
        orders: Vec<StoreOrder>,
        everything: impl FnOnce() -> Vec<StoreOrder>,
    ) -> Option<Found> {
        let mut kept = Vec::with_capacity(orders.len());
        for order in orders {
            match order {
                StoreOrder::Call(record) => self.writer.record(Record::Call(record)),
                StoreOrder::Line(record) => self.writer.record(Record::Line(record)),
                StoreOrder::Bindings { .. } | StoreOrder::Value { .. } | StoreOrder::Subscription { .. } => {
                    kept.push(order)
                }
            }
        }
        if let Some(again) = self.again {
            return if now.mono < again { None } else { self.make_up(now, everything) };
        }
        if kept.is_empty() {
            return None;
        }
        let boot = self.boot.moment(now);
        let done = match &mut self.state {
            Some(state) => state.write(&kept, &boot),
            None => return None,
        };
        match done {
            Ok(()) => self.writer.sync(),
            Err(trouble) => {
                self.failed(now, &trouble);
                if matches!(trouble, Trouble::Damaged(_)) {
                    return self.make_up(now, everything);
                }
            }
        }
        None
    }

    /// When [`Store::write`] wants to be called, even without orders, to try again.
    pub fn next_deadline(&self) -> Option<Time> {
        self.again
    }

    /// Syncs everything to the disk, and ends the other thread.
    pub fn close(mut self) {
        self.writer.stop();
        if let Some(state) = self.state.take() {
            state.close();
        }
    }

    /// After a failure: what was stored is read if it never was, and all that is in memory is written.
    fn make_up(&mut self, now: Now, everything: impl FnOnce() -> Vec<StoreOrder>) -> Option<Found> {
        if !self.is_read {
            let found = self.read(now);
            // The switch takes over what is found; then all of it is written, with what happened meanwhile.
            return self.is_read.then_some(found);
        }
        if self.state.is_none() {
            match State::open(&self.folder) {
                Ok(state) => self.state = Some(state),
                Err(trouble) => {
                    self.failed(now, &trouble);
                    return None;
                }
            }
        }
        let boot = self.boot.moment(now);
        match self.state.as_mut().map(|state| state.replace(&everything(), &boot)) {
            Some(Ok(())) => self.recovered(),
            Some(Err(trouble)) => self.failed(now, &trouble),
            None => {}
        }
        None
    }

    /// Opens the state file and reads it.
    fn read(&mut self, now: Now) -> Found {
        let boot = self.boot.moment(now);
        for _ in 0..2 {
            let opened = State::open(&self.folder).and_then(|state| {
                let read = state.read(&boot)?;
                Ok((state, read))
            });
            match opened {
                Ok((state, (found, unreadable))) => {
                    if unreadable > 0 {
                        (self.sink)(&warning(format!(
                            "{unreadable} stored registrations in {} cannot be read and are left out; those phones register again by themselves",
                            state.path().display()
                        )));
                    }
                    if state.was_cut_off() {
                        (self.sink)(&LogLine { level: Level::Notice, text: CUT_OFF.to_owned() });
                    }
                    self.state = Some(state);
                    self.is_read = true;
                    match self.is_in_trouble {
                        // What is in memory is written first.
                        true => self.again = Some(now.mono),
                        false => self.recovered(),
                    }
                    return found;
                }
                Err(trouble) => {
                    let is_damaged = matches!(trouble, Trouble::Damaged(_));
                    self.failed(now, &trouble);
                    if !is_damaged {
                        break;
                    }
                }
            }
        }
        Found::default()
    }

    fn recovered(&mut self) {
        self.again = None;
        if std::mem::take(&mut self.is_in_trouble) {
            let text = format!("The state in {} is kept again", self.folder.display());
            (self.sink)(&LogLine { level: Level::Notice, text });
        }
        self.writer.sync();
    }

    /// Logs what is wrong, once, and what to do; a damaged file is moved aside so that a new one can be begun.
    fn failed(&mut self, now: Now, trouble: &Trouble) {
        self.again = Some(now.mono + AGAIN);
        match trouble {
            Trouble::Damaged(why) => {
                self.state = None;
                let path = state::path(&self.folder);
                let text = match folder::move_aside(&path, now.wall) {
                    Ok(to) => format!(
                        "The state file {} is damaged ({why}). It was moved to {}, and a new one is begun; phones register again by themselves",
                        path.display(),
                        to.display()
                    ),
                    Err(error) => format!(
                        "The state file {} is damaged ({why}) and cannot be moved aside ({error}); delete it. Until then everything goes on in memory",
                        path.display()
                    ),
                };
                (self.sink)(&LogLine { level: Level::Error, text });
            }
            Trouble::Unusable(why) => {
                if !std::mem::replace(&mut self.is_in_trouble, true) {
                    (self.sink)(&LogLine {
                        level: Level::Error,
                        text: format!(
                            "The state in {} cannot be kept: {why}. Everything goes on in memory, and it is tried again every {} s; \
                             until it works, a restart forgets registrations",
                            self.folder.display(),
                            AGAIN.as_secs()
                        ),
                    });
                }
            }
        }
    }
}
