//! What a program has done outside of the switch: commands, fetches, and talks with scripts. Nobody waits for any of it
//! but the channel that asked.

use super::files::FileRequest;
use super::located::{HostQuery, Located};
use crate::audio::sound::Sound;
use std::time::Duration;

/// A talk with a program that steers the call (AGI), for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TalkId(pub u64);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideRequest {
    /// Run a command of the dialplan.
    Command(Command),
    /// Fetch a page.
    Fetch(Fetch),
    /// Read or write a file.
    File(FileRequest),
    /// Make sound of a text.
    Speak(Speech),
    /// Find the servers of a host that a `Dial` names.
    Locate(HostQuery),
    /// Begin a talk with a program.
    Open(Opening),
    /// Give it what it is told next, and wait for its next line.
    Exchange(Exchange),
    /// The talk is over.
    Close {
        /// Which.
        talk: TalkId,
        /// Tell a program that still runs so.
        signal: bool,
    },
}

/// A command for the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// As the shell reads it.
    pub text: String,
    /// What it prints is wanted, not how it ends.
    pub wants_output: bool,
}

/// A page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where.
    pub url: String,
    /// Sent as a form, when there is something to send.
    pub post: Option<String>,
    /// How long to wait for the connection.
    pub connect: Duration,
    /// How long all of it may take.
    pub total: Duration,
    /// Is the server's certificate looked at?
    pub verify: bool,
    /// How many times it may be sent elsewhere.
    pub redirects: u8,
    /// Further header lines.
    pub headers: Vec<String>,
}

/// A text to make sound of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The text.
    pub text: String,
    /// The program to take: `festival`, `flite`, `espeak` or `pico`; empty: the first that is installed.
    pub program: String,
    /// The language, `en`; empty: the program's own.
    pub language: String,
}

/// A program to talk with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// A script's name or path, or `agi://host[:port][/path]`.
    pub program: String,
    /// The script's arguments.
    pub arguments: Vec<String>,
    /// What it is told first.
    pub first: String,
}

/// A step of a talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which talk.
    pub talk: TalkId,
    /// What the program is told.
    pub tell: String,
    /// The channel is hung up already.
    pub hung_up: bool,
    /// What the program learns of the hang-up, when it comes.
    pub at_hangup: AtHangup,
}

/// What happens to a program when the channel is hung up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtHangup {
    /// It is told: a script by SIGHUP, a FastAGI server by a line.
    pub signal: bool,
    /// The talk ends.
    pub end: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideReply {
    /// It was not begun: why, and what to do.
    Refused(String),
    /// How the command ended, and what it printed. No status: it could not be run, or was stopped: why.
    Ran {
        /// Its exit status.
        status: Result<i32, String>,
        /// What it printed, when that was wanted.
        output: String,
    },
    /// What was fetched, or why nothing was.
    Fetched(Result<String, String>),
    /// What was read of the file (nothing, when it was written), or why not.
    File(Result<String, String>),
    /// Where the host is, or why that is not known.
    Located(Result<Vec<Located>, String>),
    /// The sound, or why there is none.
    Spoken(Result<Sound, String>),
    /// The talk has begun, or why not.
    Opened(Result<TalkId, NotOpened>),
    /// The program's next line, or the end of the talk.
    Line(Result<String, TalkEnd>),
    /// The talk is closed; the last of what the program said to nobody (its standard error), for the log.
    Closed(String),
}

/// Why a talk did not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOpened {
    /// There is no such script: where it was looked for.
    NotFound(String),
    /// It could not be started or reached: why.
    Failed(String),
}

/// How a talk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TalkEnd {
    /// The program said no more.
    Silent,
    /// The channel is hung up, and the talk ends with it.
    HungUp,
    /// It was stopped: why.
    Stopped(String),
}
