//! `calls.db`: the records of calls.

use super::folder;
use super::line_row;
use super::state::{self, Trouble, trouble};
use super::utc::moment;
use crate::clock::Wall;
use crate::event::LineQuality;
use crate::pbx::cdr::Cdr;
use rusqlite::{Connection, OpenFlags, Statement, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Records kept at most; the oldest make room for new ones.
pub(super) const MAX_RECORDS: i64 = 50_000;
/// The file's name.
pub(super) const NAME: &str = "calls.db";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, start TEXT NOT NULL, answer TEXT, \"end\" TEXT NOT NULL,
    duration_s INTEGER NOT NULL, billed_s INTEGER NOT NULL, disposition TEXT NOT NULL, reason TEXT NOT NULL,
    ended_by TEXT NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL, caller_name TEXT NOT NULL,
    destination TEXT NOT NULL, context TEXT NOT NULL, channel TEXT NOT NULL, called_channel TEXT NOT NULL,
    application TEXT NOT NULL, data TEXT NOT NULL, unique_id TEXT NOT NULL,
    caller_rtp TEXT, called_rtp TEXT, codec TEXT NOT NULL);";

const INSERT: &str = "INSERT INTO call (start, answer, \"end\", duration_s, billed_s, disposition, reason, ended_by,
    account, source, caller_name, destination, context, channel, called_channel, application, data, unique_id,
    caller_rtp, called_rtp, codec) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const DELETE: &str = "DELETE FROM call WHERE id <= (SELECT max(id) FROM call) - ?1";

/// What is kept of a call.
pub(super) enum Record {
    /// Its record.
    Call(Box<Cdr>),
    /// How the sound of a line came in it.
    Line(Box<LineQuality>),
}

impl Record {
    fn end(&self) -> Wall {
        match self {
            Record::Call(call) => call.end,
            Record::Line(line) => line.ended,
        }
    }
}

/// The records' file, opened when it is first needed and again after a failure.
pub(super) struct Calls {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Calls {
    pub(super) fn new(folder: &Path) -> Calls {
        Calls { path: folder.join(NAME), connection: None }
    }

    /// The file that a commit goes to.
    pub(super) fn log(&self) -> PathBuf {
        folder::with_end(&self.path, "-wal")
    }

    /// Opens the file, if that can be done at once; a damaged one is left to the first record.
    ///
    /// # Errors
    /// No record can be kept: why, and what to do.
    pub(super) fn open(&mut self) -> Result<(), String> {
        match open(&self.path) {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => {
                if let Trouble::Unusable(why) = trouble(&error) {
                    return Err(format!("{}: {why}", self.path.display()));
                }
            }
        }
        Ok(())
    }

    /// Keeps records, all of them or none. A damaged file is moved aside and a new one begun.
    ///
    /// # Errors
    /// They could not be kept: why, and what to do.
    pub(super) fn write(&mut self, records: &[Record]) -> Result<(), String> {
        let Some(last) = records.last().map(Record::end) else { return Ok(()) };
        for _ in 0..2 {
            match self.try_write(records) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.connection = None;
                    match trouble(&error) {
                        Trouble::Unusable(why) => return Err(format!("{}: {why}", self.path.display())),
                        Trouble::Damaged(why) => {
                            // Its end names it, so the wall clock of the record does as well as any.
                            folder::move_aside(&self.path, last)
                                .map_err(|error| format!("{} is damaged ({why}): {error}", self.path.display()))?;
                        }
                    }
                }
            }
        }
        Err(format!("{} is damaged again at once: is the disk failing?", self.path.display()))
    }

    fn try_write(&mut self, records: &[Record]) -> rusqlite::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            closed @ None => closed.insert(open(&self.path)?),
        };
        let transaction = connection.transaction()?;
        let mut call = transaction.prepare_cached(INSERT)?;
        let mut line = transaction.prepare_cached(line_row::INSERT)?;
        for record in records {
            match record {
                Record::Call(record) => insert(&mut call, record)?,
                Record::Line(record) => line_row::insert(&mut line, record)?,
            };
        }
        drop((call, line));
        transaction.prepare_cached(DELETE)?.execute([MAX_RECORDS])?;
        line_row::make_room(&transaction, 2 * MAX_RECORDS)?;
        transaction.commit()
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // An error shows again, with SQLite's words, when the file is opened.
    let _ = folder::touch(path, 0o600);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    // A commit does not wait for the disk: the writer thread syncs it soon, for all calls of that time at once.
    connection.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA trusted_schema=OFF;")?;
    state::keep_small(&connection)?;
    connection.execute_batch(TABLE)?;
    connection.execute_batch(line_row::TABLE)?;
    Ok(connection)
}

fn insert(statement: &mut Statement<'_>, record: &Cdr) -> rusqlite::Result<usize> {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    statement.execute(params![
        moment(record.start),
        record.answer.map(moment),
        moment(record.end),
        seconds(record.duration),
        seconds(record.billed),
        record.disposition.name(),
        record.reason,
        record.ended_by.name(),
        record.account,
        record.source,
        record.caller_name,
        record.destination,
        record.context,
        record.channel,
        record.called_channel,
        record.application,
        record.data,
        record.unique_id,
        record.caller_rtp.map(|address| address.to_string()),
        record.called_rtp.map(|address| address.to_string()),
        record.codec,
    ])
}
