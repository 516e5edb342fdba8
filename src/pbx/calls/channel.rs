//! A channel: one end of a call as the dialplan and the console see it.

use super::callee_work::CalleePart;
use super::code_watch::CodeWatch;
use super::dial::{Connected, Dial};
use super::interlude::Interlude;
use super::local_half::LocalHalf;
use super::media_port::MediaPort;
use super::origin::Origin;
use super::parked::Parked;
use super::signalled::Signalled;
use crate::audio::g711::Law;
use crate::clock::{Time, Wall};
use crate::config::musiconhold_conf::Sort;
use crate::config::peer::{DtmfMode, LineKind, Peer};
use crate::config::presentation::Presentation;
use crate::dialplan::recording::TapKind;
use crate::dialplan::{ChannelId, DialReport, Digits, PlayRequest, Position, Program};
use crate::pbx::cdr::CdrBuilder;
use crate::pbx::core::{CallTimer, Core, LegId, Target, Timer};
use crate::pbx::media::{G711, Listening, MediaCommand, StreamId};
use crate::pbx::mixing::MixId;
use crate::pbx::outside::{ErrandId, OutsideOrder};
use crate::pbx::recording::RecordingId;
use crate::sdp::MediaKind;
use crate::sip::header::HeaderName;
use crate::sip::timer::TimerId;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A call is ended when nothing was heard for so long of any of its lines, and none of them can be reached.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(60);

/// How long after the answer the sound is looked at.
pub const LOOK_AT_SOUND: Duration = Duration::from_secs(6);

/// Names a bridge for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeId(pub u64);

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

/// What is at a channel's far end.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// A telephone: its line, its SIP leg, its ports.
    Sip(SipEndpoint),
    /// The exchange itself: no peer, no leg, no ports.
    App,
    /// The dialplan: the other half of the pair runs it, or was called by it.
    Local(LocalHalf),
}

/// A telephone at the far end of a channel.
#[derive(Debug, Clone)]
pub struct SipEndpoint {
    /// Whose line it is.
    pub peer: Arc<Peer>,
    /// Its leg: another one may take its place while the program runs on.
    pub leg: LegId,
    /// Its RTP and RTCP ports.
    pub stream: StreamId,
}

/// What a channel is doing, or waits for.
#[derive(Debug)]
pub enum Activity {
    /// Its RTP ports are being bound.
    ReservingPorts,
    /// Its program may go on.
    Running,
    /// Its program waits for time to pass, or for the hang-up.
    Waiting(Option<TimerId>),
    /// Its program waits for how the call begins that this channel begins for it.
    Originating(ChannelId),
    /// It answered and waits for the ACK.
    Answering,
    /// It waits for the sounds it is to play.
    LoadingSounds(Loading),
    /// It plays sounds.
    Playing(Playing),
    /// Its program waits for a digit, or for the time to be over.
    AwaitingDigit(TimerId),
    /// Its program waits for what is done outside of the switch.
    Outside(ErrandId),
    /// Its program waits for a recording to end.
    Recording(Recording),
    /// It echoes.
    Echoing,
    /// It sends a signal by which its line is measured.
    TestSignal(Signalled),
    /// Its program waits until a telephone was sent a row of digits.
    SendingDigits,
    /// Its program waits for what comes of our REFER.
    Transferring,
    /// Its program waits in a lot until somebody takes the call, or for the time to be over.
    Parked(TimerId),
    /// Its program waits for the telephones that it pages.
    Paging,
    /// Its program listens to another channel, until a digit comes or that is over.
    Spying,
    /// It dials, until somebody answers.
    Dialing(Box<Dial>),
    /// Its program waits until the bridge that a `Dial` led to ends.
    Bridged(Box<Connected>),
    /// It is a called line without a program: the Dial or the bridge it is in decides.
    Called,
}

/// What a channel's telephone shares with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// It takes part in a mix; how often what it hears is doubled.
    Mix(MixId, i8),
    /// It hears what comes from the peer of this stream.
    Feed(StreamId),
}

/// Sounds that a channel plays.
#[derive(Debug)]
pub struct Playing {
    /// Which playing it is: of all that the telephone was played.
    pub play: u64,
    /// Digits that end them.
    pub stop_on: Digits,
    /// The first of the sounds that is not there.
    pub missing: Option<String>,
    /// Where it began in the sounds, when whoever asked wants to know where it ends.
    pub from: Option<Duration>,
    /// When it began.
    pub since: Time,
}

/// A recording that a program waits for.
#[derive(Debug)]
pub struct Recording {
    /// Of which stream.
    pub stream: StreamId,
    /// Which.
    pub id: RecordingId,
    /// Digits that end it.
    pub stop_on: Digits,
}

/// Sounds that a channel is to play, and that are not loaded yet.
#[derive(Debug)]
pub struct Loading {
    /// The order for them.
    pub order: u64,
    /// What is to be played.
    pub request: PlayRequest,
    /// As in [`Playing`].
    pub from: Option<Duration>,
    /// The program goes on as soon as they are played.
    pub beside: bool,
}

/// Music on hold that a channel's program has played, or its Dial instead of ringing.
#[derive(Debug, Default)]
pub enum Music {
    /// None.
    #[default]
    None,
    /// It is ordered.
    Loading {
        /// The order for it.
        order: u64,
        /// In which order the files are played.
        sort: Sort,
    },
    /// It is played.
    Playing,
    /// It could not be had: in this Dial the caller hears ringing.
    Failed,
}

/// Music for a channel whom the other one in its bridge holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum HoldMusic {
    /// None.
    #[default]
    None,
    /// It is ordered.
    Loading {
        /// The order for it.
        order: u64,
        /// In which order the files are played.
        sort: Sort,
    },
    /// It is played.
    Playing,
}

/// A short sound into a call that goes on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum CallSound {
    /// None.
    #[default]
    None,
    /// It is ordered.
    Loading(u64),
    /// It is played: which playing it is.
    Playing(u64),
}

/// Maximum number of digits that are kept for a program that does not wait for any.
pub const MAX_DIGITS: usize = 64;

/// Where a line is to be called, and whether the caller may be shown to it: kept until its ports are bound.
#[derive(Clone)]
pub struct Outgoing {
    /// Where.
    pub target: Target,
    /// May the caller be shown?
    pub presentation: Presentation,
    /// Header fields that the dialplan adds to its INVITE, `Header: value`.
    pub headers: Vec<String>,
    /// Those that say by whom the call was transferred, and which one it takes the place of elsewhere.
    pub of_transfer: Vec<(HeaderName, String)>,
}

/// What is left to do when an activity was stopped.
#[derive(Debug, Default)]
pub struct Stopped {
    /// Lines that were being rung.
    pub branches: Vec<ChannelId>,
    /// How the Dial went, when it was one: the program learns it even so.
    pub report: Option<DialReport>,
}

/// One end of a call.
pub struct Channel {
    /// Its id: never used again.
    pub id: ChannelId,
    /// Its name: `SIP/peer-0000002a`, `Local/201@default-00000000;1`.
    pub name: String,
    /// `seconds.number`, unique over restarts.
    pub unique_id: String,
    /// That of the channel whose record its call has: its own, or that of the caller whose `Dial` called it.
    pub call: String,
    /// What is at its far end.
    pub endpoint: Endpoint,
    /// The ports of what it carries beside voice.
    pub ports: Vec<MediaPort>,
    /// Our RTP address as the peer sees it, once bound.
    pub rtp: Option<SocketAddr>,
    /// As the console shows it.
    pub state: ChannelState,
    /// What it does.
    pub activity: Activity,
    /// What its INVITE will say, for a called line whose ports are being bound.
    pub outgoing: Option<Box<Outgoing>>,
    /// Where else it can be called, when the server that it is called at does not take the call.
    pub alternates: Vec<Target>,
    /// The exchange has placed this call.
    pub placed: bool,
    /// Whose Dial called it, as long as that channel is there.
    pub called_by: Option<ChannelId>,
    /// The bridge it is in.
    pub bridge: Option<BridgeId>,
    /// A caller's dialplan program.
    pub program: Option<Program>,
    /// The name and number the caller is known by (for a called line: whom it is called by).
    pub caller_name: String,
    /// See `caller_name`.
    pub caller_number: String,
    /// Whom it is called by is not to be shown, for a called line.
    pub hides_caller: bool,
    /// Where a caller's call entered the dialplan.
    pub entered: Option<Position>,
    /// When it began, for durations.
    pub created: Time,
    /// When it began, for people.
    pub created_wall: Wall,
    /// When it was answered.
    pub answered: Option<Time>,
    /// Its line, or we, hold the call: nothing has to come from it.
    pub on_hold: bool,
    /// When that changed last.
    pub hold_changed: Time,
    /// Its media was direct for a while: the exchange does not know whether any came.
    pub was_direct: bool,
    /// The stream of the line that its own was relayed with last.
    pub relayed_with: Option<StreamId>,
    /// Logged already: nothing is sent to the address its peer asks for.
    pub unroutable_logged: bool,
    /// The leg is gone: only `h` may still run.
    pub dead: bool,
    /// Whose program plays to it, when that runs on a half of a pair that leads into the dialplan.
    pub played_by: Option<ChannelId>,
    /// What its telephone shares with others, in no bridge.
    pub share: Option<Share>,
    /// Whose page it takes part in.
    pub page: Option<ChannelId>,
    /// Which of its sounds is a tone that such a program has sound beside what it does, and whose program.
    pub tone_by: Option<(ChannelId, u64)>,
    /// Music on hold for it.
    pub music: Music,
    /// Music while the other one in its bridge holds it.
    pub hold_music: HoldMusic,
    /// A short sound into its call.
    pub call_sound: CallSound,
    /// What is recorded of it beside the call, oldest first.
    pub taps: Vec<(TapKind, RecordingId)>,
    /// How many sounds it was played; the latest one's number tells whose end is reported.
    pub plays: u64,
    /// What the latest of them is sent in: its own law, and what the peer knows it by, with milliseconds in a packet.
    pub played_in: Option<(Law, G711, u8)>,
    /// Digits that came since its program last waited, and that nothing took.
    pub digits: VecDeque<char>,
    /// Something was done for it outside of the switch, and some of it may still run.
    pub goes_outside: bool,
    /// Where the media thread looks for the digits of its telephone.
    pub listening: Listening,
    /// The codes that it may press while it is bridged, as the Dial that connected it has it.
    pub watch: Option<Box<CodeWatch>>,
    /// Another program than its own runs on it for a while.
    pub interlude: Option<Box<Interlude>>,
    /// It waits for one in an interlude.
    pub waits_for: Option<ChannelId>,
    /// What keeps its keys from being heard was said.
    pub digit_fault_logged: bool,
    /// Its media stays on the relay: it is sent digits.
    pub keeps_relay: bool,
    /// What `SIPDtmfMode()` said, instead of `dtmfmode=`.
    pub dtmf_mode: Option<DtmfMode>,
    /// What the dialplan may ask for of the INVITE that it came with.
    pub invite: Vec<(String, String)>,
    /// `OUTBOUND_GROUP`, for a called line: category and group.
    pub group: Option<(String, String)>,
    /// What its Dial wants done on it, for a called line.
    pub callee: CalleePart,
    /// The line that rings, and whose call it takes when it has its ports (INVITE with Replaces).
    pub picks_up: Option<ChannelId>,
    /// Where it is parked.
    pub parked: Option<Box<Parked>>,
    /// It calls a line on behalf of the exchange.
    pub origin: Option<Box<Origin>>,
    /// When its call is over by `TIMEOUT(absolute)`, and the timer that tells.
    pub time_limit: Option<(Time, TimerId)>,
    /// What a caller's record will say.
    pub cdr: CdrBuilder,
}

impl Channel {
    /// A channel that begins now.
    pub fn new(core: &Core, id: ChannelId, names: (String, String), endpoint: Endpoint, activity: Activity) -> Channel {
        Channel {
            id,
            name: names.0,
            call: names.1.clone(),
            unique_id: names.1,
            endpoint,
            ports: Vec::new(),
            rtp: None,
            state: ChannelState::Down,
            placed: matches!(activity, Activity::Called),
            activity,
            outgoing: None,
            alternates: Vec::new(),
            called_by: None,
            bridge: None,
            program: None,
            caller_name: String::new(),
            caller_number: String::new(),
            hides_caller: false,
            entered: None,
            created: core.now.mono,
            created_wall: core.now.wall,
            answered: None,
            on_hold: false,
            hold_changed: core.now.mono,
            was_direct: false,
            relayed_with: None,
            unroutable_logged: false,
            dead: false,
            played_by: None,
            share: None,
            page: None,
            tone_by: None,
            music: Music::default(),
            hold_music: HoldMusic::default(),
            call_sound: CallSound::default(),
            taps: Vec::new(),
            plays: 0,
            played_in: None,
            digits: VecDeque::new(),
            goes_outside: false,
            listening: Listening::default(),
            watch: None,
            interlude: None,
            waits_for: None,
            digit_fault_logged: false,
            keeps_relay: false,
            dtmf_mode: None,
            invite: Vec::new(),
            group: None,
            callee: CalleePart::default(),
            picks_up: None,
            parked: None,
            origin: None,
            time_limit: None,
            cdr: CdrBuilder::default(),
        }
    }

    /// The telephone at its far end, when there is one.
    pub fn sip(&self) -> Option<&SipEndpoint> {
        match &self.endpoint {
            Endpoint::Sip(sip) => Some(sip),
            Endpoint::App | Endpoint::Local(_) => None,
        }
    }

    /// What it is of a pair that leads into the dialplan, when it is.
    pub fn local(&self) -> Option<&LocalHalf> {
        match &self.endpoint {
            Endpoint::Local(half) => Some(half),
            Endpoint::Sip(_) | Endpoint::App => None,
        }
    }

    /// Whose line it is, when it has one.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.sip().map(|sip| &sip.peer)
    }

    /// The name of its line; empty when it has none.
    pub fn line(&self) -> &str {
        self.peer().map_or("", |peer| &peer.name)
    }

    /// Its leg, when it has one.
    pub fn leg(&self) -> Option<LegId> {
        self.sip().map(|sip| sip.leg)
    }

    /// Its ports for voice, when it has some.
    pub fn stream(&self) -> Option<StreamId> {
        self.sip().map(|sip| sip.stream)
    }

    /// Does its line have a modem, whose calls nothing may disturb or end for want of sound?
    pub fn has_modem(&self) -> bool {
        self.peer().is_some_and(|peer| peer.settings.line == Some(LineKind::Modem))
    }

    /// Has the silence of one of its streams reported before anything may follow from it; `keeps_alive`: with
    /// `rtpkeepalive=`.
    pub fn watch(&self, stream: StreamId, keeps_alive: bool) -> MediaCommand {
        let settings = self.peer().map(|peer| &peer.settings);
        let times = settings.into_iter().flat_map(|settings| [settings.rtp_timeout, settings.rtp_hold_timeout]);
        let limit = times.flatten().chain([GIVEN_UP]).min();
        let keepalive = settings.and_then(|settings| settings.rtp_keepalive).filter(|_| keeps_alive);
        MediaCommand::Watch { stream, limit, keepalive }
    }

    /// Another leg, of this peer, takes the place of the one it had: its program, ports and bridge go on. Gives back
    /// the old one.
    pub fn replace_leg(&mut self, leg: LegId, peer: Arc<Peer>) -> Option<LegId> {
        match &mut self.endpoint {
            Endpoint::Sip(sip) => {
                sip.peer = peer;
                Some(std::mem::replace(&mut sip.leg, leg))
            }
            Endpoint::App | Endpoint::Local(_) => None,
        }
    }

    /// Does it wait in a lot for somebody to take it?
    pub fn waits_in_lot(&self) -> bool {
        self.parked.is_some() && !self.dead && self.bridge.is_none()
    }

    /// Does its program wait until a telephone was sent digits?
    pub fn sends_digits(&self) -> bool {
        matches!(self.activity, Activity::SendingDigits)
    }

    /// Does its program wait for how this one's call begins?
    pub fn originates(&self, id: ChannelId) -> bool {
        matches!(self.activity, Activity::Originating(of) if of == id)
    }

    /// It was answered: its sound is looked at in a while.
    pub fn look_at_sound_later(&self, core: &mut Core) {
        core.set_timer(LOOK_AT_SOUND, Timer::Call(CallTimer::Sound(self.id)));
    }

    /// The Dial it is in, until somebody answers.
    pub fn dial(&self) -> Option<&Dial> {
        if let Activity::Dialing(dial) = &self.activity { Some(dial) } else { None }
    }

    /// See [`Channel::dial`].
    pub fn dial_mut(&mut self) -> Option<&mut Dial> {
        if let Activity::Dialing(dial) = &mut self.activity { Some(dial) } else { None }
    }

    /// Its ports for a medium beside voice.
    pub fn port(&self, kind: MediaKind) -> Option<&MediaPort> {
        self.ports.iter().find(|port| port.kind == kind)
    }

    /// The media beside voice it has ports for, with our address for each.
    pub fn bound_ports(&self) -> Vec<(MediaKind, SocketAddr)> {
        self.ports.iter().filter_map(|port| Some((port.kind, port.bound()?))).collect()
    }

    /// Its program goes on elsewhere, and whatever talked with it is dropped with what it did: nobody closes the talk.
    pub fn leave_talks(&self, core: &mut Core) {
        if self.goes_outside {
            core.out.outside.push(OutsideOrder::Leave(self.id));
        }
    }

    /// Stops whatever it is doing, for this cause. Its timers go; what else is left is for the caller of this.
    pub fn stop_activity(&mut self, cause: u16, core: &mut Core) -> Stopped {
        if self.goes_outside {
            core.out.outside.push(OutsideOrder::HungUp(self.id));
        }
        match std::mem::replace(&mut self.activity, Activity::Running) {
            Activity::Waiting(Some(timer)) | Activity::AwaitingDigit(timer) | Activity::Parked(timer) => {
                core.timers.cancel(timer);
                Stopped::default()
            }
            Activity::Recording(Recording { stream, id, .. }) => {
                core.out.media.push(MediaCommand::StopRecording { stream, recording: id });
                Stopped::default()
            }
            Activity::TestSignal(signalled) => {
                core.out.media.extend(signalled.stopping());
                Stopped::default()
            }
            Activity::Dialing(mut dial) => {
                dial.take_timers().for_each(|timer| core.timers.cancel(timer));
                let branches = dial.branches.iter().map(|(id, _)| *id).collect();
                Stopped { branches, report: Some(dial.cancelled(core.now.mono, cause)) }
            }
            Activity::Bridged(connected) => {
                let report = connected.report(core.now.mono, cause, false);
                Stopped { branches: Vec::new(), report: Some(report) }
            }
            // It has an end of its own, and the program waits for it on a channel that is hung up, too.
            Activity::Outside(errand) => {
                self.activity = Activity::Outside(errand);
                Stopped::default()
            }
            Activity::ReservingPorts
            | Activity::Running
            | Activity::Waiting(None)
            | Activity::Originating(_)
            | Activity::Answering
            | Activity::LoadingSounds(_)
            | Activity::Playing(_)
            | Activity::Echoing
            | Activity::SendingDigits
            | Activity::Transferring
            | Activity::Paging
            | Activity::Spying
            | Activity::Called => Stopped::default(),
        }
    }
}
