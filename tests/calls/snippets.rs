//! Snippets of dialplan, each with what Asterisk 20 does with it: `tests/calls/snippets/*.txt`. Each is played through the whole
//! exchange, by telephones that dial, press and hang up, on the virtual clock.
//!
//! ```text
//! == measured 2.6: a negative offset counts from the end     who says so, and what it shows
//! exten => 1,1,Set(X=somevaluehere)                          the dialplan; without a [context] it is [default]'s
//!  same => n,NoOp(${X:-4})
//! --                                                         what happens:
//! dial 1              the caller dials
//! press 12#           the caller presses keys, one after the other
//! wait 5.5            so many seconds go by
//! hangup              the caller hangs up
//! isp answers         so does another line: answers, hangs up, is busy, presses KEYS
//! NoOp here           the next step of this application had these arguments; steps of others in between do not matter
//! only NoOp here      the same, and no other step came before it
//! none NoOp           no further step of this application was taken
//! played a&b          these sounds were played since the last `played`
//! status 486          the caller got this final response
//! says TEXT           the log has a line with this text
//! silent TEXT         and none with this
//! file NAME TEXT      there is a file with this content (\n ends a line), or it is so now
//! talks, is silent    the caller was heard, or not, for as long as the dialplan listens for
//! enough              it was listened for as long as it may be
//! up, down            the caller talks to the exchange; it has no call any more
//! ```
//!
//! The sources: `measured` (on Asterisk 20.20.1, the number is that of the notes it was kept in), `documented` (Asterisk's own help and
//! documentation, and what its own tests and log lines say), `ours` (different on purpose), `assumed` (what follows from these, or is
//! remembered).

use crate::testbed::{SIP, Testbed, WHATEVER_IS_SAID};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use strowger::pbx::recording::RecordingEnd;
use strowger::sim::PhoneEvent;

/// Who says that Asterisk does so.
const SOURCES: [&str; 4] = ["measured", "documented", "ours", "assumed"];

struct Snippet<'a> {
    place: String,
    source: &'a str,
    dialplan: String,
    happens: Vec<(usize, &'a str)>,
}

#[test]
fn snippets_do_what_they_do_in_asterisk() {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut failed = Vec::new();
    let files = files();
    for (name, text) in &files {
        for snippet in snippets(name, text) {
            *counts.entry(snippet.source).or_default() += 1;
            let place = snippet.place.clone();
            let ended = catch_unwind(AssertUnwindSafe(|| play(&snippet)));
            if let Err(why) = ended.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                failed.push(format!("{place}: {why}"));
            }
        }
    }
    let total: usize = counts.values().sum();
    eprintln!("{total} snippets of dialplan: {counts:?}");
    assert!(failed.is_empty(), "{} of {total} snippets:\n{}", failed.len(), failed.join("\n"));
    assert!(total >= 200, "{total} snippets");
}

fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/calls/snippets");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "txt"))
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn snippets<'a>(file: &str, text: &'a str) -> Vec<Snippet<'a>> {
    let mut found: Vec<Snippet<'a>> = Vec::new();
    let mut happens = false;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(head) = line.strip_prefix("== ") {
            let source = head.split([' ', ':', ',']).next().unwrap();
            let place = format!("{file}:{number} ({head})");
            assert!(SOURCES.contains(&source), "{place}: no source");
            found.push(Snippet { place, source, dialplan: String::new(), happens: Vec::new() });
            happens = false;
            continue;
        }
        let Some(snippet) = found.last_mut() else { continue };
        match line.trim() {
            "" => {}
            "--" => happens = true,
            text if happens => snippet.happens.push((number, text)),
            _ => {
                if snippet.dialplan.is_empty() && !line.starts_with('[') {
                    snippet.dialplan.push_str("[default]\n");
                }
                snippet.dialplan.push_str(line);
                snippet.dialplan.push('\n');
            }
        }
    }
    found
}

/// What was seen of a call so far.
struct Seen {
    world: Testbed,
    /// Steps and log lines already looked at.
    line: usize,
    played: usize,
}

fn play(snippet: &Snippet<'_>) -> Result<(), String> {
    let dialplan = format!("{WHATEVER_IS_SAID}{}", snippet.dialplan);
    let mut seen = Seen { world: Testbed::ready(SIP, &dialplan), line: 0, played: 0 };
    seen.world.silent = true;
    seen.world.sounds.has_all = true;
    seen.world.files = Some(BTreeMap::new());
    for (number, text) in &snippet.happens {
        seen.happens(text).map_err(|why| format!("line {number}, {text}: {why}"))?;
    }
    let world = &mut seen.world;
    let callers: Vec<String> =
        world.stations.iter().filter(|(_, it)| it.phone.has_call()).map(|(name, _)| name.clone()).collect();
    for name in callers {
        world.phone(&name).hangs_up();
    }
    world.until_over();
    world.run(Duration::from_secs(40));
    world.assert_nothing_left();
    Ok(())
}

impl Seen {
    fn happens(&mut self, text: &str) -> Result<(), String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (word, rest) {
            ("dial", number) => self.world.phone("client").dials(number),
            ("press", keys) => self.press("client", keys),
            ("wait", seconds) => self.world.run(Duration::from_secs_f64(seconds.parse().unwrap())),
            ("hangup", "") => self.world.phone("client").hangs_up(),
            ("file", file) => {
                let (name, text) = file.split_once(' ').unwrap_or((file, ""));
                let text = text.replace("\\n", "\n").into_bytes();
                let files = self.world.files.get_or_insert_default();
                let known = files.entry(name.to_owned()).or_insert_with(|| text.clone());
                return if *known == text { Ok(()) } else { Err(String::from_utf8_lossy(known).into_owned()) };
            }
            ("talks", "") | ("is", "silent") => self.world.end_recordings(&RecordingEnd::Until),
            ("enough", "") => self.world.end_recordings(&RecordingEnd::Max),
            ("none", app) => {
                let taken: Vec<_> = self.steps().into_iter().filter(|(_, name, _)| name == app).collect();
                return if taken.is_empty() { Ok(()) } else { Err(format!("{taken:?}")) };
            }
            ("only", step) => {
                let (app, args) = step.split_once(' ').unwrap_or((step, ""));
                return self.step(app, args, true);
            }
            ("played", names) => return self.played(names),
            ("status", code) => {
                let code = code.parse().unwrap();
                if !self.world.saw("client", &PhoneEvent::Failed(code)) {
                    return Err(format!("{:?}", self.world.stations["client"].events));
                }
            }
            ("says", text) if !self.world.has_line(text) => return Err(self.log()),
            ("silent", text) if self.world.has_line(text) => return Err(self.log()),
            ("says" | "silent", _) => {}
            ("up", "") if !self.world.is_talking("client") => return Err("the caller does not talk".to_owned()),
            ("down", "") if self.world.look("client").has_call() => return Err("the caller has a call".to_owned()),
            ("up" | "down", "") => {}
            (line @ ("isp" | "desk" | "cisco"), what) => self.line(line, what),
            (app, args) => return self.step(app, args, false),
        }
        self.world.run(Duration::from_millis(100));
        Ok(())
    }

    fn line(&mut self, line: &str, what: &str) {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("answers", _) => self.world.phone(line).answers(),
            ("hangs", "up") => self.world.phone(line).hangs_up(),
            ("is", "busy") => self.world.phone(line).habit(|habits| habits.refuse = Some(486)),
            ("presses", keys) => self.press(line, keys),
            _ => panic!("{line} {what}: what is that?"),
        }
    }

    fn press(&mut self, line: &str, keys: &str) {
        for key in keys.chars() {
            self.world.phone(line).presses(key);
            self.world.run(Duration::from_millis(200));
        }
    }

    /// The steps that were not looked at: at which line of the log, the application, its arguments.
    fn steps(&self) -> Vec<(usize, String, String)> {
        let lines = self.world.lines.iter().enumerate().skip(self.line);
        lines
            .filter_map(|(at, (_, line))| {
                let step = line.split_once("Executing [")?.1.split_once("] ")?.1;
                let (app, rest) = step.split_once('(')?;
                let args = rest.split_once("\", \"")?.1.strip_suffix("\") in new stack")?;
                Some((at, app.to_owned(), args.to_owned()))
            })
            .collect()
    }

    fn step(&mut self, app: &str, args: &str, only: bool) -> Result<(), String> {
        let steps = self.steps();
        let next = if only { steps.first() } else { steps.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(app)) };
        match next {
            Some((at, name, given)) if name.eq_ignore_ascii_case(app) && given == args => {
                self.line = at + 1;
                Ok(())
            }
            Some((_, name, given)) => Err(format!("the next one was {name}({given})")),
            None => Err(format!("there was no such step; {}", self.log())),
        }
    }

    fn played(&mut self, names: &str) -> Result<(), String> {
        let prompts = &self.world.prompts;
        let new: Vec<&str> = prompts.iter().skip(self.played).map(|(_, names)| names.as_str()).collect();
        let new = new.join("&");
        self.played = prompts.len();
        if new == names { Ok(()) } else { Err(format!("{new} was played")) }
    }

    fn log(&self) -> String {
        let lines: Vec<&str> = self.world.lines.iter().map(|(_, line)| line.as_str()).collect();
        format!("the log:\n    {}", lines.join("\n    "))
    }
}
