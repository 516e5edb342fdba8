//! A simulated telephone: one registration, and at most one call at a time. It is a user agent of its own that shares
//! only transactions, dialogs and descriptions with the exchange. Bytes and time come in, datagrams and events go out.

mod agreement;
mod authenticator;
mod behaviour;
mod call;
mod call_media;
mod change;
mod config;
mod established_call;
mod event;
mod identity;
mod in_dialog;
mod incoming_call;
mod negotiator;
mod ok_retransmission;
mod outgoing_call;
mod registration;
mod renegotiation;
mod sdp_body;
mod subscription;
mod texting;
mod user_agent;

use crate::clock::Time;
use crate::rng::Rng;
use crate::sdp::{Direction, MediaKind, Sdp};
use crate::sip::dialog::DialogKey;
use crate::sip::flow::Transport;
use crate::sip::method::Method;
use bytes::Bytes;
use call::Call;
use call_media::CallMedia;
use identity::Identity;
use incoming_call::IncomingCall;
use outgoing_call::OutgoingCall;
use registration::Registration;
use std::net::SocketAddr;
use texting::Texting;
use user_agent::{Purpose, Received, Timer, UserAgent};

pub use behaviour::Behaviour;
pub use change::Change;
pub use config::PhoneConfig;
pub use event::PhoneEvent;
pub use subscription::{LampKeys, Watching};

/// A simulated telephone.
pub struct Phone {
    ua: UserAgent,
    registration: Registration,
    texting: Texting,
    call: Option<Call>,
    /// What it watches.
    pub lamps: LampKeys,
}

impl Phone {
    /// A phone that is neither registered nor in a call.
    pub fn new(config: PhoneConfig, mut rng: Rng) -> Phone {
        let identity = Identity::new(config);
        let registration = Registration::new(&identity, &mut rng);
        let ua = UserAgent::new(identity, registration.tag().to_owned(), rng);
        Phone { ua, registration, texting: Texting::default(), call: None, lamps: LampKeys::default() }
    }

    /// Its configuration.
    pub fn config(&self) -> &PhoneConfig {
        &self.ua.identity.config
    }

    /// What it does by itself.
    pub fn behaviour(&self) -> &Behaviour {
        &self.ua.behaviour
    }

    /// The same, to be changed at any time.
    pub fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.ua.behaviour
    }

    /// Uses a connection from now on, TCP or TLS, which its owner provides.
    pub fn use_transport(&mut self, transport: Transport) {
        self.ua.identity.transport = transport;
    }

    /// Takes a datagram from `from`.
    pub fn receive(&mut self, now: Time, datagram: &Bytes, from: SocketAddr) {
        self.ua.now = now;
        if self.ua.behaviour.ignores_everything {
            return;
        }
        if let Some(received) = self.ua.receive(datagram, from) {
            self.handle(received);
        }
        self.in_call(now, Call::send_wanted);
    }

    fn handle(&mut self, received: Received) {
        let now = self.ua.now;
        match received {
            Received::Invite(received) => {
                // RFC 3261 21.4.24: a phone that has a call is busy.
                let busy = self.call.is_some().then_some(486);
                match self.ua.behaviour.refuse.or(busy) {
                    Some(status) => self.ua.reply(&received, status),
                    None => self.call = IncomingCall::start(&mut self.ua, &received).map(Call::Incoming),
                }
            }
            Received::InDialog(received) if self.lamps.take(&mut self.ua, &received) => {}
            Received::InDialog(received) => match self.call.take() {
                Some(call) => self.call = call.on_request(&mut self.ua, &received),
                None => self.ua.reply(&received, 481),
            },
            Received::Ack { request, essentials } => {
                self.in_call(now, |call, ua| call.on_ack(ua, &request, &essentials))
            }
            Received::Cancel(invite) => self.in_call(now, |call, ua| call.on_cancel(ua, invite)),
            Received::Response(Purpose::Register, received) => {
                self.registration.on_response(&mut self.ua, &received.response);
            }
            Received::Response(Purpose::Text, received) => {
                self.texting.on_response(&mut self.ua, &received.response);
            }
            Received::Response(Purpose::Subscribe(index), received) => {
                self.lamps.with(index, &mut self.ua, |one, ua| one.on_response(index, ua, &received));
            }
            Received::Response(purpose, received) => match self.call.take() {
                Some(call) => self.call = call.on_response(&mut self.ua, purpose, &received),
                None => self.ua.acknowledge_stray(&received),
            },
        }
    }

    /// Does what is due by `now`.
    pub fn tick(&mut self, now: Time) {
        self.ua.now = now;
        for client in self.ua.expire_transactions() {
            match self.ua.take_purpose(client) {
                Some(Purpose::Register) => self.registration.refused(&mut self.ua, 408),
                Some(Purpose::Text) => self.texting.end(&mut self.ua, 408),
                Some(Purpose::Subscribe(index)) => self.lamps.with(index, &mut self.ua, |one, ua| one.refused(408, ua)),
                Some(purpose) => self.in_call(now, |call, ua| call.on_timeout(ua, purpose)),
                None => {}
            }
        }
        while let Some(timer) = self.ua.expired_timer() {
            match timer {
                Timer::Register => self.register(now),
                Timer::Subscribe(index) => {
                    self.lamps.with(index, &mut self.ua, |one, ua| one.start(index, one.watching.expires, ua));
                }
                Timer::Answer | Timer::RetransmitOk | Timer::AbandonOk | Timer::RetryOffer => {
                    self.in_call(now, |call, ua| call.on_timer(ua, timer));
                }
            }
        }
        self.in_call(now, Call::send_wanted);
    }

    /// Gives something to the call, if there is one, and drops it if that ends it.
    fn in_call(&mut self, now: Time, handle: impl FnOnce(Call, &mut UserAgent) -> Option<Call>) {
        self.ua.now = now;
        self.call = self.call.take().and_then(|call| handle(call, &mut self.ua));
    }

    /// When [`Phone::tick`] is to be called at the latest.
    pub fn next_deadline(&self) -> Option<Time> {
        self.ua.next_deadline()
    }

    /// The datagrams to send since the last call, in order, each with its destination.
    pub fn take_datagrams(&mut self) -> Vec<(SocketAddr, Bytes)> {
        self.ua.take_datagrams()
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<PhoneEvent> {
        self.ua.take_events()
    }

    /// Whether nothing is left: no call, no transaction, no timer but that of its registration.
    pub fn is_idle(&self) -> bool {
        let lasting = self.registration.timers() + self.lamps.timers();
        self.call.is_none() && self.texting.is_idle() && self.ua.is_idle_but(lasting)
    }

    /// What is left, in words, to explain why it is not idle.
    pub fn leftovers(&self) -> String {
        let (user, refresh) = (&self.config().user, self.registration.timers() + self.lamps.timers());
        format!("{user}: call {}, {} ({refresh} of what lasts)", self.has_call(), self.ua.leftovers())
    }

    /// Registers, or refreshes its registration now.
    pub fn register(&mut self, now: Time) {
        self.ua.now = now;
        let expires = self.config().expires;
        self.registration.start(&mut self.ua, expires);
    }

    /// Ends its registration.
    pub fn unregister(&mut self, now: Time) {
        self.ua.now = now;
        self.registration.start(&mut self.ua, 0);
    }

    /// Whether the exchange granted its registration, and it has not ended since.
    pub fn is_registered(&self) -> bool {
        self.registration.is_registered()
    }

    /// Calls a number. Nothing happens while it has a call.
    pub fn dial(&mut self, now: Time, number: &str) {
        self.ua.now = now;
        if self.call.is_none() {
            self.call = Some(Call::Outgoing(OutgoingCall::start(&mut self.ua, number)));
        }
    }

    /// Sends a text message to a number; without one within its call.
    pub fn text(&mut self, now: Time, number: Option<&str>, text: &str) {
        self.ua.now = now;
        match number {
            Some(number) => self.texting.start(&mut self.ua, number, text),
            None => self.in_call(now, |call, ua| call.text(ua, text)),
        }
    }

    /// Rings: 180.
    pub fn ring(&mut self, now: Time) {
        self.indicate(now, 180, false);
    }

    /// Sends a provisional response, with the answer to the offer (183: early media) or without.
    pub fn indicate(&mut self, now: Time, status: u16, described: bool) {
        self.in_call(now, |call, ua| call.indicate(ua, status, described));
    }

    /// Answers: 200, sent again until the ACK comes.
    pub fn answer(&mut self, now: Time) {
        self.in_call(now, Call::answer);
    }

    /// Refuses with a final status.
    pub fn refuse(&mut self, now: Time, status: u16) {
        self.in_call(now, |call, ua| call.refuse(ua, status));
    }

    /// Hangs up: CANCEL, refusal (480) or BYE as its state demands (RFC 3261 15); nothing without a call.
    pub fn hang_up(&mut self, now: Time) {
        self.in_call(now, Call::hang_up);
    }

    /// A key is pressed in a call: sends INFO, as phones do that send no telephone events.
    pub fn press(&mut self, now: Time, key: char) {
        self.in_call(now, |call, ua| call.press(ua, key));
    }

    /// Sends a request of any other method within its call, with these header fields and no body: REFER, say.
    pub fn request(&mut self, now: Time, method: Method, fields: &[(&'static str, &str)]) {
        self.in_call(now, |call, ua| call.request(ua, method, fields));
    }

    /// Makes a new offer by re-INVITE, as soon as nothing else is under way.
    pub fn renegotiate(&mut self, now: Time, change: Change) {
        self.in_call(now, |call, ua| call.want(ua, Method::Invite, Some(change)));
    }

    /// Sends UPDATE, with a new offer or without, as soon as nothing else is under way.
    pub fn update(&mut self, now: Time, change: Option<Change>) {
        self.in_call(now, |call, ua| call.want(ua, Method::Update, change));
    }

    /// Whether it is called and has not answered.
    pub fn is_called(&self) -> bool {
        self.call.as_ref().is_some_and(Call::is_called)
    }

    /// Whether its call is established, as far as it knows.
    pub fn is_talking(&self) -> bool {
        self.call.as_ref().is_some_and(Call::is_talking)
    }

    /// Whether it has a call, in whatever state.
    pub fn has_call(&self) -> bool {
        self.call.is_some()
    }

    /// The Call-ID of its call, once there is a dialog.
    pub fn call_id(&self) -> Option<&str> {
        self.call.as_ref()?.call_id()
    }

    fn call_media(&self) -> Option<&CallMedia> {
        self.call.as_ref().map(Call::media)
    }

    /// Where it wants RTP now.
    pub fn rtp(&self) -> SocketAddr {
        self.call_media().map_or(self.config().rtp, |media| media.negotiator.preferences.rtp)
    }

    /// In which directions it wants audio.
    pub fn direction(&self) -> Direction {
        self.call_media().map_or(Direction::SendRecv, |media| media.negotiator.preferences.direction)
    }

    /// Where it is to send RTP now; `None` without a call, and while either side does not want it to send.
    pub fn media(&self) -> Option<SocketAddr> {
        self.call_media()?.target()
    }

    /// The payload type to send with.
    pub fn payload_type(&self) -> Option<u8> {
        self.call_media()?.agreement.payload_type()
    }

    /// The latest description of the other side.
    pub fn remote_description(&self) -> Option<&Sdp> {
        self.call_media()?.agreement.remote.as_ref()
    }

    /// Where it wants a secondary medium.
    pub fn secondary_rtp(&self, kind: MediaKind) -> SocketAddr {
        negotiator::secondary_rtp(self.rtp(), kind)
    }

    /// Where to send a secondary medium; `None` unless both sides take part in it.
    pub fn secondary_media(&self, kind: MediaKind) -> Option<SocketAddr> {
        self.call_media()?.agreement.remote_secondary(kind)
    }
}

/// A phone watches something: it subscribes to it, or subscribes again to what it watches already. Gives the number by
/// which [`LampKeys::watching`] tells of it.
pub fn watch(phone: &mut Phone, now: Time, watching: Watching) -> usize {
    phone.ua.now = now;
    phone.lamps.watch(&mut phone.ua, watching)
}

/// The dialog of a phone's call, early or confirmed: what another call may replace (RFC 3891).
pub fn dialog_of(phone: &Phone) -> Option<DialogKey> {
    phone.call.as_ref()?.dialog()
}

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
