//! All transactions of the exchange: the messages, keys and timers around the state machines.

use super::TimerValues;
use super::client_table::Clients;
use super::given::Given;
use super::reference::ReferenceChange;
use super::server_table::Servers;
use crate::clock::Time;
use crate::rng::Rng;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Request, Response};
use bytes::Bytes;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where it is sent.
    pub flow: Flow,
    /// The message.
    pub bytes: Bytes,
}

/// Names a request of ours. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(super) u64);

/// Names a request of a peer. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub(super) u64);

/// What a request from the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// A retransmission, or the ACK of a refusal: already handled.
    Absorbed,
    /// A new request, to be answered by `respond`.
    New(ServerId),
    /// The ACK of a 2xx: it belongs to a dialog (RFC 3261 13.3.1.4). With the INVITE's id when it has the branch of the
    /// INVITE, as devices send it that do not treat the ACK of a 2xx as a new request.
    Ack(Option<ServerId>),
    /// A new CANCEL.
    Cancel {
        /// Its own transaction, to be answered by `respond`.
        id: ServerId,
        /// The INVITE it names (RFC 3261 9.2); `None` is answered with 481.
        invite: Option<ServerId>,
    },
    /// A new request, but the table is full. Nothing is remembered of it.
    Full,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Retransmitted and given up by the timers of RFC 3261 17.
    Reliably,
    /// The same with values for this peer.
    Tuned {
        /// The measured round-trip time: it raises T1 and never lowers it.
        t1: Duration,
        /// Timer B or F instead of 64 × T1: how long to wait for any response to an INVITE, or a final one to another
        /// request.
        give_up: Option<Duration>,
        /// How long a late response to an INVITE that got none in time is still passed; at zero its transaction ends
        /// with the timeout.
        late: Duration,
    },
    /// Sent once, as over a reliable transport: the OPTIONS of a qualify, whose next attempt is a transaction of its
    /// own. An INVITE is retransmitted as usual, and given up after this time.
    Once {
        /// How long to wait for a response.
        give_up: Duration,
    },
}

/// A request of ours to send, and who asks for it.
#[derive(Debug)]
pub struct ClientRequest<R> {
    /// The request: any but ACK and CANCEL. It has no Via yet.
    pub request: Request,
    /// Where it is sent.
    pub flow: Flow,
    /// By which timers.
    pub how: Sending,
    /// Given back with every response, a timeout and a transport failure.
    pub requester: R,
    /// Whose credentials may answer a challenge to it.
    pub account: Account,
}

/// Whose credentials may answer a challenge to a request of ours, by name: the transaction layer keeps it for whoever
/// decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Account {
    /// Nobody's: a challenge is a refusal.
    #[default]
    Nobody,
    /// Those of a peer.
    Peer(Arc<str>),
    /// Those of a registration of ours.
    Registration(Arc<str>),
    /// Those that came with the request.
    Given(Arc<Given>),
}

/// A request that was refused with what to change before it is sent again: a challenge (RFC 3261 22), or an interval
/// that is too short (RFC 4028 7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The request as it was sent, with its Via.
    pub request: Request,
    /// Whose credentials may answer.
    pub account: Account,
    /// The realms whose challenges were answered before.
    pub answered: Vec<SmolStr>,
    /// How often it was sent again.
    pub tries: u8,
    /// Where it was sent.
    pub flow: Flow,
    /// By which timers.
    pub(super) values: TimerValues,
}

/// A response that its requester has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<R> {
    /// The request it answers.
    pub id: ClientId,
    /// Who sent that request. It may not be interested any more: the transaction outlives its call.
    pub requester: R,
    /// Whose credentials may answer a challenge to it.
    pub account: Account,
    /// The response.
    pub response: Response,
    /// Its header fields, parsed.
    pub essentials: Essentials,
    /// Where it came from.
    pub flow: Flow,
    /// The request, when the refusal says what to change before it is sent again.
    pub refused: Option<Box<Refused>>,
}

/// What ended because no message came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expired<R> {
    /// A request of ours, and who sent it: it got no response, which is treated as a 408 (RFC 3261 8.1.3.1).
    Timeout(ClientId, R),
    /// Our refusal of an INVITE was never acknowledged (RFC 3261 17.2.1). The missing ACK of a 2xx is left to the
    /// dialog.
    NotAcked(ServerId),
}

/// The transaction layer (RFC 3261 17). It sends by adding to `out`, and gets the time as an argument. With each
/// request of ours it keeps an `R`: who sent it.
pub struct Transactions<R> {
    clients: Clients<R>,
    servers: Servers,
}

impl<R: Clone> Transactions<R> {
    /// An empty table. At most `bound` requests of peers are remembered at once; our own are bounded by who sends them.
    /// `rng` makes the key of its hashes.
    pub fn new(values: TimerValues, bound: usize, rng: &mut Rng) -> Transactions<R> {
        Transactions { clients: Clients::new(values), servers: Servers::new(values, bound, rng) }
    }

    /// Receives a validated request. `flow` is where its responses go (RFC 3261 18.2.2). Responses to retransmissions
    /// are put in `out`.
    pub fn receive_request(
        &mut self,
        now: Time,
        request: &Request,
        essentials: &Essentials,
        flow: Flow,
        out: &mut Vec<Transmit>,
    ) -> Incoming {
        self.servers.receive(now, request, essentials, flow, out)
    }

    /// Whether the request is a retransmission, or acknowledges a refusal of ours: then `receive_request` handles it,
    /// and no other response may be sent.
    pub fn is_known(&self, request: &Request, essentials: &Essentials) -> bool {
        self.servers.is_known(request, essentials)
    }

    /// Whether a CANCEL names a known INVITE (RFC 3261 9.2). One that does not opens no transaction.
    pub fn cancels(&self, cancel: &Request, essentials: &Essentials) -> bool {
        self.servers.cancelled(cancel, essentials).is_some()
    }

    /// RFC 3261 8.2.2.2: whether a copy of this request arrived over another path and is still in progress: the
    /// required response is 482. May be called before or after `receive_request`.
    pub fn is_merged(&self, essentials: &Essentials) -> bool {
        self.servers.is_merged(essentials)
    }

    /// Responds to a request. Only the first final response counts, except that a 2xx to an INVITE may be given
    /// repeatedly: its leg retransmits it (RFC 3261 13.3.1.4). Does nothing once the transaction is over.
    pub fn respond(&mut self, now: Time, id: ServerId, response: Response, out: &mut Vec<Transmit>) {
        self.servers.respond(now, id, &response, out);
    }

    /// Nothing of this request of a peer is answered again by itself: its refusal is sent once for each time that the
    /// request comes. For those who proved no address, so that somebody else may get what we send.
    pub fn be_brief(&mut self, id: ServerId) {
        self.servers.be_brief(id);
    }

    /// What can be named since this was taken last, and what no more.
    pub fn take_changes(&mut self) -> Vec<ReferenceChange> {
        let mut changes = self.clients.take_changes();
        changes.append(&mut self.servers.take_changes());
        changes
    }

    /// Receives a validated response. `None`: absorbed, or dropped because it matches no request of ours.
    pub fn receive_response(
        &mut self,
        now: Time,
        response: Response,
        essentials: Essentials,
        flow: Flow,
        out: &mut Vec<Transmit>,
    ) -> Option<Answer<R>> {
        let (id, requester, account, refused) = self.clients.receive(now, &response, &essentials, out)?;
        Some(Answer { id, requester, account, response, essentials, flow, refused })
    }

    /// Sends a request. Our Via is added, with a random branch.
    pub fn request(
        &mut self,
        now: Time,
        request: ClientRequest<R>,
        rng: &mut Rng,
        out: &mut Vec<Transmit>,
    ) -> ClientId {
        self.clients.request(now, request, rng, out)
    }

    /// Sends a refused request of ours again, changed and with the next CSeq number (RFC 3261 22.2), by the same timers:
    /// in a new transaction, of the same name, for the same requester.
    pub fn send_again(&mut self, now: Time, id: ClientId, again: (R, Refused), rng: &mut Rng, out: &mut Vec<Transmit>) {
        self.clients.send_again(now, id, again, rng, out);
    }

    /// Cancels an INVITE of ours (RFC 3261 9.1) and returns the CANCEL's own transaction, which has the INVITE's
    /// requester. `None` when nothing is sent: no provisional response has come yet (cancel when it does), the INVITE
    /// is answered or gone, or it was cancelled before. `reason`: what its Reason says (RFC 3326). When no final response comes within 64 × T1, the INVITE ends
    /// with `Expired::Timeout`.
    pub fn cancel(
        &mut self,
        now: Time,
        id: ClientId,
        reason: Option<&str>,
        out: &mut Vec<Transmit>,
    ) -> Option<ClientId> {
        self.clients.cancel(now, id, reason, out)
    }

    /// The requester no longer waits for the end of this request: its dialog is over. After a provisional response an
    /// INVITE has no timeout; this one is given up 64 × T1 later (as after a CANCEL, RFC 3261 9.1), with
    /// `Expired::Timeout`.
    pub fn abandon(&mut self, now: Time, id: ClientId) {
        self.clients.abandon(now, id);
    }

    /// Nobody wants this INVITE any more, and it may have got no response: then it is not sent again, and a late response
    /// is passed as after a timeout (RFC 3261 9.1: without a response there is nothing to cancel).
    pub fn give_up(&mut self, now: Time, id: ClientId) {
        self.clients.give_up(now, id);
    }

    /// Sends the ACK of a 2xx, which has no Via yet, and keeps it: every retransmission of that 2xx (the one with the
    /// ACK's To tag) gets it again, even after the end of the call (RFC 3261 13.2.2.4). `id` is the INVITE's.
    pub fn acknowledge(&mut self, id: ClientId, ack: Request, flow: Flow, rng: &mut Rng, out: &mut Vec<Transmit>) {
        self.clients.acknowledge(id, ack, flow, rng, out);
    }

    /// A request of ours with its Via, until its transaction is over. After the ACK of a 2xx, or a refusal, only what
    /// an INVITE contributes to its dialog (Request-URI, Via, From, To, Call-ID, CSeq, Route), and nothing of other
    /// requests.
    pub fn request_of(&self, id: ClientId) -> Option<Cow<'_, Request>> {
        self.clients.request_of(id)
    }

    /// What `is_meant` sent over `from` and waits for its answer goes over `to` from now on, with all that is derived from
    /// it: its repetitions, its CANCEL, its ACK. The address behind an address translator has changed.
    pub fn redirect(&mut self, is_meant: impl Fn(&R) -> bool, from: Flow, to: Flow) {
        self.clients.redirect(is_meant, from, to);
    }

    /// The responses of a peer's request, which went over `from`, go over `to` from now on.
    pub fn redirect_responses(&mut self, id: ServerId, from: Flow, to: Flow) {
        self.servers.redirect(id, from, to);
    }

    /// Where a client transaction sends.
    pub fn flow_of(&self, id: ClientId) -> Option<Flow> {
        self.clients.flow_of(id)
    }

    /// Who sent the requests that have a transaction on this flow, oldest first.
    pub fn requesters_on(&self, flow: Flow) -> impl Iterator<Item = &R> {
        self.clients.requesters_on(flow)
    }

    /// A request of a peer, until its final response is given.
    pub fn server_request(&self, id: ServerId) -> Option<&Request> {
        self.servers.request(id)
    }

    /// Where the responses of a peer's request go.
    pub fn server_flow(&self, id: ServerId) -> Option<Flow> {
        self.servers.flow(id)
    }

    /// Handles everything that is due by `now`.
    pub fn expire(&mut self, now: Time, out: &mut Vec<Transmit>) -> Vec<Expired<R>> {
        let mut expired = Vec::new();
        self.clients.expire(now, out, &mut expired);
        self.servers.expire(now, out, &mut expired);
        expired
    }

    /// When `expire` has something to do next.
    pub fn next_deadline(&self) -> Option<Time> {
        [self.clients.next_deadline(), self.servers.next_deadline()].into_iter().flatten().min()
    }

    /// Nothing can be sent over `flow` (RFC 3261 17.1.4): our requests on it that wait for a response end, and are
    /// returned. Those of peers do not change (RFC 6026 8.8).
    pub fn transport_failed(&mut self, now: Time, flow: Flow) -> Vec<(ClientId, R)> {
        self.clients.transport_failed(now, flow)
    }

    /// How many transactions there are: ours, and the peers'.
    pub fn counts(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// Whether the end of a call is not yet confirmed: a BYE or CANCEL of ours by its final response, a refusal of ours
    /// by its ACK. Until then it is retransmitted (RFC 3261 17.1.2.2, 17.2.1).
    pub fn is_ending_something(&self) -> bool {
        self.clients.is_ending_something() || self.servers.is_refusing()
    }

    /// Whether there is neither a transaction nor a timer.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.servers.is_empty()
    }
}

#[cfg(test)]
mod tests;
