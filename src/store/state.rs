//! `state.db`: registrations and the key/value database.

use super::boot_clock::Moment;
use super::found::Found;
use super::{binding_row, folder};
use crate::dialplan::database::{MAX_ENTRIES, MAX_KEY};
use crate::pbx::effect::StoreOrder;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, Transaction, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Marks the file as ours: "Strg".
const APPLICATION: i32 = 0x5374_7267;
/// The shape of the tables.
const VERSION: i32 = 4;
/// The file's name.
const NAME: &str = "state.db";
/// Registrations read at most; more than any configuration has.
const MAX_BINDINGS: usize = 100_000;
/// Subscriptions read at most, and the longest of them.
const MAX_SUBSCRIPTIONS: usize = 20_000;
const MAX_SUBSCRIPTION: usize = 65_536;
/// Longer than this the switch does not wait for somebody else who writes to the file (`sqlite3` in a shell).
const BUSY: Duration = Duration::from_millis(100);

/// Why the state file cannot be used.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What it holds cannot be trusted: it is to be moved aside.
    Damaged(String),
    /// It may be sound, but cannot be read or written now.
    Unusable(String),
}

/// The open state file.
pub(super) struct State {
    path: PathBuf,
    connection: Connection,
    /// Whoever had it before did not close it: a log file was left.
    was_cut_off: bool,
}

/// The state file's path in a folder.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

impl State {
    /// Opens the state file of a folder, made if it is not there.
    pub(super) fn open(folder: &Path) -> Result<State, Trouble> {
        let path = path(folder);
        folder::usable(folder).and_then(|()| folder::touch(&path, 0o600)).map_err(|error| {
            Trouble::Unusable(format!("{error} (is the folder writable for this user, and is there room on the disk?)"))
        })?;
        // The last one to close the database takes its log file away.
        let was_cut_off = folder::holds_something(&folder.join(format!("{NAME}-wal")));
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(|error| trouble(&error))?;
        let state = State { path, connection, was_cut_off };
        state.prepare()?;
        Ok(state)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Did the exchange that had it before end without being stopped?
    pub(super) fn was_cut_off(&self) -> bool {
        self.was_cut_off
    }

    fn prepare(&self) -> Result<(), Trouble> {
        let set = || -> rusqlite::Result<(i32, i32, String)> {
            let db = &self.connection;
            db.busy_timeout(BUSY)?;
            // A commit goes to the log file and does not wait for the disk; the other thread sees to that.
            db.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
            db.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF;")?;
            keep_small(db)?;
            let sound = db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
            let application = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
            let version = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok((application, version, sound))
        };
        let (application, version, sound) = set().map_err(|error| trouble_at_start(&error))?;
        if sound != "ok" {
            return Err(Trouble::Damaged(sound.chars().take(200).collect()));
        }
        match (application, version) {
            (0, 0) | (APPLICATION, 1..=VERSION) => {}
            (APPLICATION, newer) if newer > VERSION => {
                let why = format!(
                    "{} was written by a newer strowger; run that one, or move the file away",
                    self.path.display()
                );
                return Err(Trouble::Unusable(why));
            }
            (other, _) => {
                return Err(Trouble::Damaged(format!("it is no state file of strowger (application {other})")));
            }
        }
        // Version 1 knew UDP only, version 2 no proxies, version 3 no subscriptions.
        let transport =
            if version == 1 { "ALTER TABLE binding ADD COLUMN transport TEXT NOT NULL DEFAULT 'udp';" } else { "" };
        let proxies = match version {
            1 | 2 => "ALTER TABLE binding ADD COLUMN path TEXT NOT NULL DEFAULT '';",
            _ => "",
        };
        let tables = format!(
            "BEGIN IMMEDIATE; {transport} {proxies}
             CREATE TABLE IF NOT EXISTS binding (
                 peer TEXT NOT NULL, place INTEGER NOT NULL, contact TEXT NOT NULL, q INTEGER NOT NULL,
                 source TEXT NOT NULL, target TEXT NOT NULL, local TEXT NOT NULL, granted_ms INTEGER NOT NULL,
                 boot TEXT NOT NULL, ends_boot_ms INTEGER NOT NULL, ends_wall_ms INTEGER NOT NULL,
                 call_id TEXT NOT NULL, cseq INTEGER NOT NULL, user_agent TEXT, transport TEXT NOT NULL DEFAULT 'udp',
                 path TEXT NOT NULL DEFAULT '',
                 PRIMARY KEY (peer, place)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS subscription (tag TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS astdb (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
             PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION};
             COMMIT;"
        );
        self.connection.execute_batch(&tables).map_err(|error| trouble_at_start(&error))
    }

    /// Everything in it; and how many registrations could not be read.
    pub(super) fn read(&self, moment: &Moment) -> Result<(Found, usize), Trouble> {
        let all = || -> rusqlite::Result<(Found, usize)> {
            let mut found = Found::default();
            let mut unreadable = 0;
            let db = &self.connection;
            let mut statement =
                db.prepare(&format!("SELECT {} FROM binding ORDER BY peer, place", binding_row::COLUMNS))?;
            let mut rows = statement.query([])?;
            while let Some(stored) = rows.next()? {
                match binding_row::read(stored, moment) {
                    Some(binding) if found.bindings.len() < MAX_BINDINGS => found.bindings.push(binding),
                    Some(_) | None => unreadable += 1,
                }
            }
            let mut statement = db.prepare("SELECT key, value FROM astdb ORDER BY key")?;
            let mut rows = statement.query([])?;
            while let Some(stored) = rows.next()? {
                if let (Ok(key), Ok(value)) = (stored.get::<_, String>(0), stored.get::<_, String>(1))
                    && key.len() <= MAX_KEY
                    && found.values.len() < MAX_ENTRIES
                {
                    found.values.push((key, value));
                }
            }
            let mut statement = db.prepare("SELECT tag, text FROM subscription ORDER BY tag")?;
            let mut rows = statement.query([])?;
            while let Some(stored) = rows.next()? {
                if let (Ok(tag), Ok(text)) = (stored.get(0), stored.get::<_, String>(1))
                    && text.len() <= MAX_SUBSCRIPTION
                    && found.subscriptions.len() < MAX_SUBSCRIPTIONS
                {
                    found.subscriptions.push((tag, text));
                }
            }
            Ok((found, unreadable))
        };
        all().map_err(|error| trouble(&error))
    }

    /// Writes changes, all or none of them.
    pub(super) fn write(&mut self, orders: &[StoreOrder], moment: &Moment) -> Result<(), Trouble> {
        self.transaction(|transaction| put(transaction, orders, moment))
    }

    /// Writes these in place of everything.
    pub(super) fn replace(&mut self, orders: &[StoreOrder], moment: &Moment) -> Result<(), Trouble> {
        self.transaction(|transaction| {
            transaction.execute_batch("DELETE FROM binding; DELETE FROM astdb; DELETE FROM subscription;")?;
            put(transaction, orders, moment)
        })
    }

    fn transaction(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), Trouble> {
        let all = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            work(&transaction)?;
            transaction.commit()
        };
        all().map_err(|error| trouble(&error))
    }

    /// Moves what is in the log file into the database and closes both.
    pub(super) fn close(self) {
        // What cannot be moved stays in the log file, where the next start finds it.
        let _ = checkpoint(&self.connection);
    }
}

/// Two megabytes of pages a file, SQLite's own choice, would be more than all the rest of an exchange at rest.
pub(super) fn keep_small(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA cache_size=-256")
}

/// Moves what is in the log file into the database, as far as nobody is in the way.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Opens a state file that exists, for [`checkpoint`].
pub(super) fn open_again(folder: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path(folder), flags)?;
    connection.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;")?;
    Ok(connection)
}

fn put(transaction: &Transaction<'_>, orders: &[StoreOrder], moment: &Moment) -> rusqlite::Result<()> {
    let (mut bindings_of, mut values_of, mut subscriptions_of) = (None, None, None);
    for order in orders {
        match order {
            StoreOrder::Bindings { peer, bindings } => {
                let (forget, insert) = match &mut bindings_of {
                    Some(prepared) => prepared,
                    none @ None => none.insert(binding_statements(transaction)?),
                };
                forget.execute([peer.as_str()])?;
                for (place, binding) in (0i64..).zip(bindings) {
                    binding_row::insert(insert, peer, place, binding, moment)?;
                }
            }
            StoreOrder::Value { path, value } => {
                let (set, unset) = match &mut values_of {
                    Some(prepared) => prepared,
                    none @ None => none.insert(value_statements(transaction)?),
                };
                match value {
                    Some(value) => set.execute(params![path, value])?,
                    None => unset.execute([path])?,
                };
            }
            StoreOrder::Subscription { tag, text } => {
                let (set, unset) = match &mut subscriptions_of {
                    Some(prepared) => prepared,
                    none @ None => none.insert(subscription_statements(transaction)?),
                };
                match text {
                    Some(text) => set.execute(params![tag.as_str(), text])?,
                    None => unset.execute([tag.as_str()])?,
                };
            }
            // Records are the other thread's.
            StoreOrder::Call(_) | StoreOrder::Line(_) => {}
        }
    }
    Ok(())
}

type Pair<'a> = (CachedStatement<'a>, CachedStatement<'a>);

/// Forgets a peer's bindings; writes one.
fn binding_statements<'a>(transaction: &'a Transaction<'_>) -> rusqlite::Result<Pair<'a>> {
    let marks = binding_row::COLUMNS.split(',').map(|_| "?").collect::<Vec<_>>().join(", ");
    let insert = format!("INSERT INTO binding ({}) VALUES ({marks})", binding_row::COLUMNS);
    Ok((transaction.prepare_cached("DELETE FROM binding WHERE peer = ?1")?, transaction.prepare_cached(&insert)?))
}

/// Writes a value; takes one away.
fn value_statements<'a>(transaction: &'a Transaction<'_>) -> rusqlite::Result<Pair<'a>> {
    let set = transaction.prepare_cached("INSERT OR REPLACE INTO astdb (key, value) VALUES (?1, ?2)")?;
    Ok((set, transaction.prepare_cached("DELETE FROM astdb WHERE key = ?1")?))
}

/// Writes a subscription; takes one away.
fn subscription_statements<'a>(transaction: &'a Transaction<'_>) -> rusqlite::Result<Pair<'a>> {
    let set = transaction.prepare_cached("INSERT OR REPLACE INTO subscription (tag, text) VALUES (?1, ?2)")?;
    Ok((set, transaction.prepare_cached("DELETE FROM subscription WHERE tag = ?1")?))
}

/// As [`trouble`], of a file that was just opened for writing: when SQLite calls it read-only then, its header is
/// damaged.
fn trouble_at_start(error: &rusqlite::Error) -> Trouble {
    match error.sqlite_error() {
        Some(found) if found.extended_code == rusqlite::ffi::SQLITE_READONLY => {
            Trouble::Damaged("its header says that it cannot be written".to_owned())
        }
        Some(_) | None => trouble(error),
    }
}

/// What an error of SQLite means for the file.
pub(super) fn trouble(error: &rusqlite::Error) -> Trouble {
    let what_to_do = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on the disk",
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => "the file and its folder must be writable for the user the exchange runs as",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program is writing to it",
        Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => {
            "the disk fails, or is full: look at dmesg and df"
        }
        Some(ErrorCode::OutOfMemory) => "the machine is out of memory",
        _ => return Trouble::Damaged(error.to_string()),
    };
    Trouble::Unusable(format!("{error}: {what_to_do}"))
}
