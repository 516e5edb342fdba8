//! A channel: a line as the dialplan and the console see it. It holds a leg and, for a caller, a running program.

use super::cdr::CdrBuilder;
use super::dial::Dial;
use super::leg::LegId;
use super::media::StreamId;
use super::media_port::MediaPort;
use crate::clock::{Time, Wall};
use crate::config::peer::Peer;
use crate::dialplan::{ChannelId, Position, Program};
use crate::sip::timer::TimerId;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// What the console calls a channel's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelState {
    /// Nothing has happened yet.
    Down,
    /// A caller that hears nothing final yet.
    Ring,
    /// A called phone that rings.
    Ringing,
    /// Answered.
    Up,
}

impl ChannelState {
    /// The name the console shows.
    pub fn name(self) -> &'static str {
        match self {
            ChannelState::Down => "Down",
            ChannelState::Ring => "Ring",
            ChannelState::Ringing => "Ringing",
            ChannelState::Up => "Up",
        }
    }
}

/// What a channel is doing, or waits for.
#[derive(Debug)]
pub enum Doing {
    /// Its RTP ports are being bound.
    Reserving,
    /// Its program may go on.
    Running,
    /// Its program waits for time to pass, or for the hang-up.
    Waiting(Option<TimerId>),
    /// It answered and waits for the ACK.
    Answering,
    /// It plays sounds: which playing, and what comes after.
    Playing(u64, VecDeque<String>),
    /// It echoes.
    Echoing,
    /// It dials; afterwards it talks to whom it reached.
    Dialling(Box<Dial>),
    /// It is a called line: its caller's channel decides.
    Called(ChannelId),
}

/// A line in use.
pub struct Channel {
    /// Its id: never used again.
    pub id: ChannelId,
    /// Its name: `SIP/peer-0000002a`.
    pub name: String,
    /// `seconds.number`, unique over restarts.
    pub unique_id: String,
    /// Whose line it is.
    pub peer: Arc<Peer>,
    /// Its SIP leg.
    pub leg: LegId,
    /// Its RTP and RTCP ports.
    pub stream: StreamId,
    /// The ports of what it carries beside voice.
    pub extras: Vec<MediaPort>,
    /// Our RTP address on it as the peer is told it, once bound.
    pub rtp: Option<SocketAddr>,
    /// As the console shows it.
    pub state: ChannelState,
    /// What it does.
    pub doing: Doing,
    /// A caller's dialplan program.
    pub program: Option<Program>,
    /// The name and number the caller is known by (for a called line: whom it is called by).
    pub caller_name: String,
    /// See `caller_name`.
    pub caller_number: String,
    /// Where a caller's call entered the dialplan.
    pub entered: Option<Position>,
    /// When it began, for durations.
    pub created: Time,
    /// When it began, for people.
    pub created_wall: Wall,
    /// When it was answered.
    pub answered: Option<Time>,
    /// Its sound went directly to the other telephone for a while: the exchange cannot know what it should have heard.
    pub was_direct: bool,
    /// It was said that its media go nowhere, because of what its peer names.
    pub misplaced: bool,
    /// The leg is gone: only `h` may still run.
    pub dead: bool,
    /// How many sounds it was played; the latest one's number tells whose end is reported.
    pub plays: u64,
    /// What a caller's record will say.
    pub cdr: CdrBuilder,
}

impl Channel {
    /// The caller's channel, for a called line.
    pub fn called_by(&self) -> Option<ChannelId> {
        if let Doing::Called(caller) = self.doing { Some(caller) } else { None }
    }

    /// The Dial a caller's channel is in, ringing or talking.
    pub fn dial(&self) -> Option<&Dial> {
        if let Doing::Dialling(dial) = &self.doing { Some(dial) } else { None }
    }

    /// See [`Channel::dial`].
    pub fn dial_mut(&mut self) -> Option<&mut Dial> {
        if let Doing::Dialling(dial) = &mut self.doing { Some(dial) } else { None }
    }
}
