//! New offers in mid-call, from either side (RFC 3261 14, RFC 3311).

use super::{Alarm, Call, Phone, PhoneEvent, Purpose, State, attach, description};
use crate::clock::Time;
use crate::sdp::{Codec, Direction, Extra, Sdp};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{ClientId, ServerId};
use crate::sip::validate::Essentials;
use std::collections::VecDeque;
use std::time::Duration;

/// What a new offer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Does not want to hear the other side.
    Hold,
    /// Wants to hear it again.
    Resume,
    /// Says in which directions there is to be sound.
    Direction(Direction),
    /// Wants RTP at this port from now on.
    MovePort(u16),
    /// Wants this codec alone.
    Codec(Codec),
    /// Wants fax instead of voice, whose line it keeps with port 0.
    T38,
    /// The same, with the line of fax alone in its place.
    T38Alone,
    /// Wants voice (again), with what was beside it.
    Voice,
    /// Wants this beside voice no more.
    Without(Extra),
    /// Wants this beside voice.
    With(Extra),
    /// Nothing: the call is kept alive.
    Refresh,
    /// No offer: the other side is asked for one.
    NoSdp,
}

/// Offers met with 491 are tried again so often.
const MOST_TRIES: u8 = 5;
/// A new RTP port is so far from the last.
const PORT_STEP: u16 = 2;

/// A call's new offers: those wanted, and the one under way.
#[derive(Default)]
pub(super) struct Reoffers {
    wanted: VecDeque<(Method, Option<Change>)>,
    sent: Option<Sent>,
    waiting: Option<TimerId>,
    tries: u8,
}

struct Sent {
    method: Method,
    change: Option<Change>,
    offer: Option<Sdp>,
    /// What the sound was before, should the offer be refused.
    before: (std::net::SocketAddr, Direction, Option<Codec>),
}

impl Phone {
    /// Makes a new offer by re-INVITE, as soon as nothing else is under way.
    pub fn renegotiate(&mut self, now: Time, change: Change) {
        self.now = now;
        if let Some(call) = &mut self.call {
            call.reoffers.wanted.push_back((Method::Invite, Some(change)));
        }
        self.reoffer_if_wanted();
    }

    /// Sends UPDATE, with a new offer or without, as soon as nothing else is under way.
    pub fn update(&mut self, now: Time, change: Option<Change>) {
        self.now = now;
        if let Some(call) = &mut self.call {
            call.reoffers.wanted.push_back((Method::Update, change));
        }
        self.reoffer_if_wanted();
    }

    /// RFC 3261 14.1: only when no other INVITE is in progress in either direction.
    pub(super) fn reoffer_if_wanted(&mut self) {
        let Some(call) = &mut self.call else { return };
        let busy = call.pending_ok.is_some() || call.reoffers.sent.is_some() || call.reoffers.waiting.is_some();
        if busy || !matches!(call.state, State::Talking) {
            return;
        }
        if let Some((method, change)) = call.reoffers.wanted.pop_front() {
            self.send_reoffer(method, change);
        }
    }

    fn send_reoffer(&mut self, method: Method, change: Option<Change>) {
        let before = (self.sound.rtp, self.sound.direction, self.sound.only);
        let offer = change.and_then(|change| self.offer_for(change));
        let contact = self.contact();
        let Some(dialog) = self.call.as_mut().and_then(|call| call.dialog.as_mut()) else { return };
        let mut request = dialog.request(method.clone());
        request.headers.push(HeaderName::Contact, contact);
        if let Some(sdp) = &offer {
            attach(&mut request.headers, &mut request.body, sdp);
        }
        self.send(request, Some(Purpose::Reoffer));
        if let Some(call) = &mut self.call {
            call.reoffers.sent = Some(Sent { method, change, offer, before });
        }
    }

    fn offer_for(&mut self, change: Change) -> Option<Sdp> {
        match change {
            Change::Hold => self.sound.direction = Direction::SendOnly,
            Change::Resume => self.sound.direction = Direction::SendRecv,
            Change::Direction(direction) => self.sound.direction = direction,
            Change::MovePort(port) => self.sound.rtp.set_port(port),
            Change::Codec(codec) => self.sound.only = Some(codec),
            Change::T38 => return self.fax_offer(true),
            Change::T38Alone => return self.fax_offer(false),
            Change::Voice => {}
            Change::Without(extra) => self.sound.secondary_media.retain(|known| *known != extra),
            Change::With(extra) if self.sound.secondary_media.contains(&extra) => {}
            Change::With(extra) => self.sound.secondary_media.push(extra),
            Change::Refresh => return self.call.as_ref().and_then(|call| call.local.clone()),
            Change::NoSdp => return None,
        }
        self.offer()
    }

    pub(super) fn reoffer_answered(&mut self, id: ClientId, response: &Response, essentials: &Essentials) {
        match response.status {
            0..=199 => {}
            200..=299 => self.reoffer_accepted(id, response, essentials),
            status => {
                let text = response.headers.text(HeaderName::RetryAfter);
                let after = text.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                self.reoffer_refused(status, after);
            }
        }
    }

    fn reoffer_accepted(&mut self, id: ClientId, response: &Response, essentials: &Essentials) {
        let told = description(&response.headers, &response.body);
        let Some(sent) = self.call.as_mut().and_then(|call| call.reoffers.sent.take()) else {
            return self.acknowledge_late(id, response, essentials);
        };
        let asked = sent.method == Method::Invite && sent.offer.is_none();
        // RFC 3261 14.1: without an offer of ours the 2xx made one, and the ACK answers it.
        let answer = told.as_ref().filter(|_| asked).and_then(|offer| self.answer_to(offer));
        let dialog = self.call.as_mut().and_then(|call| call.dialog.as_mut()).map(|dialog| {
            dialog.refresh_target(&response.headers);
            dialog.clone()
        });
        if let Some(dialog) = dialog.filter(|_| sent.method == Method::Invite) {
            self.acknowledge(id, &dialog, essentials, answer.as_ref());
        }
        let Some(call) = &mut self.call else { return };
        call.reoffers.tries = 0;
        if asked {
            call.local = answer.or(call.local.take());
            call.made_offer = false;
        } else if sent.offer.is_some() {
            call.local = sent.offer;
            call.made_offer = true;
        }
        if let Some(told) = told {
            call.remote = Some(told);
            self.tell_media();
        }
        self.tell(PhoneEvent::RenegotiationAccepted);
    }

    fn reoffer_refused(&mut self, status: u16, retry_after: Option<Duration>) {
        let Some(call) = &mut self.call else { return };
        let Some(sent) = call.reoffers.sent.take() else { return };
        (self.sound.rtp, self.sound.direction, self.sound.only) = sent.before;
        // RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
        let steps = if call.ours { 210 + self.chance.below(191) } else { self.chance.below(201) };
        let wait = match (status, retry_after) {
            (491, _) => Some(Duration::from_millis(steps * 10)),
            // RFC 3261 14.2 and 20.33: too early.
            (500, Some(after)) => Some(after.min(Duration::from_secs(10))),
            _ => None,
        };
        if let Some(wait) = wait.filter(|_| call.reoffers.tries < MOST_TRIES) {
            call.reoffers.tries = call.reoffers.tries.saturating_add(1);
            call.reoffers.wanted.push_front((sent.method, sent.change));
            call.reoffers.waiting = Some(self.alarms.set(self.now + wait, Alarm::Reoffer));
            return;
        }
        call.reoffers.tries = 0;
        self.tell(PhoneEvent::RenegotiationRefused(status));
        // RFC 3261 12.2.1.2: then the other side does not have the call any more.
        if matches!(status, 481 | 408) {
            self.send_bye();
        }
    }

    pub(super) fn reoffer_timed_out(&mut self) {
        self.reoffer_refused(408, None);
    }

    pub(super) fn reoffer_again(&mut self) {
        if let Some(call) = &mut self.call {
            call.reoffers.waiting = None;
        }
    }

    pub(super) fn disarm_reoffer(&mut self) {
        if let Some(timer) = self.call.as_mut().and_then(|call| call.reoffers.waiting.take()) {
            self.alarms.cancel(timer);
        }
    }

    /// The other side's re-INVITE or UPDATE.
    pub(super) fn reoffered(&mut self, server: ServerId, request: &Request) {
        let Some(call) = &mut self.call else { return };
        let is_update = request.method == Method::Update;
        if is_update && request.body.is_empty() {
            return self.reply_in_call(server, request, 200, None);
        }
        // RFC 3261 14.2, RFC 3311 5.2: ours is under way; or the ACK of our last 2xx is.
        if call.reoffers.sent.is_some() || call.pending_ok.is_some() || !matches!(call.state, State::Talking) {
            return self.reply(server, request, 491);
        }
        if let Some(status) = self.behaviour.refuse_reinvite {
            return self.reply(server, request, status);
        }
        if let Some(dialog) = &mut call.dialog {
            dialog.refresh_target(&request.headers);
        }
        let offer = description(&request.headers, &request.body);
        if !request.body.is_empty() && offer.is_none() {
            return self.reply(server, request, 488);
        }
        let before = self.sound.rtp;
        if self.behaviour.new_port_on_reinvite {
            let port = self.sound.rtp.port().saturating_add(PORT_STEP);
            self.sound.rtp.set_port(port);
        }
        let told = match &offer {
            Some(offer) => self.answer_to(offer),
            None => self.offer(),
        };
        let Some(told) = told else {
            self.sound.rtp = before;
            return self.reply(server, request, 488);
        };
        self.accept_reoffer(server, request, offer, told);
    }

    fn accept_reoffer(&mut self, server: ServerId, request: &Request, offer: Option<Sdp>, told: Sdp) {
        let offered = offer.is_none();
        if request.method == Method::Update {
            self.reply_in_call(server, request, 200, Some(&told));
        } else if let Some(response) = self.response_in_call(server, 200, Some(&told)) {
            self.send_ok(server, response, offered);
        }
        let Some(Call { local, remote, made_offer, .. }) = &mut self.call else { return };
        *local = Some(told);
        *made_offer = offered;
        if offer.is_some() {
            *remote = offer;
            self.tell_media();
        }
        self.tell(PhoneEvent::Renegotiated);
    }

    fn reply_in_call(&mut self, server: ServerId, request: &Request, status: u16, body: Option<&Sdp>) {
        let mut response = Response::for_request(request, status, None);
        response.headers.push(HeaderName::Contact, self.contact());
        if let Some(sdp) = body {
            attach(&mut response.headers, &mut response.body, sdp);
        }
        self.respond(server, response);
    }
}
