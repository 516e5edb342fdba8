//! The call of a simulated phone, in whichever of its three states: it gives what happens to the state it is in.

use super::call_media::CallMedia;
use super::change::Change;
use super::established_call::EstablishedCall;
use super::incoming_call::IncomingCall;
use super::outgoing_call::{Outcome, OutgoingCall};
use super::user_agent::{Purpose, ReceivedRequest, ReceivedResponse, Timer, UserAgent};
use crate::sip::dialog::DialogKey;
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;

/// A call, from INVITE to BYE. Methods that take it by value give it back unless the call is over.
pub(super) enum Call {
    /// The phone calls.
    Outgoing(OutgoingCall),
    /// The phone is called and has not answered.
    Incoming(IncomingCall),
    /// The call is answered.
    Established(EstablishedCall),
}

impl Call {
    /// Its media.
    pub fn media(&self) -> &CallMedia {
        match self {
            Call::Outgoing(call) => call.media(),
            Call::Incoming(call) => call.media(),
            Call::Established(call) => call.media(),
        }
    }

    /// Its Call-ID, once there is a dialog.
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Call::Outgoing(_) => None,
            Call::Incoming(call) => Some(call.call_id()),
            Call::Established(call) => Some(call.call_id()),
        }
    }

    /// Its dialog, early or confirmed, once there is one.
    pub fn dialog(&self) -> Option<DialogKey> {
        match self {
            Call::Outgoing(call) => call.dialog(),
            Call::Incoming(call) => Some(call.dialog()),
            Call::Established(call) => Some(call.dialog()),
        }
    }

    /// Whether the phone is called and has not answered.
    pub fn is_called(&self) -> bool {
        matches!(self, Call::Incoming(_))
    }

    /// Whether both sides know that the call is established.
    pub fn is_talking(&self) -> bool {
        matches!(self, Call::Established(call) if call.is_talking())
    }

    /// Takes a response to a request of this call.
    pub fn on_response(self, ua: &mut UserAgent, purpose: Purpose, received: &ReceivedResponse) -> Option<Call> {
        match (self, purpose) {
            (Call::Outgoing(call), Purpose::Invite) => match call.on_response(ua, received) {
                Outcome::Pending(call) => Some(Call::Outgoing(*call)),
                Outcome::Established(call) => Some(Call::Established(*call)),
                Outcome::Over => None,
            },
            (Call::Established(call), Purpose::Renegotiate) => call.on_response(ua, received).map(Call::Established),
            (
                call,
                Purpose::Invite | Purpose::Renegotiate | Purpose::Register | Purpose::Text | Purpose::Subscribe(_),
            ) => {
                ua.acknowledge_stray(received);
                Some(call)
            }
        }
    }

    /// A request of this call had no response in time.
    pub fn on_timeout(self, ua: &mut UserAgent, purpose: Purpose) -> Option<Call> {
        match (self, purpose) {
            (Call::Outgoing(call), Purpose::Invite) => {
                call.failed(ua, 408);
                None
            }
            (Call::Established(call), Purpose::Renegotiate) => call.on_timeout(ua).map(Call::Established),
            (
                call,
                Purpose::Invite | Purpose::Renegotiate | Purpose::Register | Purpose::Text | Purpose::Subscribe(_),
            ) => Some(call),
        }
    }

    /// A request with a To tag.
    pub fn on_request(self, ua: &mut UserAgent, received: &ReceivedRequest) -> Option<Call> {
        match self {
            Call::Outgoing(_) => {
                ua.reply(received, 481);
                Some(self)
            }
            Call::Incoming(call) => call.on_request(ua, received).map(Call::Incoming),
            Call::Established(call) => call.on_request(ua, received).map(Call::Established),
        }
    }

    /// The ACK of a 2xx.
    pub fn on_ack(self, ua: &mut UserAgent, ack: &Request, essentials: &Essentials) -> Option<Call> {
        match self {
            Call::Established(call) => call.on_ack(ua, ack, essentials).map(Call::Established),
            Call::Outgoing(_) | Call::Incoming(_) => Some(self),
        }
    }

    /// A CANCEL of this INVITE.
    pub fn on_cancel(self, ua: &mut UserAgent, invite: ServerId) -> Option<Call> {
        match self {
            Call::Incoming(call) => call.on_cancel(ua, invite).map(Call::Incoming),
            Call::Outgoing(_) | Call::Established(_) => Some(self),
        }
    }

    /// A timer of this call has expired.
    pub fn on_timer(self, ua: &mut UserAgent, timer: Timer) -> Option<Call> {
        match (self, timer) {
            (call, Timer::Answer) => call.answer(ua),
            (Call::Established(mut call), Timer::RetransmitOk) => {
                call.on_ok_timer(ua);
                Some(Call::Established(call))
            }
            (Call::Established(call), Timer::AbandonOk) => call.on_ok_abandoned(ua).map(Call::Established),
            (Call::Established(mut call), Timer::RetryOffer) => {
                call.on_retry_timer();
                Some(Call::Established(call))
            }
            (
                call,
                Timer::RetransmitOk | Timer::AbandonOk | Timer::RetryOffer | Timer::Register | Timer::Subscribe(_),
            ) => Some(call),
        }
    }

    /// Sends a provisional response, if it is called.
    pub fn indicate(mut self, ua: &mut UserAgent, status: u16, described: bool) -> Option<Call> {
        if let Call::Incoming(call) = &mut self {
            call.indicate(ua, status, described);
        }
        Some(self)
    }

    /// Answers, if it is called.
    pub fn answer(self, ua: &mut UserAgent) -> Option<Call> {
        match self {
            Call::Incoming(call) => call.answer(ua).map(Call::Established),
            Call::Outgoing(_) | Call::Established(_) => Some(self),
        }
    }

    /// Refuses, if it is called.
    pub fn refuse(self, ua: &mut UserAgent, status: u16) -> Option<Call> {
        match self {
            Call::Incoming(call) => {
                call.refuse(ua, status);
                None
            }
            Call::Outgoing(_) | Call::Established(_) => Some(self),
        }
    }

    /// Hangs up: CANCEL, refusal (480) or BYE, as its state demands (RFC 3261 15).
    pub fn hang_up(self, ua: &mut UserAgent) -> Option<Call> {
        match self {
            Call::Outgoing(mut call) => {
                call.hang_up(ua);
                Some(Call::Outgoing(call))
            }
            Call::Incoming(_) => self.refuse(ua, 480),
            Call::Established(call) => call.hang_up(ua).map(Call::Established),
        }
    }

    /// Sends a key, if the call is established.
    pub fn press(mut self, ua: &mut UserAgent, key: char) -> Option<Call> {
        if let Call::Established(call) = &mut self {
            call.press(ua, key);
        }
        Some(self)
    }

    /// Sends a request of any other method, if the call is established.
    pub fn request(mut self, ua: &mut UserAgent, method: Method, fields: &[(&'static str, &str)]) -> Option<Call> {
        if let Call::Established(call) = &mut self {
            call.request(ua, method, fields);
        }
        Some(self)
    }

    /// Sends a text message, if the call is established.
    pub fn text(mut self, ua: &mut UserAgent, text: &str) -> Option<Call> {
        if let Call::Established(call) = &mut self {
            call.text(ua, text);
        }
        Some(self)
    }

    /// Sends a re-INVITE or UPDATE as soon as it may be sent.
    pub fn want(mut self, ua: &mut UserAgent, method: Method, change: Option<Change>) -> Option<Call> {
        match &mut self {
            Call::Outgoing(call) => call.want(method, change),
            Call::Incoming(call) => call.want(method, change),
            Call::Established(call) => call.want(method, change),
        }
        self.send_wanted(ua)
    }

    /// Sends the next re-INVITE or UPDATE that is wanted, if it may be sent now.
    pub fn send_wanted(mut self, ua: &mut UserAgent) -> Option<Call> {
        if let Call::Established(call) = &mut self {
            call.send_wanted(ua);
        }
        Some(self)
    }
}
