//! Client transactions: the requests of the exchange that wait for responses.

use super::key::ClientKey;
use super::reference::{Reference, ReferenceChange};
use super::table::{Account, ClientId, ClientRequest, Expired, Refused, Sending, Transmit};
use super::timers::Running;
use super::{Action, Actions, Class, Timer, TimerValues, derive, invite_client, non_invite_client};
use crate::clock::Time;
use crate::rng::Rng;
use crate::sip::header::{NameAddr, Via};
use crate::sip::message::Message;
use crate::sip::timer::Timers;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, HeaderName, Host, Method, Request, Response};
use bytes::Bytes;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Maximum number of 2xx responses with different To tags that are kept per INVITE.
const MAX_FORKS: usize = 16;
/// Maximum number of INVITEs without any response in time whose late responses are waited for; the oldest make room.
const MAX_SILENT: usize = 1_000;

pub(super) struct Clients<R> {
    values: TimerValues,
    last: u64,
    /// Boxed, because a map whose keys only grow keeps its nodes half empty.
    records: BTreeMap<ClientId, Box<Client<R>>>,
    by_key: BTreeMap<ClientKey, ClientId>,
    timers: Timers<(ClientId, Timer)>,
    /// INVITEs that got no response in time, oldest first; some may have got one since.
    silent: VecDeque<ClientId>,
    /// The branches that were opened and closed since this was taken.
    changes: Vec<ReferenceChange>,
}

struct Client<R> {
    key: ClientKey,
    requester: R,
    standing: Standing,
    method: Method,
    kept: Kept,
    flow: Flow,
    machine: Machine,
    running: Running,
    forks: Vec<Fork>,
    /// The requester no longer waits for its end.
    abandoned: bool,
    /// It was cancelled: there is no second CANCEL.
    cancelled: bool,
}

/// Whose credentials answer a challenge to the request, and those answered before it was sent.
#[derive(Clone, Default)]
struct Standing {
    account: Account,
    answered: Vec<SmolStr>,
    tries: u8,
}

/// What is kept of a request.
enum Kept {
    /// All of it: it may have to be sent again, or cancelled.
    Whole(Box<Whole>),
    /// After the final response: of an INVITE, as on the wire, what is needed for ACKs and for the dialogs of late
    /// responses; of other requests nothing.
    Essence(Bytes),
}

struct Whole {
    request: Request,
    bytes: Bytes,
    values: TimerValues,
}

#[derive(Clone, Copy)]
enum Machine {
    Invite(invite_client::State),
    Other(non_invite_client::State),
}

/// A 2xx of an INVITE, identified by its To tag, and its ACK once there is one.
struct Fork {
    tag: Option<String>,
    ack: Option<Transmit>,
}

#[derive(Clone, Copy)]
enum Input {
    Response(Class),
    Timer(Timer),
    Cancelled,
    GivenUp,
    TransportError,
}

/// What a step reports to the requester.
enum Outcome<R> {
    Nothing,
    Pass(R),
    Timeout(R),
    Failed(R),
}

/// A transaction to open: a request with its Via, and the values of its timers.
struct Opening<R> {
    key: ClientKey,
    requester: R,
    standing: Standing,
    request: Request,
    flow: Flow,
    values: TimerValues,
}

impl<R: Clone> Clients<R> {
    pub fn new(values: TimerValues) -> Clients<R> {
        Clients {
            values,
            last: 0,
            records: BTreeMap::new(),
            by_key: BTreeMap::new(),
            timers: Timers::new(),
            silent: VecDeque::new(),
            changes: Vec::new(),
        }
    }

    pub fn take_changes(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.changes)
    }

    pub fn request(
        &mut self,
        now: Time,
        request: ClientRequest<R>,
        rng: &mut Rng,
        out: &mut Vec<Transmit>,
    ) -> ClientId {
        let ClientRequest { mut request, flow, how, requester, account } = request;
        let key = ClientKey { number: rng.bits(), cancels: false };
        request.headers.push_front(HeaderName::Via, derive::via(flow, &key.branch()));
        let values = tuned(self.values.over(flow), how, &request.method);
        let standing = Standing { account, ..Standing::default() };
        let id = self.fresh_id();
        self.open(now, id, Opening { key, requester, standing, request, flow, values }, out);
        id
    }

    /// Sends a refused request again, under its own name. The old transaction goes on under another, for as long as its
    /// refusal may be repeated and must be acknowledged.
    pub fn send_again(&mut self, now: Time, id: ClientId, again: (R, Refused), rng: &mut Rng, out: &mut Vec<Transmit>) {
        let (requester, Refused { mut request, account, answered, tries, flow, values }) = again;
        if let Some(old) = self.records.remove(&id) {
            let name = self.fresh_id();
            self.by_key.insert(old.key, name);
            old.running.each(|timer, set| self.timers.rename(set, (name, timer)));
            self.records.insert(name, old);
        }
        let key = ClientKey { number: rng.bits(), cancels: false };
        request.headers.remove(HeaderName::Via);
        request.headers.push_front(HeaderName::Via, derive::via(flow, &key.branch()));
        let standing = Standing { account, answered, tries };
        self.open(now, id, Opening { key, requester, standing, request, flow, values }, out);
    }

    pub fn cancel(
        &mut self,
        now: Time,
        id: ClientId,
        reason: Option<&str>,
        out: &mut Vec<Transmit>,
    ) -> Option<ClientId> {
        let client = self.records.get(&id)?;
        // RFC 3261 9.1: only after a provisional response, and never after a final one.
        if !matches!(client.machine, Machine::Invite(invite_client::State::Proceeding)) {
            return None;
        }
        let Kept::Whole(whole) = &client.kept else { return None };
        let key = ClientKey { cancels: true, ..client.key };
        if client.cancelled {
            return None;
        }
        let (mut request, flow, t1) = (derive::cancel(&whole.request), client.flow, whole.values.t1);
        if let Some(reason) = reason {
            request.headers.push(HeaderName::Reason, reason.to_owned());
        }
        let requester = client.requester.clone();
        let how = Sending::Tuned { t1, give_up: None, late: Duration::ZERO };
        let values = tuned(self.values.over(flow), how, &Method::Cancel);
        if let Some(client) = self.records.get_mut(&id) {
            client.cancelled = true;
        }
        // RFC 3261 22.1: a CANCEL cannot be sent again, so nobody may challenge it.
        let (cancel, standing) = (self.fresh_id(), Standing::default());
        self.open(now, cancel, Opening { key, requester, standing, request, flow, values }, out);
        self.drive(now, id, Input::Cancelled, None, out);
        Some(cancel)
    }

    pub fn abandon(&mut self, now: Time, id: ClientId) {
        let Some(client) = self.records.get_mut(&id) else { return };
        client.abandoned = true;
        self.limit_abandoned(now, id);
    }

    pub fn give_up(&mut self, now: Time, id: ClientId) {
        let machine = self.records.get(&id).map(|client| client.machine);
        if !matches!(machine, Some(Machine::Invite(invite_client::State::Calling { .. }))) {
            return;
        }
        self.drive(now, id, Input::GivenUp, None, &mut Vec::new());
        self.fell_silent(id);
    }

    /// Notes an INVITE that got no response in time: what still comes is for nobody who waits for its end.
    fn fell_silent(&mut self, id: ClientId) {
        let Some(client) = self.records.get_mut(&id) else { return };
        if !matches!(client.machine, Machine::Invite(invite_client::State::Silent)) {
            return;
        }
        client.abandoned = true;
        self.silent.push_back(id);
        if self.silent.len() > MAX_SILENT
            && let Some(oldest) = self.silent.pop_front()
            && let Some(client) = self.records.get(&oldest)
            && matches!(client.machine, Machine::Invite(invite_client::State::Silent))
        {
            self.close(oldest);
        }
    }

    /// Starts a give-up timer for an abandoned INVITE that has none.
    fn limit_abandoned(&mut self, now: Time, id: ClientId) {
        let Some(client) = self.records.get(&id) else { return };
        if client.abandoned && !client.running.contains(Timer::Cancelled) {
            self.drive(now, id, Input::Cancelled, None, &mut Vec::new());
        }
    }

    pub fn acknowledge(&mut self, id: ClientId, mut ack: Request, flow: Flow, rng: &mut Rng, out: &mut Vec<Transmit>) {
        // RFC 3261 13.2.2.4 and 17: the ACK of a 2xx is a transaction of its own, so its branch is a new one. It has the
        // credentials of the INVITE.
        let key = ClientKey { number: rng.bits(), cancels: false };
        if let Some(invite) = self.request_of(id) {
            derive::copy_credentials(&invite, &mut ack);
        }
        ack.headers.push_front(HeaderName::Via, derive::via(flow, &key.branch()));
        let transmit = Transmit { flow, bytes: ack.to_bytes() };
        out.push(transmit.clone());
        let Some(client) = self.records.get_mut(&id) else { return };
        let to = ack.headers.get(HeaderName::To).and_then(|to| NameAddr::parse(to).ok());
        let tag = to.as_ref().and_then(NameAddr::tag);
        if let Some(fork) = client.forks.iter_mut().find(|fork| fork.tag.as_deref() == tag) {
            fork.ack = Some(transmit);
        }
        client.shrink();
    }

    pub fn receive(
        &mut self,
        now: Time,
        response: &Response,
        essentials: &Essentials,
        out: &mut Vec<Transmit>,
    ) -> Option<(ClientId, R, Account, Option<Box<Refused>>)> {
        let key = ClientKey::of_response(essentials.via.branch.as_deref()?, &essentials.cseq.method)?;
        let id = *self.by_key.get(&key)?;
        let client = self.records.get(&id).filter(|client| client.method == essentials.cseq.method)?;
        // RFC 3261 8.1.3.3: a response with more than one Via is not meant for us. 18.1.2: nor is one whose sent-by is
        // not ours.
        if response.headers.values(HeaderName::Via).count() > 1 || !is_ours(&essentials.via, client.flow) {
            return None;
        }
        let class = Class::of(response.status);
        let refused = may_be_sent_again(response.status).then(|| client.refused()).flatten();
        let account = client.standing.account.clone();
        let outcome = self.drive(now, id, Input::Response(class), Some(response), out);
        self.limit_abandoned(now, id);
        let Outcome::Pass(requester) = outcome else { return None };
        if class == Class::Success && essentials.cseq.method == Method::Invite {
            return self
                .records
                .get_mut(&id)?
                .accept(essentials.to.tag(), out)
                .then_some((id, requester, account, None));
        }
        Some((id, requester, account, refused))
    }

    pub fn expire(&mut self, now: Time, out: &mut Vec<Transmit>, expired: &mut Vec<Expired<R>>) {
        while let Some((id, timer)) = self.timers.pop(now) {
            if let Some(client) = self.records.get_mut(&id) {
                client.running.remove(timer);
            }
            if let Outcome::Timeout(requester) = self.drive(now, id, Input::Timer(timer), None, out) {
                expired.push(Expired::Timeout(id, requester));
            }
            self.fell_silent(id);
        }
    }

    pub fn transport_failed(&mut self, now: Time, flow: Flow) -> Vec<(ClientId, R)> {
        let ids: Vec<ClientId> =
            self.records.iter().filter(|(_, client)| client.flow.is_same_flow(flow)).map(|(id, _)| *id).collect();
        let mut unsent = Vec::new();
        ids.into_iter()
            .filter_map(|id| match self.drive(now, id, Input::TransportError, None, &mut unsent) {
                Outcome::Failed(requester) => Some((id, requester)),
                Outcome::Nothing | Outcome::Pass(_) | Outcome::Timeout(_) => None,
            })
            .collect()
    }

    pub fn requesters_on(&self, flow: Flow) -> impl Iterator<Item = &R> {
        self.records.values().filter(move |client| client.flow.is_same_flow(flow)).map(|client| &client.requester)
    }

    pub fn redirect(&mut self, is_meant: impl Fn(&R) -> bool, from: Flow, to: Flow) {
        for client in self.records.values_mut().filter(|client| is_meant(&client.requester)) {
            if client.flow.is_same_flow(from) {
                client.flow = to;
            }
            let acks = client.forks.iter_mut().filter_map(|fork| fork.ack.as_mut());
            acks.filter(|ack| ack.flow.is_same_flow(from)).for_each(|ack| ack.flow = to);
        }
    }

    pub fn flow_of(&self, id: ClientId) -> Option<Flow> {
        self.records.get(&id).map(|client| client.flow)
    }

    pub fn request_of(&self, id: ClientId) -> Option<Cow<'_, Request>> {
        self.records.get(&id)?.kept.request()
    }

    pub fn next_deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_ending_something(&self) -> bool {
        self.records.values().any(|client| {
            let open = match client.machine {
                Machine::Other(non_invite_client::State::Trying { .. } | non_invite_client::State::Proceeding) => true,
                Machine::Other(non_invite_client::State::Completed | non_invite_client::State::Terminated)
                | Machine::Invite(_) => false,
            };
            open && matches!(client.method, Method::Bye | Method::Cancel)
        })
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.by_key.is_empty() && self.timers.is_empty()
    }

    fn fresh_id(&mut self) -> ClientId {
        self.last = self.last.wrapping_add(1);
        ClientId(self.last)
    }

    fn open(&mut self, now: Time, id: ClientId, opening: Opening<R>, out: &mut Vec<Transmit>) {
        let Opening { key, requester, standing, request, flow, values } = opening;
        let (machine, actions) = Machine::start(&request.method, &values);
        let (method, bytes) = (request.method.clone(), request.to_bytes());
        let kept = Kept::Whole(Box::new(Whole { request, bytes, values }));
        let (running, forks) = (Running::default(), Vec::new());
        self.by_key.insert(key, id);
        self.changes.push(ReferenceChange::Opened(Reference::Branch(key.branch().into())));
        let (abandoned, cancelled) = (false, false);
        let client =
            Client { key, requester, standing, method, kept, flow, machine, running, forks, abandoned, cancelled };
        self.records.insert(id, Box::new(client));
        self.act(now, id, &actions, None, out);
    }

    fn drive(
        &mut self,
        now: Time,
        id: ClientId,
        input: Input,
        response: Option<&Response>,
        out: &mut Vec<Transmit>,
    ) -> Outcome<R> {
        let Some(client) = self.records.get_mut(&id) else { return Outcome::Nothing };
        let (machine, actions) = match &client.kept {
            Kept::Whole(whole) => client.machine.step(input, &whole.values),
            // The final response has come: no further timer is started.
            Kept::Essence(_) => client.machine.step(input, &self.values),
        };
        client.machine = machine;
        let outcome = self.act(now, id, &actions, response, out);
        if machine.is_terminated() {
            self.close(id);
        } else if machine.is_completed()
            && let Some(client) = self.records.get_mut(&id)
        {
            client.shrink();
        }
        outcome
    }

    fn act(
        &mut self,
        now: Time,
        id: ClientId,
        actions: &[Action],
        response: Option<&Response>,
        out: &mut Vec<Transmit>,
    ) -> Outcome<R> {
        let Some(client) = self.records.get_mut(&id) else { return Outcome::Nothing };
        let mut outcome = Outcome::Nothing;
        for action in actions {
            match *action {
                Action::SendRequest => {
                    if let Kept::Whole(whole) = &client.kept {
                        out.push(Transmit { flow: client.flow, bytes: whole.bytes.clone() });
                    }
                }
                Action::SendAck => {
                    let ack = client.kept.request().zip(response);
                    let ack = ack.map(|(request, response)| derive::ack(&request, response).to_bytes());
                    out.extend(ack.map(|bytes| Transmit { flow: client.flow, bytes }));
                }
                Action::Start(timer, after) => {
                    let set = self.timers.set(now + after, (id, timer));
                    if let Some(old) = client.running.insert(timer, set) {
                        self.timers.cancel(old);
                    }
                }
                Action::Stop(timer) => {
                    if let Some(set) = client.running.remove(timer) {
                        self.timers.cancel(set);
                    }
                }
                Action::Pass => outcome = Outcome::Pass(client.requester.clone()),
                Action::Timeout => outcome = Outcome::Timeout(client.requester.clone()),
                Action::Failed => outcome = Outcome::Failed(client.requester.clone()),
                // Only server transactions have these.
                Action::SendResponse | Action::SendTrying | Action::NotAcked => {}
            }
        }
        outcome
    }

    fn close(&mut self, id: ClientId) {
        let Some(client) = self.records.remove(&id) else { return };
        self.by_key.remove(&client.key);
        self.changes.push(ReferenceChange::Closed(Reference::Branch(client.key.branch().into())));
        for timer in client.running.into_ids() {
            self.timers.cancel(timer);
        }
    }
}

/// Challenges (RFC 3261 22), and an interval that is too small (RFC 4028 7.3).
fn may_be_sent_again(status: u16) -> bool {
    matches!(status, 401 | 407 | 422)
}

impl<R> Client<R> {
    /// What is needed to send the request again, while it is whole.
    fn refused(&self) -> Option<Box<Refused>> {
        let Kept::Whole(whole) = &self.kept else { return None };
        let Standing { account, answered, tries } = self.standing.clone();
        let (request, values) = (whole.request.clone(), whole.values);
        Some(Box::new(Refused { request, account, answered, tries, flow: self.flow, values }))
    }

    /// Frees what is not needed after the final response, or the ACK of a 2xx: the request is never sent again (RFC
    /// 6026 8.4 leaves nothing to repeat but ACKs).
    fn shrink(&mut self) {
        if let Kept::Whole(whole) = &self.kept {
            self.kept = Kept::Essence(match self.machine {
                Machine::Invite(_) => derive::essence(&whole.request).to_bytes(),
                Machine::Other(_) => Bytes::new(),
            });
        }
    }

    /// RFC 3261 13.2.2.4: whether this 2xx is new. A retransmission gets its ACK again, if there is one by now.
    fn accept(&mut self, tag: Option<&str>, out: &mut Vec<Transmit>) -> bool {
        if let Some(fork) = self.forks.iter().find(|fork| fork.tag.as_deref() == tag) {
            out.extend(fork.ack.clone());
            return false;
        }
        let room = self.forks.len() < MAX_FORKS;
        if room {
            // There is nearly always just one.
            self.forks.reserve_exact(1);
            self.forks.push(Fork { tag: tag.map(str::to_owned), ack: None });
        }
        room
    }
}

impl Kept {
    fn request(&self) -> Option<Cow<'_, Request>> {
        match self {
            Kept::Whole(whole) => Some(Cow::Borrowed(&whole.request)),
            Kept::Essence(bytes) => match Message::parse(bytes) {
                Ok(Message::Request(request)) => Some(Cow::Owned(request)),
                Ok(Message::Response(_)) | Err(_) => None,
            },
        }
    }
}

impl Machine {
    fn start(method: &Method, values: &TimerValues) -> (Machine, Actions) {
        if *method == Method::Invite {
            let (state, actions) = invite_client::start(values);
            (Machine::Invite(state), actions)
        } else {
            let (state, actions) = non_invite_client::start(values);
            (Machine::Other(state), actions)
        }
    }

    fn step(self, input: Input, values: &TimerValues) -> (Machine, Actions) {
        match self {
            Machine::Invite(state) => {
                let input = match input {
                    Input::Response(class) => invite_client::Input::Response(class),
                    Input::Timer(timer) => invite_client::Input::Timer(timer),
                    Input::Cancelled => invite_client::Input::Cancelled,
                    Input::GivenUp => invite_client::Input::GivenUp,
                    Input::TransportError => invite_client::Input::TransportError,
                };
                let (state, actions) = invite_client::step(state, input, values);
                (Machine::Invite(state), actions)
            }
            Machine::Other(state) => {
                let input = match input {
                    Input::Response(class) => non_invite_client::Input::Response(class),
                    Input::Timer(timer) => non_invite_client::Input::Timer(timer),
                    Input::Cancelled | Input::GivenUp => return (self, Actions::new()),
                    Input::TransportError => non_invite_client::Input::TransportError,
                };
                let (state, actions) = non_invite_client::step(state, input, values);
                (Machine::Other(state), actions)
            }
        }
    }

    fn is_completed(self) -> bool {
        match self {
            Machine::Invite(state) => state == invite_client::State::Completed,
            Machine::Other(state) => state == non_invite_client::State::Completed,
        }
    }

    fn is_terminated(self) -> bool {
        match self {
            Machine::Invite(state) => state == invite_client::State::Terminated,
            Machine::Other(state) => state == non_invite_client::State::Terminated,
        }
    }
}

fn tuned(values: TimerValues, how: Sending, method: &Method) -> TimerValues {
    match how {
        Sending::Reliably => values,
        Sending::Tuned { t1, give_up, late } => {
            let t1 = t1.max(values.t1);
            let life = t1.saturating_mul(64);
            TimerValues {
                t1,
                t2: values.t2.max(t1),
                late,
                invite_timeout: give_up.unwrap_or(values.invite_timeout.max(life)),
                non_invite_timeout: give_up.unwrap_or(values.non_invite_timeout.max(life)),
                ..values
            }
        }
        Sending::Once { give_up } => TimerValues {
            reliable: values.reliable || *method != Method::Invite,
            invite_timeout: give_up,
            non_invite_timeout: give_up,
            ..values
        },
    }
}

fn is_ours(via: &Via, flow: Flow) -> bool {
    via.host == Host::from(flow.advertised.ip().to_canonical()) && via.sent_by_port() == flow.advertised.port()
}
