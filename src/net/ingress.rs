//! Ingress: the stateless checks of every received message, whatever transport it came over: rate limits, parsing,
//! authentication. Only what may enter the switch passes; everything else is answered or dropped here, counted, and
//! leaves no state.

use super::rate_limit::Limiter;
use crate::clock::Now;
use crate::guard::admission::{Admission, Verdict};
use crate::guard::event::AuthEvent;
use crate::pbx::effect::Input;
use crate::rng::Rng;
use crate::sip::message::{Message, Request};
use crate::sip::{Flow, Unframed, validate};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

/// What happened to messages that never reached the switch, by reason.
#[derive(Default)]
pub struct Counters(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    /// Counts one.
    pub fn add(&self, reason: &'static str) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// All of them.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.iter().map(|(reason, count)| (*reason, *count)).collect()
    }
}

/// Where the events of a receiving thread go.
pub trait EventSink: Send + Sync {
    /// An input for the switch; it comes back when the switch's queue is full.
    ///
    /// # Errors
    /// The queue is full.
    fn pass(&self, input: Box<Input>) -> Result<(), Box<Input>>;
    /// A refusal or challenge for the log, and where it came from.
    fn report(&self, event: &AuthEvent, source: IpAddr);
    /// A message as it was received or sent, for `sip set debug`.
    fn trace(&self, received: bool, flow: Flow, bytes: &[u8]);
    /// Both clocks.
    fn now(&self) -> Now;
}

/// The accounts and rules that requests are checked against: read for every request, replaced by a reload.
pub struct AuthTable(RwLock<Arc<Admission>>);

impl AuthTable {
    /// With this table.
    pub fn new(admission: Arc<Admission>) -> AuthTable {
        AuthTable(RwLock::new(admission))
    }

    /// The table in force.
    pub fn admission(&self) -> Arc<Admission> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another table in force, from the next request on.
    pub fn renew(&self, admission: Arc<Admission>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = admission;
    }
}

/// What became of a message.
pub enum Received {
    /// It is on its way to the switch, which knows whether its sender is authenticated: a digest is accepted only once.
    Passed,
    /// The queue of the switch is full.
    Full(Box<Input>),
    /// This is the response, and no state is kept.
    Respond {
        /// Where it goes; over a connection, back over that.
        to: SocketAddr,
        /// The message.
        bytes: Bytes,
        /// What to log, after the response is sent, so that its timing reveals nothing.
        report: Option<AuthEvent>,
    },
    /// NAT keep-alive (only line ends).
    KeepAlive,
    /// It is not SIP; counted.
    Unreadable,
    /// It is dropped; counted.
    Dropped,
}

/// Checks every received message. Each thread that receives has its own.
pub struct Ingress {
    /// Accounts and rules.
    pub auth_table: Arc<AuthTable>,
    /// Limits unauthenticated requests per source address.
    pub limiter: Arc<Limiter>,
    /// Counts what never reached the switch.
    pub counters: Arc<Counters>,
    /// For nonces.
    pub rng: Rng,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
}

impl Ingress {
    /// A flow with our address as the other side sees it.
    pub fn seen(&self, flow: Flow) -> Flow {
        Flow {
            advertised: self.auth_table.admission().advertised_address(flow.transport, flow.local, flow.remote.ip()),
            ..flow
        }
    }

    /// One message, with all its bytes.
    pub fn receive(&mut self, bytes: &Bytes, flow: Flow) -> Received {
        let (source, now) = (flow.remote.ip(), Instant::now());
        if !self.limiter.allows(source, now) {
            self.counters.add("too many unauthenticated requests from one address");
            return Received::Dropped;
        }
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(reason) => {
                self.counters.add(reason.name());
                if reason == Unframed::KeepAlive {
                    return Received::KeepAlive;
                }
                self.limiter.charge(source, now);
                return Received::Unreadable;
            }
        };
        self.sink.trace(true, flow, bytes);
        match message {
            Message::Request(request) => self.request(request, flow, now),
            Message::Response(response) => match validate::response(&response) {
                Ok(essentials) => self.pass(Input::Response { response, essentials, flow }),
                Err(_) => {
                    self.counters.add("malformed response");
                    Received::Dropped
                }
            },
        }
    }

    /// Logs what there is to log of a response that was sent.
    pub fn report(&self, report: Option<AuthEvent>, received: Flow) {
        if let Some(event) = &report {
            self.sink.report(event, received.remote.ip());
        }
    }

    fn request(&mut self, request: Request, flow: Flow, now: Instant) -> Received {
        let clocks = self.sink.now();
        let essentials = match validate::request(&request) {
            Ok(essentials) => essentials,
            Err(refusal) => {
                self.counters.add("malformed request");
                let verdict = self.auth_table.admission().reject(&request, &refusal, flow);
                return self.reject(verdict, flow, now);
            }
        };
        match self.auth_table.admission().admit(&request, &essentials, flow, clocks, self.rng.bits()) {
            Verdict::Pass { caller } => self.pass(Input::Request { request, essentials, caller, flow }),
            verdict => self.reject(verdict, flow, now),
        }
    }

    /// Responds, or drops it, without keeping state.
    fn reject(&self, verdict: Verdict, received: Flow, now: Instant) -> Received {
        self.limiter.charge(received.remote.ip(), now);
        match verdict {
            Verdict::Pass { .. } => Received::Dropped,
            Verdict::Reply { response, to, note } => {
                self.counters.add(reply_reason(response.status));
                let bytes = response.to_bytes();
                self.sink.trace(false, received.with_remote(to), &bytes);
                Received::Respond { to, bytes, report: note }
            }
            Verdict::Drop(reason) => {
                self.counters.add(reason);
                Received::Dropped
            }
        }
    }

    fn pass(&self, input: Input) -> Received {
        match self.sink.pass(Box::new(input)) {
            Ok(()) => Received::Passed,
            Err(input) => Received::Full(input),
        }
    }
}

fn reply_reason(status: u16) -> &'static str {
    match status {
        200..=299 => "answered without state: 200",
        401 => "challenged: 401",
        403 => "refused: 403",
        405 | 501 => "refused: method not supported",
        420 => "refused: extension required that is not supported",
        480 => "refused: sips: that does not keep to TLS",
        _ => "refused otherwise without state",
    }
}

/// An ingress without accounts whose events are discarded.
#[cfg(test)]
pub(crate) fn without_sink() -> Ingress {
    struct NoSink;
    impl EventSink for NoSink {
        fn pass(&self, _: Box<Input>) -> Result<(), Box<Input>> {
            Ok(())
        }
        fn report(&self, _: &AuthEvent, _: IpAddr) {}
        fn trace(&self, _: bool, _: Flow, _: &[u8]) {}
        fn now(&self) -> Now {
            Now::default()
        }
    }
    let config = crate::config::Config::from_texts("", "", "", "").0.unwrap_or_default();
    let admission = Admission::new(&config.sip, crate::sip::digest::nonce::NonceKey::new([0; 32], 1));
    Ingress {
        auth_table: Arc::new(AuthTable::new(Arc::new(admission))),
        limiter: Arc::default(),
        counters: Arc::default(),
        rng: Rng::from_number(1),
        sink: Arc::new(NoSink),
    }
}
