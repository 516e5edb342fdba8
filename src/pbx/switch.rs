//! The switch: routes what happens to lines or to calls, and what they want done out again. It decides nothing itself.

mod accounts;
mod challenged;
mod guest;
mod lamps;
pub mod notify;
pub mod orders;
mod report;
mod resuming;
mod stray;
mod texting;

use super::calls;
use super::calls::leg::Arrival;
use super::calls::{Calls, Invite};
use super::core::{Core, Requester, Timer};
use super::effect::{Effects, Input, StoreOrder};
use super::lines::{self, Lines};
use super::request_gate::{Asking, RequestGate};
use super::subscriptions::request::refresh;
use super::subscriptions::{Subscribe, Subscriptions, notices, whereabouts};
use super::text_messages::TextMessages;
use crate::clock::{Now, Time};
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::dialplan::Globals;
use crate::dialplan::database::Database;
use crate::dialplan::originate::OriginateRequest;
use crate::event::{Level, LineEvent, LogLine};
use crate::guard::admission::{Admission, Caller, Proof};
use crate::names::Names;
use crate::registrar::location::Restored;
use crate::registrar::register::Arrived;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::flow::OpensFor;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::route;
use crate::sip::transaction::{ClientId, Expired, Incoming, ServerId};
use crate::sip::validate::Essentials;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use lamps::{KnownDialog, Lamps, NoticeEnd};

pub use super::calls::MAX_CHANNELS;
pub use super::lines::mailboxes::MailboxWatch;
pub use super::lines::registrations::{Registration, RegistrationState};
pub use super::lines::{QualifyNow, Unregistered};
pub use super::settings::SwitchSettings;
pub use crate::registrar::next_hop::Listening;
pub use report::{
    ChannelReport, LampReport, Leftovers, LegReport, PeerReport, PeerStatus, line_tests, mailboxes_elsewhere,
    registrations,
};
pub use resuming::resume;

/// Who owns what extensions.conf says: everybody else's extensions survive a reload.
const DIALPLAN_REGISTRAR: &str = "pbx_config";

/// How the exchange was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// Every call is ended.
    Now,
    /// No new call is taken; it stops when the last one ends.
    Gracefully,
}

/// What became of an order to hang up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HangUp {
    /// These channels were told to.
    Requested(Vec<String>),
    /// No channel has that name.
    Unknown,
}

/// Everything that happens between telephones.
pub struct Switch {
    core: Core,
    lines: Lines,
    calls: Calls,
    texts: TextMessages,
    subscriptions: Subscriptions,
    gate: RequestGate,
    reloaded: Now,
    stopping: Option<Stopping>,
}

impl Switch {
    /// A switch at rest; `host=` peers with qualify are asked at once, one after another.
    pub fn new(now: Now, settings: SwitchSettings, mut rng: Rng) -> Switch {
        let gate = RequestGate::new(&mut rng);
        let core = Core::new(now, settings, rng);
        let calls = Calls::default();
        calls.shared().globals.load(&core.config.dialplan);
        let mut switch = Switch {
            core,
            lines: Lines::default(),
            calls,
            texts: TextMessages::default(),
            subscriptions: Subscriptions::default(),
            gate,
            reloaded: now,
            stopping: None,
        };
        switch.lines.begin(&mut switch.core);
        switch
    }

    /// Handles one input, and everything that is due by now.
    pub fn handle(&mut self, now: Now, input: Input) -> Effects {
        self.core.now = now;
        match input {
            Input::Request { request, essentials, caller, flow } => self.request(request, &essentials, caller, flow),
            Input::Response { response, essentials, flow } => self.response(response, essentials, flow),
            Input::Media(event) => self.calls.media(event, &mut self.core),
            Input::Outside(report) => calls::outside_done(&mut self.calls, report, &mut self.core),
            Input::Sounds(reply) => self.calls.sounds_loaded(reply, &mut self.core),
            Input::SendFailed { flow, why } => self.send_failed(flow, &why),
            Input::Closed { flow, why } => self.connection_closed(flow, &why),
            Input::Tick => {}
        }
        self.turn()
    }

    /// When [`Switch::handle`] wants to be called with [`Input::Tick`] at the latest.
    pub fn next_deadline(&self) -> Option<Time> {
        if self.calls.parties().has_runnable() {
            return Some(self.core.now.mono);
        }
        [self.core.tx.next_deadline(), self.core.timers.next()].into_iter().flatten().min()
    }

    /// Lets calls and timers do what there is to do now; gives what is to be done.
    fn turn(&mut self) -> Effects {
        self.calls.settle(&mut self.core, &self.lines);
        self.tick();
        self.calls.settle(&mut self.core, &self.lines);
        texting::send_pending(texting_parts(self));
        self.take_effects()
    }

    fn tick(&mut self) {
        let now = self.core.now.mono;
        for expired in self.core.tx.expire(now, &mut self.core.out.transmit) {
            match expired {
                Expired::Timeout(id, Requester::Leg(leg)) => self.calls.timed_out(leg, id, &mut self.core),
                Expired::Timeout(id, ref whose @ (Requester::Registration(_) | Requester::Mailbox(_))) => {
                    accounts::unanswered(&mut self.lines, whose, id, None, &mut self.core);
                }
                // The qualify machine has a clock of its own.
                Expired::Timeout(_, Requester::Qualify { .. }) => {}
                Expired::Timeout(_, Requester::Notify(peer)) => lines::notify::answered(&peer, None, &mut self.core),
                Expired::Timeout(_, Requester::Text(id)) => {
                    self.texts.unanswered(id, "it does not answer", &self.calls.shared().database, &mut self.core);
                }
                Expired::Timeout(client, Requester::Subscription(id)) => {
                    lamps_of(self).notified(id, client, NoticeEnd::TimedOut);
                }
                // The refusal was never acknowledged: RFC 3261 17.2.1 tells the user, who has nothing left to do.
                Expired::NotAcked(_) => self.core.count_drop("refusal never acknowledged"),
            }
        }
        while let Some(timer) = self.core.timers.pop(now) {
            match timer {
                Timer::Call(timer) => self.calls.timer(timer, &mut self.core, &self.lines),
                Timer::Line(timer) => self.lines.timer(timer, &mut self.core),
                Timer::Subscription(id, timer) => notices::timer(&mut self.subscriptions, id, timer, &mut self.core),
            }
        }
    }

    // ---- messages ----

    fn request(&mut self, mut request: Request, essentials: &Essentials, caller: Caller, came: Flow) {
        let leg = self.calls.leg_of_request(essentials);
        let subscription = if leg.is_none() { self.subscriptions.of_request(essentials) } else { None };
        let of_leg = leg.and_then(|leg| self.calls.leg(leg)).map(KnownDialog::of_leg);
        let watching = subscription.and_then(|id| self.subscriptions.get(id)).map(KnownDialog::of_subscription);
        let telling = self.lines.mailboxes.of_request(essentials);
        let telling = telling.map(|one| KnownDialog::of_mailbox(one, &self.core));
        let is_telling = leg.is_none() && subscription.is_none() && telling.is_some();
        let known = of_leg.or(watching).or(telling);
        let spoken_for = known.as_ref().map(|dialog| dialog.opens_for);
        let is_at_home = is_at_home(&caller, came, &self.lines);
        let came = Flow { opens_for: opens_for(&caller, spoken_for, is_at_home, came.remote.ip()), ..came };
        if let Some(leg) = leg {
            self.calls.follow_connection(leg, came, &mut self.core);
        }
        let nat = match (&caller, &known) {
            (Caller::Account { peer, .. }, _) => peer.settings.nat,
            (Caller::Dialog, Some(dialog)) => dialog.nat,
            (Caller::Dialog, None) => self.core.config.general.defaults.nat,
        };
        let source = came.remote;
        let behind_nat = crate::guard::nat::force_rport(nat.force_rport, &essentials.via, source);
        let flow = came.answering(&essentials.via, behind_nat);
        let dialog = known.map(|dialog| dialog.secured);
        route::stamp_via(&mut request.headers, source, behind_nat);
        let asking = Asking { request: &request, essentials, caller: &caller, dialog, source, flow };
        if !self.core.tx.is_known(&request, essentials) {
            let is_stopping = self.stopping.is_some();
            if !self.gate.lets_in(&asking, &mut self.core)
                || guest::is_refused(&asking, &mut self.calls, is_stopping, &mut self.core)
            {
                return;
            }
        }
        let now = self.core.now.mono;
        match self.core.tx.receive_request(now, &request, essentials, flow, &mut self.core.out.transmit) {
            Incoming::Absorbed => {}
            Incoming::Full => self.core.count_drop("too many transactions at once"),
            Incoming::Ack(invite) => {
                // pyVoIP 1.6.8 makes up a To tag for its ACK: the INVITE's branch, Call-ID and CSeq still say whose it
                // is.
                let arrival = leg.is_some().then_some(Arrival { flow: came, behind_nat });
                if let Some(leg) = leg.or_else(|| self.calls.leg_of_invite(invite?)) {
                    self.calls.acknowledged(leg, &request, essentials, arrival, &mut self.core);
                }
            }
            Incoming::Cancel { id, invite } => cancel((id, invite), &request, &mut self.calls, &mut self.core),
            Incoming::New(id) if is_telling => lamps_of(self).mailbox_tells(id, &request, essentials),
            Incoming::New(id) => match (leg, subscription, caller) {
                (None, Some(subscription), _) => {
                    let arrival = lamps::arrival(Arrival { flow: came, behind_nat });
                    let asked = Subscribe { server: id, request: &request, essentials, arrival };
                    refresh(&mut self.subscriptions, subscription, &asked, &mut self.core);
                }
                (Some(leg), ..) => {
                    let arrival = Arrival { flow: came, behind_nat };
                    self.calls.request(leg, id, &request, essentials, arrival, &mut self.core);
                }
                (None, None, Caller::Account { peer, proof }) => {
                    let arrival = Arrival { flow: came, behind_nat };
                    self.new_request(id, &request, essentials, &peer, &proof, arrival);
                }
                (None, None, Caller::Dialog) => self.core.respond(id, Response::for_request(&request, 481, None)),
            },
        }
    }

    /// A request outside of any dialog, from somebody known.
    fn new_request(
        &mut self,
        id: ServerId,
        request: &Request,
        essentials: &Essentials,
        peer: &Arc<Peer>,
        proof: &Proof,
        came: Arrival,
    ) {
        let flow = came.flow;
        match (&request.method, guest::in_force(peer, &self.core)) {
            // A reload took the peer away between the ingress and here: as refused as it is there from now on.
            (_, None) => self.core.respond(id, Response::for_request(request, 403, None)),
            (_, Some(peer)) if !guest::may_use(&peer, flow, &mut self.core) => {
                self.core.respond(id, Response::for_request(request, 403, None));
            }
            (Method::Register, Some(peer)) => {
                // The gate let it in, so its digest was not used before.
                let arrived = Arrived { flow, is_fresh: matches!(proof, Proof::Digest { .. }) };
                let moves = self.lines.register(id, request, essentials, &peer, arrived, &mut self.core);
                self.calls.line_moved(&peer, &moves, &mut self.core);
                self.calls.move_to_connection(&peer, flow);
                texting::line_registered(texting_parts(self), &peer.name);
                lamps_of(self).line_registered(&peer.name, &moves, flow);
            }
            (Method::Invite, Some(mut peer)) => {
                if let Some(context) = self.core.config.admission.context_of(request) {
                    Arc::make_mut(&mut peer).settings.context = context.to_owned();
                }
                if flow.is_strangers() {
                    self.core.tx.be_brief(id);
                }
                let invite = Invite { server: id, request, essentials, peer, arrival: came };
                self.calls.incoming(invite, self.stopping.is_some(), &mut self.core);
            }
            (Method::Message, Some(peer)) => texting::received(texting_parts(self), id, (request, essentials), &peer),
            (Method::Notify, Some(peer)) => lamps_of(self).provider_tells(id, request, &peer),
            (Method::Subscribe, Some(peer)) => {
                let asked = Subscribe { server: id, request, essentials, arrival: lamps::arrival(came) };
                lamps_of(self).subscribe(&asked, &peer);
            }
            _ => self.core.respond(id, Response::for_request(request, 405, None)),
        }
    }

    fn response(&mut self, response: Response, essentials: Essentials, flow: Flow) {
        let now = self.core.now.mono;
        let answer = self.core.tx.receive_response(now, response, essentials, flow, &mut self.core.out.transmit);
        let Some(answer) = answer else { return };
        if challenged::is_sent_again(&answer, &mut self.core, &mut self.calls, &mut self.subscriptions, &mut self.lines)
        {
            return;
        }
        match answer.requester.clone() {
            Requester::Leg(leg) => {
                if let Some(answer) = self.calls.response(leg, answer, &mut self.core) {
                    stray::end(answer, &mut self.core);
                }
            }
            Requester::Notify(peer) => lines::notify::answered(&peer, Some(&answer.response), &mut self.core),
            Requester::Text(id) => {
                texting::answered(texting_parts(self), id, &answer.response);
            }
            Requester::Registration(_) | Requester::Mailbox(_) => {
                accounts::answered(&mut self.lines, &answer, &mut self.core);
            }
            Requester::Qualify { peer, watch, attempt } => {
                self.lines.poll_answered(&peer, (watch, attempt), &mut self.core);
            }
            Requester::Subscription(id) => lamps_of(self).notified(id, answer.id, NoticeEnd::Answered(&answer)),
        }
    }

    // ---- the network ----

    /// A message could not be sent. Over UDP an INVITE that nobody answered yet fails, what else waits for an answer
    /// from there learns it by its timers; over a connection nothing is sent again, so it ends now (RFC 3261 17.1.4).
    fn send_failed(&mut self, flow: Flow, why: &str) {
        self.core.count_drop("system refused to send");
        let is_closed = flow.transport.is_reliable();
        // Nobody waits for the answer to a stranger who is gone, and a line for each would be a log to fill.
        if is_closed && flow.opens_for == OpensFor::Nobody {
            return;
        }
        self.lines.send_failed(flow, &mut self.core);
        if is_closed {
            self.fail_requests(flow, why);
        }
        let is_peers = !is_closed || flow.opens_for == OpensFor::Peer;
        // A call that fails because of it says so itself.
        if !self.calls.send_failed(flow, why, &mut self.core) && is_peers {
            let (address, transport, reason) = (flow.remote, flow.transport.to_string(), why.to_owned());
            self.core.emit(LineEvent::NotSent { address, transport, reason });
        }
    }

    /// A connection is closed: what waits for an answer on it ends, and who registered over it is asked after, if
    /// anybody is.
    fn connection_closed(&mut self, flow: Flow, why: &str) {
        self.lines.send_failed(flow, &mut self.core);
        self.fail_requests(flow, why);
        if flow.connection.is_some() {
            self.calls.connection_closed(flow, &mut self.core);
            self.lines.connection_closed(flow, why, &mut self.core);
            whereabouts::connection_closed(&mut self.subscriptions, flow);
        }
    }

    fn fail_requests(&mut self, flow: Flow, why: &str) {
        let failed: Vec<(ClientId, Requester)> = self.core.tx.transport_failed(self.core.now.mono, flow);
        for (id, requester) in failed {
            match requester {
                Requester::Leg(leg) => self.calls.transport_failed(leg, id, why, &mut self.core),
                Requester::Registration(_) | Requester::Mailbox(_) => {
                    accounts::unanswered(&mut self.lines, &requester, id, Some(why), &mut self.core);
                }
                // Told by `Lines::send_failed`.
                Requester::Qualify { .. } => {}
                Requester::Notify(peer) => lines::notify::answered(&peer, None, &mut self.core),
                Requester::Text(id) => {
                    self.texts.unanswered(id, why, &self.calls.shared().database, &mut self.core);
                }
                Requester::Subscription(one) => {
                    lamps_of(self).notified(one, id, NoticeEnd::NotSent(why));
                }
            }
        }
    }

    /// Names lead elsewhere now, or for the first time: peers with `host=NAME` are found there, and told our address by
    /// it.
    pub fn names_changed(&mut self, now: Now, admission: Arc<Admission>, towards: BTreeMap<IpAddr, IpAddr>) -> Effects {
        self.core.now = now;
        let old: Arc<Names> = self.core.config.admission.names().clone();
        self.core.routing.admission = admission.clone();
        self.core.config.admission = admission;
        self.core.config.local_towards = towards;
        let new = self.core.config.admission.names();
        let peers = self.core.config.peers.values();
        let moved = peers.filter_map(|peer| {
            let (before, after) = (peer.servers(&old).first().copied(), peer.servers(new).first().copied());
            after.filter(|_| before != after && peer.host.is_fixed()).map(|server| (peer.clone(), server.address))
        });
        let moved = moved.collect();
        self.lines.names_changed(moved, &mut self.core);
        self.take_effects()
    }

    /// The machine has these addresses now: nothing is sent to our sockets at any of them.
    pub fn addresses_changed(&mut self, own: BTreeSet<IpAddr>) {
        self.core.routing.own = Arc::new(own);
    }

    // ---- configuration and restart ----

    /// Puts a new configuration in force. Channels keep the peer they were opened with; new calls, the next priority of
    /// a running program, registrations and qualify go by the new one. A peer that is gone, or has a fixed address now,
    /// loses its registration. The events among the effects say what changed.
    pub fn reload(&mut self, now: Now, mut settings: SwitchSettings) -> Effects {
        self.core.now = now;
        self.lines.prepare_reload(&mut self.core);
        Arc::make_mut(&mut settings.dialplan).adopt(&self.core.config.dialplan, DIALPLAN_REGISTRAR);
        self.calls.shared().globals.load(&settings.dialplan);
        let old = self.core.configure(settings);
        let config = &self.core.config;
        let (peers, contexts) = (config.peers.len(), config.dialplan.contexts().count());
        let added = config.peers.keys().filter(|name| !old.peers.contains_key(*name)).count();
        let removed = old.peers.keys().filter(|name| !config.peers.contains_key(*name)).count();
        self.core.emit(LineEvent::Reloaded { peers, added, removed, contexts });
        self.lines.reload(&old.peers, &mut self.core);
        lamps_of(self).reload();
        self.reloaded = now;
        self.turn()
    }

    /// Takes back the registrations and the subscriptions of a time before a restart. Says how many registrations came
    /// back. The database is to be loaded before: states of devices stand in it.
    pub fn restore(&mut self, now: Now, stored: Vec<Restored>, watching: Vec<(String, String)>) -> usize {
        self.core.now = now;
        for (path, value) in self.database().all() {
            self.core.spent.note(&path, Some(&value));
        }
        let restored = self.lines.restore(stored, &mut self.core);
        lamps_of(self).restore(watching);
        restored
    }

    /// What is to be done since this was asked last. Whoever changed something outside [`Switch::handle`] has it
    /// executed.
    pub fn take_effects(&mut self) -> Effects {
        self.lines.store_changes(&mut self.core);
        keep_minutes(&mut self.core, &self.calls.shared().database);
        let values = self.calls.shared().database.take_changes();
        lamps_of(self).announce(values.keys().map(String::as_str));
        self.subscriptions.store_changes(&mut self.core);
        for (path, value) in values {
            self.core.spent.note(&path, value.as_deref());
            self.core.out.store.push(StoreOrder::Value { path, value });
        }
        let Core { tx, out, .. } = &mut self.core;
        out.references.append(&mut tx.take_changes());
        out.references.append(&mut self.calls.take_references());
        out.references.append(&mut self.subscriptions.take_references());
        out.references.append(&mut self.lines.mailboxes.take_references());
        std::mem::take(&mut self.core.out)
    }

    /// Everything that ought to be stored now, for a store that lost it or could not write for a while.
    pub fn everything(&self) -> Vec<StoreOrder> {
        let values = self.database().all().into_iter();
        let values = values.map(|(path, value)| StoreOrder::Value { path, value: Some(value) });
        self.lines.everything().chain(values).chain(self.subscriptions.everything(self.core.now)).collect()
    }

    /// The global variables.
    pub fn globals(&self) -> &Globals {
        &self.calls.shared().globals
    }

    /// The key/value database. What is changed in it comes out with [`Switch::take_effects`].
    pub fn database(&self) -> &Database {
        &self.calls.shared().database
    }

    // ---- what the console orders ----

    /// Begins a round of OPTIONS to a peer at once; what it finds is said if it changes the peer's status.
    pub fn qualify_now(&mut self, now: Now, name: &str) -> (QualifyNow, Effects) {
        self.core.now = now;
        (self.lines.qualify_now(name, &mut self.core), self.take_effects())
    }

    /// Removes a peer's registration, until it registers again. Its calls go on.
    pub fn unregister(&mut self, now: Now, name: &str) -> (Unregistered, Effects) {
        self.core.now = now;
        (self.lines.unregister(name, &mut self.core), self.take_effects())
    }

    /// Hangs up a channel by its name, or all of them; what follows (BYE to both, `h`) is as if its phone had.
    pub fn hang_up(&mut self, now: Now, name: &str) -> (HangUp, Effects) {
        self.core.now = now;
        let Some(names) = self.calls.hang_up(name, &mut self.core) else {
            return (HangUp::Unknown, Effects::default());
        };
        (HangUp::Requested(names), self.turn())
    }

    /// Begins a call of the exchange's own: the door of call files, and of whoever else wants one. How it went is told by
    /// an event that names its ticket.
    pub fn originate(&mut self, now: Now, request: OriginateRequest) -> Effects {
        self.core.now = now;
        if self.stopping.is_none() {
            self.calls.originate(request, &mut self.core, &self.lines);
        }
        self.turn()
    }

    /// Stops taking calls; `Now` also ends those in progress.
    pub fn stop(&mut self, now: Now, how: Stopping) -> Effects {
        self.core.now = now;
        self.stopping = Some(how);
        self.lines.registrations.leave(&mut self.core);
        self.lines.mailboxes.leave(&mut self.core);
        match how {
            Stopping::Now => self.hang_up(now, "all").1,
            Stopping::Gracefully => self.take_effects(),
        }
    }

    /// How it was told to stop, if it was.
    pub fn stopping(&self) -> Option<Stopping> {
        self.stopping
    }

    /// Told to stop, and nothing is left to wait for: no channel, no leg, no BYE, CANCEL or refusal that may have been
    /// lost.
    pub fn is_stopped(&self) -> bool {
        let parties = self.calls.parties();
        let nothing = parties.count() == 0 && parties.legs().next().is_none();
        let is_registered = self.lines.registrations.is_leaving() || self.lines.mailboxes.is_leaving();
        self.stopping.is_some() && nothing && !is_registered && !self.core.tx.is_ending_something()
    }
}

/// What text messages need of the switch.
fn texting_parts(switch: &mut Switch) -> texting::Parts<'_> {
    let Switch { texts, calls, lines, core, .. } = switch;
    texting::Parts { texts, calls, lines, core }
}

fn lamps_of(switch: &mut Switch) -> Lamps<'_> {
    let Switch { core, lines, calls, subscriptions, .. } = switch;
    Lamps { core, lines, calls, subscriptions }
}

/// A CANCEL: it is answered, and the leg that its INVITE began is told.
fn cancel((id, invite): (ServerId, Option<ServerId>), request: &Request, calls: &mut Calls, core: &mut Core) {
    let leg = invite.and_then(|invite| calls.leg_of_invite(invite));
    // RFC 3261 9.2: 200 for a CANCEL that names an INVITE we know, even an answered one.
    let status = if invite.is_some() { 200 } else { 481 };
    // The same tag as the INVITE's own answer has.
    let tag = leg.and_then(|leg| calls.leg(leg)?.local_tag().map(str::to_owned));
    core.respond(id, Response::for_request(request, status, tag.as_deref()));
    if let Some(leg) = leg {
        calls.cancelled(leg, core);
    }
}

/// Does a line call from exactly where it registered by its secret? Without a secret its registration is worth as much as
/// the call: both are believed by name, from wherever they say they come.
fn is_at_home(caller: &Caller, came: Flow, lines: &Lines) -> bool {
    let Caller::Account { peer, .. } = caller else { return false };
    peer.credential.is_some() && lines.bindings(&peer.name).iter().any(|binding| binding.source == came.remote)
}

/// For whom a connection may be opened because of a request, and who may be sent more than an answer. The tags of a live
/// call prove as much as what it began with; a peer that is believed by its name, from any address, proves nothing, and
/// neither does a guest.
fn opens_for(caller: &Caller, spoken_for: Option<OpensFor>, is_at_home: bool, source: IpAddr) -> OpensFor {
    let is_peers = match caller {
        Caller::Account { proof: Proof::Digest { .. }, .. } => true,
        Caller::Account { peer, proof: Proof::Trusted } => {
            peer.kind != Kind::Guest && (is_at_home || !matches!(peer.host, PeerAddress::Dynamic))
        }
        Caller::Dialog => match spoken_for {
            None => return OpensFor::Nobody,
            Some(known) => known == OpensFor::Peer,
        },
    };
    if is_peers { OpensFor::Peer } else { OpensFor::Stranger(source) }
}

/// The minutes of calls to lines that have a limit of them go into the database.
fn keep_minutes(core: &mut Core, database: &Database) {
    for (path, value) in core.spent.take_changes() {
        if let Err(why) = database.put(&path, &value) {
            let text = format!("The minutes of calls are not kept over a restart: {why}");
            core.emit(LogLine { level: Level::Warning, text });
        }
    }
}
