//! A simulated telephone: one line, one call at a time, on the library's own transactions, dialogs and descriptions.
//! It decides nothing by itself but what its [`Behaviour`] say; bytes and time come in, datagrams and events come out.

mod called;
mod calling;
mod registering;
mod reoffer;
mod sound;
mod talking;

use super::device_profile::DeviceProfile;
use crate::chance::Chance;
use crate::clock::Time;
use crate::sdp::{Codec, Extra, Sdp};
use crate::sip::flow::{ConnectionId, Transport};
use crate::sip::header::{Challenge, Credentials, HeaderName};
use crate::sip::message::{Message, Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::{TimerId, Timers};
use crate::sip::transaction::{ClientId, Expired, Incoming, Sending, ServerId, TimerValues, Transactions, Transmit};
use crate::sip::validate::{self, Essentials};
use crate::sip::{Flow, digest, route};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub use reoffer::Change;

/// Who a phone is.
#[derive(Clone)]
pub struct PhoneConfig {
    /// The account: user of From, To, Contact and digest.
    pub user: String,
    /// Its secret.
    pub secret: String,
    /// The phone's own address, in Via and Contact; what is sent to it must be given to [`Phone::receive`].
    pub sip: SocketAddr,
    /// The exchange.
    pub exchange: SocketAddr,
    /// Where it wants RTP.
    pub rtp: SocketAddr,
    /// Which make it imitates.
    pub profile: DeviceProfile,
    /// For how many seconds it registers.
    pub expires: u32,
}

impl std::fmt::Debug for PhoneConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneConfig").field("user", &self.user).field("sip", &self.sip).finish_non_exhaustive()
    }
}

/// What a phone does unasked, rightly or wrongly. The default does nothing unasked.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Rings (180) at once when called.
    pub auto_ring: bool,
    /// Sends sound before the answer (183 with a description) at once when called.
    pub auto_early_media: bool,
    /// Answers a call so long after it came.
    pub auto_answer_after: Option<Duration>,
    /// Refuses every call with this status: 486 when it is off the hook.
    pub refuse: Option<u16>,
    /// Refuses every new offer in mid-call with this status.
    pub refuse_reinvite: Option<u16>,
    /// Answers a new offer from a new RTP port, two above the last.
    pub new_port_on_reinvite: bool,
    /// Can do these beside voice: takes them when offered, and offers all but fax itself.
    pub secondary_media: Vec<Extra>,
    /// Takes an offer of fax instead of voice, and turns down all of its media by port 0.
    pub empty_fax: bool,
    /// Makes no offer in its INVITE: that comes with the 200, and its answer goes with the ACK.
    pub offerless: bool,
    /// Never acknowledges a 200.
    pub never_acks: bool,
    /// Hears nothing at all.
    pub ignores_everything: bool,
    /// Does not hear a BYE.
    pub loses_bye: bool,
    /// Writes `sips:` where others write `sip:`: its Contact, and what it registers at and dials.
    pub sips: bool,
}

/// What happened to a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneEvent {
    /// It is registered for so many seconds.
    Registered {
        /// The seconds granted.
        expires: u32,
    },
    /// It is no longer registered, as it wished.
    Unregistered,
    /// Its registration was refused (408: never answered).
    RegisterRefused(u16),
    /// Somebody calls it.
    Called {
        /// The caller's number.
        from: String,
        /// The number in the Request-URI.
        number: String,
    },
    /// The phone it calls rings.
    Ringing,
    /// The line it calls sends sound before it answers.
    Progress,
    /// The call is up: the other side answered, or acknowledged this one's answer.
    Answered,
    /// Its call was refused (408: never answered).
    Failed(u16),
    /// RTP is to be sent there from now on: after every agreement, changed or not.
    MediaAt(SocketAddr),
    /// No RTP is to be sent: the other side holds the call.
    OnHold,
    /// The other side made a new offer, and it was accepted.
    Renegotiated,
    /// The other side accepted this one's new offer, or UPDATE.
    RenegotiationAccepted,
    /// The other side refused it; the call goes on as it was.
    RenegotiationRefused(u16),
    /// The call is over, whoever ended it.
    Ended,
}

/// See the module.
pub struct Phone {
    /// What it does unasked; may be changed at any time.
    pub behaviour: Behaviour,
    config: PhoneConfig,
    transport: Transport,
    chance: Chance,
    now: Time,
    tx: Transactions,
    alarms: Timers<Alarm>,
    purposes: BTreeMap<ClientId, Purpose>,
    sent: Vec<Transmit>,
    events: Vec<PhoneEvent>,
    registration: registering::Registration,
    /// The latest challenge, and how often it was answered.
    challenge: Option<(Challenge, u32)>,
    sound: sound::Sound,
    call: Option<Call>,
}

/// What a request of the phone's was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Register,
    Invite,
    Reoffer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    Refresh,
    Answer,
    Ok,
    OkGiveUp,
    Reoffer,
}

/// One call, from INVITE to BYE.
struct Call {
    state: State,
    dialog: Option<crate::sip::dialog::Dialog>,
    local: Option<Sdp>,
    remote: Option<Sdp>,
    /// Does the agreement rest on this phone's offer?
    made_offer: bool,
    /// Did this phone make the Call-ID?
    ours: bool,
    pending_ok: Option<called::PendingOk>,
    answer: Option<TimerId>,
    reoffers: reoffer::Reoffers,
}

enum State {
    /// It calls.
    Dialling(calling::Dialling),
    /// It is called and has not answered.
    Called { server: ServerId, ringing: bool },
    /// It answered; the ACK is awaited. `hang_up`: BYE follows it (RFC 3261 15).
    Answering { hang_up: bool },
    /// Both agreed.
    Talking,
}

impl Phone {
    /// A phone on the hook, not registered.
    pub fn new(config: PhoneConfig, mut chance: Chance) -> Phone {
        let registration = registering::Registration::new(&config, &mut chance);
        let sound = sound::Sound::new(&config, &mut chance);
        let tx = Transactions::new(TimerValues::default(), 1000, &mut chance);
        Phone {
            behaviour: Behaviour::default(),
            config,
            transport: Transport::Udp,
            chance,
            now: Time::ZERO,
            tx,
            alarms: Timers::new(),
            purposes: BTreeMap::new(),
            sent: Vec::new(),
            events: Vec::new(),
            registration,
            challenge: None,
            sound,
            call: None,
        }
    }

    /// Who it is.
    pub fn config(&self) -> &PhoneConfig {
        &self.config
    }

    /// Takes in a datagram from `from`.
    pub fn receive(&mut self, now: Time, datagram: &Bytes, from: SocketAddr) {
        self.now = now;
        if self.behaviour.ignores_everything {
            return;
        }
        match Message::parse(datagram) {
            Ok(Message::Request(request)) => {
                if let Ok(essentials) = validate::request(&request) {
                    self.request(request, &essentials, from);
                }
            }
            Ok(Message::Response(response)) => {
                if let Ok(essentials) = validate::response(&response) {
                    self.response(response, essentials, from);
                }
            }
            Err(_) => {}
        }
        self.reoffer_if_wanted();
    }

    /// Does what is due by `now`.
    pub fn tick(&mut self, now: Time) {
        self.now = now;
        for expired in self.tx.expire(now, &mut self.sent) {
            match expired {
                Expired::Timeout(id) => self.timed_out(id),
                Expired::NotAcked(_) => {}
            }
        }
        while let Some(alarm) = self.alarms.pop(now) {
            match alarm {
                Alarm::Refresh => self.register(now),
                Alarm::Answer => self.answer(now),
                Alarm::Ok => self.repeat_ok(),
                Alarm::OkGiveUp => self.ok_never_acked(),
                Alarm::Reoffer => self.reoffer_again(),
            }
        }
        self.reoffer_if_wanted();
    }

    /// When [`Phone::tick`] wants to be called at the latest.
    pub fn next_deadline(&self) -> Option<Time> {
        [self.tx.next_deadline(), self.alarms.next()].into_iter().flatten().min()
    }

    /// The datagrams to send since the last time, in order, each with where it goes.
    pub fn take_datagrams(&mut self) -> Vec<(SocketAddr, Bytes)> {
        let asks = self.config.profile.asks_rport();
        let sent = std::mem::take(&mut self.sent);
        sent.into_iter()
            .map(|Transmit { flow, bytes }| (flow.remote, if asks { bytes } else { without_rport(bytes) }))
            .collect()
    }

    /// What happened since the last time, in order.
    pub fn take_events(&mut self) -> Vec<PhoneEvent> {
        std::mem::take(&mut self.events)
    }

    /// Is nothing left: no call, no transaction, no timer but that of its registration?
    pub fn is_idle(&self) -> bool {
        let refresh = usize::from(self.registration.is_armed());
        self.call.is_none() && self.tx.is_empty() && self.purposes.is_empty() && self.alarms.len() == refresh
    }

    /// What it still holds, in words, for whoever wonders why it is not idle.
    pub fn leftovers(&self) -> String {
        let (clients, servers) = self.tx.counts();
        let (call, timers) = (self.call.is_some(), self.alarms.len());
        let refresh = self.registration.is_armed();
        format!(
            "{}: call {call}, {clients} client and {servers} server transactions, {timers} timers (refresh {refresh})",
            self.config.user
        )
    }

    /// Does somebody call it, and it has not answered?
    pub fn is_called(&self) -> bool {
        self.call.as_ref().is_some_and(|call| matches!(call.state, State::Called { .. }))
    }

    /// Is its call up, as far as it knows?
    pub fn is_talking(&self) -> bool {
        self.call.as_ref().is_some_and(|call| matches!(call.state, State::Talking))
    }

    /// Has it a call, whatever its state?
    pub fn has_call(&self) -> bool {
        self.call.is_some()
    }

    fn tell(&mut self, event: PhoneEvent) {
        self.events.push(event);
    }

    /// Speaks over a connection from now on, which is there for whoever carries its messages: TCP or TLS.
    pub fn speak_over(&mut self, transport: Transport) {
        self.transport = transport;
    }

    fn flow(&self) -> Flow {
        self.flow_with(self.config.exchange)
    }

    fn flow_with(&self, remote: SocketAddr) -> Flow {
        // It has one connection, whatever its name.
        let connection = self.transport.is_reliable().then_some(ConnectionId(1));
        Flow { transport: self.transport, connection, ..Flow::udp(self.config.sip, remote) }
    }

    fn tag(&mut self) -> String {
        let (begin, end) = self.config.profile.marks(self.config.sip.port());
        format!("{begin}{}{end}", self.chance.hex(12))
    }

    /// Adds what every request has beside what its dialog gave it, and sends it.
    fn send(&mut self, mut request: Request, purpose: Option<Purpose>) -> ClientId {
        request.headers.push(HeaderName::UserAgent, Bytes::from_static(self.config.profile.user_agent().as_bytes()));
        let flow = self.flow();
        let id = self.tx.request(self.now, request, flow, Sending::Reliably, &mut self.chance, &mut self.sent);
        if let Some(purpose) = purpose {
            self.purposes.insert(id, purpose);
        }
        id
    }

    fn dressed(&self, mut response: Response) -> Response {
        const ALLOW: &[u8] = b"ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, UPDATE";
        response.headers.push(HeaderName::Server, Bytes::from_static(self.config.profile.user_agent().as_bytes()));
        response.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW));
        response
    }

    fn respond(&mut self, id: ServerId, response: Response) {
        let response = self.dressed(response);
        self.tx.respond(self.now, id, response, &mut self.sent);
    }

    fn reply(&mut self, id: ServerId, request: &Request, status: u16) {
        let tag = self.chance.hex(12);
        self.respond(id, Response::for_request(request, status, Some(&tag)));
    }

    fn contact(&self) -> Bytes {
        let contact = self.config.profile.contact(&self.config.user, self.config.sip, self.transport);
        if !self.behaviour.sips {
            return Bytes::from(contact);
        }
        Bytes::from(self.scheme(contact).replacen(";transport=tls", "", 1))
    }

    /// A URI with the scheme it writes.
    fn scheme(&self, uri: String) -> String {
        if self.behaviour.sips { uri.replacen("sip:", "sips:", 1) } else { uri }
    }

    /// Proves who it is, when a challenge is known (RFC 3261 22.2).
    fn authorize(&mut self, request: &mut Request) {
        let Some((challenge, used)) = &mut self.challenge else { return };
        *used = used.saturating_add(1);
        let uri = String::from_utf8_lossy(&request.target).into_owned();
        let ha1 = digest::Ha1::from_secret(&self.config.user, &challenge.realm, &self.config.secret);
        let cnonce = self.chance.hex(16);
        let made = digest::answer(challenge, &self.config.user, &ha1, &request.method, &uri, &cnonce, *used);
        let Some(credentials) = made else { return };
        let algorithm = match self.config.profile {
            DeviceProfile::Cisco7960 => Some("md5".into()),
            DeviceProfile::Plain | DeviceProfile::Pap2t | DeviceProfile::Grandstream => credentials.algorithm.clone(),
        };
        let credentials = Credentials { algorithm, ..credentials };
        request.headers.push(HeaderName::Authorization, Bytes::from(credentials.to_string()));
        if !self.config.profile.keeps_nonce() {
            self.challenge = None;
        }
    }

    /// Learns a challenge; false when it means that the secret is wrong: it is the second one, and not for a stale nonce.
    fn learn_challenge(&mut self, response: &Response, challenged: u8) -> bool {
        let found = response.headers.get(HeaderName::WwwAuthenticate).and_then(|line| Challenge::parse(line).ok());
        let Some(challenge) = found else { return false };
        let may = challenged == 0 || (challenge.stale && challenged < 4);
        if may {
            self.challenge = Some((challenge, 0));
        }
        may
    }

    fn response(&mut self, response: Response, essentials: Essentials, from: SocketAddr) {
        let flow = self.flow_with(from);
        let Some(answer) = self.tx.receive_response(self.now, response, essentials, flow, &mut self.sent) else {
            return;
        };
        let (id, response, essentials) = (answer.id, &answer.response, &answer.essentials);
        let purpose = self.purposes.get(&id).copied();
        if response.status >= 200 {
            self.purposes.remove(&id);
        }
        match purpose {
            Some(Purpose::Register) => self.register_answered(response),
            Some(Purpose::Invite) => self.invite_answered(id, response, essentials),
            Some(Purpose::Reoffer) => self.reoffer_answered(id, response, essentials),
            None => self.acknowledge_late(id, response, essentials),
        }
    }

    fn timed_out(&mut self, id: ClientId) {
        match self.purposes.remove(&id) {
            Some(Purpose::Register) => self.register_refused(408),
            Some(Purpose::Invite) => self.invite_failed(408),
            Some(Purpose::Reoffer) => self.reoffer_timed_out(),
            None => {}
        }
    }

    fn request(&mut self, mut request: Request, essentials: &Essentials, from: SocketAddr) {
        if self.behaviour.loses_bye && request.method == Method::Bye {
            return;
        }
        let flow = self.flow_with(from).answering(&essentials.via, false);
        route::stamp_via(&mut request.headers, from, false);
        if matches!(request.method, Method::Options | Method::Notify) && essentials.to.tag().is_none() {
            // RFC 3261 8.2.7: without state, as telephones do, so that being asked after leaves nothing behind.
            let response = self.dressed(Response::for_request(&request, 200, Some(self.registration.tag())));
            return self.sent.push(Transmit { flow, bytes: response.to_bytes() });
        }
        match self.tx.receive_request(self.now, &request, essentials, flow, &mut self.sent) {
            Incoming::Absorbed | Incoming::Full => {}
            Incoming::Ack(_) => self.acknowledged(&request, essentials),
            Incoming::Cancel { id, invite } => {
                let status = if invite.is_some() { 200 } else { 481 };
                self.reply(id, &request, status);
                if let Some(invite) = invite {
                    self.cancelled(invite);
                }
            }
            Incoming::New(id) if essentials.to.tag().is_some() => self.in_dialog(id, &request, essentials),
            Incoming::New(id) => match request.method {
                Method::Invite => self.called(id, &request, essentials),
                _ => self.reply(id, &request, 405),
            },
        }
    }
}

/// The same request without `rport` in its first Via, as phones send it that never read RFC 3581.
fn without_rport(bytes: Bytes) -> Bytes {
    const WORD: &[u8] = b";rport";
    if bytes.starts_with(b"SIP/2.0 ") {
        return bytes;
    }
    match bytes.windows(WORD.len()).position(|window| window == WORD) {
        Some(at) => {
            let (before, after) =
                (bytes.get(..at).unwrap_or_default(), bytes.get(at + WORD.len()..).unwrap_or_default());
            Bytes::from([before, after].concat())
        }
        None => bytes,
    }
}

/// The description in a message, when there is one that can be read.
fn description(headers: &crate::sip::Headers, body: &Bytes) -> Option<Sdp> {
    let kind = headers.text(HeaderName::ContentType)?;
    if body.is_empty() || !kind.trim().eq_ignore_ascii_case("application/sdp") {
        return None;
    }
    Sdp::parse(body).ok()
}

/// Gives a message this description as its body.
fn attach(headers: &mut crate::sip::Headers, body: &mut Bytes, sdp: &Sdp) {
    headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
    *body = sdp.to_bytes().into();
}

/// The codecs a simulated phone may ever agree to.
fn all_codecs() -> crate::sdp::CodecList {
    let every: Vec<Codec> = Codec::all().collect();
    crate::sdp::CodecList::of(&every)
}

#[cfg(test)]
mod tests;
