//! One `Dial`, until somebody answers: the lines it rings, and the reply to the program when none did. What is
//! remembered of it afterwards is [`Connected`].

use crate::clock::Time;
use crate::dialplan::{ChannelId, DialOptions, DialReport, DialStatus, LineEnd};
use crate::event::DialCounts;
use crate::pbx::cause;
use crate::pbx::failure::{self, Failure};
use crate::sip::timer::TimerId;
use std::net::SocketAddr;
use std::time::Duration;

/// Of so many telephones behind one called line it is remembered that something was heard of them.
const MAX_SOURCES: usize = 16;

/// How far one called line has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// Its ports are being bound.
    Reserving,
    /// Its INVITE is out.
    Calling,
    /// It rings.
    Ringing,
    /// It sends early media.
    Progress,
}

/// Where sound before an answer comes from: two telephones behind one INVITE are two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlySource {
    /// The called line.
    pub line: ChannelId,
    /// Where it has described that its sound comes from; none for a prompt, and while it sends none.
    pub from: Option<SocketAddr>,
}

/// A Dial under way.
#[derive(Debug)]
pub struct Dial {
    /// The lines still being tried, in the order they were named.
    pub branches: Vec<(ChannelId, Branch)>,
    /// The option letters.
    pub options: DialOptions,
    /// When it began.
    pub started: Time,
    /// Rings no longer than this.
    pub timer: Option<TimerId>,
    /// Whose early media the caller hears, or will when there is any.
    pub early: Option<EarlySource>,
    /// What something was heard of before any answer.
    heard: Vec<EarlySource>,
    /// The caller was told that it rings, and of no early media since.
    pub rings: bool,
    /// Goes off when a line that described its early media sends none.
    pub soundless: Option<TimerId>,
    /// How often the caller had changed its media when the lines were offered it.
    pub offered_version: u32,
    /// Where redirections led already.
    pub redirections: Vec<String>,
    /// The dialled number of the line that was tried last.
    pub last_number: String,
    counts: DialCounts,
    last_cause: u16,
    /// Why each line that failed did.
    pub failures: Vec<Failure>,
    /// How each channel ended that was called.
    pub ends: Vec<LineEnd>,
    /// A ringing tone is played to the caller, or an announcement.
    pub tone: bool,
    /// The order for what the caller is played while the line that answered is played something (option A).
    pub announcement: Option<u64>,
}

/// What is remembered of a Dial that was answered, for as long as its caller is connected.
#[derive(Debug)]
pub struct Connected {
    started: Time,
    answered: Time,
    peer_name: String,
    peer_number: String,
    failures: Vec<Failure>,
    ends: Vec<LineEnd>,
    /// Option `g`: the caller's program goes on when the other side hangs up.
    pub continue_after: bool,
}

impl Connected {
    /// The reply to the program at the end.
    pub fn report(&self, now: Time, hangup_cause: u16, callee_hung_up: bool) -> DialReport {
        let answered = LineEnd { channel: self.peer_name.clone(), cause: hangup_cause, said: String::new() };
        DialReport {
            status: DialStatus::Answer,
            dialed: now.since(self.started),
            answered: now.since(self.answered),
            peer_name: self.peer_name.clone(),
            peer_number: self.peer_number.clone(),
            hangup_cause,
            callee_hung_up,
            reason: failure::join_texts(&self.failures),
            lines: self.ends.iter().cloned().chain([answered]).collect(),
        }
    }
}

impl Dial {
    /// A Dial that has not tried anything yet.
    pub fn new(started: Time, options: DialOptions) -> Dial {
        Dial {
            branches: Vec::new(),
            options,
            started,
            timer: None,
            early: None,
            heard: Vec::new(),
            rings: false,
            soundless: None,
            offered_version: 0,
            redirections: Vec::new(),
            last_number: String::new(),
            counts: DialCounts::default(),
            last_cause: cause::NORMAL,
            failures: Vec::new(),
            ends: Vec::new(),
            tone: false,
            announcement: None,
        }
    }

    /// Counts a line that could not be reached, by its cause.
    pub fn fail(&mut self, failure: Failure) {
        let counts = &mut self.counts;
        counts.tried = counts.tried.saturating_add(1);
        self.last_cause = failure.cause;
        match failure.cause {
            cause::BUSY => counts.busy = counts.busy.saturating_add(1),
            // Whatever its cause: a server that fails is one to come back to (chan_sip).
            cause::CONGESTION | 42 => counts.congested = counts.congested.saturating_add(1),
            _ if failure.said.starts_with('5') => counts.congested = counts.congested.saturating_add(1),
            cause::NO_ANSWER | cause::NORMAL => {}
            _ => counts.unavailable = counts.unavailable.saturating_add(1),
        }
        self.failures.push(failure);
    }

    /// Takes a line off the list; says whether it was on it.
    pub fn drop_branch(&mut self, channel: ChannelId) -> bool {
        let before = self.branches.len();
        self.branches.retain(|(id, _)| *id != channel);
        self.branches.len() != before
    }

    /// Another channel takes the place of a line that is called.
    pub fn replace_branch(&mut self, before: ChannelId, after: ChannelId) {
        let branches = self.branches.iter_mut().map(|(id, _)| id);
        let sources = self.early.iter_mut().chain(&mut self.heard).map(|source| &mut source.line);
        for id in branches.chain(sources).filter(|id| **id == before) {
            *id = after;
        }
    }

    /// Notes how far a line has come.
    pub fn mark(&mut self, channel: ChannelId, state: Branch) {
        for (id, branch) in &mut self.branches {
            if *id == channel {
                *branch = state;
            }
        }
    }

    /// Whose early media the caller hears, or will when there is any.
    pub fn early_line(&self) -> Option<ChannelId> {
        self.early.map(|source| source.line)
    }

    /// Something was heard of it.
    pub fn note_heard(&mut self, source: EarlySource) {
        if self.heard.contains(&source) {
            return;
        }
        if self.heard.iter().filter(|other| other.line == source.line).count() >= MAX_SOURCES
            && let Some(oldest) = self.heard.iter().position(|other| other.line == source.line)
        {
            self.heard.remove(oldest);
        }
        self.heard.push(source);
    }

    /// Of this line nothing is heard any more.
    pub fn forget_heard(&mut self, line: ChannelId) {
        self.heard.retain(|source| source.line != line);
    }

    /// Was anything heard of it?
    pub fn has_heard(&self, line: ChannelId) -> bool {
        self.heard.iter().any(|source| source.line == line)
    }

    /// Does the caller hear a called line?
    pub fn is_heard(&self) -> bool {
        self.early.is_some_and(|source| self.heard.contains(&source))
    }

    /// Does the caller hear anything: a line, or that it rings?
    pub fn is_audible(&self) -> bool {
        self.rings || self.tone || self.is_heard()
    }

    /// Shall it be told that it rings, should no sound come soon?
    pub fn needs_watch(&self) -> bool {
        self.early.is_some() && self.soundless.is_none() && !self.is_audible()
    }

    /// Its timers, to be cancelled: it is over.
    pub fn take_timers(&mut self) -> impl Iterator<Item = TimerId> + use<> {
        [self.timer.take(), self.soundless.take()].into_iter().flatten()
    }

    /// `DIALSTATUS` when every line failed: any busy wins, then congestion, then unavailable.
    pub fn failure(&self) -> DialStatus {
        if self.counts.busy > 0 {
            DialStatus::Busy
        } else if self.counts.congested > 0 {
            DialStatus::Congestion
        } else if self.counts.unavailable > 0 {
            DialStatus::ChanUnavail
        } else {
            DialStatus::NoAnswer
        }
    }

    /// Lines tried, busy, congested and unavailable, as the console shows them when all failed.
    pub fn counts(&self) -> DialCounts {
        self.counts
    }

    /// The Dial ends because this channel answered.
    pub fn answered_by(&self, now: Time, channel: &str) -> Connected {
        Connected {
            started: self.started,
            answered: now,
            peer_name: channel.to_owned(),
            peer_number: self.last_number.clone(),
            failures: self.failures.clone(),
            ends: self.ends.clone(),
            continue_after: self.options.continue_after,
        }
    }

    /// The reply to the program when the caller gives up.
    pub fn cancelled(&self, now: Time, hangup_cause: u16) -> DialReport {
        self.report(now, DialStatus::Cancel, Some(hangup_cause))
    }

    /// The reply to the program when nobody answered; without a cause, that of the line that failed last.
    pub fn report(&self, now: Time, status: DialStatus, hangup_cause: Option<u16>) -> DialReport {
        DialReport {
            status,
            dialed: now.since(self.started),
            answered: Duration::ZERO,
            peer_name: String::new(),
            peer_number: self.last_number.clone(),
            hangup_cause: hangup_cause.unwrap_or(self.last_cause),
            callee_hung_up: false,
            reason: failure::join_texts(&self.failures),
            lines: self.ends.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::failure::FailureReason;

    fn dial(causes: &[u16]) -> Dial {
        let mut dial = Dial::new(Time::ZERO, DialOptions::default());
        for cause in causes {
            dial.fail(Failure { cause: *cause, ..FailureReason::ByConsole.with(&[]) });
        }
        dial
    }

    #[test]
    fn any_busy_wins_then_congestion_then_unavailable() {
        let all = DialCounts { tried: 3, busy: 1, congested: 1, unavailable: 1 };
        let busy = [cause::ABSENT, cause::CONGESTION, cause::BUSY];
        assert_eq!((dial(&busy).failure(), dial(&busy).counts()), (DialStatus::Busy, all));
        assert_eq!(dial(&busy[..2]).failure(), DialStatus::Congestion);
        assert_eq!(dial(&busy[..1]).failure(), DialStatus::ChanUnavail);
        assert_eq!(dial(&[cause::NO_ANSWER]).failure(), DialStatus::NoAnswer);
        assert_eq!(dial(&busy).report(Time::ZERO, DialStatus::Busy, None).hangup_cause, cause::BUSY);
    }

    #[test]
    fn a_caller_hears_ringing_or_the_line_that_sounds_and_is_watched_until_then() {
        let (one, two) = (ChannelId(1), ChannelId(2));
        let mut dial = dial(&[]);
        assert!(!dial.is_audible() && !dial.needs_watch(), "nothing is described yet");
        dial.branches.push((one, Branch::Progress));
        let from = |port| Some(([192, 0, 2, 1], port).into());
        dial.early = Some(EarlySource { line: one, from: from(4000) });
        assert!(dial.needs_watch());
        dial.note_heard(EarlySource { line: two, from: from(4000) });
        assert!(!dial.is_heard(), "another line");
        dial.note_heard(EarlySource { line: one, from: from(5000) });
        assert!(!dial.is_heard(), "another telephone of that line");
        dial.forget_heard(two);
        dial.note_heard(EarlySource { line: one, from: from(4000) });
        dial.replace_branch(one, two);
        assert_eq!((dial.early_line(), dial.branches.as_slice()), (Some(two), &[(two, Branch::Progress)][..]));
        assert!(dial.is_heard() && dial.is_audible() && !dial.needs_watch());
    }

    #[test]
    fn a_line_that_moves_on_and_on_takes_no_more_memory_and_none_from_others() {
        let mut dial = dial(&[]);
        let source = |line, port| EarlySource { line: ChannelId(line), from: Some(([192, 0, 2, 1], port).into()) };
        dial.note_heard(source(1, 4000));
        (0..100).for_each(|port| dial.note_heard(source(2, port)));
        assert_eq!(dial.heard.len(), MAX_SOURCES + 1);
        for (early, is_heard) in [(source(1, 4000), true), (source(2, 99), true), (source(2, 0), false)] {
            dial.early = Some(early);
            assert_eq!(dial.is_heard(), is_heard, "{early:?}");
        }
    }

    #[test]
    fn a_dial_ends_at_the_answer_and_its_times_go_on() {
        let at = |seconds| Time::from_start(Duration::from_secs(seconds));
        let mut dial = Dial::new(at(1), DialOptions { continue_after: true, ..DialOptions::default() });
        dial.last_number = "isp".to_owned();
        let connected = dial.answered_by(at(4), "SIP/isp-00000001");
        let report = connected.report(at(10), cause::NORMAL, true);
        assert_eq!((report.dialed, report.answered), (Duration::from_secs(9), Duration::from_secs(6)));
        assert_eq!((report.peer_name.as_str(), report.peer_number.as_str()), ("SIP/isp-00000001", "isp"));
        assert!(connected.continue_after && report.callee_hung_up);
    }
}
