//! Requests of a running dialplan program to the switch, and the replies.

use super::dial_options::DialOptions;
use super::dial_string::DialString;
use super::digits::{DigitRow, Digits};
use super::handover::{CourtesyTone, NotPickedUp, ParkRequest, ParkedAt, ParkedPlace, PickupTarget};
use super::located::{HostQuery, Located};
use super::outside::{OutsideReply, OutsideRequest};
use super::recording::{RecordReply, RecordRequest, TapRequest, Tapped};
use super::spying::{SpyReply, SpyRequest};
use super::test_signal::{SignalReply, TestSignal};
use super::text_message::{NotSent, TextMessage};
use crate::audio::sound::Sound;
use crate::wording::outside;
use std::collections::BTreeMap;
use std::time::Duration;

/// A channel, as the switch numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

/// Why a call ended: a Q.850 cause; 0 when there is none to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cause(pub u16);

impl Cause {
    /// No cause: an unanswered caller is declined (603).
    pub const NONE: Cause = Cause(0);
    /// Normal clearing.
    pub const NORMAL: Cause = Cause(16);
    /// User busy.
    pub const BUSY: Cause = Cause(17);
    /// No answer from the user.
    pub const NO_ANSWER: Cause = Cause(19);
    /// No circuit available.
    pub const CONGESTION: Cause = Cause(34);
    /// Nothing both sides can speak.
    pub const NOT_ACCEPTABLE: Cause = Cause(58);
}

/// A place in the dialplan: the extension is the number as dialled, not the pattern that matches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The context.
    pub context: String,
    /// The extension.
    pub exten: String,
    /// The priority, from 1.
    pub priority: u32,
}

impl Position {
    /// The position `context`, `exten`, `priority`.
    pub fn new(context: &str, exten: &str, priority: u32) -> Position {
        Position { context: context.to_owned(), exten: exten.to_owned(), priority }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}:{}", outside(&self.exten), outside(&self.context), self.priority)
    }
}

/// How long `Busy()` and `Congestion()` without a time wait: until somebody hangs up.
pub const UNTIL_HANGUP: Duration = Duration::from_secs(u32::MAX as u64);

/// What an application requests of the switch. The switch replies with the `AppReply` of the same verb (`ask.rs` has
/// the pairs), or the request ends by a hang-up or redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppRequest {
    /// Wait.
    Wait(Duration),
    /// Answer the channel; the reply comes at once when it is answered already.
    Answer,
    /// Indicate the state of the call to the caller; the reply comes at once.
    Indicate(Tone),
    /// Play a tone, by its name or as a list of tones, until another sound, a bridge or the next such request; none:
    /// stop it. The reply comes at once.
    PlayTone(Option<String>),
    /// Play music on hold of this class (empty: the default one) until another sound, a bridge or the next such request;
    /// none: stop it. The reply comes at once.
    Music(Option<String>),
    /// Record the caller until something ends it.
    Record(RecordRequest),
    /// Begin or end a recording beside the call; the reply comes at once.
    Tap(TapRequest),
    /// Play sounds in order.
    Play(PlayRequest),
    /// The same, beside what the program does next: the reply comes when they begin. A sound, a bridge or `PlayTone(None)`
    /// ends them.
    PlayBeside(PlayRequest),
    /// The same from there on, of the first of them; the reply says how far it came.
    PlayFrom(PlayRequest, Duration),
    /// Play this sound until it ends, or one of these digits comes; the reply is that of `Play`.
    PlaySound(Sound, Digits),
    /// Wait for a digit, for so long.
    Digit(Duration),
    /// Look at a PIN that the caller typed.
    Pin(PinRequest),
    /// Call telephones that are to hear this one; the reply comes when the first has answered, or none will.
    Page(Box<PageRequest>),
    /// Let them hear it; the reply comes when none is left.
    TalkToPage,
    /// Find a channel that may be listened to, listen to it, or listen no more.
    Spy(SpyRequest),
    /// Call peers and connect the first that answers.
    Dial(DialRequest),
    /// Send a telephone digits.
    SendDigits(SendDigitsRequest),
    /// Send the telephone elsewhere.
    Transfer(String),
    /// From now on the digits of the channel go and come so (`SIPDtmfMode`).
    DtmfMode(String),
    /// Begin another call.
    Originate(Box<OriginateRequest>),
    /// Say in what state these lines are; the reply comes at once.
    LineStates(Vec<DialTarget>),
    /// Hang up another channel, by its name; the reply comes at once.
    HangUp(HangUpRequest),
    /// Answer in place of a line that rings: the first that is found. There is a reply only when none is: otherwise the
    /// program is over.
    PickUp(Vec<PickupTarget>),
    /// Park the channel; the reply comes at once.
    Park(ParkRequest),
    /// Wait for so long to be taken back by somebody; the reply, that of `Wait`, comes when nobody did.
    WaitParked(Duration),
    /// Is there a call in that place? The reply comes at once.
    FindParked(ParkedPlace),
    /// Talk with the call in that place; the reply is that of `Dial`.
    TakeParked(ParkedPlace),
    /// Send the caller's audio back until the channel is hung up.
    Echo,
    /// Send a signal by which a line is measured, until something ends it.
    TestSignal(TestSignal),
    /// Send a line a text message; the reply comes at once.
    SendText(Box<TextMessage>),
    /// Send the caller a text within the call; the reply comes at once, as that of `SendText`.
    SendToCaller(String),
    /// Have something done outside of the switch. A hang-up does not end it.
    Outside(OutsideRequest),
}

/// The state of a call, as indicated to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It rings (180).
    Ringing,
    /// There is progress, early media (183).
    Progress,
    /// Busy (486 before the answer, busy tone after it).
    Busy,
    /// Congestion (503 before the answer, congestion tone after it).
    Congestion,
}

/// Sounds to play, one after the other without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlayRequest {
    /// Their names, without extension.
    pub sounds: Vec<String>,
    /// Digits that end them at once.
    pub stop_on: Digits,
    /// The language to look for them in first, `en`; empty: the exchange's own.
    pub language: String,
}

/// What `SendDTMF` requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendDigitsRequest {
    /// The digits.
    pub row: DigitRow,
    /// The channel whose telephone gets them, by name; `None`: the program's own.
    pub channel: Option<String>,
}

/// What `Dial` requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialRequest {
    /// Whom to ring, all at once; never empty.
    pub targets: Vec<DialTarget>,
    /// How long to ring; `None`: until somebody gives up.
    pub timeout: Option<Duration>,
    /// How.
    pub options: DialOptions,
    /// What was found of hosts that are no peers, by name; why nothing was.
    pub located: BTreeMap<HostQuery, Result<Vec<Located>, String>>,
}

/// One `technology/resource`, for example `SIP/pap2t-client`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialTarget {
    /// `SIP` and the like, as written; compare it without case.
    pub technology: String,
    /// All behind the first `/`.
    pub resource: String,
}

impl DialTarget {
    /// Reads `technology/resource`; `None` when one of them is missing.
    pub fn parse(text: &str) -> Option<DialTarget> {
        let (technology, resource) = text.trim().split_once('/')?;
        let is_whole = !technology.is_empty() && !resource.is_empty();
        is_whole.then(|| DialTarget { technology: technology.to_owned(), resource: resource.to_owned() })
    }

    /// All that it says.
    pub fn said(&self) -> DialString<'_> {
        DialString::parse(&self.resource)
    }

    /// The peer, and the extension to call there: `peer`, `peer/extension` or `extension@peer`.
    pub fn line(&self) -> (&str, Option<&str>) {
        let read = self.said();
        (read.line, Some(read.number).filter(|number| !number.is_empty()))
    }
}

impl std::fmt::Display for DialTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let read = self.said();
        let has_secret = !(read.login.password.is_empty() && read.login.md5.is_empty());
        if !has_secret || !self.technology.eq_ignore_ascii_case("SIP") {
            return write!(f, "{}/{}", self.technology, self.resource);
        }
        // Whoever reads the log is not shown the password.
        let (whom, marks) = self.resource.split_at(self.resource.find('!').unwrap_or(self.resource.len()));
        let at = whom.rfind(&format!("@{}", read.line)).unwrap_or(whom.len());
        write!(f, "{}/{}{}{marks}", self.technology, read.number, whom.get(at..).unwrap_or_default())
    }
}

/// Many telephones are to hear one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageRequest {
    /// Whom to call, all at once.
    pub targets: Vec<DialTarget>,
    /// How long they may ring; `None`: as long as the page lasts.
    pub timeout: Option<Duration>,
    /// They are heard, too: by the caller, and by each other.
    pub duplex: bool,
    /// Leave out lines that have a call.
    pub only_idle: bool,
    /// What each is played before it hears the caller.
    pub announcement: Option<String>,
    /// How they are called.
    pub options: DialOptions,
}

/// How a page goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageReply {
    /// The first telephone is there.
    Connected,
    /// None can be called, none has answered, or all have hung up.
    Over,
}

/// What the line that answers has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The dialplan from there on.
    Extension(Position),
    /// One application, with its arguments.
    Application(String, String),
    /// A part in the page of this channel: only `Page` asks for that.
    Page(ChannelId),
}

/// A call to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginateRequest {
    /// Whom to call.
    pub target: DialTarget,
    /// What it has when it answers.
    pub goal: Goal,
    /// How long it rings.
    pub timeout: Duration,
    /// The name and number of who is said to call.
    pub caller: (String, String),
    /// Variables of its channel; `_` and `__` before a name say how far they are inherited.
    pub variables: Vec<(String, String)>,
    /// `accountcode` of its record; empty: that of the line.
    pub account: String,
    /// How it is called.
    pub options: DialOptions,
    /// Whoever asked waits until the line has answered or has not.
    pub waits: bool,
    /// Names it in what is told of how it went; 0: nobody asks.
    pub ticket: u64,
}

impl OriginateRequest {
    /// A call that nobody waits for.
    pub fn new(target: DialTarget, goal: Goal, timeout: Duration) -> OriginateRequest {
        OriginateRequest {
            target,
            goal,
            timeout,
            caller: Default::default(),
            variables: Vec::new(),
            account: String::new(),
            options: DialOptions::default(),
            waits: false,
            ticket: 0,
        }
    }
}

/// How a call went that the exchange began: `ORIGINATE_STATUS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginateStatus {
    /// The line answered.
    Success,
    /// It could not be called, or refused.
    Failed,
    /// It is busy.
    Busy,
    /// No way through.
    Congestion,
    /// It rang, and nobody picked up.
    Ringing,
}

impl OriginateStatus {
    /// The word in `ORIGINATE_STATUS`.
    pub fn name(self) -> &'static str {
        match self {
            OriginateStatus::Success => "SUCCESS",
            OriginateStatus::Failed => "FAILED",
            OriginateStatus::Busy => "BUSY",
            OriginateStatus::Congestion => "CONGESTION",
            OriginateStatus::Ringing => "RINGING",
        }
    }
}

/// The switch's reply to a request: one variant for each verb of `AppRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppReply {
    /// The time is over.
    Waited,
    /// The channel is answered, or why it could not be, for the log.
    Answered(Result<(), String>),
    /// The caller is shown the state of the call, or why it could not be, for the log.
    Indicated(Result<(), String>),
    /// The tone is played, or why it could not be, for the log.
    PlaysTone(Result<(), String>),
    /// The music is ordered, or why it cannot be played, for the log.
    PlaysMusic(Result<(), String>),
    /// How a recording ended.
    Recorded(RecordReply),
    /// The recording beside the call was begun or ended, or why it could not be.
    Tapped(Result<Tapped, String>),
    /// How far the sounds were played.
    Played(Played),
    /// The sounds have begun: how long they are; or why they could not be, for the log.
    PlaysBeside(Result<Duration, String>),
    /// The same, and where they stopped.
    PlayedFrom(PlayedFrom),
    /// The digit that came; none in that time.
    Digit(Option<char>),
    /// What a PIN is worth.
    Pin(PinVerdict),
    /// How a page goes.
    Paged(PageReply),
    /// How listening to another channel goes.
    Spied(SpyReply),
    /// How a `Dial` went.
    Dialed(DialReport),
    /// The digits were sent, or why not all of them were, for the log.
    DigitsSent(Result<(), String>),
    /// The text message is on its way, or kept for a line that is not there; or why it is not.
    TextSent(Result<(), NotSent>),
    /// Whether the telephone arrived where it was sent, or why it cannot be asked.
    Transferred(Result<bool, String>),
    /// It is so, or why not, for the log.
    DtmfModeSet(Result<(), String>),
    /// How the other call began.
    Originated(OriginateStatus),
    /// The states of the lines, in their order: 1 not in use, 2 in use, 3 busy, 4 no such line, 5 unavailable.
    LineStates(Vec<u8>),
    /// So many channels are hung up.
    HungUp(usize),
    /// Nothing was picked up.
    NotPickedUp(NotPickedUp),
    /// Where the channel is parked, or why it is not, for the log.
    Parked(Result<Box<ParkedAt>, String>),
    /// There is a call, with the sound that is played to who takes it; none: there is none.
    ParkedFound(Option<CourtesyTone>),
    /// The echo ended.
    Echoed,
    /// How a signal ended by which a line is measured.
    SignalEnded(SignalReply),
    /// What came of what was done outside.
    Outside(OutsideReply),
}

/// Which channels are to be hung up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HangUpRequest {
    /// The name of a channel (`SIP/kitchen-00000001`), or of a line (`SIP/kitchen`).
    pub name: String,
    /// All channels of the line, rather than the first.
    pub all: bool,
}

/// A PIN to be looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct PinRequest {
    /// What the caller typed; `None`: only whether the caller is locked out is asked.
    pub typed: Option<String>,
    /// What is right.
    pub right: PinSource,
}

/// What was typed is a secret.
impl std::fmt::Debug for PinRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.typed.is_some() { "PinRequest(hidden)" } else { "PinRequest(locked out?)" })
    }
}

/// Which PINs are right.
#[derive(Clone, PartialEq, Eq)]
pub enum PinSource {
    /// This one.
    Pin(String),
    /// The first field of each line of this file, with what follows behind a comma.
    Lines(String),
    /// `account:MD5 of the PIN` on each line of this file.
    Hashes(String),
    /// The keys of this family of the database; `take`: each counts once.
    Database {
        /// The family.
        family: String,
        /// Removes the key.
        take: bool,
    },
}

/// What a PIN is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinVerdict {
    /// It is right, or the caller may type one; with what its line of the file says beside it: the fields behind the
    /// PIN, or the account.
    Right(String),
    /// It is wrong.
    Wrong,
    /// It was not looked at: the caller is locked out for so long.
    Locked(Duration),
    /// It cannot be looked at: why, for the log.
    Unusable(String),
}

/// How far sounds were played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Played {
    /// All of them, to their end.
    All,
    /// This digit ended them.
    Digit(char),
    /// All of them but some that do not exist or cannot be read, which was logged: the name of the first.
    Missing(String),
    /// It could not be done: why, for the log.
    Failed(String),
}

/// How far sounds were played that did not begin at their beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedFrom {
    /// How they ended.
    pub played: Played,
    /// Where, from the beginning of the sounds.
    pub position: Duration,
}

/// How a `Dial` went. When the caller hangs up after the answer, the switch gives this before `Program::hang_up`,
/// so that `h` finds the times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialReport {
    /// The outcome.
    pub status: DialStatus,
    /// From the first INVITE to the end of the call.
    pub dialed: Duration,
    /// From the answer to the end of the call; zero without an answer.
    pub answered: Duration,
    /// The channel that answered, for example `SIP/pap2t-client-00000001`; empty without one.
    pub peer_name: String,
    /// What was dialled to reach it: the target's resource.
    pub peer_number: String,
    /// Q.850 cause; 0 when there is none.
    pub hangup_cause: u16,
    /// The callee ended an answered call.
    pub callee_hung_up: bool,
    /// The same in plain words, for people.
    pub reason: String,
    /// How each channel ended that was called.
    pub lines: Vec<LineEnd>,
}

/// How a channel ended that `Dial` called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEnd {
    /// Its name.
    pub channel: String,
    /// The Q.850 cause.
    pub cause: u16,
    /// What its telephone answered, `486 Busy Here`; empty when it did not.
    pub said: String,
}

/// `DIALSTATUS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialStatus {
    /// Somebody answered.
    Answer,
    /// Nobody answered in time.
    NoAnswer,
    /// Busy.
    Busy,
    /// No way through.
    Congestion,
    /// Not registered, unreachable or unknown.
    ChanUnavail,
    /// The caller gave up.
    Cancel,
    /// Whoever answered, or the database, sent the caller away (options `p` and `P`).
    DontCall,
    /// The same, to be annoyed.
    Torture,
    /// The arguments of `Dial` make no sense.
    InvalidArgs,
}

impl DialStatus {
    /// The name in `DIALSTATUS`.
    pub fn name(self) -> &'static str {
        match self {
            DialStatus::Answer => "ANSWER",
            DialStatus::NoAnswer => "NOANSWER",
            DialStatus::Busy => "BUSY",
            DialStatus::Congestion => "CONGESTION",
            DialStatus::ChanUnavail => "CHANUNAVAIL",
            DialStatus::Cancel => "CANCEL",
            DialStatus::DontCall => "DONTCALL",
            DialStatus::Torture => "TORTURE",
            DialStatus::InvalidArgs => "INVALIDARGS",
        }
    }
}

/// Why an application must end now. Every later request of it returns the same at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupted {
    /// The channel is hung up.
    Hangup(Cause),
    /// The channel goes on elsewhere in the dialplan.
    Redirect(Position),
}
