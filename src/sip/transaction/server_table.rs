//! Server transactions: the requests of peers that wait for responses, or are remembered for their retransmissions.

use super::key::{Keys, Mark, MergeKey, ServerKey};
use super::reference::{Reference, ReferenceChange};
use super::table::{Expired, Incoming, ServerId, Transmit};
use super::timers::Running;
use super::{Action, Actions, Class, Timer, TimerValues, invite_server, non_invite_server};
use crate::clock::Time;
use crate::rng::Rng;
use crate::sip::header::NameAddr;
use crate::sip::timer::Timers;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, HeaderName, Method, Request, Response};
use bytes::Bytes;
use std::collections::BTreeMap;

pub(super) struct Servers {
    values: TimerValues,
    bound: usize,
    last: u64,
    /// Boxed, because a map whose keys only grow keeps its nodes half empty.
    records: BTreeMap<ServerId, Box<Server>>,
    by_key: BTreeMap<ServerKey, ServerId>,
    /// The first of several copies of a request.
    merging: BTreeMap<MergeKey, ServerId>,
    keys: Keys,
    timers: Timers<(ServerId, Timer)>,
    /// The INVITEs that were opened and closed since this was taken.
    changes: Vec<ReferenceChange>,
}

struct Server {
    key: ServerKey,
    mark: Mark,
    /// Its branch lacks the magic cookie: the rules of RFC 2543 apply.
    is_legacy: bool,
    merge: Option<MergeKey>,
    /// An INVITE that opened no dialog yet: what its CANCEL and ACK name.
    reference: Option<Reference>,
    /// Nothing is sent again by itself: whoever asked has proved no address.
    is_brief: bool,
    /// Needed until its final response is made; retransmissions get `latest`.
    request: Option<Box<Request>>,
    flow: Flow,
    machine: Machine,
    /// The latest response, for retransmissions.
    latest: Option<Bytes>,
    /// The To tag of the final response, by which an RFC 2543 ACK is known.
    tag: Option<String>,
    running: Running,
}

#[derive(Clone, Copy)]
enum Machine {
    Invite(invite_server::State),
    Other(non_invite_server::State),
}

#[derive(Clone, Copy)]
enum Input {
    Again,
    Ack,
    Respond(Class),
    Timer(Timer),
}

/// What a step reports to the exchange.
#[derive(PartialEq)]
enum Outcome {
    Nothing,
    Pass,
    NotAcked,
}

impl Servers {
    pub fn new(values: TimerValues, bound: usize, rng: &mut Rng) -> Servers {
        Servers {
            values,
            bound,
            last: 0,
            records: BTreeMap::new(),
            by_key: BTreeMap::new(),
            merging: BTreeMap::new(),
            keys: Keys::new(rng),
            timers: Timers::new(),
            changes: Vec::new(),
        }
    }

    pub fn take_changes(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.changes)
    }

    pub fn be_brief(&mut self, id: ServerId) {
        if let Some(server) = self.records.get_mut(&id) {
            server.is_brief = true;
        }
    }

    pub fn receive(
        &mut self,
        now: Time,
        request: &Request,
        essentials: &Essentials,
        flow: Flow,
        out: &mut Vec<Transmit>,
    ) -> Incoming {
        if request.method == Method::Ack {
            let Some(id) = self.acknowledged(request, essentials) else { return Incoming::Ack(None) };
            let outcome = self.drive(now, id, Input::Ack, out);
            return if outcome == Outcome::Pass { Incoming::Ack(Some(id)) } else { Incoming::Absorbed };
        }
        let key = self.keys.of(request, essentials);
        if let Some(id) = self.by_key.get(&key).copied() {
            self.drive(now, id, Input::Again, out);
            return Incoming::Absorbed;
        }
        if self.records.len() >= self.bound {
            return Incoming::Full;
        }
        if request.method == Method::Cancel {
            // RFC 3261 9.2: the method is left out of the comparison; only an INVITE can be cancelled.
            let invite = self.cancelled(request, essentials);
            return Incoming::Cancel { id: self.open(now, key, request, essentials, flow, out), invite };
        }
        Incoming::New(self.open(now, key, request, essentials, flow, out))
    }

    /// The INVITE that a CANCEL names.
    pub fn cancelled(&self, cancel: &Request, essentials: &Essentials) -> Option<ServerId> {
        self.by_key.get(&self.keys.of_invite(cancel, essentials, essentials.to.tag())).copied()
    }

    pub fn is_known(&self, request: &Request, essentials: &Essentials) -> bool {
        match request.method {
            Method::Ack => self.acknowledged(request, essentials).is_some(),
            _ => self.by_key.contains_key(&self.keys.of(request, essentials)),
        }
    }

    pub fn is_merged(&self, essentials: &Essentials) -> bool {
        let first = self.keys.merge(essentials).and_then(|merge| self.merging.get(&merge));
        let first = first.and_then(|id| self.records.get(id));
        first.is_some_and(|server| server.mark != self.keys.mark(&essentials.via))
    }

    pub fn respond(&mut self, now: Time, id: ServerId, response: &Response, out: &mut Vec<Transmit>) {
        let Some(server) = self.records.get_mut(&id) else { return };
        let (machine, actions) =
            server.machine.step(Input::Respond(Class::of(response.status)), &server.values(self.values));
        if actions.contains(&Action::SendResponse) {
            server.latest = Some(response.to_bytes());
            if server.is_legacy {
                let to = response.headers.get(HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
                server.tag = to.as_ref().and_then(NameAddr::tag).map(str::to_owned);
            }
        }
        self.settle(now, id, machine, &actions, out);
        if let Some(server) = self.records.get_mut(&id)
            && response.status >= 200
        {
            server.request = None;
            if matches!(server.machine, Machine::Invite(_)) && response.status < 300 {
                // RFC 6026 8.7: retransmissions of an accepted INVITE are absorbed; its user repeats the 2xx.
                server.latest = None;
            }
        }
    }

    pub fn expire<R>(&mut self, now: Time, out: &mut Vec<Transmit>, expired: &mut Vec<Expired<R>>) {
        while let Some((id, timer)) = self.timers.pop(now) {
            if let Some(server) = self.records.get_mut(&id) {
                server.running.remove(timer);
            }
            if self.drive(now, id, Input::Timer(timer), out) == Outcome::NotAcked {
                expired.push(Expired::NotAcked(id));
            }
        }
    }

    pub fn request(&self, id: ServerId) -> Option<&Request> {
        self.records.get(&id)?.request.as_deref()
    }

    pub fn redirect(&mut self, id: ServerId, from: Flow, to: Flow) {
        if let Some(server) = self.records.get_mut(&id).filter(|server| server.flow.is_same_flow(from)) {
            server.flow = to;
        }
    }

    pub fn flow(&self, id: ServerId) -> Option<Flow> {
        self.records.get(&id).map(|server| server.flow)
    }

    pub fn next_deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_refusing(&self) -> bool {
        self.records.values().any(|server| match server.machine {
            Machine::Invite(invite_server::State::Completed { .. }) => true,
            Machine::Invite(
                invite_server::State::Proceeding { .. }
                | invite_server::State::Accepted
                | invite_server::State::Confirmed
                | invite_server::State::Terminated,
            )
            | Machine::Other(_) => false,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.by_key.is_empty() && self.merging.is_empty() && self.timers.is_empty()
    }

    /// The INVITE that an ACK belongs to (RFC 3261 17.2.3). The To tag of an RFC 2543 ACK is that of the response we
    /// sent, whether or not the INVITE had it.
    fn acknowledged(&self, ack: &Request, essentials: &Essentials) -> Option<ServerId> {
        let tag = essentials.to.tag();
        if let Some(id) = self.by_key.get(&self.keys.of_invite(ack, essentials, tag)) {
            return Some(*id);
        }
        if essentials.via.has_magic_branch() || tag.is_none() {
            return None;
        }
        let id = *self.by_key.get(&self.keys.of_invite(ack, essentials, None))?;
        self.records.get(&id).filter(|server| server.tag.as_deref() == tag).map(|_| id)
    }

    fn open(
        &mut self,
        now: Time,
        key: ServerKey,
        request: &Request,
        essentials: &Essentials,
        flow: Flow,
        out: &mut Vec<Transmit>,
    ) -> ServerId {
        self.last = self.last.wrapping_add(1);
        let id = ServerId(self.last);
        let merge = self.keys.merge(essentials);
        if let Some(merge) = merge {
            self.merging.entry(merge).or_insert(id);
        }
        self.by_key.insert(key, id);
        let opens = request.method == Method::Invite && essentials.to.tag().is_none();
        let reference = opens.then(|| Reference::of_invite(essentials));
        self.changes.extend(reference.clone().map(ReferenceChange::Opened));
        let (machine, actions) = Machine::start(&request.method, &self.values.over(flow));
        let server = Server {
            key,
            mark: self.keys.mark(&essentials.via),
            is_legacy: !essentials.via.has_magic_branch(),
            merge,
            reference,
            is_brief: false,
            request: Some(Box::new(request.clone())),
            flow,
            machine,
            latest: None,
            tag: None,
            running: Running::default(),
        };
        self.records.insert(id, Box::new(server));
        self.settle(now, id, machine, &actions, out);
        id
    }

    fn drive(&mut self, now: Time, id: ServerId, input: Input, out: &mut Vec<Transmit>) -> Outcome {
        let Some(server) = self.records.get(&id) else { return Outcome::Nothing };
        let (machine, actions) = server.machine.step(input, &server.values(self.values));
        self.settle(now, id, machine, &actions, out)
    }

    fn settle(
        &mut self,
        now: Time,
        id: ServerId,
        machine: Machine,
        actions: &[Action],
        out: &mut Vec<Transmit>,
    ) -> Outcome {
        let Some(server) = self.records.get_mut(&id) else { return Outcome::Nothing };
        server.machine = machine;
        let mut outcome = Outcome::Nothing;
        for action in actions {
            match *action {
                Action::SendResponse => server.send(out),
                Action::SendTrying => {
                    server.latest =
                        server.request.as_ref().map(|request| Response::for_request(request, 100, None).to_bytes());
                    server.send(out);
                }
                Action::Start(timer, after) => {
                    let set = self.timers.set(now + after, (id, timer));
                    if let Some(old) = server.running.insert(timer, set) {
                        self.timers.cancel(old);
                    }
                }
                Action::Stop(timer) => {
                    if let Some(set) = server.running.remove(timer) {
                        self.timers.cancel(set);
                    }
                }
                Action::Pass => outcome = Outcome::Pass,
                Action::NotAcked => outcome = Outcome::NotAcked,
                // Only client transactions have these.
                Action::SendRequest | Action::SendAck | Action::Timeout | Action::Failed => {}
            }
        }
        if machine.is_terminated() {
            self.close(id);
        }
        outcome
    }

    fn close(&mut self, id: ServerId) {
        let Some(server) = self.records.remove(&id) else { return };
        self.by_key.remove(&server.key);
        self.changes.extend(server.reference.map(ReferenceChange::Closed));
        if let Some(merge) = server.merge.filter(|merge| self.merging.get(merge) == Some(&id)) {
            self.merging.remove(&merge);
        }
        for timer in server.running.into_ids() {
            self.timers.cancel(timer);
        }
    }
}

impl Server {
    /// By which timers it goes. A brief one behaves as over a reliable transport: its refusal is sent once.
    fn values(&self, values: TimerValues) -> TimerValues {
        TimerValues { reliable: values.reliable || self.is_brief, ..values }.over(self.flow)
    }

    fn send(&self, out: &mut Vec<Transmit>) {
        out.extend(self.latest.clone().map(|bytes| Transmit { flow: self.flow, bytes }));
    }
}

impl Machine {
    fn start(method: &Method, values: &TimerValues) -> (Machine, Actions) {
        if *method == Method::Invite {
            let (state, actions) = invite_server::start(values);
            (Machine::Invite(state), actions)
        } else {
            let (state, actions) = non_invite_server::start(values);
            (Machine::Other(state), actions)
        }
    }

    fn step(self, input: Input, values: &TimerValues) -> (Machine, Actions) {
        match self {
            Machine::Invite(state) => {
                let input = match input {
                    Input::Again => invite_server::Input::Invite,
                    Input::Ack => invite_server::Input::Ack,
                    Input::Respond(class) => invite_server::Input::Respond(class),
                    Input::Timer(timer) => invite_server::Input::Timer(timer),
                };
                let (state, actions) = invite_server::step(state, input, values);
                (Machine::Invite(state), actions)
            }
            Machine::Other(state) => {
                let input = match input {
                    Input::Again => non_invite_server::Input::Request,
                    Input::Ack => return (self, Actions::new()),
                    Input::Respond(class) => non_invite_server::Input::Respond(class),
                    Input::Timer(timer) => non_invite_server::Input::Timer(timer),
                };
                let (state, actions) = non_invite_server::step(state, input, values);
                (Machine::Other(state), actions)
            }
        }
    }

    fn is_terminated(self) -> bool {
        match self {
            Machine::Invite(state) => state == invite_server::State::Terminated,
            Machine::Other(state) => state == non_invite_server::State::Terminated,
        }
    }
}
