//! What is kept of calls, read while the exchange runs or not.

use super::calls::NAME;
use super::line_row;
use crate::event::quality::LineQuality;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};
use std::path::Path;
use std::time::Duration;

/// A call that is over, as it was kept. Texts may come from the network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeptCall {
    /// When it began: `2026-11-21 06:08:54`, in UTC.
    pub start: String,
    /// When it was answered, likewise.
    pub answer: Option<String>,
    /// When it ended.
    pub end: String,
    /// From the start to the end, in seconds.
    pub duration_s: i64,
    /// From the answer to the end.
    pub billed_s: i64,
    /// `ANSWERED`, `BUSY`, ...
    pub disposition: String,
    /// Why it ended, in words.
    pub reason: String,
    /// `caller`, `called` or `exchange`.
    pub ended_by: String,
    /// The caller's number.
    pub source: String,
    /// The number dialled.
    pub destination: String,
    /// The caller's channel.
    pub channel: String,
    /// The called one; empty: none.
    pub called_channel: String,
    /// The caller's channel's unique id.
    pub unique_id: String,
    /// The codec.
    pub codec: String,
    /// How the sound of its lines came, the caller's first.
    pub lines: Vec<LineQuality>,
}

const COLUMNS: &str =
    "start, answer, \"end\", duration_s, billed_s, disposition, reason, ended_by, source, destination,
    channel, called_channel, unique_id, codec";

/// The latest calls, the latest last.
///
/// # Errors
/// They cannot be read: why, and what to do.
pub fn latest(folder: &Path, number: u32) -> Result<Vec<KeptCall>, String> {
    let condition = format!("WHERE id > (SELECT coalesce(max(id), 0) FROM call) - {number} ORDER BY id");
    read(folder, &condition, None)
}

/// The latest call with this unique id, or with this channel, the caller's or the one that was called last; `None` as `of`: the latest whose sound the
/// exchange measured.
///
/// # Errors
/// As [`latest`].
pub fn one(folder: &Path, of: Option<&str>) -> Result<Option<KeptCall>, String> {
    let condition = match of {
        Some(_) => "WHERE unique_id = ?1 OR channel = ?1 OR called_channel = ?1 ORDER BY id DESC LIMIT 1",
        None => "WHERE unique_id IN (SELECT call_unique_id FROM line) ORDER BY id DESC LIMIT 1",
    };
    Ok(read(folder, condition, of)?.pop())
}

fn read(folder: &Path, condition: &str, of: Option<&str>) -> Result<Vec<KeptCall>, String> {
    let path = folder.join(NAME);
    let why = |error: &dyn std::fmt::Display| {
        format!("{}: {error} (records are kept for root and the exchange's own user: try sudo)", path.display())
    };
    if !path.try_exists().map_err(|error| why(&error))? {
        return Ok(Vec::new());
    }
    let all = || -> rusqlite::Result<Vec<KeptCall>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.execute_batch("PRAGMA trusted_schema=OFF;")?;
        // A file of an earlier strowger has none until the next record is written.
        let has_lines = connection
            .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'line'", [], |_| Ok(()))
            .optional()?
            .is_some();
        if !has_lines && condition.contains("FROM line") {
            return Ok(Vec::new());
        }
        let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM call {condition}"))?;
        let rows = match of {
            Some(of) => statement.query_map([of], call)?,
            None => statement.query_map([], call)?,
        };
        let mut calls: Vec<KeptCall> = rows.collect::<Result<_, _>>()?;
        if has_lines {
            for call in &mut calls {
                call.lines = line_row::of_call(&connection, &call.unique_id)?;
            }
        }
        Ok(calls)
    };
    all().map_err(|error| why(&error))
}

fn call(row: &Row<'_>) -> rusqlite::Result<KeptCall> {
    Ok(KeptCall {
        start: row.get(0)?,
        answer: row.get(1)?,
        end: row.get(2)?,
        duration_s: row.get(3)?,
        billed_s: row.get(4)?,
        disposition: row.get(5)?,
        reason: row.get(6)?,
        ended_by: row.get(7)?,
        source: row.get(8)?,
        destination: row.get(9)?,
        channel: row.get(10)?,
        called_channel: row.get(11)?,
        unique_id: row.get(12)?,
        codec: row.get(13)?,
        lines: Vec::new(),
    })
}
