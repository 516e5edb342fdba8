//! Ingress: the stateless checks of every received message, whatever transport it came over: parsing, whether it names
//! something that is open here, authentication, and limits on what is answered to those who prove nothing. Only what may
//! enter the switch passes; everything else is answered or dropped here, counted, and leaves no state.

use super::expected::{Expected, Hearing};
use super::guesses::Guesses;
use super::known::KnownAddresses;
use super::rate_limit::{Asker, Limiter};
use crate::clock::Now;
use crate::guard::admission::{Admission, Caller, Circumstances, Proof, TOO_MANY, Verdict};
use crate::guard::event::AuthEvent;
use crate::pbx::effect::Input;
use crate::rng::Rng;
use crate::sip::message::{Message, Request};
use crate::sip::transaction::Reference;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, HeaderName, Method, Unframed, validate};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
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
        /// Who gets it, as far as that is known.
        audience: Audience,
        /// What to log, after the response is sent, so that its timing reveals nothing.
        report: Option<AuthEvent>,
    },
    /// NAT keep-alive (only line ends).
    KeepAlive,
    /// It is not SIP; counted.
    Unreadable,
    /// It is dropped; counted.
    Dropped,
    /// The same, because its source has had too many answers without proving anything.
    OverLimit,
}

/// Who gets an answer for which nothing was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The address of a registered line or a static peer, if it is not forged.
    Known,
    /// Anybody.
    Stranger,
}

/// Why a message about something that is open is dropped.
const TOO_MUCH_OF_ONE: &str = "too many messages about one call, request or digest";

/// Checks every received message. Each thread that receives has its own.
pub struct Ingress {
    /// Accounts and rules.
    pub auth_table: Arc<AuthTable>,
    /// What all threads know about those who send.
    pub hearing: Arc<Hearers>,
    /// Counts what never reached the switch.
    pub counters: Arc<Counters>,
    /// For nonces.
    pub rng: Rng,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
}

/// What all threads that receive know about those who send.
#[derive(Default)]
pub struct Hearers {
    /// What may be named by a message, which then is heard.
    pub expected: Expected,
    /// Limits answers to those who prove nothing.
    pub limiter: Limiter,
    /// Where lines are registered.
    pub known: Arc<KnownAddresses>,
    /// Brakes the guessing of secrets.
    pub guesses: Guesses,
    /// Makes of what a message looks like a number.
    hasher: RandomState,
}

impl Hearers {
    /// They know nobody yet.
    pub fn new() -> Hearers {
        let known = Arc::<KnownAddresses>::default();
        Hearers { guesses: Guesses::new(known.clone()), known, ..Hearers::default() }
    }

    /// Forgets what is over.
    pub fn tidy(&self, now: Instant) {
        self.limiter.tidy(now);
        self.expected.tidy(now);
    }

    /// What a request looks like: its method, which header fields it has in which order, and its product.
    fn likeness(&self, request: &Request) -> u8 {
        let mut hasher = self.hasher.build_hasher();
        request.method.hash(&mut hasher);
        for (name, value) in request.headers.iter() {
            name.as_bytes().hash(&mut hasher);
            if *name == HeaderName::UserAgent {
                value.hash(&mut hasher);
            }
        }
        hasher.finish().to_le_bytes()[0]
    }
}

/// How a message came.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    /// From where, to which address of ours, over what.
    pub flow: Flow,
    /// When.
    pub at: Instant,
    /// Over a connection on which somebody proved who he is, so that it is heard and answered without a limit.
    pub is_proven: bool,
}

impl Ingress {
    /// A flow with our address as the other side sees it.
    pub fn seen(&self, flow: Flow) -> Flow {
        Flow {
            advertised: self.auth_table.admission().advertised_address(flow.transport, flow.local, flow.remote.ip()),
            ..flow
        }
    }

    /// One message, with all its bytes. It is read first, and then asked for what it proves; the source address is
    /// looked at last, when nothing was proved and an answer would be sent.
    pub fn receive(&mut self, bytes: &Bytes, arrived: Arrived) -> Received {
        let (flow, now) = (arrived.flow, arrived.at);
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(reason) => {
                self.counters.add(reason.name());
                return if reason == Unframed::KeepAlive { Received::KeepAlive } else { Received::Unreadable };
            }
        };
        self.sink.trace(true, flow, bytes);
        match message {
            Message::Request(request) => self.request(request, arrived, now),
            Message::Response(response) => match validate::response(&response) {
                Ok(essentials) => match self.hears(Reference::of_response(&essentials).as_ref(), now) {
                    Hearing::Expected => self.pass(Input::Response { response, essentials, flow }),
                    Hearing::TooMuch => self.dropped(TOO_MUCH_OF_ONE),
                    Hearing::Unknown => self.dropped("response to nothing we asked"),
                },
                Err(_) => self.dropped("malformed response"),
            },
        }
    }

    /// Logs what there is to log of a response that was sent.
    pub fn report(&self, report: Option<AuthEvent>, received: Flow) {
        if let Some(event) = &report {
            self.sink.report(event, received.remote.ip());
        }
    }

    fn request(&mut self, request: Request, arrived: Arrived, now: Instant) -> Received {
        let (flow, admission) = (arrived.flow, self.auth_table.admission());
        let asker = self.asker(&request, arrived, &admission);
        let may_answer = asker.is_none_or(|asker| self.hearing.limiter.has_token(asker, now));
        let essentials = match validate::request(&request) {
            Ok(essentials) => essentials,
            Err(refusal) => {
                self.counters.add("malformed request");
                if !may_answer {
                    return self.over_limit();
                }
                return self.reject(admission.reject(&request, &refusal, flow), flow, asker, now);
            }
        };
        let trials = self.hearing.guesses.of(flow.remote, now);
        let random = self.rng.bits();
        let circumstances = Circumstances { now: self.sink.now(), random, may_answer, trials: &trials };
        match admission.admit_in(&request, &essentials, flow, circumstances) {
            Verdict::Pass { caller: Caller::Dialog } => match self.belongs(&request, &essentials, now) {
                Hearing::Expected => self.pass(Input::Request { request, essentials, caller: Caller::Dialog, flow }),
                Hearing::TooMuch => self.dropped(TOO_MUCH_OF_ONE),
                Hearing::Unknown if !may_answer && request.method != Method::Ack => self.over_limit(),
                Hearing::Unknown => {
                    self.reject(admission.belongs_to_nothing(&request, &essentials, flow), flow, asker, now)
                }
            },
            Verdict::Pass { caller: Caller::Account { peer, proof } } => {
                match &proof {
                    Proof::Digest { nonce, .. } if !self.hearing.limiter.take_of_nonce(nonce, now) => {
                        return self.dropped(TOO_MUCH_OF_ONE);
                    }
                    Proof::Trusted if !self.pays(asker, now) => return self.over_limit(),
                    Proof::Digest { .. } | Proof::Trusted => {}
                }
                let caller = Caller::Account { peer, proof };
                self.pass(Input::Request { request, essentials, caller, flow })
            }
            verdict => self.reject(verdict, flow, asker, now),
        }
    }

    /// Whose tokens an answer takes; none: nobody's, for the connection proved itself.
    fn asker(&self, request: &Request, arrived: Arrived, admission: &Admission) -> Option<Asker> {
        let source = arrived.flow.remote;
        if arrived.is_proven {
            return None;
        }
        let is_connected = arrived.flow.connection.is_some();
        let known = if self.hearing.known.has(source) { Some(source) } else { admission.fixed_address(arrived.flow) };
        let known = known.filter(|_| !is_connected);
        let likeness = known.map_or(0, |_| self.hearing.likeness(request));
        Some(Asker { source, is_connected, known, likeness })
    }

    /// Whether a request belongs to something that is open: by our tag, or by the INVITE that it cancels or
    /// acknowledges. pyVoIP 1.6.8 makes up a To tag for its ACK.
    fn belongs(&self, request: &Request, essentials: &Essentials, now: Instant) -> Hearing {
        match self.hears(Reference::of_dialog(essentials).as_ref(), now) {
            Hearing::Unknown if matches!(request.method, Method::Ack | Method::Cancel) => {
                self.hears(Some(&Reference::of_invite(essentials)), now)
            }
            hearing => hearing,
        }
    }

    fn hears(&self, reference: Option<&Reference>, now: Instant) -> Hearing {
        reference.map_or(Hearing::Unknown, |reference| self.hearing.expected.hears(reference, now))
    }

    fn pays(&self, asker: Option<Asker>, now: Instant) -> bool {
        asker.is_none_or(|asker| self.hearing.limiter.take(asker, now))
    }

    /// Responds, or drops it, without keeping state.
    fn reject(&self, verdict: Verdict, received: Flow, asker: Option<Asker>, now: Instant) -> Received {
        match verdict {
            Verdict::Pass { .. } => Received::Dropped,
            Verdict::Reply { response, to, note } => {
                if !self.pays(asker, now) {
                    return self.over_limit();
                }
                self.counters.add(reply_reason(response.status));
                let bytes = response.to_bytes();
                self.sink.trace(false, received.with_remote(to), &bytes);
                let is_known = asker.is_some_and(|asker| asker.known.is_some());
                let audience = if is_known { Audience::Known } else { Audience::Stranger };
                Received::Respond { to, bytes, audience, report: note }
            }
            Verdict::Drop(TOO_MANY) => self.over_limit(),
            Verdict::Drop(reason) => self.dropped(reason),
        }
    }

    fn over_limit(&self) -> Received {
        self.counters.add(TOO_MANY);
        Received::OverLimit
    }

    fn dropped(&self, reason: &'static str) -> Received {
        self.counters.add(reason);
        Received::Dropped
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
        hearing: Arc::new(Hearers::new()),
        counters: Arc::default(),
        rng: Rng::from_number(1),
        sink: Arc::new(NoSink),
    }
}

#[cfg(test)]
mod tests;
