//! A leg: one SIP dialog of a call, from its INVITE to its BYE. What happens on it comes out as [`LegEvent`]s;
//! what the call decides goes in by the methods. It knows no other leg.

mod agreement;
mod body;
mod context;
mod early_dialogs;
mod event;
mod in_dialog;
mod reinvite;
mod session_timer;
mod uac;
mod uas;

pub use crate::pbx::core::LegId;
pub use crate::pbx::core::LegTimer;
pub use crate::pbx::uri_text::{contact, escape_user, host, quote, to_uri, transport_param, uri_address, user_of};
pub use agreement::Agreement;
pub use body::{description, unfit_body};
pub use context::{Arrival, Cx, LegIndex};
pub use event::{Ending, LegEvent, Refusal};
pub use session_timer::unfit_timer;
pub use uac::Calling;
pub use uas::IncomingInvite;

use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::ChannelId;
use crate::pbx::cause;
use crate::pbx::core::{Requester, add_request_headers};
use crate::sdp::{LocalMedia, Sdp};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{ClientId, Sending, ServerId};
use bytes::Bytes;
use context::T1;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long the exchange's INVITE may go without any answer before a qualified peer is given up: a phone on the same
/// network answers in milliseconds. `timerb=` sets another time.
const SILENCE: Duration = Duration::from_secs(6);

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
    /// Ours. `previous`: what held before.
    Sent {
        client: ClientId,
        previous: agreement::Previous,
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
    /// What both sides described.
    pub agreement: Agreement,
    state: State,
    /// A caller's dialog exists from the start; a callee's from its first tagged response.
    dialog: Option<Dialog>,
    /// The other early dialogs of our INVITE.
    forks: Vec<early_dialogs::Fork>,
    pending_ok: Option<PendingOk>,
    reoffer: Reoffer,
    /// 491s met in a row; bounded.
    glares: u8,
    refresh: session_timer::Refresh,
    /// Hops that a call which this one begins may still take (RFC 3261 8.1.1.6).
    pub hops: u8,
    contact: Bytes,
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

    /// How our next description names us. `rtp` is where media shall go: our own port, or the other phone's for direct media.
    pub fn next_local_media(&mut self, rtp: SocketAddr, general: &General) -> LocalMedia {
        self.agreement.next_local_media(rtp, self.flow.advertised.ip(), general)
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
        add_request_headers(request, &cx.core.config.product);
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
    pub fn timer(&mut self, timer: LegTimer, cx: &mut Cx<'_>) {
        match timer {
            LegTimer::Ok => self.repeat_ok(cx),
            LegTimer::OkGiveUp => self.ok_never_acked(cx),
            LegTimer::CancelGiveUp => self.end(cx),
            LegTimer::Silence => self.heard_nothing(cx),
            LegTimer::Glare => self.reoffer_again(cx),
            LegTimer::SessionTimer => self.refresh_due(cx),
        }
    }
}
