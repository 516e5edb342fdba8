//! `strowger calls`: the latest calls that were kept, with how the sound of their lines came.

use super::call_course::sentences;
use super::records::{failed, folder, line, print};
use crate::cli::Common;
use crate::observe::quality_json;
use crate::store::history::{self, KeptCall};
use crate::wording::json::{Object, array, quoted};
use std::process::ExitCode;

/// What is shown of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// So many of them, the latest.
    pub number: u32,
    /// How the sound of their lines came.
    pub quality: bool,
    /// As JSON.
    pub json: bool,
}

/// Prints the latest calls, the latest last; reads the records' file, whether an exchange runs or not.
pub fn run(common: &Common, wanted: Wanted) -> ExitCode {
    match history::latest(&folder(common), wanted.number) {
        Ok(calls) => print(&if wanted.json { json(&calls) } else { text(&calls, wanted.quality) }),
        Err(why) => failed(&why),
    }
}

fn text(calls: &[KeptCall], with_quality: bool) -> String {
    if calls.is_empty() {
        return "No call is kept yet.\n".to_owned();
    }
    let mut text =
        format!("{:<19}  {:<12} {:<12} {:>7}  {:<10} Why it ended\n", "Start (UTC)", "From", "To", "Talked", "How");
    for call in calls {
        text += &line(call);
        if with_quality {
            let told = sentences(call);
            if told.is_empty() {
                text += "    no sound of it passed through the exchange, or none was kept\n";
            }
            told.iter().for_each(|sentence| text += &format!("    {sentence}\n"));
        }
    }
    text
}

fn json(calls: &[KeptCall]) -> String {
    let all = calls.iter().map(|call| {
        Object::default()
            .text("start", &call.start)
            .raw("answer", call.answer.as_deref().map_or("null".to_owned(), quoted))
            .text("end", &call.end)
            .number("duration_s", call.duration_s)
            .number("billed_s", call.billed_s)
            .text("disposition", &call.disposition)
            .text("reason", &call.reason)
            .text("ended_by", &call.ended_by)
            .text("source", &call.source)
            .text("destination", &call.destination)
            .text("channel", &call.channel)
            .text("called_channel", &call.called_channel)
            .text("unique_id", &call.unique_id)
            .text("codec", &call.codec)
            .raw("lines", array(call.lines.iter().map(|line| quality_json::line(line).end())))
            .end()
    });
    format!("{}\n", array(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::call_course::tests::a_call;

    #[test]
    fn calls_are_listed_with_their_quality_and_as_json() {
        assert_eq!(text(&[], true), "No call is kept yet.\n");
        let told = text(&[a_call(), KeptCall::default()], true);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("Start (UTC)"), "{told}");
        assert_eq!(
            lines[1],
            "2026-11-21 06:08:54  201          202            10:00  ANSWERED   the caller hung up (1795000000.0)"
        );
        assert!(lines[2].starts_with("    SIP/line1-00000000: 30000 packets received"), "{told}");
        assert!(told.contains("43.0 ppm fast against that of SIP/line2-00000001"), "{told}");
        let page = include_str!("../../docs/guides/line-quality.md");
        for line in lines.iter().take(5).map(|line| line.trim()).filter(|line| !line.contains("its clock")) {
            assert!(page.contains(line), "docs/guides/line-quality.md lacks: {line}");
        }
        assert!(lines.last().unwrap().contains("no sound of it passed"), "{told}");
        let json = json(&[a_call()]);
        assert!(json.contains("\"destination\":\"202\"") && json.contains("\"ppm\":73.000"), "{json}");
        assert_eq!(json.matches('{').count(), json.matches('}').count());
    }
}
