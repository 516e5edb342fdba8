//! The state of a channel's program: position, variables, caller ID, and lines for the log.

use super::commanded::is_commanded;
use super::dialled::is_injected;
use super::diversion::Diversion;
use super::record::RecordNotes;
use super::request::{Cause, LineEnd, Position};
use super::text_message::TextMessage;
use super::timeouts::Timeouts;
use super::view::View;
use crate::clock::Now;
use crate::config::presentation::Presentation;
use crate::datetime::zones::{TimeZone, Zones};
use crate::event::{CallEvent, Level, LogLine};
use crate::wording::outside;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Maximum number of header values that are remembered as the caller's.
const MAX_FOREIGN: usize = 16;

/// The longest text a variable holds, in bytes: as long as a line of a configuration file may be.
pub const MAX_TEXT: usize = 8191;

/// Where `CHANNEL(tonezone)` is kept when it was assigned: a name that no variable can be given.
pub const TONE_ZONE: &str = "CHANNEL(tonezone)";
/// The most variables a channel, or a `Gosub` frame, holds; further ones are refused with a warning.
pub const MAX_VARIABLES: usize = 1000;
/// The most frames of `Gosub`.
pub const MAX_FRAMES: usize = 128;
/// The most lines of log kept until the switch takes them.
const MAX_LOG: usize = 1000;
/// The most events kept until the switch takes them.
const MAX_EVENTS: usize = 100;

/// Who calls, as the dialplan sees and changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerId {
    /// `CALLERID(name)`.
    pub name: String,
    /// `CALLERID(num)`: empty for a caller without number.
    pub number: String,
    /// `CALLERID(ANI)`: the number billed, as the line's owner has it.
    pub ani: String,
    /// `CALLERID(dnid)`: the number first dialled.
    pub dnid: String,
    /// `CALLERID(rdnis)`: who forwarded the call.
    pub rdnis: String,
    /// `CALLERID(pres)`: may the number be shown?
    pub presentation: Presentation,
    /// `REDIRECTING()`: how the call was forwarded.
    pub diversion: Diversion,
}

/// How far a variable is handed on to channels that this one creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// Not at all.
    No,
    /// To the next channel only (`_NAME`).
    Once,
    /// To that channel and those it creates (`__NAME`).
    Forever,
}

#[derive(Debug, Clone)]
struct Variable {
    value: String,
    inherit: Inherit,
}

/// What a frame belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// `Gosub`: it ends with `Return`.
    Gosub,
    /// `Macro`: it ends where its context is left, or has no further priority.
    Macro {
        /// Its context.
        context: String,
        /// The lock that goes with it (`MacroExclusive`).
        lock: Option<String>,
    },
}

/// Where a subroutine goes back to, and what only this call of it sees.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) back: Position,
    pub(super) kind: FrameKind,
    /// The application, with its arguments, that goes on there.
    pub(super) then: Option<(String, String)>,
    locals: BTreeMap<String, String>,
}

/// Why a program was sent to `e`, and where it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) reason: String,
    pub(super) at: Position,
}

/// Variables that a call begins with, and that its caller's telephone wrote.
const CALLERS_VARIABLES: [&str; 4] = ["SIPCALLID", "SIPDOMAIN", "SIPURI", "SIPUSERAGENT"];

/// What interpreter and applications of one channel share.
#[derive(Debug)]
pub(super) struct State {
    /// The channel's name, for example `SIP/pap2t-client-00000000`.
    pub(super) name: String,
    pub(super) position: Position,
    pub(super) caller: CallerId,
    /// `CHANNEL(language)`.
    pub(super) language: String,
    /// `CHANNEL(musicclass)`: the class of music on hold where none is named; empty: the default one.
    pub(super) music_class: String,
    /// The channel is answered.
    pub(super) answered: bool,
    /// `HANGUPCAUSE`.
    pub(super) cause: Cause,
    /// `HANGUPCAUSE()`: how the channels ended that the latest `Dial` called.
    pub(super) called: Vec<LineEnd>,
    pub(super) frames: Vec<Frame>,
    /// The arguments of the priority that runs, as the owner wrote them.
    pub(super) written: String,
    /// The same after substitution.
    pub(super) given: String,
    /// What header fields of the caller's said that the program has read: the latest.
    pub(super) foreign: VecDeque<String>,
    /// `GROUP()`: the group of each category.
    pub(super) groups: BTreeMap<String, String>,
    /// `TIMEOUT()`.
    pub(super) timeouts: Timeouts,
    /// `EXCEPTION()`: why the program was sent to `e`.
    pub(super) exception: Option<Exception>,
    /// What the program's applications see of the exchange, while it runs.
    pub(super) view: Option<View>,
    /// Both clocks, and the time zones, as they were when the program went on.
    pub(super) now: Now,
    pub(super) zones: Arc<Zones>,
    /// The application that runs was started by `TryExec`, which survives its end.
    pub(super) trying: bool,
    /// `MacroExclusive` found its lock taken, and asks again after a while.
    pub(super) awaits_lock: bool,
    /// How deep `EVAL` is in texts of its own.
    pub(super) evaluating: usize,
    /// What it says of its record.
    pub(super) record: RecordNotes,
    /// `MESSAGE()`: the text message that it runs for, or is about to send.
    pub(super) message: TextMessage,
    variables: BTreeMap<String, Variable>,
    events: Vec<CallEvent>,
    log: Vec<LogLine>,
    unsaid: usize,
}

impl State {
    pub(super) fn new(name: &str, position: Position, caller: CallerId) -> State {
        State {
            name: name.to_owned(),
            position,
            caller,
            language: String::new(),
            music_class: String::new(),
            answered: false,
            cause: Cause::NONE,
            called: Vec::new(),
            frames: Vec::new(),
            written: String::new(),
            given: String::new(),
            foreign: VecDeque::new(),
            groups: BTreeMap::new(),
            timeouts: Timeouts::default(),
            exception: None,
            view: None,
            now: Now::default(),
            zones: Arc::default(),
            trying: false,
            awaits_lock: false,
            evaluating: 0,
            record: RecordNotes::default(),
            message: TextMessage::default(),
            events: Vec::new(),
            variables: BTreeMap::new(),
            log: Vec::new(),
            unsaid: 0,
        }
    }

    /// A variable of the innermost frame that has it, or of the channel.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variable_below(0, name)
    }

    /// The same, as it was so many calls of `Gosub` ago.
    pub(super) fn variable_below(&self, mut levels: usize, name: &str) -> Option<String> {
        for frame in self.frames.iter().rev() {
            if levels > 0 {
                levels = levels.saturating_sub(usize::from(frame.kind == FrameKind::Gosub));
                continue;
            }
            if let Some(value) = frame.locals.get(name) {
                return Some(value.clone());
            }
        }
        self.variables.get(name).map(|variable| variable.value.clone())
    }

    /// The channel's variables by name, without those of subroutines.
    pub(super) fn all_variables(&self) -> Vec<(String, String)> {
        self.variables.iter().map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }

    /// Sets a variable where it exists, else on the channel. `_` and `__` before the name say how far it is inherited.
    pub(super) fn set_variable(&mut self, name: &str, value: &str) {
        let value = bounded(value);
        let (name, inherit) = match name.strip_prefix("__") {
            Some(rest) => (rest, Inherit::Forever),
            None => match name.strip_prefix('_') {
                Some(rest) => (rest, Inherit::Once),
                None => (name, Inherit::No),
            },
        };
        if let Some(slot) = self.frames.iter_mut().rev().find_map(|frame| frame.locals.get_mut(name)) {
            *slot = value;
        } else if self.variables.len() < MAX_VARIABLES || self.variables.contains_key(name) {
            self.variables.insert(name.to_owned(), Variable { value, inherit });
        } else {
            self.warn(format!("No room for variable '{}': a channel holds at most {MAX_VARIABLES}", outside(name)));
        }
    }

    /// `TryExec` starts an application, if there is one.
    pub(super) fn begin_trial(&mut self, is_there: bool) {
        self.set_variable("TRYSTATUS", if is_there { "SUCCESS" } else { "NOAPP" });
        self.trying = is_there;
    }

    /// An application wants to end the channel: does `TryExec` keep it? Then `TRYSTATUS` says so.
    pub(super) fn take_trial(&mut self) -> bool {
        let tried = std::mem::take(&mut self.trying);
        if tried {
            self.set_variable("TRYSTATUS", "FAILED");
        }
        tried
    }

    /// Forgets a variable where it is set: in a subroutine, else on the channel.
    pub(super) fn remove_variable(&mut self, name: &str) {
        let in_frame = self.frames.iter_mut().rev().find_map(|frame| frame.locals.remove(name)).is_some();
        if !in_frame {
            self.variables.remove(name);
        }
    }

    /// Forgets the channel's variables whose name begins so; says how many.
    pub(super) fn remove_variables(&mut self, prefix: &str) -> usize {
        let before = self.variables.len();
        self.variables.retain(|name, _| !name.starts_with(prefix));
        before.saturating_sub(self.variables.len())
    }

    /// Sets a variable that goes away with the innermost call of `Gosub`; false when there is none.
    pub(super) fn set_local(&mut self, name: &str, value: &str) -> bool {
        let value = bounded(value);
        let Some(frame) = self.frames.iter_mut().rev().find(|frame| frame.kind == FrameKind::Gosub) else {
            return false;
        };
        if frame.locals.len() < MAX_VARIABLES || frame.locals.contains_key(name) {
            frame.locals.insert(name.to_owned(), value);
        }
        true
    }

    /// What a channel created by this one starts with: names with the prefix they carry there.
    pub(super) fn inherited(&self) -> Vec<(String, String)> {
        let mut handed = Vec::new();
        for (name, variable) in &self.variables {
            match variable.inherit {
                Inherit::No => {}
                Inherit::Once => handed.push((name.clone(), variable.value.clone())),
                Inherit::Forever => handed.push((format!("__{name}"), variable.value.clone())),
            }
        }
        handed
    }

    /// How many frames lie beneath that of the latest `Gosub`.
    pub(super) fn innermost_gosub(&self) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.kind == FrameKind::Gosub)
    }

    /// The next priority is next.
    pub(super) fn next(&mut self) {
        self.position.priority = self.position.priority.saturating_add(1);
    }

    /// Enters a subroutine with these variables of its own; false when there are too many frames.
    pub(super) fn push_frame(&mut self, back: Position, kind: FrameKind, locals: Vec<(String, String)>) -> bool {
        if self.frames.len() >= MAX_FRAMES {
            return false;
        }
        let locals = locals.into_iter().take(MAX_VARIABLES).map(|(name, value)| (name, bounded(&value))).collect();
        self.frames.push(Frame { back, kind, then: None, locals });
        true
    }

    /// A telephone has written this: `Dial` must be able to know it again.
    pub(super) fn note_foreign(&mut self, text: &str) {
        if self.foreign.len() >= MAX_FOREIGN {
            self.foreign.pop_front();
        }
        self.foreign.push_back(text.to_owned());
    }

    /// Does a part of a dial string come from what callers decide: the number dialled, their own number and name?
    pub(super) fn is_injected(&self, whom: &str) -> bool {
        let CallerId { name, number, dnid, rdnis, diversion, .. } = &self.caller;
        let (forwarder, first) = (&diversion.name, &diversion.original);
        let mut texts = vec![self.position.exten.as_str(), dnid, number, name, rdnis, forwarder, first];
        texts.extend(self.foreign.iter().map(String::as_str));
        is_injected(&self.written, &self.given, whom, &texts)
    }

    /// Does a part of a command come from what callers decide, and is it one that the shell acts upon? What they are asked
    /// for besides a dial string counts, too: texts they send, and what their telephone says of itself.
    pub(super) fn is_commanded(&self, command: &str) -> bool {
        let CallerId { name, number, dnid, rdnis, diversion, .. } = &self.caller;
        let (forwarder, first) = (&diversion.name, &diversion.original);
        let mut texts = vec![self.position.exten.as_str(), dnid, number, name, rdnis, forwarder, first];
        texts.extend(self.foreign.iter().map(String::as_str));
        texts.extend(CALLERS_VARIABLES.iter().filter_map(|name| Some(self.variables.get(*name)?.value.as_str())));
        let TextMessage { to, from, body, content_type, data } = &self.message;
        texts.extend([to.as_str(), from, body, content_type]);
        texts.extend(data.iter().map(|(_, value)| value.as_str()));
        is_commanded(&self.written, command, &texts)
    }

    /// Takes out of a list of sounds those whose path (`/...`) callers decide, however it came there: they are logged.
    pub(super) fn without_foreign_paths(&mut self, sounds: Vec<String>) -> Vec<String> {
        let is_foreign =
            |sound: &String| top_folder(sound).is_some_and(|top| self.says(top) && !self.written.contains(top));
        let (refused, kept): (Vec<_>, Vec<_>) = sounds.into_iter().partition(is_foreign);
        for sound in refused {
            self.warn(format!("'{}' is not played: the caller decides its path", outside(&sound)));
        }
        kept
    }

    /// Does a path (`/...`) come from what callers decide?
    pub(super) fn is_callers_path(&self, path: &str) -> bool {
        top_folder(path).is_some_and(|top| self.says(top))
    }

    /// Does this stand in what callers decide: the number dialled, their own number and name, headers?
    fn says(&self, words: &str) -> bool {
        let CallerId { name, number, dnid, rdnis, diversion, .. } = &self.caller;
        let (forwarder, first) = (&diversion.name, &diversion.original);
        let texts = [self.position.exten.as_str(), dnid, number, name, rdnis, forwarder, first];
        texts.into_iter().chain(self.foreign.iter().map(String::as_str)).any(|text| text.contains(words))
    }

    /// What goes on when the innermost subroutine returns.
    pub(super) fn then(&mut self, call: Option<(String, String)>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.then = call;
        }
    }

    /// The time zone of that name, the machine's for an empty one. An unknown name is said in the log, `who` first, and
    /// the machine's zone counts.
    pub(super) fn zone(&mut self, name: &str, who: &str) -> TimeZone {
        self.zones.find(name).unwrap_or_else(|why| {
            self.warn(format!("{who}: {why}; the machine's counts"));
            self.zones.local().clone()
        })
    }

    pub(super) fn warn(&mut self, text: String) {
        self.log(Level::Warning, text);
    }

    pub(super) fn log(&mut self, level: Level, text: String) {
        if self.log.len() < MAX_LOG {
            self.log.push(LogLine { level, text: printable(&text) });
        } else {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    /// Tells of an event; of too many at once only the first ones.
    pub(super) fn tell(&mut self, event: CallEvent) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(event);
        } else {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    /// The events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<CallEvent> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn take_log(&mut self) -> Vec<LogLine> {
        let mut lines = std::mem::take(&mut self.log);
        if self.unsaid > 0 {
            lines.push(LogLine { level: Level::Notice, text: format!("{} more lines were left out", self.unsaid) });
            self.unsaid = 0;
        }
        lines
    }
}

/// Control characters (line ends, escapes) made visible: what a caller dials must not forge a line of the log.
fn printable(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

/// The first folder of a path that begins with a slash, with the slash behind it.
fn top_folder(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    Some(rest.find('/').and_then(|end| path.get(..end.saturating_add(2))).unwrap_or(path))
}

/// The text, cut at `MAX_TEXT` bytes.
pub(super) fn bounded(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(MAX_TEXT);
    for letter in text.chars().take_while({
        let mut used = 0usize;
        move |letter| {
            used = used.saturating_add(letter.len_utf8());
            used <= MAX_TEXT
        }
    }) {
        kept.push(letter);
    }
    kept
}

/// `"Name" <number>`, `Name <number>` or a number alone; a text without digits is a name.
pub(super) fn name_and_number(text: &str) -> (String, String) {
    if let Some((name, rest)) = text.rsplit_once('<') {
        let number = rest.split('>').next().unwrap_or_default().trim();
        return (super::arguments::unquote(name.trim()), number.to_owned());
    }
    let plain = super::arguments::unquote(text);
    let is_number = plain.chars().all(|letter| letter.is_ascii_digit() || "+*#-() ".contains(letter));
    if is_number { (String::new(), plain) } else { (plain, String::new()) }
}
