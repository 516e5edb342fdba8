//! What is kept on a called line's channel of what its `Dial` wants done on it: before it is called, before it is
//! connected, and when the call ends.

use crate::clock::Time;
use crate::dialplan::dial_options::{Screening, Subroutine};
use crate::dialplan::{ChannelId, Position};
use crate::pbx::media::StreamId;
use crate::sip::timer::TimerId;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::time::Duration;

/// One thing to be done on a called line's channel.
#[derive(Debug)]
pub enum Work {
    /// A sound is played to it.
    Sound(String),
    /// Whoever answered is asked whether to be connected.
    Screen(Screening),
    /// A subroutine runs; the variable that says what follows.
    Routine(Subroutine, &'static str),
}

/// What is done on a called line's channel now, and what comes after it.
#[derive(Debug)]
pub struct CalleeWork {
    /// The line has answered.
    pub is_answered: bool,
    /// What is still to be done.
    pub rest: VecDeque<Work>,
    /// The variable that says what follows on what runs now.
    pub result: &'static str,
}

/// What a called line's channel does when the call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtEnd {
    /// Option F: when the caller has hung up, it goes on there.
    Continue(Position),
    /// Option e: `h` of that context runs for it.
    Hangup(String),
}

/// What is still to be played into a call, kept with the line that was called.
#[derive(Debug)]
pub struct Warnings {
    /// Who called.
    pub caller: ChannelId,
    /// When the call is ended.
    pub ends: Time,
    /// When the next warning is due.
    pub next: Option<TimerId>,
    /// How long after it another one.
    pub repeat: Option<Duration>,
    /// Do the caller, and the line, hear them?
    pub heard_by: [bool; 2],
    /// The sound; none: how much time is left.
    pub file: Option<String>,
    /// What is played when the time is over.
    pub last: Option<String>,
    /// In which language.
    pub language: String,
    /// The sounds that are ordered.
    pub order: Option<u64>,
    /// What is played now.
    pub playing: Vec<(StreamId, u64)>,
    /// It is the last one: the call ends with it.
    pub is_ending: bool,
}

impl Warnings {
    /// The timer that has to be stopped with the call.
    pub fn timer(&self) -> Option<TimerId> {
        self.next
    }
}

/// What its `Dial` wants done on a called line's channel.
#[derive(Debug, Default)]
pub struct CalleePart {
    /// What those who watch the line are told to call it by while it rings, so that one of them can take the call.
    pub pickup_name: Option<SmolStr>,
    /// What is done now.
    pub work: Option<Box<CalleeWork>>,
    /// What runs before the call has run, or is about to.
    pub is_prepared: bool,
    /// Whose Dial has had run what it wants run after the answer, or is about to: of those on the way to a line that a
    /// dialplan in between called, each has its own.
    pub accepted_for: Option<ChannelId>,
    /// A line that answered is sent digits (`D()` of a Dial on the way) before that: it waits for their end.
    pub after_digits: bool,
    /// The variables that the programs on it left.
    pub variables: Vec<(String, String)>,
    /// Ends the call.
    pub limit: Option<TimerId>,
    /// What is played into it before that.
    pub warnings: Option<Box<Warnings>>,
    /// What it does then.
    pub at_end: Vec<AtEnd>,
}
