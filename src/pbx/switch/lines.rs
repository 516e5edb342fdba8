//! Lines: their registrations and whether they are there (qualify).

use super::Switch;
use crate::clock::{Time, Wall};
use crate::config::peer::{Peer, PeerAddress};
use crate::datetime;
use crate::pbx::call_timer::CallTimer;
use crate::pbx::core::Requester;
use crate::pbx::effect::{Level, Line};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::leg;
use crate::registrar::last_seen::{Departure, DepartureCause};
use crate::registrar::location::Binding;
use crate::registrar::next_hop::target_uri;
use crate::registrar::qualify::{self, Action, Qualify, Status};
use crate::registrar::register::{self, Change};
use crate::sip::Flow;
use crate::sip::dialog::routed;
use crate::sip::header::HeaderName;
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Sending, ServerId};
use crate::sip::validate::Essentials;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A peer that is asked whether it is there.
pub(super) struct Watch {
    /// No other watch has it, a later one of the same peer neither.
    number: u64,
    qualify: Qualify,
    alarm: Option<TimerId>,
}

impl Watch {
    /// Is its next question due at some time?
    pub(super) fn is_armed(&self) -> bool {
        self.alarm.is_some()
    }

    /// The timer of its next question, to be cancelled.
    pub(super) fn into_alarm(self) -> Option<TimerId> {
        self.alarm
    }
}

impl Switch {
    /// An authenticated REGISTER.
    pub(super) fn registration(
        &mut self,
        id: ServerId,
        request: &Request,
        essentials: &Essentials,
        peer: &Peer,
        flow: Flow,
    ) {
        let now = self.core.now;
        let general = &self.settings.general;
        // Few REGISTERs have come through a proxy, so the peers are searched for it only then.
        let (names, source) = (self.settings.admission.names(), flow.remote.ip().to_canonical());
        let trunk = |peer: &Arc<Peer>| peer.host.address(names).is_some_and(|at| at.ip() == source);
        let from_trunk = request.headers.get(HeaderName::Path).is_some() && self.settings.peers.values().any(trunk);
        let origin = register::Origin { flow, from_trunk, routing: &self.core.routing };
        let done = register::register(&mut self.location, general, peer, request, essentials, origin, now);
        for line in done.log {
            self.core.out.lines.push(line_of(line));
        }
        self.reply(id, done.response);
        for change in done.changes {
            match change {
                Change::Added(_) => {
                    self.tell_return(&peer.name);
                    self.watch(&peer.name);
                    self.add_extensions(peer);
                }
                Change::Refreshed(_) => {}
                Change::Removed(_) => self.line_may_be_gone(&peer.name, DepartureCause::SignedOff),
            }
        }
        self.bring_calls_along(peer, flow);
        self.keep_alive(&peer.name);
        self.arm_location();
    }

    pub(super) fn arm_location(&mut self) {
        if let Some(alarm) = self.location_alarm.take() {
            self.core.timers.cancel(alarm);
        }
        self.location_alarm = self.location.next_deadline().map(|at| self.core.timers.set(at, CallTimer::Location));
    }

    pub(super) fn expire_bindings(&mut self) {
        self.location_alarm = None;
        for (peer, binding) in self.location.expire(self.core.now.mono) {
            let (at, granted) = (binding.flow.remote, datetime::span(binding.granted));
            self.core.out.notice(format!(
                "'{peer}' did not refresh its registration: it is unregistered. It was at {at}, for {granted}; is it switched \
                 on, and on the network?"
            ));
            self.line_may_be_gone(&peer, DepartureCause::Expired);
        }
        self.arm_location();
    }

    pub(super) fn line_may_be_gone(&mut self, name: &str, left: DepartureCause) {
        if !self.location.bindings(name).is_empty() {
            return;
        }
        self.absences.leave(name, left, self.core.now);
        if let Some(peer) = self.settings.peers.get(name).cloned() {
            self.remove_extensions(&peer);
        }
        if let Some(watch) = self.watches.get_mut(name) {
            watch.qualify.stop();
            if let Some(alarm) = watch.alarm.take() {
                self.core.timers.cancel(alarm);
            }
        }
    }

    /// A line is registered again. One that vanished was noticed: so is its return.
    fn tell_return(&mut self, name: &str) {
        match self.absences.come_back(name) {
            Some(Departure { since, left: DepartureCause::Expired }) => {
                let away = datetime::span(self.core.now.mono.since(since.mono));
                self.core.out.notice(format!("'{name}' is registered again, {away} after its registration ran out"));
            }
            Some(Departure { left: DepartureCause::SignedOff, .. }) | None => {}
        }
    }

    /// Why a line that could register cannot be called: it is nowhere.
    pub(super) fn not_registered(&self, name: &str) -> Failure {
        let Some(Departure { since, left }) = self.absences.of(name) else {
            return FailureReason::NeverRegistered.with(&[name, &datetime::moment(self.started.wall)]);
        };
        let why = match left {
            DepartureCause::Expired => FailureReason::Expired,
            DepartureCause::SignedOff => FailureReason::SignedOff,
        };
        let away = self.core.now.mono.since(since.mono);
        why.with(&[name, &datetime::span(away), &self.moment_ago(away)])
    }

    /// When it was, so long ago: reckoned back from now, for the wall clock may have been set since.
    pub(super) fn moment_ago(&self, ago: Duration) -> String {
        let ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        datetime::moment(Wall(self.core.now.wall.0.saturating_sub(ms)))
    }

    /// Begins to ask a peer whether it is there, at once.
    pub(super) fn watch(&mut self, name: &str) {
        let Some(settings) = self.settings.peers.get(name).map(|peer| &peer.settings) else { return };
        let Some(limit) = settings.qualify else { return };
        let freq = settings.qualify_freq;
        let now = self.core.now.mono;
        let actions = self.watch_of(name, limit, freq).qualify.start(now);
        self.act(name, actions);
    }

    /// Begins to ask a peer at a random time within its `qualifyfreq=`.
    pub(super) fn watch_later(&mut self, name: &str) {
        let Some(settings) = self.settings.peers.get(name).map(|peer| &peer.settings) else { return };
        let Some(limit) = settings.qualify else { return };
        let freq = settings.qualify_freq;
        let wait = u64::try_from(freq.as_millis()).unwrap_or(u64::MAX);
        let at = self.core.now.mono + Duration::from_millis(self.core.rng.below(wait));
        let actions = self.watch_of(name, limit, freq).qualify.schedule(at);
        self.act(name, actions);
    }

    /// The watch of a peer: the one there is, or a new one.
    fn watch_of(&mut self, name: &str, limit: Duration, freq: Duration) -> &mut Watch {
        self.watches.entry(name.to_owned()).or_insert_with(|| {
            self.last_watch = self.last_watch.saturating_add(1);
            Watch { number: self.last_watch, qualify: Qualify::new(limit, freq), alarm: None }
        })
    }

    /// Peers with a fixed address are asked from the start.
    pub(super) fn watch_static_peers(&mut self) {
        let peers = self.settings.peers.clone();
        self.watch_in_turn(peers.values().filter(|peer| !matches!(peer.host, PeerAddress::Dynamic)));
    }

    /// Begins to ask those of these peers that have `qualify=` whether they are there, one after another.
    pub(super) fn watch_in_turn<'a>(&mut self, peers: impl Iterator<Item = &'a Arc<Peer>>) {
        let mut at = self.core.now.mono;
        for peer in peers {
            let Some(limit) = peer.settings.qualify else { continue };
            let actions = self.watch_of(&peer.name, limit, peer.settings.qualify_freq).qualify.schedule(at);
            self.act(&peer.name, actions);
            at = at + self.settings.general.qualify_gap;
        }
    }

    pub(super) fn qualify_due(&mut self, name: &str) {
        let now = self.core.now.mono;
        if let Some(watch) = self.watches.get_mut(name) {
            watch.alarm = None;
            let actions = watch.qualify.due(now);
            self.act(name, actions);
        }
    }

    fn act(&mut self, name: &str, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { attempt, give_up } => self.poll(name, attempt, give_up),
                Action::Arm(at) => {
                    let alarm = self.core.timers.set(at, CallTimer::Qualify(name.to_owned()));
                    if let Some(old) = self.watches.get_mut(name).and_then(|watch| watch.alarm.replace(alarm)) {
                        self.core.timers.cancel(old);
                    }
                }
                Action::Changed(change) => {
                    let place = self.location.newest(name).map(|binding| binding.flow.remote);
                    let place = place.or_else(|| self.static_address(self.settings.peers.get(name)?));
                    self.core.out.notice(format!("{}{}", change.line(name), aside(&change, place)));
                }
            }
        }
    }

    /// One OPTIONS to where a peer is (RFC 3261 11).
    fn poll(&mut self, name: &str, attempt: u8, give_up: Duration) {
        let Some(peer) = self.settings.peers.get(name).cloned() else { return };
        let Some(watch) = self.watches.get(name).map(|watch| watch.number) else { return };
        let (target, flow, route) = match self.location.newest(name) {
            Some(binding) => (binding.contact.to_string(), binding.flow, binding.path.as_slice()),
            None => match self.static_address(&peer) {
                Some(address) => {
                    let flow = self.flow_to(&peer, address);
                    (target_uri(None, flow, false), flow, &[][..])
                }
                None => return,
            },
        };
        let host = leg::host(flow.advertised.ip());
        let mut request = routed(Method::Options, &target, route);
        let contact = leg::contact(&self.settings.general.caller_id, flow, binds_request(&request));
        let user = leg::escape_user(peer.from_user.as_ref().unwrap_or(&self.settings.general.caller_id));
        let domain = peer.from_domain.as_ref().unwrap_or(&host);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, Bytes::from(peer.settings.max_forwards.to_string()));
        headers.push(HeaderName::From, Bytes::from(format!("<sip:{user}@{domain}>;tag={}", self.core.rng.hex(16))));
        headers.push(HeaderName::To, Bytes::from(format!("<{}>", leg::to_uri(&target))));
        headers.push(HeaderName::CallId, Bytes::from(format!("{}@{host}", self.core.rng.hex(32))));
        headers.push(HeaderName::CSeq, Bytes::from_static(b"102 OPTIONS"));
        headers.push(HeaderName::Contact, contact);
        crate::pbx::core::add_request_headers(&mut request, &self.core.product);
        let how = Sending::Once { give_up };
        self.core.request(request, flow, how, Requester::Qualify { peer: name.into(), watch, attempt });
    }

    /// Any answer at all means the peer is there.
    pub(super) fn poll_answered(&mut self, name: &str, watch: u64, attempt: u8) {
        let now = self.core.now.mono;
        if let Some(watch) = self.watches.get_mut(name).filter(|known| known.number == watch) {
            let actions = watch.qualify.answered(now, attempt);
            self.act(name, actions);
        }
    }

    /// The system refuses to send to an address: whoever is asked there is not reachable.
    pub(super) fn poll_failed_over(&mut self, failed: Flow) {
        let now = self.core.now.mono;
        let polled: Vec<(Arc<str>, u64, u8)> = self
            .core
            .tx
            .requesters_on(failed)
            .filter_map(|requester| match requester {
                Requester::Qualify { peer, watch, attempt } => Some((peer.clone(), *watch, *attempt)),
                Requester::Leg(_) => None,
            })
            .collect();
        for (name, watch, attempt) in polled {
            if let Some(watch) = self.watches.get_mut(&*name).filter(|known| known.number == watch) {
                let actions = watch.qualify.failed(now, attempt);
                self.act(&name, actions);
            }
        }
    }

    /// A peer's state, when it is asked after.
    pub(super) fn status_of(&self, name: &str) -> Option<Status> {
        self.watches.get(name).map(|watch| watch.qualify.status())
    }

    pub(super) fn unreachable_for(&self, name: &str) -> Duration {
        let since: Option<Time> = self.watches.get(name).and_then(|watch| watch.qualify.unreachable_since());
        since.map_or(Duration::ZERO, |since| self.core.now.mono.since(since))
    }

    /// Where a peer is registered, newest first.
    pub fn bindings(&self, name: &str) -> &[Binding] {
        self.location.bindings(name)
    }
}

/// What is worth knowing of a change beside the words that scripts look for.
fn aside(change: &qualify::Change, place: Option<SocketAddr>) -> String {
    match (change.to, place, change.away) {
        (Status::Unreachable, Some(place), _) => format!(
            " ({place} answered none of {} OPTIONS: is it switched on, and on the network? Calls to it fail until it does)",
            qualify::ATTEMPTS
        ),
        (Status::Ok(_) | Status::Lagged(_), _, Some(away)) => format!(" after {}", datetime::span(away)),
        _ => String::new(),
    }
}

fn line_of(line: register::Line) -> Line {
    let level = match line.level {
        register::Level::Verbose => Level::Verbose(3),
        register::Level::Warning => Level::Warning,
        register::Level::Error => Level::Error,
    };
    Line { level, text: line.text }
}
