//! What every part of the switch works with: both clocks, transactions, timers, the random source, and the effects to come.

use super::call_timer::CallTimer;
use super::effect::Effects;
use crate::clock::Now;
use crate::registrar::next_hop::Routing;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::{Request, Response};
use crate::sip::method::ALLOW;
use crate::sip::timer::Timers;
use crate::sip::transaction::{ClientId, ClientRequest, Sending, ServerId, Transactions};
use bytes::Bytes;
use std::sync::Arc;

/// Names a leg for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// Who sent a request of ours: its responses, its timeout and its transport failure go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A leg. It may be gone, or wait for this request no more.
    Leg(LegId),
    /// The watch of a peer: an OPTIONS of `qualify=`.
    Qualify {
        /// The peer's name.
        peer: Arc<str>,
        /// Which watch of this peer: a reload may have begun another since.
        watch: u64,
        /// Which OPTIONS of the watch.
        attempt: u8,
    },
}

/// The core: it carries what lines and calls decide, and knows neither.
pub struct Core {
    /// The time of the event being handled.
    pub now: Now,
    /// All transactions.
    pub tx: Transactions<Requester>,
    /// The random source.
    pub rng: Rng,
    /// Every timer of the switch.
    pub timers: Timers<CallTimer>,
    /// What is to be done.
    pub out: Effects,
    /// The product's name, for `Server` and `User-Agent`.
    pub product: String,
    /// Which flow leads to a URI.
    pub routing: Routing,
}

impl Core {
    /// RFC 3261 8.2.6.2: every response but 100 carries a To tag.
    pub fn tag(&mut self, response: &mut Response) {
        let Some(to) = response.headers.get(HeaderName::To) else { return };
        let tagged = NameAddr::parse(to).is_ok_and(|to| to.tag().is_some());
        if !tagged {
            let mut value = to.to_vec();
            value.extend_from_slice(format!(";tag={}", self.rng.hex(16)).as_bytes());
            response.headers.set(HeaderName::To, value);
        }
    }

    /// Sends a request of ours, any but ACK and CANCEL.
    pub fn request(&mut self, request: Request, flow: Flow, how: Sending, requester: Requester) -> ClientId {
        let request = ClientRequest { request, flow, how, requester };
        self.tx.request(self.now.mono, request, &mut self.rng, &mut self.out.transmit)
    }

    /// Answers a request, with what every response of ours carries.
    pub fn respond(&mut self, id: ServerId, mut response: Response) {
        if response.status > 100 {
            self.tag(&mut response);
        }
        add_response_headers(&mut response, &self.product);
        self.tx.respond(self.now.mono, id, response, &mut self.out.transmit);
    }
}

/// Adds what every response of ours carries.
pub fn add_response_headers(response: &mut Response, product: &str) {
    if !product.is_empty() && response.headers.get(HeaderName::Server).is_none() {
        response.headers.push(HeaderName::Server, Bytes::from(product.to_owned()));
    }
    if response.headers.get(HeaderName::Allow).is_none() {
        response.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes()));
    }
}

/// Adds what every request of ours carries.
pub fn add_request_headers(request: &mut Request, product: &str) {
    if !product.is_empty() {
        request.headers.push(HeaderName::UserAgent, Bytes::from(product.to_owned()));
    }
    request.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes()));
}
