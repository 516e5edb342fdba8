//! `cdr-csv/Master.csv`: the records of calls as Asterisk writes them, for the programs that read those.

use super::calls::Record;
use super::folder;
use crate::clock::Wall;
use crate::datetime::{self, ZoneAt};
use crate::pbx::cdr::Cdr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file larger than this becomes `Master.csv.1`, in place of the one before.
const LARGE: u64 = 16 * 1024 * 1024;

/// Where records go as text.
pub(super) struct Text {
    path: PathBuf,
    zone: ZoneAt,
}

impl Text {
    pub(super) fn new(folder: &Path, zone: ZoneAt) -> Text {
        Text { path: folder.join("cdr-csv").join("Master.csv"), zone }
    }

    /// Adds records. The file is opened each time, so that it may be moved away (logrotate) at any time.
    ///
    /// # Errors
    /// They could not be written: why, and what to do.
    pub(super) fn write(&self, records: &[Record]) -> Result<(), String> {
        let calls = records.iter().filter_map(|record| match record {
            Record::Call(call) => Some(line(call, self.zone)),
            Record::Line(_) => None,
        });
        let lines: String = calls.collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.add(&lines).map_err(|error| {
            let path = self.path.display();
            format!("{path}: {error}; [log] folder in strowger.toml names another place")
        })
    }

    fn add(&self, lines: &str) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            folder::usable(folder)?;
        }
        if fs::metadata(&self.path).is_ok_and(|found| found.len() > LARGE) {
            fs::rename(&self.path, folder::with_end(&self.path, ".1"))?;
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(&self.path)?;
        file.write_all(lines.as_bytes())
    }
}

/// A record as a line: eighteen fields, the last the unique id and the user field. Its
/// times are those of the clock on the wall, as in Asterisk.
fn line(record: &Cdr, zone: ZoneAt) -> String {
    let moment = |at: Wall| datetime::strftime_in(at, &zone(at), "%F %T");
    let caller = match (record.caller_name.as_str(), record.source.as_str()) {
        ("", number) => number.to_owned(),
        (name, "") => format!("\"{name}\""),
        (name, number) => format!("\"{name}\" <{number}>"),
    };
    let fields = [
        quoted(&record.account),
        quoted(&record.source),
        quoted(&record.destination),
        quoted(&record.context),
        quoted(&caller),
        quoted(&record.channel),
        quoted(&record.called_channel),
        quoted(&record.application),
        quoted(&record.data),
        quoted(&moment(record.start)),
        // A call that was not answered has nothing here, not even quotes.
        record.answer.map(|at| quoted(&moment(at))).unwrap_or_default(),
        quoted(&moment(record.end)),
        record.duration.as_secs().to_string(),
        record.billed.as_secs().to_string(),
        quoted(record.disposition.name()),
        quoted(record.ama_flags.name()),
        quoted(&record.unique_id),
        quoted(&user_field(record)),
    ];
    format!("{}\n", fields.join(","))
}

/// What Asterisk's fields have no place for.
fn user_field(record: &Cdr) -> String {
    let address = |at: Option<SocketAddr>| at.map(|at| at.to_string()).unwrap_or_default();
    // What the dialplan wrote stands as it is, for those who read it by machine.
    if !record.user_field.is_empty() {
        return record.user_field.clone();
    }
    format!(
        "ended_by={};codec={};caller_rtp={};called_rtp={};reason={}",
        record.ended_by.name(),
        record.codec,
        address(record.caller_rtp),
        address(record.called_rtp),
        record.reason
    )
}

/// In quotes, quotes doubled; what would break the line or drive a terminal becomes `?`.
fn quoted(text: &str) -> String {
    let safe: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("\"{}\"", safe.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::Zone;
    use crate::store::tests::a_call;

    #[test]
    fn a_line_is_quoted_as_asterisk_quotes_it() {
        let mut record = a_call();
        assert_eq!(
            line(&record, |_| Zone { east_s: 3600, name: "CET".to_owned() }),
            "\"\",\"100\",\"5551234\",\"default\",\"\"\"Ada \"\"L\"\"\"\" <100>\",\"SIP/a-00000000\",\"SIP/b-00000001\",\"Dial\",\
             \"SIP/b,20\",\"2026-11-18 11:13:20\",\"2026-11-18 11:13:25\",\"2026-11-18 11:13:55\",35,30,\"ANSWERED\",\
             \"DOCUMENTATION\",\"1795000000.0\",\"ended_by=caller;codec=ulaw;caller_rtp=192.0.2.1:5004;\
             called_rtp=;reason=the caller hung up\"\n"
        );
        record.answer = None;
        record.caller_name = "x\r\n\u{1b}[2J,=1".to_owned();
        record.start = Wall(i64::MIN);
        let line = line(&record, |_| Zone::utc());
        assert!(line.contains("\"\"\"x???[2J,=1\"\" <100>\"") && line.contains("\",,\""), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
    }
}
