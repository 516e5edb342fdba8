//! One `Dial`: the lines it rings, which of them answered, and what to tell the program when none did.

use super::bridge::Bridge;
use super::cause;
use super::failure::{self, Failure};
use crate::clock::Time;
use crate::dialplan::{ChannelId, DialOptions, DialReport, DialStatus};
use crate::sip::timer::TimerId;
use std::time::Duration;

/// How far one called line has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// Its ports are being bound.
    Reserving,
    /// Its INVITE is out.
    Calling,
    /// It rings.
    Ringing,
    /// It sends sound before answering.
    Progress,
}

/// A Dial under way: ringing while `bridge` is none, talking afterwards.
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
    /// Whose early sound the caller hears.
    pub early: Option<ChannelId>,
    /// How often the caller had changed its media when the lines were offered it.
    pub heard: u32,
    /// Set once one answered.
    pub bridge: Option<Bridge>,
    /// When it was answered.
    pub answered: Option<Time>,
    /// Where redirections led already.
    pub redirections: Vec<String>,
    /// Name and dialled number of the line that answered, or was tried last.
    pub peer: (String, String),
    tried: u32,
    busy: u32,
    congested: u32,
    unavailable: u32,
    last_cause: u16,
    /// Why each line that failed did.
    pub reasons: Vec<Failure>,
    /// The caller, answered before or to be told in band, hears ringing from us.
    pub tone: bool,
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
            heard: 0,
            bridge: None,
            answered: None,
            redirections: Vec::new(),
            peer: Default::default(),
            tried: 0,
            busy: 0,
            congested: 0,
            unavailable: 0,
            last_cause: cause::NORMAL,
            reasons: Vec::new(),
            tone: false,
        }
    }

    /// Counts a line that could not be reached, by its cause.
    pub fn fail(&mut self, reason: Failure) {
        self.tried = self.tried.saturating_add(1);
        self.last_cause = reason.cause;
        match reason.cause {
            cause::BUSY => self.busy = self.busy.saturating_add(1),
            cause::CONGESTION | 42 => self.congested = self.congested.saturating_add(1),
            cause::NO_ANSWER | cause::NORMAL => {}
            _ => self.unavailable = self.unavailable.saturating_add(1),
        }
        self.reasons.push(reason);
    }

    /// Takes a line off the list; says whether it was on it.
    pub fn drop_branch(&mut self, channel: ChannelId) -> bool {
        let before = self.branches.len();
        self.branches.retain(|(id, _)| *id != channel);
        self.branches.len() != before
    }

    /// Notes how far a line has come.
    pub fn mark(&mut self, channel: ChannelId, state: Branch) {
        for (id, branch) in &mut self.branches {
            if *id == channel {
                *branch = state;
            }
        }
    }

    /// What the dialplan is told when every line failed: any busy wins, then congestion, then unavailable.
    pub fn failure(&self) -> DialStatus {
        if self.busy > 0 {
            DialStatus::Busy
        } else if self.congested > 0 {
            DialStatus::Congestion
        } else if self.unavailable > 0 {
            DialStatus::ChanUnavail
        } else {
            DialStatus::NoAnswer
        }
    }

    /// The line the console prints when every branch failed.
    pub fn summary(&self) -> String {
        let counts = format!("({}:{}/{}/{})", self.tried, self.busy, self.congested, self.unavailable);
        match self.failure() {
            DialStatus::NoAnswer => format!("No one is available to answer at this time {counts}"),
            DialStatus::Answer
            | DialStatus::Busy
            | DialStatus::Congestion
            | DialStatus::ChanUnavail
            | DialStatus::Cancel
            | DialStatus::InvalidArgs => format!("Everyone is busy/congested at this time {counts}"),
        }
    }

    /// The report for the program.
    pub fn report(&self, now: Time, status: DialStatus, hangup_cause: Option<u16>, callee_hung_up: bool) -> DialReport {
        DialReport {
            status,
            dialed: now.since(self.started),
            answered: self.answered.map_or(Duration::ZERO, |at| now.since(at)),
            peer_name: self.peer.0.clone(),
            peer_number: self.peer.1.clone(),
            hangup_cause: hangup_cause.unwrap_or(self.last_cause),
            callee_hung_up,
            reason: failure::together(&self.reasons),
        }
    }
}
