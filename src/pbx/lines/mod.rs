//! Lines: where peers are registered, whether they answer, and which way leads to them. They know no call.

mod extensions;
mod fixed_address;
mod keepalive;
mod locate;
pub mod mailboxes;
pub mod notify;
pub mod registrations;
mod watches;

use super::core::{Core, Directory, LineTimer, Requester, Target, Timer, add_request_headers};
use super::effect::StoreOrder;
use super::failure::Failure;
use super::uri_text::{contact, escape_user, host, to_uri};
use crate::config::peer::{Peer, PeerAddress};
use crate::event::LineEvent;
use crate::registrar::last_seen::{Departure, DepartureCause, Departures};
use crate::registrar::location::{Binding, Location, Restored};
use crate::registrar::qualify::Status;
use crate::registrar::register::{self, Arrived, Change, Move};
use crate::registrar::rivals::{Rivalry, Rivals};
use crate::sip::Flow;
use crate::sip::dialog::routed;
use crate::sip::header::HeaderName;
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Account, Sending, ServerId};
use crate::sip::validate::Essentials;
use bytes::Bytes;
use fixed_address::{flow_of, flow_to, route_to, server_of, servers, uri_at};
use keepalive::KeepAlives;
use locate::{Whereabouts, flows_of};
use mailboxes::Mailboxes;
use registrations::Registrations;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use watches::{Asked, Outcome, Poll, Watches};

/// What came of asking a peer now whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualifyNow {
    /// It is being asked.
    Asked,
    /// It has no `qualify=`: no limit says what a good answer is.
    NotMonitored,
    /// It is not registered, and no address of it is configured.
    NoAddress,
    /// There is no such peer.
    Unknown,
}

/// What came of removing a peer's registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unregistered {
    /// It was registered, and is no more.
    Done,
    /// It was not registered.
    NotRegistered,
    /// There is no such peer.
    Unknown,
}

/// All lines.
#[derive(Default)]
pub struct Lines {
    location: Location,
    expiry: Option<TimerId>,
    departures: Departures,
    rivals: Rivals,
    watches: Watches,
    keepalives: KeepAlives,
    /// Our own registrations at providers.
    pub registrations: Registrations,
    /// Our mailboxes elsewhere.
    pub mailboxes: Mailboxes,
}

impl Lines {
    // ---- the configuration ----

    /// Begins to watch and to keep alive the peers that have a fixed address, one after another.
    pub fn begin(&mut self, core: &mut Core) {
        let peers = core.config.peers.clone();
        self.watch_in_turn(peers.values().filter(|peer| peer.host.is_fixed()), core);
        self.keep_all_alive(core);
        self.registrations.load(core);
        self.mailboxes.load(core);
    }

    /// Before a new configuration: the extensions of every registered line go, for their names may change.
    pub fn prepare_reload(&mut self, core: &mut Core) {
        for peer in self.registered(core) {
            extensions::remove(&peer, core);
        }
    }

    /// After it. A peer that is gone, or has a fixed address now, loses its registration.
    pub fn reload(&mut self, old: &BTreeMap<String, Arc<Peer>>, core: &mut Core) {
        self.drop_registrations(core);
        self.renew_watches(old, core);
        self.keep_all_alive(core);
        self.registrations.load(core);
        self.mailboxes.load(core);
        self.add_all_extensions(core);
    }

    /// Registrations of those who cannot be registered any more.
    fn drop_registrations(&mut self, core: &mut Core) {
        let peers = core.config.peers.clone();
        let is_dynamic = |name: &str| peers.get(name).is_some_and(|peer| matches!(peer.host, PeerAddress::Dynamic));
        for (line, binding) in self.location.retain(is_dynamic) {
            let is_fixed = peers.contains_key(&line);
            core.emit(LineEvent::RegistrationDropped { line, address: binding.flow.remote, is_fixed });
        }
        self.departures.retain(|name| peers.contains_key(name));
        self.rivals.retain(|name| peers.contains_key(name));
        self.arm_expiry(core);
    }

    /// Ends the watch of every peer whose `qualify=`, `qualifyfreq=` or fixed address changed, and begins the missing
    /// ones.
    fn renew_watches(&mut self, old: &BTreeMap<String, Arc<Peer>>, core: &mut Core) {
        let peers = core.config.peers.clone();
        for name in self.watches.names() {
            let same = old.get(&name).zip(peers.get(&name)).is_some_and(|(old, new)| is_watched_alike(old, new));
            if !same {
                self.watches.forget(&name, core);
            }
        }
        let missing: Vec<&Arc<Peer>> = peers
            .values()
            .filter(|peer| !self.watches.contains(&peer.name))
            .filter(|peer| match peer.host {
                PeerAddress::Static(_) | PeerAddress::Named(_) => true,
                PeerAddress::Unset => false,
                PeerAddress::Dynamic => !self.location.bindings(&peer.name).is_empty(),
            })
            .collect();
        self.watch_in_turn(missing.into_iter(), core);
    }

    /// Names lead elsewhere now, or for the first time: peers with `host=NAME` whose address changed are asked there. Our
    /// own address outside may be one of them.
    pub fn names_changed(&mut self, moved: Vec<(Arc<Peer>, SocketAddr)>, core: &mut Core) {
        let admission = core.config.admission.clone();
        self.location.readvertise(|flow| admission.advertised_address(flow.transport, flow.local, flow.remote.ip()));
        for (peer, address) in moved {
            core.emit(LineEvent::Moved { line: peer.name.clone(), address });
            self.watch(&peer, core);
            self.keepalives.arm(&peer, core);
        }
        self.registrations.addresses_changed(core);
        self.mailboxes.addresses_changed(core);
    }

    fn add_all_extensions(&mut self, core: &mut Core) {
        for peer in self.registered(core) {
            extensions::add(&peer, core);
        }
    }

    fn registered(&self, core: &Core) -> Vec<Arc<Peer>> {
        let peers = core.config.peers.values();
        peers.filter(|peer| !self.location.bindings(&peer.name).is_empty()).cloned().collect()
    }

    // ---- registrations ----

    /// An authenticated REGISTER. Gives where the line was and is not any more.
    pub fn register(
        &mut self,
        server: ServerId,
        request: &Request,
        essentials: &Essentials,
        peer: &Peer,
        arrived: Arrived,
        core: &mut Core,
    ) -> Vec<Move> {
        // Few REGISTERs have come through a proxy, so the peers are searched for it only then.
        let (names, source) = (core.config.admission.names(), arrived.flow.remote.ip().to_canonical());
        let trunk = |peer: &Arc<Peer>| peer.host.addresses(names).any(|at| at.ip() == source);
        let from_trunk = request.headers.get(HeaderName::Path).is_some() && core.config.peers.values().any(trunk);
        let origin = register::Origin { arrived, from_trunk, routing: &core.routing };
        let by_others = |one: &&Binding| one.call_id != essentials.call_id;
        let old: Vec<Binding> = self.location.bindings(&peer.name).iter().filter(by_others).cloned().collect();
        let done =
            register::register(&mut self.location, &core.config.general, peer, request, essentials, origin, core.now);
        for event in done.events {
            core.emit(event);
        }
        core.respond(server, done.response);
        for change in done.changes {
            if let Change::Added(new) | Change::Refreshed(new) = &change {
                let bound = self.location.bindings(&peer.name);
                let contested = self.rivals.registered(&peer.name, &old, bound, new, core.now.mono);
                contested.into_iter().for_each(|event| core.emit(event));
            }
            match change {
                Change::Added(_) => {
                    self.returned(&peer.name, core);
                    self.watch(peer, core);
                    extensions::add(peer, core);
                }
                Change::Refreshed(_) => {}
                Change::Removed(_) => self.binding_gone(&peer.name, DepartureCause::SignedOff, core),
            }
        }
        self.keepalives.arm(peer, core);
        self.arm_expiry(core);
        done.moves
    }

    /// A line is registered again. One that vanished was noticed: so is its return.
    fn returned(&mut self, name: &str, core: &mut Core) {
        match self.departures.come_back(name) {
            Some(Departure { since, left: DepartureCause::Expired }) => {
                let away = core.now.mono.since(since.mono);
                core.emit(LineEvent::Returned { line: name.to_owned(), away });
            }
            Some(Departure { left: DepartureCause::SignedOff, .. }) | None => {}
        }
    }

    /// A binding of a line is gone; when it was the last one, the line is.
    fn binding_gone(&mut self, name: &str, cause: DepartureCause, core: &mut Core) {
        if !self.location.bindings(name).is_empty() {
            return;
        }
        self.departures.leave(name, cause, core.now);
        if let Some(peer) = core.config.peers.get(name).cloned() {
            extensions::remove(&peer, core);
        }
        self.watches.stop(name, core);
    }

    fn expire(&mut self, core: &mut Core) {
        self.expiry = None;
        for (line, binding) in self.location.expire(core.now.mono) {
            let (address, granted) = (binding.flow.remote, binding.granted);
            core.emit(LineEvent::Expired { line: line.clone(), address, granted });
            self.binding_gone(&line, DepartureCause::Expired, core);
        }
        self.arm_expiry(core);
    }

    fn arm_expiry(&mut self, core: &mut Core) {
        if let Some(timer) = self.expiry.take() {
            core.timers.cancel(timer);
        }
        let timer = Timer::Line(LineTimer::Registrations);
        self.expiry = self.location.next_deadline().map(|at| core.timers.set(at, timer));
    }

    /// A connection is closed: who registered over it is asked after, if anybody is.
    pub fn connection_closed(&mut self, flow: Flow, why: &str, core: &mut Core) {
        self.registrations.connection_closed(flow, core);
        let Some(connection) = flow.connection else { return };
        let lines = self.location.lose_connection(connection);
        let names: Vec<String> = lines.iter().map(|(name, _)| name.clone()).collect();
        let (address, transport, reason) = (flow.remote, flow.transport.to_string(), why.into());
        core.emit(LineEvent::ConnectionClosed { address, transport, reason, lines });
        let peers = core.config.peers.clone();
        for peer in names.iter().filter_map(|name| peers.get(name)) {
            self.watch(peer, core);
        }
        self.arm_expiry(core);
    }

    /// Removes a peer's registration, until it registers again. Its calls go on.
    pub fn unregister(&mut self, name: &str, core: &mut Core) -> Unregistered {
        if !core.config.peers.contains_key(name) {
            return Unregistered::Unknown;
        }
        if self.location.unregister(name).is_empty() {
            return Unregistered::NotRegistered;
        }
        self.binding_gone(name, DepartureCause::SignedOff, core);
        self.arm_expiry(core);
        core.emit(LineEvent::Unregistered { line: name.to_owned() });
        Unregistered::Done
    }

    /// Takes back the registrations of a time before a restart, oldest first: of peers that are still configured to
    /// register and have not yet, at most as many as each may have. Watched peers are asked at random times within
    /// `qualifyfreq=`, or a thousand of them would be asked at once. Says how many came back.
    pub fn restore(&mut self, stored: Vec<Restored>, core: &mut Core) -> usize {
        let mut by_peer: BTreeMap<String, Vec<Restored>> = BTreeMap::new();
        for stored in stored {
            by_peer.entry(stored.peer.clone()).or_default().push(stored);
        }
        let mut restored = 0;
        let peers = core.config.peers.clone();
        for (name, mut stored) in by_peer {
            let Some(peer) = peers.get(&name).filter(|peer| matches!(peer.host, PeerAddress::Dynamic)) else {
                core.count_drop("stored registration of a peer that is no more");
                core.out.store.push(StoreOrder::Bindings { peer: name.into(), bindings: Vec::new() });
                continue;
            };
            if !self.location.bindings(&name).is_empty() {
                continue;
            }
            let most = usize::try_from(peer.max_contacts).unwrap_or(usize::MAX);
            for Restored { binding, left, .. } in stored.drain(stored.len().saturating_sub(most)..) {
                self.location.restore(&name, binding, left, core.now);
                restored += 1;
            }
            let freq = u64::try_from(peer.settings.qualify_freq.as_millis()).unwrap_or(u64::MAX);
            let wait = Duration::from_millis(core.rng.below(freq));
            self.watches.start_after(peer, wait, core);
        }
        self.arm_expiry(core);
        self.keep_all_alive(core);
        self.add_all_extensions(core);
        restored
    }

    /// What changed in the registrations since this was asked last, to be stored.
    pub fn store_changes(&mut self, core: &mut Core) {
        for peer in self.location.take_changed() {
            let bindings = self.location.bindings(&peer).to_vec();
            core.out.store.push(StoreOrder::Bindings { peer, bindings });
        }
    }

    /// All registrations, for a store that lost them.
    pub fn everything(&self) -> impl Iterator<Item = StoreOrder> + '_ {
        self.location
            .iter()
            .map(|(peer, bindings)| StoreOrder::Bindings { peer: peer.into(), bindings: bindings.to_vec() })
    }

    // ---- whether they are there ----

    /// Begins a round of OPTIONS to a peer at once; what it finds is said if it changes the peer's state.
    pub fn qualify_now(&mut self, name: &str, core: &mut Core) -> QualifyNow {
        let Some(peer) = core.config.peers.get(name).cloned() else { return QualifyNow::Unknown };
        if peer.settings.qualify.is_none() {
            return QualifyNow::NotMonitored;
        }
        if self.address_of(&peer, core).is_none() {
            return QualifyNow::NoAddress;
        }
        self.watch(&peer, core);
        QualifyNow::Asked
    }

    /// Begins to ask a peer whether it is there, at once.
    fn watch(&mut self, peer: &Peer, core: &mut Core) {
        let asked = self.asked(peer, core);
        let outcome = self.watches.start(peer, asked, core);
        self.poll(peer, outcome.polls, core);
    }

    /// Where a peer is asked now, and whether it has another server to ask when that one is silent.
    fn asked(&self, peer: &Peer, core: &Core) -> Asked {
        let is_registered = !self.location.bindings(&peer.name).is_empty();
        let (all, now) = (servers(peer, core), core.now.mono);
        let mut others = all.iter().skip(1).filter(|_| !is_registered);
        let has_other = others.any(|server| !core.failed_servers.is_avoided(*server, now));
        Asked { address: self.address_of(peer, core), has_other }
    }

    /// Goes on with what came of a round. When a server of a peer was silent, the next one is asked from now on.
    fn carry_on(&mut self, peer: &Peer, asked: Asked, outcome: Outcome, core: &mut Core) {
        if !outcome.unanswered || !self.location.bindings(&peer.name).is_empty() {
            return self.poll(peer, outcome.polls, core);
        }
        let all = servers(peer, core);
        let Some(silent) = all.first().filter(|_| all.len() > 1) else { return };
        core.failed_servers.note(*silent, None, core.now.mono);
        let Some(next) = server_of(peer, core).filter(|_| asked.has_other) else { return };
        core.emit(LineEvent::ServerFailed {
            line: peer.name.clone(),
            server: silent.to_string(),
            next: next.to_string(),
        });
        self.watches.stop(&peer.name, core);
        self.watch(peer, core);
        self.keepalives.arm(peer, core);
    }

    /// Begins to ask those of these peers that have `qualify=` whether they are there, one after another.
    fn watch_in_turn<'a>(&mut self, peers: impl Iterator<Item = &'a Arc<Peer>>, core: &mut Core) {
        let gap = core.config.general.qualify_gap;
        let mut wait = Duration::ZERO;
        for peer in peers.filter(|peer| peer.settings.qualify.is_some()) {
            self.watches.start_after(peer, wait, core);
            wait = wait.saturating_add(gap);
        }
    }

    /// An OPTIONS was answered.
    pub fn poll_answered(&mut self, name: &str, poll: (u64, u8), core: &mut Core) {
        let Some(peer) = core.config.peers.get(name).cloned() else { return };
        let asked = self.asked(&peer, core);
        if let Some(server) = server_of(&peer, core) {
            // It was avoided and asked all the same: so were all the others.
            core.failed_servers.forgive(server);
        }
        let outcome = self.watches.polled(name, poll, true, asked, core);
        self.carry_on(&peer, asked, outcome, core);
    }

    /// The system refuses to send over a flow: whoever is asked there is not reachable.
    pub fn send_failed(&mut self, failed: Flow, core: &mut Core) {
        let asked: Vec<(Arc<str>, u64, u8)> = core
            .tx
            .requesters_on(failed)
            .filter_map(|requester| match requester {
                Requester::Qualify { peer, watch, attempt } => Some((peer.clone(), *watch, *attempt)),
                Requester::Leg(_)
                | Requester::Registration(_)
                | Requester::Mailbox(_)
                | Requester::Text(_)
                | Requester::Notify(_)
                | Requester::Subscription(_) => None,
            })
            .collect();
        for (name, watch, attempt) in asked {
            let Some(peer) = core.config.peers.get(&*name).cloned() else { continue };
            let asked = self.asked(&peer, core);
            let outcome = self.watches.polled(&name, (watch, attempt), false, asked, core);
            self.carry_on(&peer, asked, outcome, core);
        }
    }

    /// Sends OPTIONS to where a peer is (RFC 3261 11).
    fn poll(&self, peer: &Peer, polls: Vec<Poll>, core: &mut Core) {
        for poll in polls {
            let (target, flow, route) = match self.location.newest(&peer.name) {
                Some(binding) => {
                    let flow = flow_of(peer, binding.flow, core);
                    (binding.contact.to_string(), flow, route_to(peer, &binding.path))
                }
                None => match server_of(peer, core) {
                    Some(server) => {
                        let flow = flow_to(peer, server, core);
                        (uri_at(peer, None, flow), flow, route_to(peer, &[]))
                    }
                    None => return,
                },
            };
            let request = options(peer, &target, flow, &route, core);
            let Poll { watch, attempt, give_up } = poll;
            let requester = Requester::Qualify { peer: peer.name.as_str().into(), watch, attempt };
            let account = Account::Peer(peer.name.as_str().into());
            core.request(request, flow, Sending::Once { give_up }, requester, account);
        }
    }

    // ---- timers ----

    /// One of the timers of lines went off.
    pub fn timer(&mut self, timer: LineTimer, core: &mut Core) {
        match timer {
            LineTimer::Qualify(name) => {
                let Some(peer) = core.config.peers.get(&name).cloned() else { return };
                let asked = self.asked(&peer, core);
                let outcome = self.watches.due(&name, asked, core);
                self.carry_on(&peer, asked, outcome, core);
            }
            LineTimer::Keepalive(name) => {
                let peer = core.config.peers.get(&name).cloned();
                let flows = peer.as_ref().map(|peer| flows_of(&self.location, peer, core)).unwrap_or_default();
                self.keepalives.due(&name, peer.as_deref(), flows, core);
            }
            LineTimer::Registration(key) => self.registrations.due(&key, core),
            LineTimer::Mailbox(key) => self.mailboxes.due(&key, core),
            LineTimer::Registrations => self.expire(core),
        }
    }

    /// Peers that are somewhere are kept alive, from the start of a configuration.
    fn keep_all_alive(&mut self, core: &mut Core) {
        for peer in core.config.peers.clone().values() {
            if self.address_of(peer, core).is_some() {
                self.keepalives.arm(peer, core);
            }
        }
    }

    // ---- for whoever looks in ----

    /// The telephones that took a peer's account from each other.
    pub fn rivalry(&self, name: &str) -> Option<Rivalry> {
        self.rivals.of(name)
    }

    /// Where a peer is registered, oldest first.
    pub fn bindings(&self, name: &str) -> &[Binding] {
        self.location.bindings(name)
    }

    /// A peer's state; `Unmonitored` without `qualify=`.
    pub fn status(&self, peer: &Peer) -> Status {
        let unasked = if peer.settings.qualify.is_some() { Status::Unknown } else { Status::Unmonitored };
        self.watches.status(&peer.name).unwrap_or(unasked)
    }

    /// How many timers lines have set.
    pub fn timers(&self) -> usize {
        self.watches.timers()
            + self.keepalives.timers()
            + usize::from(self.expiry.is_some())
            + self.registrations.timers()
            + self.mailboxes.timers()
    }

    fn whereabouts(&self) -> Whereabouts<'_> {
        let Lines { location, departures, watches, registrations, .. } = self;
        Whereabouts { location, departures, watches, registrations }
    }

    /// The address of the server of a peer that is used while it is not registered.
    pub fn home(&self, peer: &Peer, core: &Core) -> Option<SocketAddr> {
        Some(server_of(peer, core)?.address)
    }

    /// Where a peer is: registered latest, or its fixed address.
    fn address_of(&self, peer: &Peer, core: &Core) -> Option<SocketAddr> {
        let registered = self.location.newest(&peer.name).map(|binding| binding.flow.remote);
        registered.or_else(|| Some(server_of(peer, core)?.address))
    }
}

impl Directory for Lines {
    fn targets(&self, core: &mut Core, peer: &Arc<Peer>, exten: Option<&str>) -> Result<Vec<Target>, Failure> {
        self.whereabouts().targets(peer, exten, core)
    }

    fn is_lost(&self, core: &Core, peer: &Peer) -> bool {
        self.whereabouts().is_lost(peer, core)
    }

    fn peer_item(&self, core: &Core, peer: &Peer, item: &str) -> Option<String> {
        self.whereabouts().item(peer, item, core)
    }
}

/// The OPTIONS to a peer.
fn options(peer: &Peer, target: &str, flow: Flow, route: &[Bytes], core: &mut Core) -> Request {
    let own_host = host(flow.advertised.ip());
    let default_user = &core.config.general.caller_id;
    let mut request = routed(Method::Options, target, route);
    let contact = contact(default_user, flow, binds_request(&request));
    let user = escape_user(peer.from_user.as_ref().unwrap_or(default_user));
    let domain = peer.from_domain.as_ref().unwrap_or(&own_host);
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, Bytes::from(peer.settings.max_forwards.to_string()));
    headers.push(HeaderName::From, Bytes::from(format!("<sip:{user}@{domain}>;tag={}", core.rng.hex(16))));
    headers.push(HeaderName::To, Bytes::from(format!("<{}>", to_uri(target))));
    headers.push(HeaderName::CallId, Bytes::from(format!("{}@{own_host}", core.rng.hex(32))));
    headers.push(HeaderName::CSeq, Bytes::from_static(b"102 OPTIONS"));
    headers.push(HeaderName::Contact, contact);
    add_request_headers(&mut request, &core.config.product);
    request
}

fn is_watched_alike(old: &Peer, new: &Peer) -> bool {
    old.settings.qualify == new.settings.qualify
        && old.settings.qualify_freq == new.settings.qualify_freq
        && old.host == new.host
}

#[cfg(test)]
mod tests;
