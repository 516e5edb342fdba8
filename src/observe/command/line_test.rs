//! `linetest show`: what the latest tests of lines found.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape;
use crate::observe::line_test_rows::LineTestRow;

/// The word for JSON.
const JSON: &str = "--json";

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let (json, words): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.as_str() == JSON);
    let wanted = match words.as_slice() {
        [] => "last",
        [wanted] => wanted.as_str(),
        _ => return Reply::Usage,
    };
    let mut rows = exchange.sound().line_tests();
    match wanted.to_ascii_lowercase().as_str() {
        "all" => {}
        "last" => rows.truncate(1),
        name => rows.retain(|row| is_of(row, name)),
    }
    if rows.is_empty() {
        let whose =
            if ["all", "last"].contains(&wanted) { String::new() } else { format!(" of '{}'", escape::line(wanted)) };
        return Reply::Failed(format!(
            "There was no line test{whose} since the start: a telephone begins one where the dialplan has LineTest().\n"
        ));
    }
    if !json.is_empty() {
        let objects: Vec<&str> = rows.iter().map(|row| row.json.as_str()).collect();
        return Reply::Done(format!("[{}]\n", objects.join(",\n ")));
    }
    let shown = |row: &LineTestRow| {
        let lines: String = row.lines.iter().map(|line| format!("{line}\n")).collect();
        format!("{}, {}\n{lines}", row.channel, row.at)
    };
    Reply::Done(rows.iter().map(shown).collect::<Vec<_>>().join("\n"))
}

/// Was it a test of this channel, `sip/ata-00000001`, or of this line, `sip/ata` or `ata`?
fn is_of(row: &LineTestRow, name: &str) -> bool {
    let channel = row.channel.to_ascii_lowercase();
    let line = channel.rsplit_once('-').map_or(channel.as_str(), |(line, _)| line);
    [channel.as_str(), line, line.strip_prefix("sip/").unwrap_or(line)].contains(&name)
}
