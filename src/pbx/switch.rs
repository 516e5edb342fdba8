//! The switch: owns every call and every line's registration, and routes what happens to who decides. It decides nothing itself.

mod bridging;
mod connections;
mod control;
mod dialling;
mod extras;
mod happenings;
mod incoming;
mod keepalive;
mod lines;
mod orders;
mod program;
mod recording;
mod redirecting;
mod regexten;
mod reload;
mod report;
mod world;

use super::call_timer::CallTimer;
use super::channel::Channel;
use super::core::{Core, Requester};
use super::effect::{Effects, Event};
use super::leg::{Cx, Leg, LegId, LegIndex};
use super::media::{MediaEvent, StreamId};
use crate::clock::{Now, Time};
use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::database::Database;
use crate::dialplan::{ChannelId, Dialplan, Globals};
use crate::guard::admission::{Admission, Caller, ChallengeOptions};
use crate::guard::amplification;
use crate::guard::replay::Replay;
use crate::registrar::last_seen::Departures;
use crate::registrar::location::Location;
use crate::registrar::next_hop::Routing;
use crate::rng::Rng;
use crate::rtp::strict::Strictness;
use crate::sip::Flow;
use crate::sip::dialog::DialogKey;
use crate::sip::flow::Transport;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::route;
use crate::sip::sips::SipsViolation;
use crate::sip::timer::Timers;
use crate::sip::transaction::{Answer, ClientId, Expired, Incoming, TimerValues, Transactions, Transmit};
use crate::sip::validate::Essentials;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub use crate::registrar::next_hop::Listening;
pub use control::{HangUp, Stopping};
pub use orders::{LegReport, QualifyNow, Unregistered};
pub use report::{ChannelReport, PeerReport, PeerStatus};

/// What the switch is told at its start, and at every reload.
pub struct SwitchSettings {
    /// `[general]` of sip.conf.
    pub general: Arc<General>,
    /// The peers, by name.
    pub peers: Arc<BTreeMap<String, Arc<Peer>>>,
    /// extensions.conf.
    pub dialplan: Arc<Dialplan>,
    /// `strictrtp=` of rtp.conf.
    pub strictness: Strictness,
    /// Who may: used here for the challenges that only the switch can decide on.
    pub admission: Arc<Admission>,
    /// Where SIP is received: the ports, and the address when it is one.
    pub listening: Listening,
    /// Our address as seen from a peer's (`host=` peers, before they ever sent anything).
    pub local_towards: BTreeMap<IpAddr, IpAddr>,
    /// Sounds of the user's by name, 8 kHz; the built-in ones need no entry.
    pub sounds: BTreeMap<String, Arc<[i16]>>,
    /// The product's name for `Server`, `User-Agent`.
    pub product: String,
}

/// Most server transactions at once; what comes beyond gets no answer and is counted.
const MOST_TRANSACTIONS: usize = 200_000;
/// Most nonces whose counts are remembered.
const MOST_NONCES: usize = 20_000;
/// Most calls at once.
pub const MOST_CHANNELS: usize = 4_000;
/// Program runs in one turn, all channels together, before the network is looked at again.
const RUNS_PER_TURN: usize = 64;

/// Everything that happens between telephones.
pub struct Switch {
    settings: SwitchSettings,
    core: Core,
    index: LegIndex,
    legs: BTreeMap<LegId, Leg>,
    channels: BTreeMap<ChannelId, Channel>,
    streams: BTreeMap<StreamId, ChannelId>,
    /// Streams whose ports are being closed.
    releases: BTreeMap<StreamId, happenings::Released>,
    runnable: VecDeque<ChannelId>,
    calling: BTreeMap<ChannelId, dialling::Outgoing>,
    location: Location,
    location_alarm: Option<crate::sip::timer::TimerId>,
    absences: Departures,
    watches: BTreeMap<String, lines::Watch>,
    /// Peers whose next `keepalive=` is due at some time.
    keepalives: BTreeSet<String>,
    /// The number of the latest watch.
    last_watch: u64,
    replay: Replay,
    globals: Globals,
    database: Database,
    last_id: u64,
    last_channel: u32,
    calls_processed: u64,
    drops: BTreeMap<&'static str, u64>,
    started: Now,
    reloaded: Now,
    stopping: Option<Stopping>,
}

impl Switch {
    /// A switch at rest; `host=` peers with qualify are asked at once, one after another.
    pub fn new(now: Now, settings: SwitchSettings, mut rng: Rng) -> Switch {
        let replay = Replay::new(MOST_NONCES, &mut rng);
        let values = TimerValues::default();
        let core = Core {
            now,
            tx: Transactions::new(values, MOST_TRANSACTIONS, &mut rng),
            rng,
            timers: Timers::new(),
            out: Effects::default(),
            product: settings.product.clone(),
            routing: Routing { listening: settings.listening, admission: settings.admission.clone() },
        };
        let globals = Globals::new();
        globals.load(&settings.dialplan);
        let mut switch = Switch {
            settings,
            core,
            index: LegIndex::default(),
            legs: BTreeMap::new(),
            channels: BTreeMap::new(),
            streams: BTreeMap::new(),
            releases: BTreeMap::new(),
            runnable: VecDeque::new(),
            calling: BTreeMap::new(),
            location: Location::new(),
            location_alarm: None,
            absences: Departures::default(),
            watches: BTreeMap::new(),
            keepalives: BTreeSet::new(),
            last_watch: 0,
            replay,
            globals,
            database: Database::new(),
            last_id: 0,
            last_channel: 0,
            calls_processed: 0,
            drops: BTreeMap::new(),
            started: now,
            reloaded: now,
            stopping: None,
        };
        switch.watch_static_peers();
        switch.keep_all_alive();
        switch
    }

    /// Handles one event, and everything that is due by now.
    pub fn handle(&mut self, now: Now, event: Event) -> Effects {
        self.core.now = now;
        match event {
            Event::Request { request, essentials, caller, flow } => self.request(request, essentials, caller, flow),
            Event::Response { response, essentials, flow } => self.response(response, essentials, flow),
            Event::Media(event) => self.media(event),
            Event::SendFailed { flow, why } => self.send_failed(flow, &why),
            Event::Closed { flow, why } => self.connection_closed(flow, &why),
            Event::Tick => {}
        }
        self.settle();
        self.tick();
        self.settle();
        self.take_effects()
    }

    /// When [`Switch::handle`] wants to be called with [`Event::Tick`] at the latest.
    pub fn next_deadline(&self) -> Option<Time> {
        if !self.runnable.is_empty() {
            return Some(self.core.now.mono);
        }
        [self.core.tx.next_deadline(), self.core.timers.next()].into_iter().flatten().min()
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    fn drop_counted(&mut self, reason: &'static str) {
        let count = self.drops.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Lets calls handle what happened on their legs, and programs run, until nothing is left to do this turn.
    fn settle(&mut self) {
        let mut runs = 0;
        loop {
            while let Some((channel, event)) = self.index.events.pop_front() {
                self.leg_event(channel, event);
            }
            match self.runnable.pop_front() {
                Some(channel) if runs < RUNS_PER_TURN => {
                    runs += 1;
                    self.run(channel);
                }
                Some(channel) => {
                    self.runnable.push_front(channel);
                    break;
                }
                None => break,
            }
        }
        for id in std::mem::take(&mut self.index.ended) {
            self.legs.remove(&id);
        }
    }

    fn tick(&mut self) {
        let now = self.core.now.mono;
        for expired in self.core.tx.expire(now, &mut self.core.out.transmit) {
            match expired {
                Expired::Timeout(id, requester) => self.timed_out(id, requester),
                // The refusal was never acknowledged: RFC 3261 17.2.1 tells the user, who has nothing left to do.
                Expired::NotAcked(_) => self.drop_counted("refusal never acknowledged"),
            }
        }
        while let Some(alarm) = self.core.timers.pop(now) {
            self.alarm(alarm);
        }
    }

    fn alarm(&mut self, alarm: CallTimer) {
        match alarm {
            CallTimer::Leg(id, timer) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.alarm(timer, &mut Cx { core: &mut self.core, index: &mut self.index });
                }
            }
            CallTimer::Wait(channel) => self.wait_is_over(channel),
            CallTimer::Dial(channel) => self.rung_long_enough(channel),
            CallTimer::Qualify(peer) => self.qualify_due(&peer),
            CallTimer::Keepalive(peer) => self.keepalive_due(&peer),
            CallTimer::Location => self.expire_bindings(),
        }
    }

    fn timed_out(&mut self, id: ClientId, requester: Requester) {
        match requester {
            Requester::Leg(leg) => {
                if let Some(leg) = self.legs.get_mut(&leg).filter(|leg| leg.awaits(id)) {
                    leg.client_failed(id, &mut Cx { core: &mut self.core, index: &mut self.index });
                }
            }
            // The qualify machine has a clock of its own.
            Requester::Qualify { .. } => {}
        }
    }

    fn media(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Reserved { stream, rtp } => self.reserved(stream, rtp),
            MediaEvent::NoPorts { stream, why } => self.no_ports(stream, &why),
            MediaEvent::Learned { stream, source } => {
                if let Some(channel) = self.streams.get(&stream).and_then(|id| self.channels.get(id)) {
                    let text = format!("{}: strict RTP locked on {source}", channel.name);
                    self.core.out.verbose(4, text);
                }
            }
            MediaEvent::Played { stream, play } => self.played(stream, play),
            MediaEvent::Released { stream, counts } => self.released(stream, &counts),
        }
    }

    fn request(&mut self, mut request: Request, essentials: Essentials, caller: Caller, came: Flow) {
        let source = came.remote;
        let leg = self.leg_of(&essentials);
        if let Some(leg) = leg.and_then(|id| self.legs.get_mut(&id)) {
            leg.follow_connection(came);
        }
        let nat = match (&caller, leg.and_then(|id| self.legs.get(&id))) {
            (Caller::Account { peer, .. }, _) => peer.settings.nat,
            (Caller::Dialog, Some(leg)) => leg.peer.settings.nat,
            (Caller::Dialog, None) => self.settings.general.defaults.nat,
        };
        let force = crate::guard::nat::force_rport(nat.force_rport, &essentials.via, source);
        let flow = came.answering(&essentials.via, force);
        route::stamp_via(&mut request.headers, source, force);
        if !self.core.tx.is_known(&request, &essentials)
            && !self.may_open(&request, &essentials, &caller, leg, source, flow)
        {
            return;
        }
        let now = self.core.now.mono;
        match self.core.tx.receive_request(now, &request, &essentials, flow, &mut self.core.out.transmit) {
            Incoming::Absorbed => {}
            Incoming::Full => self.drop_counted("too many transactions at once"),
            Incoming::Ack(invite) => {
                // pyVoIP 1.6.8 makes up a To tag for its ACK: the INVITE's branch, Call-ID and CSeq still say whose it is.
                let leg = leg.or_else(|| self.index.servers.get(&invite?).copied());
                if let Some(leg) = leg.and_then(|id| self.legs.get_mut(&id)) {
                    leg.receive_ack(&request, &essentials, &mut Cx { core: &mut self.core, index: &mut self.index });
                }
            }
            Incoming::Cancel { id, invite } => {
                let leg = invite.and_then(|invite| self.index.servers.get(&invite)).copied();
                // RFC 3261 9.2: 200 for a CANCEL that names an INVITE we know, even an answered one.
                let status = if invite.is_some() { 200 } else { 481 };
                // The same tag as the INVITE's own answer has.
                let tag = leg.and_then(|id| self.legs.get(&id)).and_then(Leg::local_tag).map(str::to_owned);
                self.reply(id, Response::for_request(&request, status, tag.as_deref()));
                if let Some(leg) = leg.and_then(|id| self.legs.get_mut(&id)) {
                    leg.cancelled(&mut Cx { core: &mut self.core, index: &mut self.index });
                }
            }
            Incoming::New(id) => match (leg.and_then(|id| self.legs.get_mut(&id)), caller) {
                (Some(leg), _) => leg.receive_request(
                    id,
                    &request,
                    &essentials,
                    &mut Cx { core: &mut self.core, index: &mut self.index },
                ),
                (None, Caller::Account { peer, .. }) => match (&request.method, self.in_force(&peer)) {
                    // A reload took the peer away between the edge and here: as refused as it is there from now on.
                    (_, None) => self.reply(id, Response::for_request(&request, 403, None)),
                    (_, Some(peer)) if !peer.settings.may_use(came.transport) => {
                        self.refuse_transport(id, &request, &peer, came);
                    }
                    (Method::Register, Some(peer)) => {
                        self.registration(id, &request, &essentials, &peer, came);
                    }
                    (Method::Invite, Some(mut peer)) => {
                        if let Some(context) = self.settings.admission.context_of(&request) {
                            Arc::make_mut(&mut peer).settings.context = context.to_owned();
                        }
                        self.incoming_call(id, &request, &essentials, peer, (came, force));
                    }
                    _ => self.reply(id, Response::for_request(&request, 405, None)),
                },
                (None, Caller::Dialog) => self.reply(id, Response::for_request(&request, 481, None)),
            },
        }
    }

    /// The leg whose dialog a request belongs to.
    fn leg_of(&self, essentials: &Essentials) -> Option<LegId> {
        essentials.to.tag()?;
        self.index.dialogs.get(&DialogKey::of_request(essentials)?).copied()
    }

    /// May a request that is no retransmission open a server transaction? If not, it is answered without one, and nothing of it is kept.
    fn may_open(
        &mut self,
        request: &Request,
        essentials: &Essentials,
        caller: &Caller,
        leg: Option<LegId>,
        source: SocketAddr,
        flow: Flow,
    ) -> bool {
        use crate::guard::admission::Proof;
        match (caller, leg) {
            (_, Some(leg)) if flow.transport != Transport::Tls && self.legs.get(&leg).is_some_and(Leg::is_secure) => {
                self.refuse_in_the_clear(request, flow);
                false
            }
            (_, Some(_)) => true,
            (Caller::Dialog, None) => match request.method {
                // An ACK is never answered.
                Method::Ack => {
                    self.core.out.strangers.push(source.ip());
                    self.drop_counted("ACK for no call");
                    false
                }
                Method::Cancel if self.core.tx.cancels(request, essentials) => true,
                _ => {
                    self.core.out.strangers.push(source.ip());
                    self.drop_counted("request for a call that is over");
                    self.answer_statelessly(request, flow, Response::for_request(request, 481, None));
                    false
                }
            },
            (Caller::Account { peer, proof }, None) => {
                if self.core.tx.is_merged(essentials) {
                    // RFC 3261 8.2.2.2
                    self.answer_statelessly(request, flow, Response::for_request(request, 482, None));
                    return false;
                }
                let fresh = match proof {
                    Proof::Trusted => true,
                    Proof::Digest { stale: true, .. } => false,
                    Proof::Digest { nonce, nc, stale: false } => self.replay.accept(nonce, *nc, self.core.now.mono),
                };
                if !fresh {
                    let random = self.core.rng.bits();
                    let options = ChallengeOptions { algorithm: peer.settings.auth_algorithm, stale: true };
                    let response =
                        self.settings.admission.challenge(request, source, self.core.now.wall, random, options);
                    self.answer_statelessly(request, flow, response);
                } else if let Some(connection) = flow.connection {
                    self.core.out.proven.push(connection);
                }
                fresh
            }
        }
    }

    /// Somebody speaks within a call that stays on TLS, and does not come over it (RFC 5630 5.1.2).
    fn refuse_in_the_clear(&mut self, request: &Request, flow: Flow) {
        self.drop_counted("request in the clear for a call over TLS");
        // An ACK is never answered.
        if request.method != Method::Ack {
            let mut response = Response::for_request(request, 480, None);
            response
                .headers
                .push(HeaderName::Warning, SipsViolation::Required.warning(&super::leg::host(flow.advertised.ip())));
            self.answer_statelessly(request, flow, response);
        }
    }

    fn answer_statelessly(&mut self, request: &Request, flow: Flow, mut response: Response) {
        super::core::add_response_headers(&mut response, &self.core.product);
        self.core.tag(&mut response);
        if flow.connection.is_none() && !amplification::fits(request, &mut response) {
            return self.drop_counted("the answer would be more than twice the request");
        }
        self.core.out.transmit.push(Transmit { flow, bytes: response.to_bytes() });
    }

    fn reply(&mut self, id: crate::sip::transaction::ServerId, response: Response) {
        self.core.respond(id, response);
    }

    fn response(&mut self, response: Response, essentials: Essentials, flow: Flow) {
        let now = self.core.now.mono;
        let Some(answer) = self.core.tx.receive_response(now, response, essentials, flow, &mut self.core.out.transmit)
        else {
            return;
        };
        match &answer.requester {
            Requester::Leg(leg) => match self.legs.get_mut(leg).filter(|leg| leg.awaits(answer.id)) {
                Some(leg) => leg.receive_response(answer, &mut Cx { core: &mut self.core, index: &mut self.index }),
                None => self.end_orphan(answer),
            },
            Requester::Qualify { peer, watch, attempt } => self.poll_answered(peer, *watch, *attempt),
        }
    }

    /// A 2xx to an INVITE nobody waits for any more, from another phone behind a fork or later than the give-up:
    /// RFC 3261 13.2.2.4 has it acknowledged and ended.
    fn end_orphan(&mut self, answer: Answer<Requester>) {
        let Answer { id, requester, response, essentials, .. } = answer;
        if essentials.cseq.method != Method::Invite || !(200..300).contains(&response.status) {
            return;
        }
        let Some((request, flow)) = self.core.tx.request_of(id).map(Cow::into_owned).zip(self.core.tx.flow_of(id))
        else {
            return;
        };
        let Ok(mut dialog) = crate::sip::dialog::Dialog::uac(&request, &response, &essentials) else { return };
        let way = self.core.routing.follow(&dialog.next_hop(), flow, &self.settings.general.defaults);
        // What began with sips: does not leave TLS, whatever the answer's route says.
        let flow = if dialog.secure && way.transport != Transport::Tls { flow } else { way };
        let mut ack = dialog.ack(essentials.cseq.number);
        super::core::add_request_headers(&mut ack, &self.core.product);
        self.core.tx.acknowledge(id, ack, flow, &mut self.core.rng, &mut self.core.out.transmit);
        if request_has_to_tag(&request) {
            // A re-INVITE of a call that was hung up meanwhile: its BYE is on the way already.
            return;
        }
        let mut bye = dialog.request(Method::Bye);
        super::core::add_request_headers(&mut bye, &self.core.product);
        let how = crate::sip::transaction::Sending::Reliably;
        self.core.request(bye, flow, how, requester);
        self.drop_counted("late or forked answer ended");
    }
}

fn request_has_to_tag(request: &Request) -> bool {
    let to = request.headers.get(crate::sip::HeaderName::To).map(|to| crate::sip::header::NameAddr::parse(to));
    to.is_some_and(|to| to.is_ok_and(|to| to.tag().is_some()))
}
