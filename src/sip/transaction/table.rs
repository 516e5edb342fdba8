//! All transactions of the exchange: the messages, keys and timers that the machines leave out.

use super::TimerValues;
use super::client_table::Clients;
use super::server_table::Servers;
use crate::clock::Time;
use crate::rng::Rng;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Request, Response};
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Between whom, over what.
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

/// What a request from the network turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// A retransmission, or the ACK of a refusal: dealt with.
    Absorbed,
    /// A new request, which waits for `respond`.
    New(ServerId),
    /// The ACK of a 2xx: a dialog's (RFC 3261 13.3.1.4). With the INVITE it answers to when its branch is the INVITE's own, as
    /// only devices send it that do not take a 2xx's ACK for a new request.
    Ack(Option<ServerId>),
    /// A new CANCEL.
    Cancel {
        /// Its own transaction, which waits for `respond`.
        id: ServerId,
        /// The INVITE it names (RFC 3261 9.2); `None` is answered with 481.
        invite: Option<ServerId>,
    },
    /// A new request for which there is no room. Nothing is remembered of it.
    Full,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Retransmitted and given up by the timers of RFC 3261 17.
    Reliably,
    /// The same with values for this peer.
    Tuned {
        /// The round trip measured: it raises T1 and never lowers it.
        t1: Duration,
        /// Timer B or F instead of 64 × T1: without any answer to an INVITE, or a final one to another request, for so long, it is given up.
        give_up: Option<Duration>,
    },
    /// Sent a single time (RFC 3261 17 on a transport that loses nothing): the OPTIONS of a qualify, of which the next attempt is a
    /// transaction of its own. An INVITE is sent by the ordinary timers and given up so early.
    Once {
        /// How long an answer is awaited.
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
}

/// A response that its requester has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<R> {
    /// The request it answers.
    pub id: ClientId,
    /// Who sent that request. It may not be interested any more: the transaction outlives its call.
    pub requester: R,
    /// The response.
    pub response: Response,
    /// Its header fields, read.
    pub essentials: Essentials,
    /// Over what it came.
    pub flow: Flow,
    /// What was sent, when the refusal says what to add before it is sent once more.
    pub refused: Option<Box<Request>>,
}

/// What ended because nothing came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expired<R> {
    /// A request of ours, and who sent it: it got no answer, which is as good as a 408 (RFC 3261 8.1.3.1).
    Timeout(ClientId, R),
    /// Our refusal of an INVITE was never acknowledged (RFC 3261 17.2.1). A 2xx without its ACK is the dialog's to notice.
    NotAcked(ServerId),
}

/// The transaction layer (RFC 3261 17). It sends by adding to `out` and is told the time. With each request of ours it keeps an `R`: who
/// sent it.
pub struct Transactions<R> {
    clients: Clients<R>,
    servers: Servers,
}

impl<R: Clone> Transactions<R> {
    /// An empty table. No more than `bound` requests of peers are remembered at once; our own the exchange counts itself. `rng` makes
    /// the key of its hashes.
    pub fn new(values: TimerValues, bound: usize, rng: &mut Rng) -> Transactions<R> {
        Transactions { clients: Clients::new(values), servers: Servers::new(values, bound, rng) }
    }

    /// Takes in a validated request. `flow` is where its responses go (RFC 3261 18.2.2). Answers to retransmissions are put in `out`.
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

    /// Whether the request repeats one we have, or acknowledges a refusal of ours: then `receive_request` deals with it, and it must not be
    /// answered otherwise.
    pub fn is_known(&self, request: &Request, essentials: &Essentials) -> bool {
        self.servers.is_known(request, essentials)
    }

    /// Whether a CANCEL names an INVITE that is known (RFC 3261 9.2). One that does not opens no transaction.
    pub fn cancels(&self, cancel: &Request, essentials: &Essentials) -> bool {
        self.servers.cancelled(cancel, essentials).is_some()
    }

    /// RFC 3261 8.2.2.2: whether a copy of this request came another way and is not done with; it is owed a 482. May be asked before or after
    /// `receive_request`.
    pub fn is_merged(&self, essentials: &Essentials) -> bool {
        self.servers.is_merged(essentials)
    }

    /// Answers a request. Of several final responses only the first counts, but a 2xx to an INVITE may be given again and again: its leg
    /// retransmits it (RFC 3261 13.3.1.4). Nothing happens once the transaction is over.
    pub fn respond(&mut self, now: Time, id: ServerId, response: Response, out: &mut Vec<Transmit>) {
        self.servers.respond(now, id, &response, out);
    }

    /// Takes in a validated response. `None`: absorbed, or a stray that answers nothing of ours and is dropped.
    pub fn receive_response(
        &mut self,
        now: Time,
        response: Response,
        essentials: Essentials,
        flow: Flow,
        out: &mut Vec<Transmit>,
    ) -> Option<Answer<R>> {
        let (id, requester, refused) = self.clients.receive(now, &response, &essentials, out)?;
        Some(Answer { id, requester, response, essentials, flow, refused })
    }

    /// Sends a request. Our Via is added, with a branch nobody can guess.
    pub fn request(
        &mut self,
        now: Time,
        request: ClientRequest<R>,
        rng: &mut Rng,
        out: &mut Vec<Transmit>,
    ) -> ClientId {
        self.clients.request(now, request, rng, out)
    }

    /// Cancels an INVITE of ours (RFC 3261 9.1) and gives the CANCEL's own transaction, which has the INVITE's requester. `None`, and nothing is sent: no provisional response has
    /// come yet (cancel when it does), the INVITE is answered or gone, or it was cancelled before. When no final response comes within
    /// 64 × T1, the INVITE ends with `Expired::Timeout`.
    pub fn cancel(&mut self, now: Time, id: ClientId, out: &mut Vec<Transmit>) -> Option<ClientId> {
        self.clients.cancel(now, id, out)
    }

    /// Nobody waits for the end of this request any more: its dialog is over. A provisional response lets an INVITE wait without end; this one is given up
    /// 64 × T1 later (as RFC 3261 9.1 has it after a CANCEL), with `Expired::Timeout`.
    pub fn abandon(&mut self, now: Time, id: ClientId) {
        self.clients.abandon(now, id);
    }

    /// Sends the ACK of a 2xx, which has no Via yet, and keeps it: every retransmission of that 2xx (the one with the ACK's To tag) is answered by
    /// it, even when the call is long gone (RFC 3261 13.2.2.4). `id` is the INVITE's.
    pub fn acknowledge(&mut self, id: ClientId, ack: Request, flow: Flow, rng: &mut Rng, out: &mut Vec<Transmit>) {
        self.clients.acknowledge(id, ack, flow, rng, out);
    }

    /// A request of ours with its Via, until its transaction is over. After the ACK of a 2xx, or a refusal, that is an INVITE's part in its
    /// dialog (Request-URI, Via, From, To, Call-ID, CSeq, Route), and nothing of others.
    pub fn request_of(&self, id: ClientId) -> Option<Cow<'_, Request>> {
        self.clients.request_of(id)
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

    /// Does everything that is due by `now`.
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

    /// The network refuses what is sent over `flow` (RFC 3261 17.1.4): our requests on it that wait for an answer end, and are named. Those of
    /// peers stay as they are (RFC 6026 8.8).
    pub fn transport_failed(&mut self, now: Time, flow: Flow) -> Vec<(ClientId, R)> {
        self.clients.transport_failed(now, flow)
    }

    /// How many transactions there are: ours, and the peers'.
    pub fn counts(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// Whether a call's end has yet to be confirmed: a BYE or CANCEL of ours by its final response, a refusal of ours by its ACK. Until
    /// then one that was lost is sent again (RFC 3261 17.1.2.2, 17.2.1).
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
