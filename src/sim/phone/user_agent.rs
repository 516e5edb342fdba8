//! What the registration and the calls of a simulated phone share: transactions, timers, credentials, and its output.

use super::authenticator::Authenticator;
use super::behaviour::Behaviour;
use super::event::PhoneEvent;
use super::identity::Identity;
use super::sdp_body;
use crate::clock::Time;
use crate::rng::Rng;
use crate::sdp::Sdp;
use crate::sip::dialog::Dialog;
use crate::sip::header::HeaderName;
use crate::sip::message::{Message, Request, Response};
use crate::sip::method::Method;
use crate::sip::route;
use crate::sip::timer::{TimerId, Timers};
use crate::sip::transaction::{
    Account, ClientId, ClientRequest, Expired, Incoming, Sending, ServerId, TimerValues, Transactions, Transmit,
};
use crate::sip::validate::{self, Essentials};
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The most requests of others it remembers at once.
const MAX_SERVER_TRANSACTIONS: usize = 1000;

const ALLOW: &[u8] = b"ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, UPDATE";

/// What a request of the phone was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// REGISTER.
    Register,
    /// MESSAGE.
    Text,
    /// The INVITE that makes a call.
    Invite,
    /// A re-INVITE or UPDATE.
    Renegotiate,
    /// SUBSCRIBE, by the number of its subscription.
    Subscribe(usize),
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The registration is to be refreshed, or tried again.
    Register,
    /// The call is to be answered.
    Answer,
    /// A 2xx is to be sent again.
    RetransmitOk,
    /// A 2xx was not acknowledged for too long.
    AbandonOk,
    /// A new offer is to be tried again.
    RetryOffer,
    /// A subscription is to be refreshed.
    Subscribe(usize),
}

/// A request received, with its server transaction.
pub(super) struct ReceivedRequest {
    pub server: ServerId,
    pub request: Request,
    pub essentials: Essentials,
}

/// A response received, with the client transaction it belongs to.
pub(super) struct ReceivedResponse {
    pub client: ClientId,
    pub response: Response,
    pub essentials: Essentials,
}

/// What is left for the registration or the call to handle.
pub(super) enum Received {
    /// An INVITE outside a dialog.
    Invite(ReceivedRequest),
    /// A request inside a dialog, other than ACK.
    InDialog(ReceivedRequest),
    /// The ACK of a 2xx.
    Ack { request: Request, essentials: Essentials },
    /// A CANCEL of this INVITE, which was answered with 200.
    Cancel(ServerId),
    /// A response to a request that had a purpose.
    Response(Purpose, ReceivedResponse),
}

/// The user agent of RFC 3261, without any registration or call.
pub(super) struct UserAgent {
    pub identity: Identity,
    pub behaviour: Behaviour,
    pub rng: Rng,
    /// The time of the event being handled.
    pub now: Time,
    authenticator: Authenticator,
    transactions: Transactions<()>,
    purposes: BTreeMap<ClientId, Purpose>,
    timers: Timers<Timer>,
    /// The tag of responses outside a dialog that leave no state behind.
    stateless_tag: String,
    sent: Vec<Transmit>,
    events: Vec<PhoneEvent>,
}

impl UserAgent {
    /// A user agent that has sent and received nothing. `stateless_tag` is its tag where no dialog gives it another.
    pub fn new(identity: Identity, stateless_tag: String, mut rng: Rng) -> UserAgent {
        let transactions = Transactions::new(TimerValues::default(), MAX_SERVER_TRANSACTIONS, &mut rng);
        UserAgent {
            identity,
            behaviour: Behaviour::default(),
            rng,
            now: Time::ZERO,
            authenticator: Authenticator::default(),
            transactions,
            purposes: BTreeMap::new(),
            timers: Timers::new(),
            stateless_tag,
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Parses a datagram and gives it to its transaction.
    pub fn receive(&mut self, datagram: &Bytes, from: SocketAddr) -> Option<Received> {
        match Message::parse(datagram).ok()? {
            Message::Request(request) => {
                let essentials = validate::request(&request).ok()?;
                self.receive_request(request, essentials, from)
            }
            Message::Response(response) => {
                let essentials = validate::response(&response).ok()?;
                self.receive_response(response, essentials, from)
            }
        }
    }

    fn receive_request(&mut self, mut request: Request, essentials: Essentials, from: SocketAddr) -> Option<Received> {
        if self.behaviour.loses_bye && request.method == Method::Bye {
            return None;
        }
        let flow = self.identity.flow_to(from).answering(&essentials.via, false);
        route::stamp_via(&mut request.headers, from, false);
        if matches!(request.method, Method::Options | Method::Notify | Method::Message) && essentials.to.tag().is_none()
        {
            // RFC 3261 8.2.7: answered without a transaction, as telephones do, so that it leaves nothing behind.
            self.report_text(&request);
            let response = Response::for_request(&request, 200, Some(&self.stateless_tag));
            let bytes = self.with_common_headers(response).to_bytes();
            self.sent.push(Transmit { flow, bytes });
            return None;
        }
        match self.transactions.receive_request(self.now, &request, &essentials, flow, &mut self.sent) {
            Incoming::Absorbed | Incoming::Full => None,
            Incoming::Ack(_) => Some(Received::Ack { request, essentials }),
            Incoming::Cancel { id, invite } => {
                let status = if invite.is_some() { 200 } else { 481 };
                self.reply(&ReceivedRequest { server: id, request, essentials }, status);
                invite.map(Received::Cancel)
            }
            Incoming::New(server) => self.classify(ReceivedRequest { server, request, essentials }),
        }
    }

    fn classify(&mut self, received: ReceivedRequest) -> Option<Received> {
        if received.essentials.to.tag().is_some() {
            return Some(Received::InDialog(received));
        }
        if received.request.method == Method::Invite {
            return Some(Received::Invite(received));
        }
        self.reply(&received, 405);
        None
    }

    fn receive_response(&mut self, response: Response, essentials: Essentials, from: SocketAddr) -> Option<Received> {
        let flow = self.identity.flow_to(from);
        let answer = self.transactions.receive_response(self.now, response, essentials, flow, &mut self.sent)?;
        let received = ReceivedResponse { client: answer.id, response: answer.response, essentials: answer.essentials };
        let purpose = self.purposes.get(&received.client).copied();
        if received.response.status >= 200 {
            self.purposes.remove(&received.client);
        }
        if purpose.is_none() {
            self.acknowledge_stray(&received);
        }
        purpose.map(|purpose| Received::Response(purpose, received))
    }

    /// Sends a request that has all that its dialog, or registration, gives it.
    pub fn send(&mut self, mut request: Request, purpose: Option<Purpose>) -> ClientId {
        request.headers.push(HeaderName::UserAgent, self.identity.user_agent());
        let flow = self.identity.flow_to(self.identity.config.exchange);
        let (rng, sent) = (&mut self.rng, &mut self.sent);
        let request = ClientRequest { request, flow, how: Sending::Reliably, requester: (), account: Account::Nobody };
        let id = self.transactions.request(self.now, request, rng, sent);
        if let Some(purpose) = purpose {
            self.purposes.insert(id, purpose);
        }
        id
    }

    /// Adds credentials to a request, if the exchange has asked for them.
    pub fn authorize(&mut self, request: &mut Request) {
        self.authenticator.authorize(request, &self.identity.config, &mut self.rng);
    }

    /// Takes the challenge of a 401 to a request that was challenged `before` times. False: do not send it again.
    pub fn learn_challenge(&mut self, response: &Response, before: u8) -> bool {
        self.authenticator.learn(response, before)
    }

    /// Drops the challenge.
    pub fn forget_challenge(&mut self) {
        self.authenticator.forget();
    }

    /// Cancels an INVITE that has had a provisional response (RFC 3261 9.1).
    pub fn cancel(&mut self, invite: ClientId) {
        self.transactions.cancel(self.now, invite, None, &mut self.sent);
    }

    /// The call is over: nobody waits for the responses to its requests any more.
    pub fn abandon_call(&mut self) {
        let (transactions, now) = (&mut self.transactions, self.now);
        self.purposes.retain(|client, purpose| {
            let stays = matches!(purpose, Purpose::Register | Purpose::Text | Purpose::Subscribe(_));
            if !stays {
                transactions.abandon(now, *client);
            }
            stays
        });
    }

    /// A request of its own, while its transaction keeps it.
    pub fn request_of(&self, client: ClientId) -> Option<Cow<'_, Request>> {
        self.transactions.request_of(client)
    }

    /// Acknowledges a 2xx to its INVITE, with an answer if the 2xx made an offer.
    pub fn acknowledge(&mut self, received: &ReceivedResponse, dialog: &Dialog, answer: Option<&Sdp>) {
        if self.behaviour.never_acks {
            return;
        }
        let mut ack = dialog.ack(received.essentials.cseq.number);
        if let Some(sdp) = answer {
            sdp_body::attach(&mut ack.headers, &mut ack.body, sdp);
        }
        let flow = self.identity.flow_to(self.identity.config.exchange);
        self.transactions.acknowledge(received.client, ack, flow, &mut self.rng, &mut self.sent);
    }

    /// Handles a response that no call waits for. A 2xx to an INVITE is acknowledged, and its dialog ended by BYE if it
    /// is new (RFC 3261 13.2.2.4).
    pub fn acknowledge_stray(&mut self, received: &ReceivedResponse) {
        let ReceivedResponse { client, response, essentials } = received;
        if essentials.cseq.method != Method::Invite || !(200..300).contains(&response.status) {
            return;
        }
        let Some(request) = self.transactions.request_of(*client) else { return };
        let made_dialog = !request.headers.text(HeaderName::To).unwrap_or_default().contains(";tag=");
        let Ok(mut dialog) = Dialog::uac(&request, response, essentials) else { return };
        self.acknowledge(received, &dialog, None);
        if made_dialog {
            let bye = dialog.request(Method::Bye);
            self.send(bye, None);
        }
    }

    /// Sends a response in a server transaction.
    pub fn respond(&mut self, server: ServerId, response: Response) {
        let response = self.with_common_headers(response);
        self.transactions.respond(self.now, server, response, &mut self.sent);
    }

    /// Responds with no more than a status.
    pub fn reply(&mut self, received: &ReceivedRequest, status: u16) {
        let tag = self.rng.hex(12);
        self.respond(received.server, Response::for_request(&received.request, status, Some(&tag)));
    }

    /// A response to the INVITE of this server transaction, with the tag of its dialog. `None`: it has its final
    /// response.
    pub fn invite_response(&self, server: ServerId, status: u16, tag: &str, sdp: Option<&Sdp>) -> Option<Response> {
        let request = self.transactions.server_request(server)?;
        let mut response = Response::for_request(request, status, Some(tag));
        if (101..300).contains(&status) {
            response.headers.push(HeaderName::Contact, self.contact());
        }
        if let Some(sdp) = sdp {
            sdp_body::attach(&mut response.headers, &mut response.body, sdp);
        }
        Some(response)
    }

    /// Its Contact.
    pub fn contact(&self) -> Bytes {
        self.identity.contact(self.behaviour.sips)
    }

    fn with_common_headers(&self, mut response: Response) -> Response {
        response.headers.push(HeaderName::Server, self.identity.user_agent());
        response.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW));
        response
    }

    /// Sets a timer, counted from now.
    pub fn set_timer(&mut self, after: Duration, timer: Timer) -> TimerId {
        self.timers.set(self.now + after, timer)
    }

    /// Cancels a timer, if there is one.
    pub fn cancel_timer(&mut self, timer: Option<TimerId>) {
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
    }

    /// The next timer that is due.
    pub fn expired_timer(&mut self) -> Option<Timer> {
        self.timers.pop(self.now)
    }

    /// Retransmits what is due, and gives the requests that had no response in time.
    pub fn expire_transactions(&mut self) -> Vec<ClientId> {
        let expired = self.transactions.expire(self.now, &mut self.sent);
        let timed_out = expired.into_iter().filter_map(|expired| match expired {
            Expired::Timeout(client, ()) => Some(client),
            Expired::NotAcked(_) => None,
        });
        timed_out.collect()
    }

    /// What a request that timed out was for, unless its call is over.
    pub fn take_purpose(&mut self, client: ClientId) -> Option<Purpose> {
        self.purposes.remove(&client)
    }

    /// The earliest deadline of its transactions and timers.
    pub fn next_deadline(&self) -> Option<Time> {
        [self.transactions.next_deadline(), self.timers.next()].into_iter().flatten().min()
    }

    /// Adds an event to those to report.
    pub fn report(&mut self, event: PhoneEvent) {
        self.events.push(event);
    }

    /// Reports what a text message says; nothing of another request.
    pub fn report_text(&mut self, request: &Request) {
        if request.method == Method::Message {
            self.report(PhoneEvent::TextReceived(String::from_utf8_lossy(&request.body).into_owned()));
        }
    }

    /// The events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<PhoneEvent> {
        std::mem::take(&mut self.events)
    }

    /// The datagrams since the last call, in order, each with its destination.
    pub fn take_datagrams(&mut self) -> Vec<(SocketAddr, Bytes)> {
        let asks_rport = self.identity.config.profile.asks_rport();
        let sent = std::mem::take(&mut self.sent).into_iter();
        sent.map(|Transmit { flow, bytes }| (flow.remote, if asks_rport { bytes } else { without_rport(bytes) }))
            .collect()
    }

    /// Whether there is no transaction, and no timer but so many.
    pub fn is_idle_but(&self, timers: usize) -> bool {
        self.transactions.is_empty() && self.purposes.is_empty() && self.timers.len() == timers
    }

    /// Its transactions and timers, counted in words.
    pub fn leftovers(&self) -> String {
        let (clients, servers) = self.transactions.counts();
        format!("{clients} client and {servers} server transactions, {} timers", self.timers.len())
    }
}

/// The same request without `rport` in its first Via, as sent by phones that do not know RFC 3581.
fn without_rport(bytes: Bytes) -> Bytes {
    const PARAMETER: &[u8] = b";rport";
    if bytes.starts_with(b"SIP/2.0 ") {
        return bytes;
    }
    match bytes.windows(PARAMETER.len()).position(|window| window == PARAMETER) {
        Some(at) => {
            let (before, after) =
                (bytes.get(..at).unwrap_or_default(), bytes.get(at + PARAMETER.len()..).unwrap_or_default());
            Bytes::from([before, after].concat())
        }
        None => bytes,
    }
}
