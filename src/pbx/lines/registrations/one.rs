//! One registration of ours: what is asked and answered, and what follows.

use super::pace::{Failed, renewal, wait};
use super::request::{Identity, granted, register, seconds, service_route};
use crate::clock::Wall;
use crate::config::peer::PeerAddress;
use crate::config::register_line::RegisterLine;
use crate::event::registration::{GivenUp, RegistrationEvent, RegistrationNews};
use crate::names::Server;
use crate::pbx::core::{Core, LineTimer, Requester, Timer};
use crate::pbx::lines::fixed_address::{flow_to, servers};
use crate::sip::Flow;
use crate::sip::header::HeaderName;
use crate::sip::message::Response;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Account, ClientId, Sending};
use crate::wording::Outside;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How long the answer to the last REGISTER is waited for, which removes the registration: the program is about to end.
const FAREWELL: Duration = Duration::from_secs(4);
/// How often in a row a longer time is asked for (423).
const MAX_RAISES: u8 = 3;

/// How soon another server of the same name is tried.
const ANOTHER: Duration = Duration::from_millis(500);

/// Where a registration stands, in chan_sip's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationState {
    /// It was not asked for yet, is being removed, or waits for an address.
    Unregistered,
    /// A REGISTER is under way.
    RequestSent,
    /// It was asked for a password, and sent again.
    AuthSent,
    /// It is registered.
    Registered,
    /// It was refused for good.
    Rejected,
    /// Nobody answered.
    Timeout,
    /// The password was refused.
    NoAuthentication,
    /// It failed otherwise.
    Failed,
}

impl RegistrationState {
    /// The word of `sip show registry`.
    pub fn name(self) -> &'static str {
        match self {
            RegistrationState::Unregistered => "Unregistered",
            RegistrationState::RequestSent => "Request Sent",
            RegistrationState::AuthSent => "Auth. Sent",
            RegistrationState::Registered => "Registered",
            RegistrationState::Rejected => "Rejected",
            RegistrationState::Timeout => "Timeout",
            RegistrationState::NoAuthentication => "No Authentication",
            RegistrationState::Failed => "Failed",
        }
    }
}

/// What an answer has as its consequence.
enum Next {
    /// Nothing more, until somebody asks.
    Stop,
    /// Again after a while.
    Again(Failed),
    /// Again at once, for longer.
    Longer(Duration),
}

/// One registration.
pub struct Registration {
    /// Its line.
    pub line: Arc<RegisterLine>,
    /// Where it stands.
    pub state: RegistrationState,
    /// When it was last granted.
    pub since: Option<Wall>,
    /// In how many seconds it is renewed, as last set.
    pub refresh: Duration,
    key: Arc<str>,
    identity: Identity,
    cseq: u32,
    client: Option<ClientId>,
    timer: Option<TimerId>,
    /// For how long it is asked for, when the registrar wants longer than the line says.
    raised: Option<Duration>,
    raises: u8,
    failures: u32,
    /// The way of the latest REGISTER.
    flow: Option<Flow>,
    contact: Bytes,
    route: Vec<Bytes>,
    is_granted: bool,
    /// It is being removed.
    is_leaving: bool,
    unresolved_said: bool,
}

impl Registration {
    /// Not asked for yet.
    pub fn new(line: Arc<RegisterLine>, core: &mut Core) -> Registration {
        let identity = Identity { call_id: core.rng.hex(32), tag: core.rng.hex(16) };
        Registration {
            key: line.id.as_str().into(),
            line,
            state: RegistrationState::Unregistered,
            since: None,
            refresh: Duration::ZERO,
            identity,
            cseq: 101,
            client: None,
            timer: None,
            raised: None,
            raises: 0,
            failures: 0,
            flow: None,
            contact: Bytes::new(),
            route: Vec::new(),
            is_granted: false,
            is_leaving: false,
            unresolved_said: false,
        }
    }

    /// Waits so long, then registers.
    pub fn begin_after(&mut self, wait: Duration, core: &mut Core) {
        self.stop_timer(core);
        self.refresh = wait;
        let timer = Timer::Line(LineTimer::Registration(self.key.clone()));
        self.timer = Some(core.set_timer(wait, timer));
    }

    /// Does it wait for something?
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Is it registered, as far as is known?
    pub fn is_granted(&self) -> bool {
        self.is_granted
    }

    /// Is this its REGISTER under way?
    pub fn is_sent(&self, id: ClientId) -> bool {
        self.client == Some(id)
    }

    /// Is its last REGISTER still unanswered?
    pub fn is_leaving(&self) -> bool {
        self.is_leaving && self.client.is_some()
    }

    /// The proxies that calls of its account take (RFC 3608), while it is registered.
    pub fn route(&self) -> &[Bytes] {
        if self.is_granted { &self.route } else { &[] }
    }

    /// Whether its REGISTERs go this way.
    pub fn uses(&self, flow: Flow) -> bool {
        self.flow.is_some_and(|own| own.transport == flow.transport && own.remote == flow.remote)
    }

    /// Is it to be renewed elsewhere, or from another address of ours, than it was last?
    pub fn has_moved(&self, core: &Core) -> bool {
        let is_given_up = matches!(self.state, RegistrationState::Rejected | RegistrationState::NoAuthentication);
        let now = ways(&self.line, core);
        let is_still_there = self.flow.is_some_and(|then| now.iter().any(|now| is_same_way(then, *now)));
        !is_given_up && !self.is_leaving && !now.is_empty() && !is_still_there
    }

    /// Was it given up?
    pub fn is_given_up(&self) -> bool {
        !self.is_granted && self.client.is_none() && self.timer.is_none()
    }

    /// The line changed in what it proves itself with, or in its time: its next REGISTER goes by the new one. One that
    /// had been given up is tried again.
    pub fn adopt(&mut self, line: Arc<RegisterLine>, core: &mut Core) {
        self.line = line;
        self.raised = None;
        if self.is_granted && self.client.is_none() && self.has_moved(core) {
            // By another proxy.
            self.begin_after(Duration::ZERO, core);
        } else if !self.is_granted && self.client.is_none() {
            self.failures = 0;
            self.begin_after(Duration::ZERO, core);
        }
    }

    /// The next CSeq number, for a REGISTER that is sent again with a password.
    pub fn number_again(&mut self, id: ClientId) -> Option<u32> {
        if self.client != Some(id) {
            return None;
        }
        if !self.is_leaving {
            self.state = RegistrationState::AuthSent;
        }
        self.cseq = self.cseq.saturating_add(1);
        Some(self.cseq)
    }

    /// Its time has come: REGISTER. One under way is not waited for any more.
    pub fn send(&mut self, core: &mut Core) {
        self.stop_timer(core);
        let Some(flow) = ways(&self.line, core).first().copied() else {
            let next = core.config.general.register.timeout;
            self.state = RegistrationState::Unregistered;
            if !self.unresolved_said {
                self.tell(RegistrationNews::Unresolved { next }, core);
                self.unresolved_said = true;
            }
            return self.begin_after(next, core);
        };
        self.unresolved_said = false;
        let expires = self.raised.or(self.line.expiry).unwrap_or(core.config.general.default_expiry);
        let give_up = core.config.general.register.timeout;
        if !self.is_granted {
            self.state = RegistrationState::RequestSent;
        }
        self.transmit(flow, expires, give_up, core);
    }

    /// Removes the registration, if there is one; gives whether an answer is to be waited for.
    pub fn leave(&mut self, core: &mut Core) -> bool {
        self.stop_timer(core);
        let is_asked = self.is_granted || self.client.is_some();
        self.is_leaving = true;
        self.state = RegistrationState::Unregistered;
        let Some(flow) = self.flow.filter(|_| is_asked) else {
            self.client = None;
            return false;
        };
        self.transmit(flow, Duration::ZERO, FAREWELL, core);
        true
    }

    fn transmit(&mut self, flow: Flow, expires: Duration, give_up: Duration, core: &mut Core) {
        self.cseq = self.cseq.saturating_add(1);
        let line = self.line.clone();
        let (request, contact) = register(&line, &self.identity, (self.cseq, expires), flow, core);
        (self.contact, self.flow) = (contact, Some(flow));
        let how = Sending::Tuned { t1: Duration::ZERO, give_up: Some(give_up), late: Duration::ZERO };
        let requester = Requester::Registration(self.key.clone());
        self.client = Some(core.request(request, flow, how, requester, Account::Registration(self.key.clone())));
    }

    /// A response to one of its REGISTERs.
    pub fn answered(&mut self, id: ClientId, response: &Response, core: &mut Core) {
        if self.client != Some(id) || response.status < 200 {
            return;
        }
        self.client = None;
        if self.is_leaving {
            if response.status < 300 {
                self.tell(RegistrationNews::Unregistered, core);
            }
            self.is_granted = false;
            return;
        }
        if response.status < 300 {
            return self.on_success(response, core);
        }
        let words = Outside::from(String::from_utf8_lossy(&response.reason).into_owned());
        self.fail(response, words, core);
    }

    fn on_success(&mut self, response: &Response, core: &mut Core) {
        let asked = self.raised.or(self.line.expiry).unwrap_or(core.config.general.default_expiry);
        let granted = granted(&response.headers, &self.contact).unwrap_or(asked);
        if granted.is_zero() {
            // A 200 that grants nothing.
            return self.fail(response, Outside::from("OK without a time"), core);
        }
        self.route = service_route(&response.headers);
        (self.failures, self.raises) = (0, 0);
        let is_new = !self.is_granted;
        (self.is_granted, self.state, self.since) = (true, RegistrationState::Registered, Some(core.now.wall));
        let next = renewal(granted);
        self.begin_after(next, core);
        if let Some(flow) = self.flow {
            core.failed_servers.forgive(Server::of(flow));
            self.tell(RegistrationNews::Registered { address: flow.remote, granted, next, is_new }, core);
        }
    }

    /// It is refused (RFC 3261 10.2 and 21.4; asterisk.md 1.10).
    fn fail(&mut self, response: &Response, words: Outside, core: &mut Core) {
        let status = response.status;
        let asked = seconds(&response.headers, HeaderName::RetryAfter);
        let retries_403 = core.config.general.register.retry_403;
        let (state, next) = match status {
            423 => return self.too_brief(response, core),
            401 | 407 => (RegistrationState::NoAuthentication, Next::Again(Failed::Refusal(asked))),
            403 if !retries_403 => (RegistrationState::NoAuthentication, Next::Stop),
            403 => (RegistrationState::NoAuthentication, Next::Again(Failed::Refusal(asked))),
            400 | 404 | 414 | 479 | 493 => (RegistrationState::Rejected, Next::Stop),
            _ => (RegistrationState::Failed, Next::Again(Failed::Refusal(asked))),
        };
        self.state = state;
        self.lose();
        if status == 503 {
            self.avoid_server(asked, core);
        }
        let (next, used_up) = self.follow(next, core);
        self.tell(RegistrationNews::Refused { status, words, next, used_up }, core);
    }

    fn too_brief(&mut self, response: &Response, core: &mut Core) {
        let least = seconds(&response.headers, HeaderName::MinExpires);
        let most = core.config.general.max_expiry;
        let given_up = match least {
            None => Some(GivenUp::Unsaid),
            Some(least) if least > most => Some(GivenUp::TooLong),
            Some(_) if self.raises >= MAX_RAISES => Some(GivenUp::TooOften),
            Some(_) => None,
        };
        let least = least.unwrap_or_default();
        let next = if given_up.is_none() { Next::Longer(least) } else { Next::Stop };
        if given_up.is_some() {
            self.state = RegistrationState::Rejected;
            self.lose();
        }
        self.tell(RegistrationNews::TooBrief { least, given_up }, core);
        self.follow(next, core);
    }

    /// No answer came in time.
    pub fn timed_out(&mut self, id: ClientId, core: &mut Core) {
        if self.client != Some(id) {
            return;
        }
        self.client = None;
        if self.is_leaving {
            self.is_granted = false;
            return;
        }
        self.state = RegistrationState::Timeout;
        self.lose();
        self.avoid_server(None, core);
        let (next, _) = self.follow(Next::Again(Failed::Silence), core);
        self.tell(RegistrationNews::TimedOut { attempt: self.failures, next }, core);
    }

    /// The network did not carry it.
    pub fn not_sent(&mut self, id: ClientId, why: &str, core: &mut Core) {
        if self.client != Some(id) {
            return;
        }
        self.client = None;
        if self.is_leaving {
            self.is_granted = false;
            return;
        }
        self.state = RegistrationState::Failed;
        self.lose();
        self.avoid_server(None, core);
        let (next, _) = self.follow(Next::Again(Failed::Silence), core);
        self.tell(RegistrationNews::NotSent { reason: why.to_owned(), next }, core);
    }

    /// It counts as registered no more.
    fn lose(&mut self) {
        self.is_granted = false;
        self.failures = self.failures.saturating_add(1);
    }

    /// Its server failed: the next of the same name is tried first (RFC 3263 4.3).
    fn avoid_server(&self, retry_after: Option<Duration>, core: &mut Core) {
        if let Some(flow) = self.flow {
            core.failed_servers.note(Server::of(flow), retry_after, core.now.mono);
        }
    }

    /// Is there another server, which has not failed lately?
    fn has_another_server(&self, core: &Core) -> bool {
        let other = ways(&self.line, core)
            .first()
            .copied()
            .filter(|first| Some(first.remote) != self.flow.map(|flow| flow.remote));
        other.is_some_and(|other| !core.failed_servers.is_avoided(Server::of(other), core.now.mono))
    }

    /// Sets the time of the next try; says whether `registerattempts=` allows none.
    fn follow(&mut self, next: Next, core: &mut Core) -> (Option<Duration>, bool) {
        let settings = core.config.general.register;
        match next {
            Next::Stop => (None, false),
            Next::Longer(least) => {
                self.raises = self.raises.saturating_add(1);
                self.raised = Some(least);
                self.send(core);
                (None, false)
            }
            Next::Again(_) if settings.attempts.is_some_and(|most| self.failures >= most) => (None, true),
            Next::Again(_) if self.has_another_server(core) => {
                self.begin_after(ANOTHER, core);
                (Some(ANOTHER), false)
            }
            Next::Again(failed) => {
                let after = wait(failed, self.failures, settings.timeout, &mut core.rng);
                self.begin_after(after, core);
                (Some(after), false)
            }
        }
    }

    /// It is no more: no timer of it stays.
    pub fn stop_timer(&mut self, core: &mut Core) {
        if let Some(timer) = self.timer.take() {
            core.timers.cancel(timer);
        }
    }

    fn tell(&self, what: RegistrationNews, core: &mut Core) {
        let line = &self.line;
        let (user, host, place) = (line.user.clone(), line.host.clone(), line.place.to_string());
        core.emit(RegistrationEvent { user, host, place, what });
    }
}

/// The servers of the registrar, those to try first first; none: its name leads to no address yet. The one place where
/// they are chosen.
pub(in crate::pbx::lines) fn ways(line: &RegisterLine, core: &Core) -> Vec<Flow> {
    let peer = line.peer.as_deref().and_then(|name| core.config.peers.get(name));
    let names = core.config.admission.names();
    if let Some(proxy) = &line.proxy {
        return by_way(&proxy.address, proxy.address.servers(proxy.transport(), names), core);
    }
    // A line names a section for its address, too; its own host is then but the domain.
    if let Some(peer) = peer.filter(|peer| peer.host.is_fixed() && line.transport.is_none()) {
        return servers(peer, core).into_iter().map(|server| flow_to(peer, server, core)).collect();
    }
    let host = peer.filter(|peer| peer.host.is_fixed()).map_or(&line.address, |peer| &peer.host);
    let transport = line.transport.unwrap_or_else(|| core.config.general.defaults.transport());
    let all: Vec<Server> = match host {
        PeerAddress::Named(_) if host == &line.address => {
            let PeerAddress::Named(name) = host else { return Vec::new() };
            names.servers(name).to_vec()
        }
        // The section's name was looked up for the section's transports: the line's own goes to its addresses.
        host => host.addresses(names).map(|address| Server::new(transport, address)).collect(),
    };
    by_way(host, all, core)
}

/// The flows to these servers of a host, those that failed lately last.
fn by_way(host: &PeerAddress, servers: Vec<Server>, core: &Core) -> Vec<Flow> {
    let way = |server: Server| {
        let seen = core.config.local_towards.get(&server.address.ip()).copied();
        let seen = seen.unwrap_or(core.config.listening.of(server.transport).ip());
        Flow { server: host.server(), ..core.routing.over(server.transport, seen, server.address) }
    };
    core.failed_servers.in_order(servers, core.now.mono).into_iter().map(way).collect()
}

fn is_same_way(a: Flow, b: Flow) -> bool {
    (a.transport, a.remote, a.local, a.advertised) == (b.transport, b.remote, b.local, b.advertised)
}
