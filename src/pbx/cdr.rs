//! Call records: what is kept of a call when it is over.

use super::cause;
use super::failure::{self, Failure, FailureReason};
use crate::clock::{Time, Wall};
use crate::dialplan::DialStatus;
use crate::dialplan::record::{AmaFlags, RecordNotes};
use crate::event::Level;
use std::net::SocketAddr;
use std::time::Duration;

/// A call that is over. Texts may come from the network: whoever writes them escapes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cdr {
    /// `accountcode=` of the caller's peer.
    pub account: String,
    /// The caller's number.
    pub source: String,
    /// The caller's name.
    pub caller_name: String,
    /// The number dialled.
    pub destination: String,
    /// The context the call entered.
    pub context: String,
    /// The caller's channel.
    pub channel: String,
    /// The channel that answered, or that was tried last; empty when no line was called.
    pub called_channel: String,
    /// The application that ran last, of those that take time.
    pub application: String,
    /// Its arguments.
    pub data: String,
    /// When the call came.
    pub start: Wall,
    /// When the caller's line was answered.
    pub answer: Option<Wall>,
    /// When the call ended.
    pub end: Wall,
    /// From the start to the end.
    pub duration: Duration,
    /// From the answer to the end; zero without an answer.
    pub billed: Duration,
    /// How it went.
    pub disposition: Disposition,
    /// Who ended it.
    pub ended_by: HangupBy,
    /// `seconds.number` of the caller's channel.
    pub unique_id: String,
    /// Where the caller's phone received its sound.
    pub caller_rtp: Option<SocketAddr>,
    /// Where the called phone did.
    pub called_rtp: Option<SocketAddr>,
    /// The caller's codec; empty when none was agreed on.
    pub codec: String,
    /// Why it ended, or was not answered, in plain words.
    pub reason: String,
    /// What it is for: `amaflags`.
    pub ama_flags: AmaFlags,
    /// What the dialplan wrote into it: `userfield`.
    pub user_field: String,
}

/// How a call went, in the words of Asterisk's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Somebody, or the exchange itself, answered.
    Answered,
    /// Nobody did, or the caller gave up.
    NoAnswer,
    /// The called line was busy.
    Busy,
    /// The called line could not be reached.
    Failed,
    /// No way through.
    Congestion,
}

impl Disposition {
    /// The word in the record.
    pub fn name(self) -> &'static str {
        match self {
            Disposition::Answered => "ANSWERED",
            Disposition::NoAnswer => "NO ANSWER",
            Disposition::Busy => "BUSY",
            Disposition::Failed => "FAILED",
            Disposition::Congestion => "CONGESTION",
        }
    }

    fn of(status: Option<DialStatus>, hangup_cause: u16) -> Disposition {
        match status {
            Some(DialStatus::Busy) => Disposition::Busy,
            Some(DialStatus::Congestion) => Disposition::Congestion,
            Some(DialStatus::ChanUnavail | DialStatus::InvalidArgs) => Disposition::Failed,
            Some(
                DialStatus::NoAnswer
                | DialStatus::Cancel
                | DialStatus::DontCall
                | DialStatus::Torture
                | DialStatus::Answer,
            ) => Disposition::NoAnswer,
            None => match hangup_cause {
                cause::BUSY => Disposition::Busy,
                cause::CONGESTION | 42 => Disposition::Congestion,
                0 | cause::NORMAL | cause::NO_ANSWER => Disposition::NoAnswer,
                _ => Disposition::Failed,
            },
        }
    }
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangupBy {
    /// The caller hung up or gave up.
    Caller,
    /// The called line hung up.
    Callee,
    /// The dialplan, the console, or a timer.
    Exchange,
}

impl HangupBy {
    /// The word in the record.
    pub fn name(self) -> &'static str {
        match self {
            HangupBy::Caller => "caller",
            HangupBy::Callee => "called",
            HangupBy::Exchange => "exchange",
        }
    }
}

/// What a caller's channel notes for its record while the call goes on.
#[derive(Debug, Clone, Default)]
pub struct CdrBuilder {
    /// The account of its record, when it is not that of the line.
    pub account: Option<String>,
    /// The called line's channel.
    pub called_channel: String,
    /// The application that runs, and its arguments.
    pub application: (String, String),
    /// How the latest Dial ended unanswered.
    pub unanswered: Option<DialStatus>,
    /// Why this call did not come to be, or did not go on, as it happened; at most [`MAX_REASONS`].
    failures: Vec<Failure>,
    /// What was wrong with the sound, in plain words.
    sound: Vec<String>,
    /// What the dialplan says of it.
    pub notes: RecordNotes,
    /// A called line answered.
    pub connected: bool,
    /// Both phones' addresses and the codec, as far as they are known.
    pub caller_rtp: Option<SocketAddr>,
    /// See `caller_rtp`.
    pub called_rtp: Option<SocketAddr>,
    /// See `caller_rtp`.
    pub codec: String,
    end: Option<(Time, HangupBy, u16)>,
}

/// What of a channel the record needs besides what its builder holds.
pub struct Facts<'a> {
    /// Whose record it is.
    pub account: &'a str,
    /// The caller's name and number, as the dialplan left them.
    pub caller: (String, String),
    /// The context and the number dialled.
    pub entered: (String, String),
    /// The channel's name and unique id.
    pub channel: (&'a str, &'a str),
    /// When it began, on both clocks.
    pub began: (Time, Wall),
    /// When it was answered.
    pub answered: Option<Time>,
}

/// Maximum number of reasons kept of one call: a dialplan that dials in a loop makes no more.
const MAX_REASONS: usize = 16;

impl CdrBuilder {
    /// Notes why something of this call failed. It is logged when the call is over.
    pub fn add_failures(&mut self, failures: impl IntoIterator<Item = Failure>) {
        let room = MAX_REASONS.saturating_sub(self.failures.len());
        self.failures.extend(failures.into_iter().take(room));
    }

    /// Notes what is wrong with the sound of one of its lines.
    pub fn add_sound(&mut self, text: &str) {
        if self.sound.len() < MAX_REASONS {
            self.sound.push(text.to_owned());
        }
    }

    /// Is it known already why this call fails?
    pub fn is_explained(&self) -> bool {
        !self.failures.is_empty()
    }

    /// What there is to tell of a call that is over, besides that it is: who should see it, and why.
    pub fn story(&self) -> Option<(Level, String)> {
        // A hunt that found somebody in the end is no failure.
        let failures: Vec<Failure> =
            self.failures.iter().filter(|failure| !self.connected || is_an_end(failure)).cloned().collect();
        let loudest = failures.iter().map(Failure::level).max_by_key(|level| loudness(*level))?;
        Some((loudest, failure::join_texts(&failures)))
    }

    /// The call is over for a Q.850 cause; only the first to say so counts.
    pub fn end(&mut self, at: Time, by: HangupBy, hangup_cause: u16) {
        self.end.get_or_insert((at, by, hangup_cause));
    }

    /// The same, for a record that ended before its call.
    pub fn ended_at(self, at: Time) -> CdrBuilder {
        CdrBuilder { end: Some((at, HangupBy::Exchange, cause::NORMAL)), ..self }
    }

    /// When the call ended, if it has.
    pub fn ended(&self) -> Option<Time> {
        self.end.map(|(at, ..)| at)
    }

    /// How it went so far.
    pub fn disposition(&self, is_answered: bool) -> Disposition {
        match (is_answered, self.end) {
            (true, _) => Disposition::Answered,
            (false, Some((_, HangupBy::Caller, _))) if self.unanswered.is_none() => Disposition::NoAnswer,
            (false, end) => Disposition::of(self.unanswered, end.map_or(cause::NORMAL, |(.., cause)| cause)),
        }
    }

    /// The cause of its end and what failed last: what is passed on where it was called as a line is.
    pub fn outcome(&self) -> (u16, Option<Failure>) {
        let cause = self.end.map(|(.., cause)| cause).filter(|cause| *cause != 0).unwrap_or(cause::NORMAL);
        (cause, self.failures.last().map(|failure| Failure { cause, ..failure.clone() }))
    }

    /// The record. All its times are the beginning's and what the monotonic clock counted since: a wall clock that
    /// jumps in mid-call bends none of them.
    pub fn record(self, now: Time, facts: Facts<'_>) -> Cdr {
        let (ended, ended_by, hangup_cause) = self.end.unwrap_or((now, HangupBy::Exchange, cause::NORMAL));
        let again = self.notes.begun_again;
        let (began, start) = again.map_or(facts.began, |again| (again.mono, again.wall));
        let counts_from = self.notes.answered_again.map_or(began, |again| again.mono.max(began));
        let answered = facts.answered.map(|at| at.max(counts_from)).filter(|at| *at <= ended);
        let wall = |at: Time| {
            let since = i64::try_from(at.since(began).as_millis()).unwrap_or(i64::MAX);
            Wall(start.0.saturating_add(since))
        };
        let why = self.story().map(|(_, why)| why);
        let unanswered = matches!(ended_by, HangupBy::Caller) && self.unanswered.is_none();
        let disposition = match facts.answered {
            Some(_) => Disposition::Answered,
            None if unanswered => Disposition::NoAnswer,
            None => Disposition::of(self.unanswered, hangup_cause),
        };
        let reason = why.unwrap_or_else(|| match facts.answered {
            Some(_) if hangup_cause == cause::NORMAL => said_by(ended_by).to_owned(),
            Some(_) | None => cause::words(hangup_cause).into_owned(),
        });
        let reason = std::iter::once(reason).chain(self.sound).collect::<Vec<_>>().join("; ");
        Cdr {
            account: self.notes.account.unwrap_or_else(|| facts.account.to_owned()),
            source: facts.caller.1,
            caller_name: facts.caller.0,
            destination: facts.entered.1,
            context: facts.entered.0,
            channel: facts.channel.0.to_owned(),
            called_channel: self.called_channel,
            application: self.application.0,
            data: self.application.1,
            start,
            answer: answered.map(wall),
            end: wall(ended),
            duration: ended.since(began),
            billed: answered.map_or(Duration::ZERO, |at| ended.since(at)),
            disposition,
            ended_by,
            unique_id: facts.channel.1.to_owned(),
            caller_rtp: self.caller_rtp,
            called_rtp: self.called_rtp,
            codec: self.codec,
            reason,
            ama_flags: self.notes.ama_flags,
            user_field: self.notes.user_field,
        }
    }
}

/// Does it tell how a call ended that had been connected?
fn is_an_end(failure: &Failure) -> bool {
    use FailureReason::{Gone, NoRtp, NotAcked, NotRefreshed, Undescribed, Vanished};
    matches!(failure.reason, NotAcked | Undescribed | Gone | NotRefreshed | NoRtp | Vanished)
}

fn loudness(level: Level) -> u8 {
    match level {
        Level::Verbose(_) | Level::Message => 0,
        Level::Notice => 1,
        Level::Warning => 2,
        Level::Error | Level::Security => 3,
    }
}

fn said_by(side: HangupBy) -> &'static str {
    match side {
        HangupBy::Caller => "the caller hung up",
        HangupBy::Callee => "the called line hung up",
        HangupBy::Exchange => "the exchange ended it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    fn record(cdr: CdrBuilder, answered: Option<u64>, wall: i64) -> Cdr {
        let facts = Facts {
            account: "",
            caller: Default::default(),
            entered: Default::default(),
            channel: ("SIP/a-00000000", "1.0"),
            began: (at(10), Wall(wall)),
            answered: answered.map(at),
        };
        cdr.record(at(99), facts)
    }

    #[test]
    fn times_are_counted_by_the_clock_that_does_not_jump() {
        for wall in [0, -5_000, 1_795_000_000_000] {
            let mut cdr = CdrBuilder::default();
            cdr.end(at(40), HangupBy::Callee, cause::NORMAL);
            cdr.end(at(50), HangupBy::Caller, cause::NORMAL);
            let record = record(cdr, Some(15), wall);
            assert_eq!(
                (record.start, record.answer, record.end),
                (Wall(wall), Some(Wall(wall + 5_000)), Wall(wall + 30_000))
            );
            assert_eq!((record.duration, record.billed), (Duration::from_secs(30), Duration::from_secs(25)));
            assert_eq!((record.disposition, record.ended_by), (Disposition::Answered, HangupBy::Callee));
            assert_eq!(record.reason, "the called line hung up");
        }
        assert_eq!(record(CdrBuilder::default(), None, i64::MAX).end, Wall(i64::MAX));
    }

    #[test]
    fn what_was_not_answered_says_why() {
        let told = |status: Option<DialStatus>, failure: Option<Failure>, side, hangup_cause| {
            let mut cdr = CdrBuilder { unanswered: status, ..CdrBuilder::default() };
            cdr.add_failures(failure);
            cdr.end(at(20), side, hangup_cause);
            let record = record(cdr, None, 0);
            assert_eq!((record.billed, record.answer), (Duration::ZERO, None));
            (record.disposition.name(), record.reason)
        };
        let busy = || Some(Failure::of_status("b", 486, "Busy Here"));
        let why = || "'b' is busy (486 Busy Here)".to_owned();
        let by = HangupBy::Exchange;
        assert_eq!(told(Some(DialStatus::Busy), busy(), by, 17), ("BUSY", why()));
        assert_eq!(told(Some(DialStatus::Congestion), busy(), by, 34), ("CONGESTION", why()));
        assert_eq!(told(Some(DialStatus::ChanUnavail), busy(), by, 20), ("FAILED", why()));
        assert_eq!(told(Some(DialStatus::NoAnswer), busy(), by, 19), ("NO ANSWER", why()));
        assert_eq!(told(None, None, HangupBy::Caller, 16).0, "NO ANSWER");
        assert_eq!(told(None, None, by, 17), ("BUSY", "busy".to_owned()));
        assert_eq!(told(None, None, by, 58), ("FAILED", "no codec in common".to_owned()));
    }

    #[test]
    fn what_was_wrong_with_the_sound_stands_in_the_record_of_a_call_that_went_well() {
        let mut cdr = CdrBuilder { connected: true, ..CdrBuilder::default() };
        cdr.end(at(40), HangupBy::Caller, cause::NORMAL);
        cdr.add_sound("no sound comes from 'a'");
        assert!(cdr.story().is_none(), "it was said when it was seen");
        assert_eq!(record(cdr, Some(15), 0).reason, "the caller hung up; no sound comes from 'a'");
    }

    #[test]
    fn a_hunt_that_found_somebody_is_no_failure_but_how_its_call_ended_may_be() {
        let mut cdr = CdrBuilder { connected: true, ..CdrBuilder::default() };
        cdr.add_failures([Failure::of_status("m1", 486, "Busy Here")]);
        assert!(cdr.is_explained() && cdr.story().is_none());
        cdr.add_failures([FailureReason::NotAcked.with(&["a"])]);
        assert!(cdr.story().is_some_and(|(level, why)| level == Level::Warning && why.starts_with("no ACK from 'a'")));
    }
}
