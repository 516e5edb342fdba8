//! A leg: one SIP dialog of a call, from its INVITE to its BYE. What happens on it comes out as [`LegEvent`]s;
//! what the call decides goes in by the methods. It knows no other leg.

mod body;
mod callee;
mod caller;
mod dialogue;
mod forks;
mod refresh;
mod reoffer;

pub use super::core::LegId;
pub use body::{description, unfit_body};
pub use callee::Calling;
pub use dialogue::{contact, escape_user, host, quote, to_uri, transport_param, uri_address, user_of};
pub use refresh::unfit_timer;

use super::call_timer::CallTimer;
use super::cause;
use super::core::{Core, Requester, add_request_headers};
use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::ChannelId;
use crate::sdp::payload::{self, Agreed};
use crate::sdp::{Direction, Sdp};
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{ClientId, Sending, ServerId};
use crate::sip::{Flow, Uri};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What happened on a leg.
#[derive(Debug, Clone, PartialEq)]
pub enum LegEvent {
    /// The called phone rings.
    Ringing,
    /// The called line sends sound before it answers.
    Progress(Sdp),
    /// The called line answered; the ACK is sent. `None`: its answer could not be read.
    Answered(Option<Sdp>),
    /// The called line will not answer.
    Failed(Refusal),
    /// The called line names other places instead (3xx), the preferred first: its status, its own words, where to.
    Redirected(u16, String, Vec<Uri>),
    /// The caller acknowledged our answer; with its own answer when we made the offer.
    Confirmed(Option<Sdp>),
    /// The peer makes a new offer (or asks for ours) on an established leg: accept or refuse it.
    Reoffered(Option<Sdp>),
    /// The peer accepted our new offer.
    ReofferAccepted(Option<Sdp>),
    /// The peer refused our new offer; the old agreement stands.
    ReofferRefused(u16),
    /// The leg is over by the peer's doing or by the network's; nothing more will come.
    Ended(Ending),
}

/// Why a called line will not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It said so: the status, its own words.
    Status(u16, String),
    /// Not one response came.
    Silent,
    /// The system refused to send to it: why.
    Unsendable(String),
}

/// How a leg came to its end from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller gave up before the answer.
    Cancelled,
    /// The peer hung up.
    Bye,
    /// Our answer was never acknowledged (RFC 3261 13.3.1.4).
    NotAcked,
    /// The peer does not know the dialog any more, or answers nothing (RFC 3261 12.2.1.2).
    Gone,
    /// The peer was to refresh the call and did not (RFC 4028 10).
    Expired,
}

/// Which of a leg's timers went off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegTimer {
    /// Send the 2xx again.
    Ok,
    /// No ACK for 64*T1.
    OkGiveUp,
    /// No final response for 64*T1 after CANCEL (RFC 3261 9.1).
    CancelGiveUp,
    /// Not one response to our INVITE.
    Silence,
    /// Try the refused re-INVITE again (RFC 3261 14.1).
    Glare,
    /// The call is to be refreshed, or was not (RFC 4028).
    Refresh,
}

/// How long the exchange's INVITE may go without any answer before a qualified peer is given up: a phone on the same
/// network answers in milliseconds. `timerb=` sets another time.
const SILENCE: Duration = Duration::from_secs(6);
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// Which leg a message belongs to, and what happened on legs since their calls looked.
#[derive(Default)]
pub struct LegIndex {
    /// What happened on legs, for their calls to handle afterwards.
    pub events: VecDeque<(ChannelId, LegEvent)>,
    /// Legs that ended and are to be forgotten.
    pub ended: Vec<LegId>,
    /// Which leg an INVITE server transaction belongs to, until it is refused or its 2xx is acknowledged.
    pub servers: BTreeMap<ServerId, LegId>,
    /// Which leg a dialog belongs to.
    pub dialogs: BTreeMap<DialogKey, LegId>,
}

/// What a method of a leg works with: the core, and the tables that lead to legs.
pub struct Cx<'a> {
    /// Time, transactions, timers, effects.
    pub core: &'a mut Core,
    /// Where the leg enters its dialogs and transactions, and reports what happened.
    pub index: &'a mut LegIndex,
}

impl Cx<'_> {
    pub(super) fn timer(&mut self, leg: LegId, timer: LegTimer, after: Duration) -> TimerId {
        self.core.timers.set(self.core.now.mono + after, CallTimer::Leg(leg, timer))
    }
}

/// Where a leg stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The peer calls; nothing final is sent.
    Incoming { invite: ServerId },
    /// We call the peer. `heard`: a provisional response came.
    Outgoing { invite: ClientId, heard: bool, silence: TimerId },
    /// We called and gave up; the final response is still to come (RFC 3261 9.1).
    Abandoned { invite: ClientId, cancelled: bool, give_up: TimerId },
    /// Our 2xx is on its way to a caller. `hang_up`: BYE as soon as it is acknowledged (RFC 3261 15).
    Answering { hang_up: bool },
    /// Both sides agreed.
    Confirmed,
    /// Over.
    Ended,
}

/// A 2xx to an INVITE, sent again until its ACK comes (RFC 3261 13.3.1.4).
#[derive(Debug)]
struct PendingOk {
    server: ServerId,
    response: Response,
    cseq: u32,
    interval: Duration,
    again: TimerId,
    give_up: TimerId,
    /// It carried our offer: the ACK brings the answer.
    offered: bool,
}

/// A re-INVITE or UPDATE under way.
#[derive(Debug)]
enum Reoffer {
    None,
    /// Ours. `previous`: what we had told the peer before.
    Sent {
        client: ClientId,
        previous: Option<Sdp>,
        made_offer: bool,
        /// It only refreshes the call: nobody asked for it, and nobody is told.
        refresh: bool,
    },
    /// Ours met theirs or came too early; it is tried again when the timer goes off.
    Waiting {
        offer: Sdp,
        timer: TimerId,
    },
    /// The peer's, not yet answered.
    Received {
        server: ServerId,
        method: Method,
        offer: Option<Sdp>,
    },
}

/// One SIP dialog of a call.
pub struct Leg {
    /// Its name.
    pub id: LegId,
    /// The channel it carries.
    pub channel: ChannelId,
    /// Whose line it is.
    pub peer: Arc<Peer>,
    /// Where requests of this dialog go.
    pub flow: Flow,
    behind_nat: bool,
    /// We made the dialog's Call-ID (RFC 3261 14.1 gives its owner the longer wait).
    ours: bool,
    /// Whose offer the present agreement rests on: ours, or the peer's.
    made_offer: bool,
    /// What we last told the peer about media.
    pub local: Option<Sdp>,
    /// What the peer last told us.
    pub remote: Option<Sdp>,
    /// How often it told us otherwise in mid-call.
    heard: u32,
    state: State,
    /// A caller's dialog exists from the start; a callee's from its first tagged response.
    dialog: Option<Dialog>,
    /// The other early dialogs of our INVITE.
    forks: Vec<forks::Fork>,
    pending_ok: Option<PendingOk>,
    reoffer: Reoffer,
    /// 491s met in a row; bounded.
    glares: u8,
    refresh: refresh::Refresh,
    /// Hops that a call which this one begins may still take (RFC 3261 8.1.1.6).
    pub hops: u8,
    contact: Bytes,
    sdp_id: u64,
    sdp_version: u64,
}

impl Leg {
    /// Is the leg over, with nothing more to come or to send?
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Did both sides agree, so that the leg is a call in progress?
    pub fn is_confirmed(&self) -> bool {
        self.state == State::Confirmed
    }

    /// Is it a caller whom nothing final was sent?
    pub fn is_unanswered_caller(&self) -> bool {
        matches!(self.state, State::Incoming { .. })
    }

    /// Can a new offer be sent now (RFC 3261 14.1: no other INVITE in progress)?
    pub fn is_idle(&self) -> bool {
        self.is_confirmed() && self.pending_ok.is_none() && matches!(self.reoffer, Reoffer::None)
    }

    /// The offer or address of the exchange itself on this leg, as the next description would name it.
    /// `rtp` is where media shall go: our own port, or the other phone's for direct media.
    pub fn next_local_media(&mut self, rtp: std::net::SocketAddr, general: &General) -> crate::sdp::LocalMedia {
        self.sdp_version = self.sdp_version.wrapping_add(1);
        crate::sdp::LocalMedia {
            user: general.sdp_owner.clone(),
            session_name: general.sdp_name.clone(),
            id: self.sdp_id,
            version: self.sdp_version,
            addr: self.flow.advertised.ip(),
            media_addr: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port: None,
            secondary: Vec::new(),
        }
    }

    /// Does the leg wait for responses to this request of its own? Any other is over for it, whatever still comes.
    pub fn awaits(&self, id: ClientId) -> bool {
        let invites = match self.state {
            State::Outgoing { invite, .. } | State::Abandoned { invite, .. } => invite == id,
            State::Incoming { .. } | State::Answering { .. } | State::Confirmed | State::Ended => false,
        };
        invites || self.is_reoffer(id) || self.is_update(id)
    }

    /// Our tag, once there is a dialog.
    pub fn local_tag(&self) -> Option<&str> {
        self.dialog.as_ref().map(|dialog| dialog.local_tag.as_str())
    }

    /// Did the present agreement begin with our offer (so that the peer's description is the answer)?
    pub fn made_offer(&self) -> bool {
        self.made_offer
    }

    /// How often the peer changed its media in mid-call.
    pub fn heard(&self) -> u32 {
        self.heard
    }

    /// What the present agreement says: the codec in use.
    pub fn agreed(&self) -> Option<Agreed> {
        let (local, remote) = (self.local.as_ref()?, self.remote.as_ref()?);
        if self.made_offer { payload::agreed(local, remote) } else { payload::agreed(remote, local) }
    }

    /// The peer's description from now on. It is news to the other side when sound is to go other ways, or the codec in use is gone; where
    /// it wants its sound the relay knows by itself.
    fn hear(&mut self, described: Sdp) {
        let ways = |sdp: &Sdp| (sdp.audio().map(|audio| audio.direction), sdp.is_hold());
        let before = self.remote.as_ref().map_or((Some(Direction::SendRecv), false), ways);
        let formats = described.audio().map(|audio| audio.formats).unwrap_or_default();
        let is_left = |agreed: Agreed| formats.iter().all(|format| format.codec != Some(agreed.codec));
        if before != ways(&described) || self.agreed().is_some_and(is_left) {
            self.heard = self.heard.wrapping_add(1);
        }
        self.remote = Some(described);
    }

    /// Is the peer reached at where it sends from rather than where it says it is?
    pub fn is_behind_nat(&self) -> bool {
        self.behind_nat
    }

    /// The address the peer's signalling comes from.
    pub fn signalling(&self) -> IpAddr {
        self.flow.remote.ip()
    }

    /// Ends the leg from our side, as its state demands: a refusal, a CANCEL, a BYE now or after the ACK.
    pub fn hang_up(&mut self, hangup_cause: u16, cx: &mut Cx<'_>) {
        match self.state {
            State::Incoming { .. } => self.refuse(cause::to_status(hangup_cause), cx),
            State::Outgoing { invite, heard, silence } => {
                cx.core.timers.cancel(silence);
                // RFC 3261 9.1: no CANCEL before a provisional response.
                if heard {
                    self.send_cancel(invite, cx);
                } else {
                    let give_up = cx.timer(self.id, LegTimer::CancelGiveUp, T1 * 64);
                    self.state = State::Abandoned { invite, cancelled: false, give_up };
                }
            }
            State::Answering { .. } => self.state = State::Answering { hang_up: true },
            State::Confirmed => {
                self.refuse_pending_reoffer(cx);
                self.send_in_dialog(Method::Bye, cx);
                self.end(cx);
            }
            State::Abandoned { .. } | State::Ended => {}
        }
    }

    /// Sends a request without a body in the dialog.
    fn send_in_dialog(&mut self, method: Method, cx: &mut Cx<'_>) -> Option<ClientId> {
        let mut request = self.dialog.as_mut()?.request(method);
        self.dress(&mut request, cx);
        let how = self.sending(None);
        Some(cx.core.request(request, self.flow, how, Requester::Leg(self.id)))
    }

    /// Adds what every request to this peer carries.
    fn dress(&self, request: &mut Request, cx: &Cx<'_>) {
        add_request_headers(request, &cx.core.product);
        request.headers.set(HeaderName::MaxForwards, self.peer.settings.max_forwards.to_string());
    }

    /// The timers of a request to this peer: `timert1=` raises T1 and never lowers it.
    fn sending(&self, give_up: Option<Duration>) -> Sending {
        Sending::Tuned { t1: self.peer.settings.timer_t1, give_up }
    }

    /// Nothing more will come or go: timers and table entries of this leg vanish.
    fn end(&mut self, cx: &mut Cx<'_>) {
        self.refuse_pending_reoffer(cx);
        self.end_refresh(cx);
        self.drop_pending_ok(cx);
        match std::mem::replace(&mut self.reoffer, Reoffer::None) {
            Reoffer::Sent { client, .. } => {
                cx.core.tx.abandon(cx.core.now.mono, client);
            }
            Reoffer::Waiting { timer, .. } => cx.core.timers.cancel(timer),
            Reoffer::None | Reoffer::Received { .. } => {}
        }
        match self.state {
            State::Outgoing { invite, silence, .. } => {
                cx.core.timers.cancel(silence);
                // Its final response may never come: the peer sent BYE before, say.
                cx.core.tx.abandon(cx.core.now.mono, invite);
            }
            State::Abandoned { give_up, .. } => {
                cx.core.timers.cancel(give_up);
            }
            State::Incoming { invite } => {
                cx.index.servers.remove(&invite);
            }
            State::Answering { .. } | State::Confirmed | State::Ended => {}
        }
        self.forget_dialogs(cx);
        if self.state != State::Ended {
            cx.index.ended.push(self.id);
        }
        self.state = State::Ended;
    }

    fn tell(&self, event: LegEvent, cx: &mut Cx<'_>) {
        cx.index.events.push_back((self.channel, event));
    }

    /// One of the leg's timers went off.
    pub fn alarm(&mut self, timer: LegTimer, cx: &mut Cx<'_>) {
        match timer {
            LegTimer::Ok => self.repeat_ok(cx),
            LegTimer::OkGiveUp => self.ok_never_acked(cx),
            LegTimer::CancelGiveUp => self.end(cx),
            LegTimer::Silence => self.heard_nothing(cx),
            LegTimer::Glare => self.reoffer_again(cx),
            LegTimer::Refresh => self.refresh_due(cx),
        }
    }
}
