//! The testbed of a story: one exchange, telephones at addresses, a network between them, and a virtual clock.

use crate::media::MediaStub;
use crate::mutation::Spoiler;
use crate::network::{Network, Quality};
use crate::provider::{Fate, Provider};
use crate::sound_stub::SoundStub;
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use strowger::clock::{Now, Time, Wall};
use strowger::config::Config;
use strowger::config::peer::Credential;
use strowger::daemon::sentence;
use strowger::datetime::zones::{TimeZone, Zones};
use strowger::dialplan::files::{Applied, FileAction};
use strowger::dialplan::outside::{OutsideReply, OutsideRequest};
use strowger::dialplan::{self, Dialplan};
use strowger::event::{Event, Level, LogLine};
use strowger::guard::admission::{Admission, Caller, Proof, Verdict};
use strowger::guard::event::AuthEvent;
use strowger::guard::repeat_filter::Refusals;
use strowger::names::{Names, Server};
use strowger::pbx::effect::{Effects, Input, StoreOrder};
use strowger::pbx::media::{MediaCommand, MediaEvent, StreamId, StreamKind};
use strowger::pbx::outside::{OutsideOrder, OutsideReport};
use strowger::pbx::sounds::SoundReply;
use strowger::pbx::switch::orders::{NotDone, Order, carry_out};
use strowger::pbx::switch::{Listening, PeerStatus, Switch, SwitchSettings};
use strowger::registrar::location::Restored;
use strowger::rng::Rng;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, DeviceProfile, Phone, PhoneConfig, PhoneEvent, Watching};
use strowger::sip::Flow;
use strowger::sip::digest::nonce::NonceKey;
use strowger::sip::flow::{ConnectionId, OpensFor, Transport};
use strowger::sip::message::Message;
use strowger::sip::validate;

/// How much may happen at one moment.
const MAX_STEPS_AT_ONCE: u32 = 20_000;

pub const EXCHANGE: &str = "192.0.2.1:5060";
/// The same for TLS.
pub const TLS: &str = "192.0.2.1:5061";

/// The account file of every story; a story may have words of it replaced.
pub const SIP: &str = "[general]\ncontext=default\nudpbindaddr=192.0.2.1\n\
    [client]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\nnat=no\n\
    [isp]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\nnat=no\n\
    [desk]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\nnat=no\n\
    [cisco]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\nnat=no\n";

/// The guide's dialplan.
pub const GUIDE: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20)\n";

enum Parcel {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Media(MediaEvent),
    Sounds(SoundReply),
    Outside(OutsideReport),
}

pub struct Station {
    pub phone: Phone,
    /// Where its datagrams come from; its Via may say another port.
    pub source: SocketAddr,
    /// Its connection, when it speaks over one.
    pub connection: Option<ConnectionId>,
    /// What that is.
    pub over: Transport,
    pub events: Vec<(Time, PhoneEvent)>,
}

/// Where a phone's sound ends up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    pub to: String,
    pub relayed: bool,
    pub payload: u8,
}

/// See the module.
pub struct Testbed {
    pub now: Time,
    pub switch: Switch,
    pub stations: BTreeMap<String, Station>,
    pub network: Network,
    pub media: MediaStub,
    /// Where its sounds come from.
    pub sounds: SoundStub,
    /// What was played to whom, by the exchange's port: the names, `a&b`.
    pub prompts: Vec<(StreamId, String)>,
    pub lines: Vec<(Time, String)>,
    /// The same with their levels.
    pub said: Vec<LogLine>,
    /// What the exchange had stored.
    pub kept: Vec<StoreOrder>,
    admission: Arc<Admission>,
    /// Whom the owner was told of.
    refusals: Refusals,
    rng: Rng,
    exchange: SocketAddr,
    parcels: BTreeMap<(Time, u64), Parcel>,
    serial: u64,
    wire: Vec<(Time, SocketAddr, SocketAddr, Bytes)>,
    /// Those who ask the exchange for a password before a phone gets what is sent to its address, the first first.
    pub providers: BTreeMap<SocketAddr, Vec<Provider>>,
    /// Proxies, by the phone that what comes there goes on to.
    proxies: BTreeMap<SocketAddr, SocketAddr>,
    /// Header lines for the messages from an address that begin so.
    extra: BTreeMap<(SocketAddr, &'static str), String>,
    /// Words of the messages from an address, and what stands there instead.
    rewritten: BTreeMap<SocketAddr, Vec<(String, String)>>,
    /// Parts that stand around the descriptions from an address, before and behind.
    wrapped: BTreeMap<SocketAddr, (String, String)>,
    /// What From says in the INVITEs, ACKs and CANCELs from an address.
    froms: BTreeMap<SocketAddr, String>,
    /// Where the exchange may connect to.
    pub listeners: BTreeSet<SocketAddr>,
    /// Over what the exchange sent which first line where.
    overs: Vec<(SocketAddr, Transport, String)>,
    /// The first lines of what the exchange sent over connections, and for whom it would have opened one.
    pub opens: Vec<(String, OpensFor)>,
    /// Connections of peers that proved themselves, and of guests that were let in.
    pub let_in: [Vec<ConnectionId>; 2],
    /// Where the system refuses to send to.
    pub no_route: BTreeSet<SocketAddr>,
    seed: u64,
    /// How many connections phones made.
    connections: u64,
    /// What is lost of the messages from an address: those that begin so.
    lost: BTreeSet<(SocketAddr, &'static str)>,
    /// The same of those to an address.
    lost_to: BTreeSet<(SocketAddr, &'static str)>,
    /// Spoils datagrams on their way, while it is there.
    pub spoiler: Option<Spoiler>,
    /// Files that the dialplan reads and writes, where a story has some.
    pub files: Option<BTreeMap<String, Vec<u8>>>,
    /// What programs had done outside, and nobody answered yet.
    pub outside: Vec<OutsideOrder>,
    /// The moment that was last stepped to, and how often.
    steps_at: (Time, u32),
    /// How many messages one event had the exchange send at most.
    pub most_sent: usize,
    /// A failure is not to be told by the ladder: somebody else tells it.
    pub silent: bool,
}

impl Testbed {
    /// A world with the four lines at their phones, nobody registered yet.
    pub fn new(sip: &str, extensions: &str, quality: Quality, seed: u64) -> Testbed {
        let mut world = Testbed::empty(sip, extensions, quality, seed);
        for (name, sip, rtp, profile) in [
            ("client", "192.0.2.20:5060", "192.0.2.20:16420", DeviceProfile::Pap2t),
            ("isp", "192.0.2.20:5061", "192.0.2.20:16450", DeviceProfile::Pap2t),
            ("desk", "192.0.2.30:5060", "192.0.2.30:5004", DeviceProfile::Grandstream),
            ("cisco", "192.0.2.40:5060", "192.0.2.40:24598", DeviceProfile::Cisco7960),
        ] {
            world.add(name, "password", sip, rtp, profile);
        }
        world
    }

    /// A world with a phone for each peer of these files, at home and registered, each with its secret.
    pub fn of(sip: &str, extensions: &str, quality: Quality, seed: u64) -> Testbed {
        let mut world = Testbed::empty(sip, extensions, quality, seed);
        let peers = Config::from_texts(sip, extensions, "", "").0.unwrap().sip.peers;
        // A provider is no phone of ours.
        let lines = peers.iter().filter(|(_, peer)| !peer.host.is_fixed());
        for (number, (name, peer)) in (20..).zip(lines) {
            let Some(Credential::Password(secret)) = &peer.credential else { panic!("{name} has no secret") };
            let (sip, rtp) = (format!("192.168.1.{number}:5060"), format!("192.168.1.{number}:16420"));
            world.add(name, secret.reveal(), &sip, &rtp, DeviceProfile::Pap2t);
        }
        world.register_all();
        world
    }

    /// A world without phones.
    pub fn empty(sip: &str, extensions: &str, quality: Quality, seed: u64) -> Testbed {
        let settings = settings(sip, extensions);
        let admission = settings.admission.clone();
        let exchange = settings.listening.udp;
        let now = Time::from_start(Duration::from_secs(1));
        let switch = Switch::new(at(now), settings, Rng::from_number(seed ^ 0x5717));
        Testbed {
            now,
            switch,
            stations: BTreeMap::new(),
            network: Network::new(quality, seed),
            media: MediaStub::new(),
            sounds: SoundStub::new(),
            prompts: Vec::new(),
            lines: Vec::new(),
            said: Vec::new(),
            kept: Vec::new(),
            admission,
            refusals: Refusals::default(),
            rng: Rng::from_number(seed ^ 0xadd),
            exchange,
            parcels: BTreeMap::new(),
            serial: 0,
            wire: Vec::new(),
            providers: BTreeMap::new(),
            proxies: BTreeMap::new(),
            extra: BTreeMap::new(),
            rewritten: BTreeMap::new(),
            wrapped: BTreeMap::new(),
            froms: BTreeMap::new(),
            listeners: BTreeSet::new(),
            overs: Vec::new(),
            no_route: BTreeSet::new(),
            seed,
            connections: 0,
            opens: Vec::new(),
            let_in: Default::default(),
            lost: BTreeSet::new(),
            lost_to: BTreeSet::new(),
            spoiler: None,
            files: None,
            outside: Vec::new(),
            steps_at: (now, 0),
            most_sent: 0,
            silent: false,
        }
    }

    /// Puts another configuration in force.
    pub fn reload(&mut self, sip: &str, extensions: &str) {
        self.admission = settings(sip, extensions).admission;
        self.reload_behind_the_edge(sip, extensions);
    }

    /// The exchange is killed and started again with what it had stored; `left` of every registration's time, if a
    /// clock tells. The wall clock of the new start may be any.
    pub fn restart(&mut self, sip: &str, extensions: &str, left: Option<Duration>, wall: Wall) {
        let (mut stored, mut watching, mut values) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for order in std::mem::take(&mut self.kept) {
            match order {
                StoreOrder::Bindings { peer, bindings } => drop(stored.insert(peer, bindings)),
                StoreOrder::Subscription { tag, text } => drop(watching.insert(tag.to_string(), text)),
                StoreOrder::Value { path, value } => drop(values.insert(path, value)),
                StoreOrder::Call(_) | StoreOrder::Line(_) => {}
            }
        }
        let settings = SwitchSettings { admission: admission(sip, 2), ..settings(sip, extensions) };
        self.admission = settings.admission.clone();
        let now = Now { wall, ..at(self.now) };
        self.media = MediaStub::new();
        self.switch = Switch::new(now, settings, Rng::from_number(self.seed ^ 0xb007));
        let values = values.into_iter().filter_map(|(path, value)| Some((path, value?)));
        self.switch.database().load(values);
        let restored = stored.into_iter().flat_map(|(peer, bindings)| {
            bindings.into_iter().map(move |binding| Restored { peer: peer.to_string(), binding, left })
        });
        let watching = watching.into_iter().filter_map(|(tag, text)| Some((tag, text?)));
        self.switch.restore(now, restored.collect(), watching.collect());
        let effects = self.switch.take_effects();
        self.execute(effects);
    }

    /// The same while the edge still works with the table it had.
    pub fn reload_behind_the_edge(&mut self, sip: &str, extensions: &str) {
        let effects = self.switch.reload(at(self.now), settings(sip, extensions));
        self.execute(effects);
    }

    /// Has these names lead to these servers from now on: addresses with ports, with commas between, those over another
    /// transport than UDP as `tcp/192.0.2.1:5060`.
    pub fn names(&mut self, found: &[(&str, &str)]) {
        let mut names = Names::new();
        let config = self.switch.config();
        let of_lines = config.general.accounts().flat_map(|line| line.host_names());
        for host in config.peers.values().flat_map(|peer| peer.host_names()).chain(of_lines) {
            let Some((_, servers)) = found.iter().find(|(name, _)| *name == host.name) else { continue };
            let servers = servers.split(',').map(|text| {
                let (over, address) = text.trim().split_once('/').unwrap_or((host.transport().name(), text.trim()));
                Server::new(Transport::from_name(over).unwrap(), address.parse().unwrap())
            });
            names.set(host, servers.collect());
        }
        self.admission = Arc::new(self.admission.with_names(Arc::new(names)));
        let effects = self.switch.names_changed(at(self.now), self.admission.clone(), BTreeMap::new());
        self.execute(effects);
    }

    /// A world with a perfect network and every line registered.
    pub fn ready(sip: &str, extensions: &str) -> Testbed {
        let mut world = Testbed::new(sip, extensions, Quality::PERFECT, 1);
        world.register_all();
        world
    }

    /// The same over TCP: each phone has one connection.
    pub fn connected(sip: &str, extensions: &str) -> Testbed {
        let mut world = Testbed::new(sip, extensions, Quality::PERFECT, 1);
        for name in ["cisco", "client", "desk", "isp"] {
            world.connects(name, Transport::Tcp);
        }
        world.register_all();
        world
    }

    /// A phone speaks over a connection of its own from now on.
    pub fn connects(&mut self, name: &str, over: Transport) {
        self.connections += 1;
        let id = ConnectionId(self.connections);
        let station = self.stations.get_mut(name).unwrap();
        (station.connection, station.over) = (Some(id), over);
        station.phone.use_transport(over);
    }

    /// Over what the messages went to a phone whose first line begins so.
    pub fn overs(&self, to: &str, start: &str) -> Vec<Transport> {
        let to = self.look(to).config().sip;
        let sent = self.overs.iter().filter(|(at, _, line)| *at == to && line.starts_with(start));
        sent.map(|(_, over, _)| *over).collect()
    }

    /// Cuts a phone's connection; it makes another, which the exchange hears of when it speaks.
    pub fn cut(&mut self, name: &str) {
        let flow = self.flow_from(self.stations[name].source);
        let station = self.stations.get_mut(name).unwrap();
        station.connection = station.connection.map(|id| ConnectionId(id.0 + 100));
        let effects = self.switch.handle(at(self.now), Input::Closed { flow, why: "cut by the story".into() });
        self.execute(effects);
    }

    /// Over what a datagram from there comes.
    fn flow_from(&self, source: SocketAddr) -> Flow {
        let station = self.stations.values().find(|station| station.source == source);
        let Some((connection, transport)) = station.and_then(|it| Some((it.connection?, it.over))) else {
            return Flow::udp(self.exchange, source);
        };
        let local = if transport == Transport::Tls { TLS.parse().unwrap() } else { self.exchange };
        Flow { transport, connection: Some(connection), ..Flow::udp(local, source) }
    }

    /// The same with a network that loses, repeats and reorders.
    pub fn rough(sip: &str, extensions: &str, seed: u64) -> Testbed {
        let mut world = Testbed::new(sip, extensions, Quality::ROUGH, seed);
        world.register_all();
        world
    }

    /// Every recording ends like this.
    pub fn end_recordings(&mut self, end: &strowger::pbx::recording::RecordingEnd) {
        for (_, event) in self.media.end_recordings(|_| true, end) {
            let effects = self.switch.handle(at(self.now), Input::Media(event));
            self.execute(effects);
        }
    }

    /// Something comes in from a thread beside the switch.
    pub fn give(&mut self, input: Input) {
        let effects = self.switch.handle(at(self.now), input);
        self.execute(effects);
    }

    /// The client dials, the server's modem answers, and both know it.
    pub fn connect(&mut self) {
        self.phone("client").dials("88567682");
        self.until(|w| w.is_called("isp"));
        self.phone("isp").answers();
        self.until(|w| w.is_talking("client") && w.is_talking("isp"));
    }

    /// Nobody has a call any more.
    pub fn until_over(&mut self) {
        self.until(|w| w.stations.values().all(|station| !station.phone.has_call()));
    }

    pub fn register_all(&mut self) {
        let names: Vec<String> = self.stations.keys().cloned().collect();
        for name in &names {
            self.phone(name).registers();
        }
        self.until(|world| world.stations.values().all(|station| station.phone.is_registered()));
    }

    pub fn add(&mut self, name: &str, secret: &str, sip: &str, rtp: &str, profile: DeviceProfile) {
        self.add_with_account(name, name, secret, (sip, rtp), profile);
    }

    /// A phone with somebody's account.
    pub fn add_with_account(
        &mut self,
        name: &str,
        account: &str,
        secret: &str,
        (sip, rtp): (&str, &str),
        profile: DeviceProfile,
    ) {
        let config = PhoneConfig {
            user: account.into(),
            secret: secret.into(),
            sip: sip.parse().unwrap(),
            exchange: self.exchange,
            rtp: rtp.parse().unwrap(),
            profile,
            expires: 3600,
        };
        let seed = name.bytes().fold(self.seed, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut phone = Phone::new(config, Rng::from_number(seed));
        phone.behaviour_mut().auto_ring = true;
        let source = sip.parse().unwrap();
        let station = Station { phone, source, connection: None, over: Transport::Tcp, events: Vec::new() };
        self.stations.insert(name.into(), station);
    }

    /// A phone, to be told what to do.
    pub fn phone(&mut self, name: &str) -> Hand<'_> {
        assert!(self.stations.contains_key(name), "no phone {name}");
        Hand { world: self, name: name.into() }
    }

    pub fn look(&self, name: &str) -> &Phone {
        &self.stations[name].phone
    }

    /// What a phone was told of what it watches.
    pub fn watching(&self, name: &str, index: usize) -> &Watching {
        self.look(name).lamps.watching().nth(index).unwrap()
    }

    /// The state that a phone's lamp shows: what stands in `<state>`.
    pub fn lamp(&self, name: &str, index: usize) -> String {
        let body = &self.watching(name, index).body;
        let state = body.split_once("<state>").and_then(|(_, rest)| rest.split_once("</state>"));
        state.map(|(state, _)| state.to_owned()).unwrap_or_default()
    }

    /// How often something happened to a phone.
    pub fn count(&self, name: &str, event: &PhoneEvent) -> usize {
        self.stations[name].events.iter().filter(|(_, seen)| seen == event).count()
    }

    pub fn saw(&self, name: &str, event: &PhoneEvent) -> bool {
        self.count(name, event) > 0
    }

    /// When something happened to a phone last.
    pub fn when(&self, name: &str, event: &PhoneEvent) -> Time {
        let found = self.stations[name].events.iter().rev().find(|(_, seen)| seen == event);
        found.unwrap_or_else(|| panic!("{name} never saw {event:?}: {:?}", self.stations[name].events)).0
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.look(name).is_called()
    }

    pub fn is_talking(&self, name: &str) -> bool {
        self.look(name).is_talking()
    }

    pub fn has_line(&self, words: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(words))
    }

    pub fn status(&self, peer: &str) -> PeerStatus {
        self.switch.peer(peer).unwrap().status
    }

    /// When messages went out from the exchange to a phone or back whose first line and CSeq contain all these words.
    pub fn messages(&self, from: &str, to: &str, words: &[&str]) -> Vec<Time> {
        let place = |name: &str| match name {
            "exchange" => self.exchange,
            name => self.look(name).config().sip,
        };
        let (from, to) = (place(from), place(to));
        let fits = |bytes: &Bytes| words.iter().all(|word| heading(bytes).contains(word));
        self.wire.iter().filter(|(_, f, t, bytes)| *f == from && *t == to && fits(bytes)).map(|(at, ..)| *at).collect()
    }

    /// What was sent to an address at all, as text: the messages whose heading contains all these words.
    pub fn texts(&self, to: &str, words: &[&str]) -> Vec<String> {
        let to = self.look(to).config().sip;
        let fits = |bytes: &Bytes| words.iter().all(|word| heading(bytes).contains(word));
        let sent = self.wire.iter().filter(|(_, _, at, bytes)| *at == to && fits(bytes));
        sent.map(|(.., bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// What an address sent, as text: the messages whose heading contains all these words.
    pub fn sent_by(&self, name: &str, words: &[&str]) -> Vec<String> {
        let from = self.look(name).config().sip;
        let fits = |bytes: &Bytes| words.iter().all(|word| heading(bytes).contains(word));
        let sent = self.wire.iter().filter(|(_, at, _, bytes)| *at == from && fits(bytes));
        sent.map(|(.., bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// What comes to this address goes on to a phone, as if a proxy were there.
    pub fn relay(&mut self, at: &str, name: &str) {
        self.proxies.insert(at.parse().unwrap(), self.look(name).config().sip);
    }

    /// A phone is behind an address translator that sends its datagrams from there from now on, and passes on what comes
    /// there; what comes to where it was before is lost.
    pub fn remap(&mut self, name: &str, outside: &str) {
        let outside: SocketAddr = outside.parse().unwrap();
        let inside = self.look(name).config().sip;
        self.proxies.retain(|_, to| *to != inside);
        self.proxies.insert(outside, inside);
        self.stations.get_mut(name).unwrap().source = outside;
    }

    /// What was sent from an address, as text: the messages whose heading contains all these words.
    pub fn texts_from(&self, from: &str, words: &[&str]) -> Vec<String> {
        let from: SocketAddr = from.parse().unwrap();
        let fits = |bytes: &Bytes| words.iter().all(|word| heading(bytes).contains(word));
        let sent = self.wire.iter().filter(|(_, at, _, bytes)| *at == from && fits(bytes));
        sent.map(|(.., bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// What was sent since so many messages were: how many there are now, and from where to where each went.
    pub fn sent_since(&self, count: usize) -> (usize, Vec<(SocketAddr, SocketAddr, String)>) {
        let new = self.wire.iter().skip(count);
        let new = new.map(|(_, from, to, bytes)| (*from, *to, String::from_utf8_lossy(bytes).into_owned()));
        (self.wire.len(), new.collect())
    }

    /// Sends the exchange a datagram from anywhere.
    pub fn inject_from(&mut self, from: &str, text: &str) {
        let (from, bytes) = (from.parse().unwrap(), Bytes::copy_from_slice(text.as_bytes()));
        self.post(Duration::ZERO, Parcel::Datagram { from, to: self.exchange, bytes });
    }

    /// What was sent to an address where there is no phone, as text.
    pub fn texts_at(&self, to: &str, words: &[&str]) -> Vec<String> {
        let to: SocketAddr = to.parse().unwrap();
        let fits = |bytes: &Bytes| words.iter().all(|word| heading(bytes).contains(word));
        let sent = self.wire.iter().filter(|(_, _, at, bytes)| *at == to && fits(bytes));
        sent.map(|(.., bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// Sends the exchange what a phone did not think of, from its address.
    pub fn inject(&mut self, name: &str, text: &str) {
        let from = self.stations[name].source;
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.post(Duration::ZERO, Parcel::Datagram { from, to: self.exchange, bytes });
    }

    /// The channels in use, by name, oldest first.
    pub fn channels(&self) -> Vec<String> {
        self.switch.channels().map(|report| report.channel.name.clone()).collect()
    }

    /// Loses every message of a phone that begins so.
    pub fn loses(&mut self, name: &str, start: &'static str) {
        self.lost.insert((self.look(name).config().sip, start));
    }

    /// Loses every message to a phone that begins so.
    pub fn loses_to(&mut self, name: &str, start: &'static str) {
        self.lost_to.insert((self.look(name).config().sip, start));
    }

    /// Loses nothing on purpose any more.
    pub fn loses_nothing(&mut self) {
        self.lost.clear();
        self.lost_to.clear();
    }

    /// Forgets what was sent and said until now: a story of thousands of calls would search it all each time.
    pub fn forgets(&mut self) {
        self.wire.clear();
        self.lines.clear();
        self.said.clear();
        self.overs.clear();
        self.kept.clear();
        self.stations.values_mut().for_each(|station| station.events.clear());
    }

    /// The first packet of a phone's sound reaches the exchange, if its address is known there.
    pub fn is_heard(&mut self, name: &str) {
        let source = self.look(name).rtp();
        let from_it = |stream: &crate::media::Stream| stream.remote.and_then(|remote| remote.rtp) == Some(source);
        if let Some((stream, _)) = self.media.streams.iter().find(|(_, stream)| from_it(stream)) {
            let event = MediaEvent::Learned { stream: *stream, source };
            self.post(Duration::ZERO, Parcel::Media(event));
        }
    }

    /// The exchange begins a call of its own.
    pub fn originates(&mut self, request: strowger::dialplan::originate::OriginateRequest) {
        let effects = self.switch.originate(at(self.now), request);
        self.execute(effects);
    }

    /// Something is ordered of channels.
    pub fn orders(&mut self, order: &Order) -> Result<(), NotDone> {
        let (done, effects) = carry_out(&mut self.switch, at(self.now), order);
        self.execute(effects);
        done
    }

    /// The name of the latest channel of a line.
    pub fn channel_of(&self, line: &str) -> String {
        let name = format!("SIP/{line}-");
        self.channels().into_iter().rfind(|channel| channel.starts_with(&name)).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The media thread hears a phone press a key.
    pub fn hears_key(&mut self, name: &str, digit: char) {
        let source = self.look(name).rtp();
        let from_it = |stream: &crate::media::Stream| stream.remote.and_then(|remote| remote.rtp) == Some(source);
        if let Some((stream, _)) = self.media.streams.iter().find(|(_, stream)| from_it(stream)) {
            let event = MediaEvent::Digit { stream: *stream, digit };
            self.post(Duration::ZERO, Parcel::Media(event));
        }
    }

    /// Is the exchange playing something to a phone?
    pub fn is_played_to(&self, name: &str) -> bool {
        let at = self.look(name).rtp();
        let mut to_it = self.media.streams.values().filter(|it| it.remote.and_then(|remote| remote.rtp) == Some(at));
        to_it.any(|stream| matches!(stream.doing, crate::media::Doing::Playing(_)))
    }

    /// Has a phone's INVITEs carry these header lines, too.
    pub fn add_header(&mut self, name: &str, lines: &str) {
        self.add_to(name, "INVITE", lines);
    }

    /// Has a phone's messages that begin so carry these header lines, too.
    pub fn add_to(&mut self, name: &str, start: &'static str, lines: &str) {
        self.extra.insert((self.look(name).config().sip, start), lines.to_owned());
    }

    /// Has a phone's requests outside of dialogs come from another address in From, as when it hides its number.
    pub fn from(&mut self, name: &str, from: &str) {
        self.froms.insert(self.look(name).config().sip, from.to_owned());
    }

    /// Has a phone's messages say another thing of the same length.
    pub fn rewrite(&mut self, name: &str, words: &str, others: &str) {
        assert_eq!(words.len(), others.len());
        let from = self.look(name).config().sip;
        self.rewritten.entry(from).or_default().push((words.to_owned(), others.to_owned()));
    }

    /// Has the header lines of a phone's messages say another thing of any length.
    pub fn rewrite_head(&mut self, name: &str, words: &str, others: &str) {
        let from = self.look(name).config().sip;
        self.rewritten.entry(from).or_default().push((words.to_owned(), others.to_owned()));
    }

    /// Has a phone's descriptions come as one of several parts (RFC 5621), between these: header lines, an empty line,
    /// a body.
    pub fn wraps(&mut self, name: &str, before: &str, behind: &str) {
        self.wrapped.insert(self.look(name).config().sip, (before.to_owned(), behind.to_owned()));
    }

    /// The level of the line with these words, and the line: there must be one such line.
    pub fn line(&self, words: &str) -> (Level, String) {
        let mut found = self.said.iter().filter(|line| line.text.contains(words));
        let line = found.next().unwrap_or_else(|| panic!("no line says '{words}'"));
        assert!(found.next().is_none(), "more than one line says '{words}'");
        (line.level, line.text.clone())
    }

    /// No sound comes from a phone any more, or it comes again.
    pub fn sends_sound(&mut self, name: &str, sends: bool) {
        let rtp = self.look(name).rtp();
        let since = (!sends).then_some(self.now);
        for (after, event) in self.media.set_silent(rtp, since) {
            self.post(after, Parcel::Media(event));
        }
    }

    /// Takes a phone's plug out of the wall.
    pub fn unplug(&mut self, name: &str) {
        self.sends_sound(name, false);
        self.stations.remove(name);
    }

    /// Puts a phone's plug back into the wall: it has forgotten everything but who it is.
    pub fn plug_in(&mut self, config: PhoneConfig) {
        let mut phone = Phone::new(config, Rng::from_number(self.rng.bits()));
        phone.behaviour_mut().auto_ring = true;
        let (name, source) = (phone.config().user.clone(), phone.config().sip);
        self.media.silent.remove(&phone.rtp());
        self.stations
            .insert(name, Station { phone, source, connection: None, over: Transport::Tcp, events: Vec::new() });
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Is the network one that loses nothing, so that times and orders are exact?
    pub fn is_perfect(&self) -> bool {
        self.network.quality.loss == 0
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until something is so, but no longer than a minute and a half.
    pub fn until(&mut self, is_so: impl Fn(&Testbed) -> bool) {
        let end = self.now + Duration::from_secs(90);
        while !is_so(self) {
            assert!(self.step(end), "it did not come to pass within 90 s");
        }
    }

    /// The next thing that happens, unless it lies beyond `end`.
    fn step(&mut self, end: Time) -> bool {
        self.collect();
        let stations = self.stations.values().filter_map(|station| station.phone.next_deadline());
        let parcel = self.parcels.first_key_value().map(|((at, _), _)| *at);
        let next = stations.chain(parcel).chain(self.switch.next_deadline()).min();
        let Some(next) = next.filter(|next| *next <= end) else { return false };
        self.now = self.now.max(next);
        let now = self.now;
        self.steps_at = if self.steps_at.0 == now { (now, self.steps_at.1 + 1) } else { (now, 0) };
        assert!(self.steps_at.1 < MAX_STEPS_AT_ONCE, "an endless loop at {:?}", now.since_start());
        if let Some(entry) = self.parcels.first_entry()
            && entry.key().0 <= now
        {
            let parcel = entry.remove();
            self.deliver(parcel);
        } else {
            for station in self.stations.values_mut() {
                if station.phone.next_deadline().is_some_and(|at| at <= now) {
                    station.phone.tick(now);
                }
            }
            if self.switch.next_deadline().is_some_and(|at| at <= now) {
                let effects = self.switch.handle(at(now), Input::Tick);
                self.execute(effects);
            }
        }
        self.collect();
        true
    }

    fn deliver(&mut self, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::Datagram { from, to, bytes } if to == self.exchange || to == TLS.parse().unwrap() => {
                for (bytes, is_copy) in self.spoil(bytes) {
                    self.knock(from, &bytes, is_copy);
                }
            }
            Parcel::Datagram { from, to, bytes } => {
                let bytes = match &mut self.spoiler {
                    Some(spoiler) => spoiler.itself(&bytes),
                    None => bytes,
                };
                if let Some(providers) = self.providers.get_mut(&to) {
                    for provider in providers {
                        match provider.receive(&bytes, now.since_start()) {
                            Fate::Passed => {}
                            Fate::Answered(response) => return self.send(to, from, response),
                            Fate::Dropped => return,
                        }
                    }
                }
                let to = self.proxies.get(&to).copied().unwrap_or(to);
                let found = self.stations.values_mut().find(|station| station.phone.config().sip == to);
                if let Some(station) = found {
                    station.phone.receive(now, &bytes, from);
                }
            }
            Parcel::Outside(report) => {
                let effects = self.switch.handle(at(now), Input::Outside(report));
                self.execute(effects);
            }
            Parcel::Sounds(reply) => {
                let effects = self.switch.handle(at(now), Input::Sounds(reply));
                self.execute(effects);
            }
            Parcel::Media(event) => {
                if let MediaEvent::Played { stream, play } = event
                    && !self.media.ended(stream, play)
                {
                    // It was cut off before, and reported then.
                    return;
                }
                if let MediaEvent::Silent { stream, lasting } = event
                    && !self.media.reports_silence(now, stream, lasting)
                {
                    // Something came meanwhile, or it was reported before.
                    return;
                }
                let effects = self.switch.handle(at(now), Input::Media(event));
                self.execute(effects);
            }
        }
    }

    /// A datagram as it arrives, with whatever spoilt copies of it arrive as well.
    fn spoil(&mut self, bytes: Bytes) -> Vec<(Bytes, bool)> {
        match &mut self.spoiler {
            Some(spoiler) => spoiler.spoil(bytes),
            None => vec![(bytes, false)],
        }
    }

    /// What the receiver of the exchange's socket does with a datagram. What it answers to a spoilt copy is lost, or no
    /// call of a phone would survive the first 400.
    fn knock(&mut self, source: SocketAddr, bytes: &Bytes, is_copy: bool) {
        let clocks = at(self.now);
        let flow = self.flow_from(source);
        let is_spoilt = self.spoiler.is_some();
        let message = match Message::parse(bytes) {
            Err(_) if is_spoilt => return,
            message => message.expect("phones send what can be read"),
        };
        let input = match message {
            Message::Response(response) => match validate::response(&response) {
                Ok(essentials) => Input::Response { response, essentials, flow },
                Err(_) if is_spoilt => return,
                Err(why) => panic!("a phone sent a bad response ({}): {bytes:?}", why.name()),
            },
            Message::Request(request) => {
                let verdict = match validate::request(&request) {
                    Ok(essentials) => {
                        let random = self.rng.bits();
                        match self.admission.admit(&request, &essentials, flow, clocks, random) {
                            Verdict::Pass { caller } => {
                                self.welcome(&caller, source);
                                let input = Input::Request { request, essentials, caller, flow };
                                let effects = self.switch.handle(at(self.now), input);
                                return self.execute(effects);
                            }
                            verdict => verdict,
                        }
                    }
                    Err(refusal) if is_spoilt => self.admission.reject(&request, &refusal, flow),
                    Err(refusal) => panic!("a phone sent a bad request ({}): {bytes:?}", refusal.detail),
                };
                if let Verdict::Reply { response, to, note } = verdict
                    && !is_copy
                {
                    self.send(self.exchange, to, response.to_bytes());
                    let nearest = |account: &str| self.admission.nearest(account);
                    if let Some(AuthEvent::Refused(denial)) = note {
                        let report = self.refusals.record(&denial, source.ip(), self.now, nearest);
                        self.happened(report.map(Event::from));
                    }
                }
                return;
            }
        };
        let effects = self.switch.handle(at(self.now), input);
        self.execute(effects);
    }

    fn welcome(&mut self, caller: &Caller, source: SocketAddr) {
        if let Caller::Account { peer, proof: Proof::Digest { .. } } = caller {
            let report = self.refusals.admitted(&peer.name, source.ip(), self.now);
            self.happened(report.map(Event::from));
        }
    }

    fn happened(&mut self, events: impl IntoIterator<Item = Event>) {
        for line in events.into_iter().flat_map(|event| sentence::lines(&event)) {
            self.lines.push((self.now, line.text.clone()));
            self.said.push(line);
        }
    }

    /// What a file gives, where a story has files.
    fn file_report(&mut self, order: &OutsideOrder) -> Option<OutsideReport> {
        let OutsideOrder::Run { errand, channel, request: OutsideRequest::File(file) } = order else { return None };
        let files = self.files.as_mut()?;
        let content = files.get(&file.path).cloned();
        if file.action == FileAction::Delete {
            files.remove(&file.path);
        }
        let missing = content.is_none() && !file.writes();
        let value = match file.applied(&content.unwrap_or_default()) {
            _ if missing && !matches!(file.action, FileAction::Stat(_)) => Err("it is not there".to_owned()),
            Applied::Value(text) => Ok(text),
            Applied::Append(text) => {
                files.entry(file.path.clone()).or_default().extend(text.as_bytes());
                Ok(String::new())
            }
            Applied::Content(bytes) => {
                files.insert(file.path.clone(), bytes);
                Ok(String::new())
            }
        };
        Some(OutsideReport { errand: *errand, channel: *channel, reply: OutsideReply::File(value) })
    }

    pub fn execute(&mut self, effects: Effects) {
        for order in effects.sounds {
            let reply = self.sounds.load(order);
            self.post(self.sounds.takes, Parcel::Sounds(reply));
        }
        for command in effects.media {
            if let MediaCommand::Play { stream, sounds, .. } = &command {
                let names: Vec<&str> = sounds.iter().map(|sound| self.sounds.name(sound)).collect();
                self.prompts.push((*stream, names.join("&")));
            }
            for (after, event) in self.media.execute(command) {
                self.post(after, Parcel::Media(event));
            }
        }
        for order in effects.outside {
            match self.file_report(&order) {
                Some(report) => self.post(Duration::from_millis(1), Parcel::Outside(report)),
                // Nobody waits for a file that is read.
                None if self.files.is_some() && !matches!(order, OutsideOrder::Run { .. }) => {}
                None => self.outside.push(order),
            }
        }
        self.let_in[0].extend(effects.proven);
        self.let_in[1].extend(effects.guests);
        let mut refused = Vec::new();
        self.most_sent = self.most_sent.max(effects.transmit.len());
        for transmit in effects.transmit {
            let local = transmit.flow.local;
            let own = if transmit.flow.transport == Transport::Tls { TLS.parse().unwrap() } else { self.exchange };
            assert_eq!(local, own, "the exchange sends from an address that is not its own");
            let to = transmit.flow.remote;
            let open = self.flow_from(to);
            let opens_for = transmit.flow.opens_for;
            if transmit.flow.transport.is_reliable() {
                self.opens.push((heading(&transmit.bytes), opens_for));
            }
            let may_connect = transmit.flow.connection.is_none() && opens_for != OpensFor::Nobody;
            let connects = may_connect && self.listeners.contains(&to);
            let closed =
                transmit.flow.transport.is_reliable() && !connects && open.connection != transmit.flow.connection;
            if closed || self.no_route.contains(&to) {
                let why = if closed { "the connection is closed" } else { "No route to host (os error 113)" };
                refused.push(Input::SendFailed { flow: transmit.flow, why: why.to_owned() });
                continue;
            }
            let line = heading(&transmit.bytes);
            self.overs.push((to, transmit.flow.transport, line));
            self.send(self.exchange, to, transmit.bytes);
        }
        self.kept.extend(effects.store);
        self.happened(effects.events);
        for input in refused {
            let effects = self.switch.handle(at(self.now), input);
            self.execute(effects);
        }
    }

    /// Takes what the phones said and sent.
    fn collect(&mut self) {
        let now = self.now;
        let mut sent = Vec::new();
        for station in self.stations.values_mut() {
            let source = station.source;
            sent.extend(station.phone.take_datagrams().into_iter().map(|(to, bytes)| (source, to, bytes)));
            station.events.extend(station.phone.take_events().into_iter().map(|event| (now, event)));
        }
        for (from, to, bytes) in sent {
            self.send(from, to, bytes);
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, mut bytes: Bytes) {
        let mut extra = self.extra.iter().filter(|((of, start), _)| *of == from && bytes.starts_with(start.as_bytes()));
        if let Some((_, extra)) = extra.next().filter(|(_, extra)| !extra.is_empty()) {
            let text = String::from_utf8_lossy(&bytes).replacen("\r\n", &format!("\r\n{extra}\r\n"), 1);
            bytes = Bytes::from(text);
        }
        if let Some((before, behind)) = self.wrapped.get(&from) {
            bytes = in_parts(bytes, before, behind);
        }
        if let Some(words) = self.rewritten.get(&from) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            bytes = Bytes::from(words.iter().fold(text, |text, (words, others)| text.replace(words, others)));
        }
        if let Some(other) = self.froms.get(&from).filter(|_| !bytes.starts_with(b"SIP/2.0")) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let line = text.lines().find(|line| line.starts_with("From: ")).unwrap_or_default();
            let tag = line.split(";tag=").nth(1).unwrap_or_default();
            bytes = Bytes::from(text.replacen(line, &format!("From: {other};tag={tag}"), 1));
        }
        self.wire.push((self.now, from, to, bytes.clone()));
        let is_lost = |lost: &BTreeSet<(SocketAddr, &'static str)>, end| {
            lost.iter().any(|(of, start)| *of == end && bytes.starts_with(start.as_bytes()))
        };
        if is_lost(&self.lost, from) || is_lost(&self.lost_to, to) {
            return;
        }
        let is_reliable = [from, to].iter().any(|end| self.flow_from(*end).transport.is_reliable());
        if is_reliable {
            self.post(Duration::from_millis(10), Parcel::Datagram { from, to, bytes });
            return;
        }
        for after in self.network.carry() {
            self.post(after, Parcel::Datagram { from, to, bytes: bytes.clone() });
        }
    }

    fn post(&mut self, after: Duration, parcel: Parcel) {
        self.serial += 1;
        self.parcels.insert((self.now + after, self.serial), parcel);
    }

    /// Where a packet that a phone sends now ends up, if anywhere.
    pub fn sound_from(&self, name: &str) -> Option<Sound> {
        let phone = self.look(name);
        let (source, target, payload) = (phone.rtp(), phone.media()?, phone.payload_type()?);
        let owner = |at: SocketAddr| self.stations.iter().find(|(_, station)| station.phone.rtp() == at);
        if let Some((to, station)) = owner(target) {
            // A phone takes only what comes from where it was told to send.
            let expected = station.phone.media() == Some(source);
            return expected.then(|| Sound { to: to.clone(), relayed: false, payload });
        }
        let (from, to, payload) = self.media.forward(source, target, payload)?;
        let (to, station) = owner(to)?;
        (station.phone.media() == Some(from)).then(|| Sound { to: to.clone(), relayed: true, payload })
    }

    /// To whom what a phone sends beside voice goes, if anywhere: always over the exchange, and untouched.
    pub fn extra_from(&self, name: &str, extra: MediaKind) -> Option<String> {
        let phone = self.look(name);
        let (source, target) = (phone.secondary_rtp(extra), phone.secondary_media(extra)?);
        let stream = self.media.streams.values().find(|stream| stream.rtp == target)?;
        assert_eq!(stream.kind == StreamKind::Udptl, extra == MediaKind::Image, "{extra:?} over {:?}", stream.kind);
        for payload in [0, 99, 127] {
            assert_eq!(self.media.forward(source, target, payload).map(|(_, _, as_what)| as_what), Some(payload));
        }
        let (from, to, _) = self.media.forward(source, target, 0)?;
        let (owner, station) = self.stations.iter().find(|(_, station)| station.phone.secondary_rtp(extra) == to)?;
        (station.phone.secondary_media(extra) == Some(from)).then(|| owner.clone())
    }

    /// Both get what the other sends beside voice.
    pub fn assert_shares(&self, a: &str, b: &str, extra: MediaKind) {
        assert_eq!(
            self.extra_from(a, extra).as_deref(),
            Some(b),
            "{a} sends to {:?}",
            self.look(a).secondary_media(extra)
        );
        assert_eq!(
            self.extra_from(b, extra).as_deref(),
            Some(a),
            "{b} sends to {:?}",
            self.look(b).secondary_media(extra)
        );
    }

    /// Both hear each other, over the exchange or past it, each with payload types it knows.
    pub fn assert_connected(&self, a: &str, b: &str, relayed: bool) {
        for (from, to) in [(a, b), (b, a)] {
            let payload = self.look(to).payload_type().unwrap_or_else(|| panic!("{to} agreed to nothing"));
            let expected = Sound { to: to.into(), relayed, payload };
            assert_eq!(self.sound_from(from), Some(expected), "what {from} sends to {:?}", self.look(from).media());
        }
    }

    /// Both hear each other; on a bad network it may take a while, and either way will do.
    pub fn assert_agreed(&mut self, a: &str, b: &str, relayed: bool) {
        if self.is_perfect() {
            self.run(Duration::from_secs(1));
            return self.assert_connected(a, b, relayed);
        }
        self.run(Duration::from_secs(30));
        let relayed = self.sound_from(a).map(|sound| sound.relayed);
        assert!(relayed.is_some(), "{a} is not heard: it sends to {:?}", self.look(a).media());
        self.assert_connected(a, b, relayed == Some(true));
    }

    /// After every timer has run out, nothing is held: not in the switch (bindings and their qualify apart), not by a
    /// phone, not by the media ring.
    pub fn assert_nothing_left(&mut self) {
        self.settles();
        for station in self.stations.values() {
            assert!(station.phone.is_idle(), "{}", station.phone.leftovers());
        }
        assert_eq!(self.switch.leftovers(), Default::default());
        assert!(self.media.streams.is_empty(), "{} streams are not released", self.media.streams.len());
        assert!(self.outside.is_empty(), "nobody took what is to be done outside: {:?}", self.outside);
    }

    /// Lets every timer run out; whether nothing is held then.
    pub fn settles(&mut self) -> bool {
        self.run(Duration::from_secs(40));
        let perfect = self.is_perfect();
        // Qualify may ask just now; on a bad network everything takes longer.
        // A called phone that never let itself be heard may do so for three minutes.
        let fine = if perfect { 20 } else { 0 };
        for step in 0..200 {
            if self.is_clean() {
                break;
            }
            self.run(Duration::from_millis(if step < fine { 50 } else { 1000 }));
        }
        self.is_clean()
    }

    fn is_clean(&self) -> bool {
        self.stations.values().all(|station| station.phone.is_idle())
            && self.switch.leftovers() == Default::default()
            && self.media.streams.is_empty()
    }
}

impl Drop for Testbed {
    /// A story that failed tells what was said until then.
    fn drop(&mut self) {
        if self.silent || !std::thread::panicking() {
            return;
        }
        let mut story: Vec<(Time, String)> = Vec::new();
        for (at, from, to, bytes) in &self.wire {
            let text = String::from_utf8_lossy(bytes);
            let heading = heading(bytes);
            let media: Vec<&str> = text
                .lines()
                .filter(|l| ["c=", "m=", "a=send", "a=recv", "a=inac"].iter().any(|s| l.starts_with(s)))
                .collect();
            story.push((*at, format!("{from} -> {to}  {heading} {}", media.join(" "))));
        }
        story.extend(self.lines.iter().map(|(at, line)| (*at, format!("        {line}"))));
        for (name, station) in &self.stations {
            story.extend(station.events.iter().map(|(at, event)| (*at, format!("    {name}: {event:?}"))));
        }
        story.sort_by_key(|(at, _)| *at);
        eprintln!("seed {}, now {:?}", self.seed, self.now.since_start());
        for (at, line) in story {
            eprintln!("{:10.3} {line}", at.since_start().as_secs_f64());
        }
    }
}

/// A phone and the world around it, so that what it does reaches the others.
pub struct Hand<'w> {
    pub world: &'w mut Testbed,
    name: String,
}

impl Hand<'_> {
    fn act(self, act: impl FnOnce(&mut Phone, Time)) {
        let now = self.world.now;
        let station = self.world.stations.get_mut(&self.name).unwrap();
        act(&mut station.phone, now);
        self.world.collect();
    }

    pub fn registers(self) {
        self.act(|phone, now| phone.register(now));
    }

    pub fn unregisters(self) {
        self.act(|phone, now| phone.unregister(now));
    }

    /// Watches an extension; gives the number by which the world tells of it.
    pub fn watches(self, number: &str, package: &str) -> usize {
        self.watches_as(Watching::new(number, package, 3600))
    }

    /// The same, in its own way; what it watches already it subscribes to again.
    pub fn watches_as(self, watching: Watching) -> usize {
        let mut index = 0;
        self.act(|phone, now| index = strowger::sim::phone::watch(phone, now, watching));
        index
    }

    pub fn dials(self, number: &str) {
        self.act(|phone, now| phone.dial(now, number));
    }

    pub fn answers(self) {
        self.act(|phone, now| phone.answer(now));
    }

    pub fn rings(self) {
        self.act(|phone, now| phone.ring(now));
    }

    pub fn indicates(self, status: u16, described: bool) {
        self.act(|phone, now| phone.indicate(now, status, described));
    }

    pub fn sounds(self) {
        self.act(|phone, now| phone.indicate(now, 183, true));
    }

    pub fn refuses(self, status: u16) {
        self.act(|phone, now| phone.refuse(now, status));
    }

    pub fn hangs_up(self) {
        self.act(|phone, now| phone.hang_up(now));
    }

    /// Sends a request within its call.
    pub fn requests(self, method: strowger::sip::method::Method, fields: &[(&'static str, &str)]) {
        self.act(|phone, now| phone.request(now, method, fields));
    }

    pub fn reoffers(self, change: Change) {
        self.act(|phone, now| phone.renegotiate(now, change));
    }

    pub fn updates(self, change: Option<Change>) {
        self.act(|phone, now| phone.update(now, change));
    }

    pub fn texts(self, number: &str, text: &str) {
        self.act(|phone, now| phone.text(now, Some(number), text));
    }

    pub fn texts_in_call(self, text: &str) {
        self.act(|phone, now| phone.text(now, None, text));
    }

    pub fn presses(self, key: char) {
        self.act(|phone, now| phone.press(now, key));
    }

    /// Presses a key as a telephone event; says whether anybody at the exchange hears it.
    pub fn sends_event(self, key: char) -> bool {
        self.sends_key(key, false)
    }

    /// Presses a key in its sound.
    pub fn sends_tone(self, key: char) -> bool {
        self.sends_key(key, true)
    }

    fn sends_key(self, key: char, in_sound: bool) -> bool {
        let rtp = self.world.look(&self.name).config().rtp;
        let stream = self.world.media.hears_digits_of(rtp, in_sound);
        let heard = stream.map(|stream| MediaEvent::Digit { stream, digit: key });
        let is_heard = heard.is_some();
        if let Some(event) = heard {
            self.world.post(Duration::from_millis(1), Parcel::Media(event));
        }
        is_heard
    }

    /// Gives the phone a habit.
    pub fn habit(self, change: impl FnOnce(&mut strowger::sim::Behaviour)) {
        self.act(|phone, _| change(phone.behaviour_mut()));
    }
}

/// A message whose description stands between two other parts, if it has one.
fn in_parts(bytes: Bytes, before: &str, behind: &str) -> Bytes {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((head, sdp)) = text.split_once("\r\n\r\n").filter(|(_, sdp)| !sdp.is_empty()) else { return bytes };
    let parts = [before, &format!("Content-Type: application/sdp\r\n\r\n{sdp}"), behind];
    let body: String = parts.iter().map(|part| format!("--part\r\n{part}\r\n")).collect::<String>() + "--part--\r\n";
    let head = head.replace("Content-Type: application/sdp", "Content-Type: multipart/mixed;boundary=part");
    let head = head.replace(&format!("Content-Length: {}", sdp.len()), &format!("Content-Length: {}", body.len()));
    Bytes::from(format!("{head}\r\n\r\n{body}"))
}

/// A message's first line and its CSeq.
fn heading(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cseq = text.lines().find(|line| line.to_ascii_lowercase().starts_with("cseq")).unwrap_or_default();
    format!("{} [{cseq}]", text.lines().next().unwrap_or_default())
}

/// A dialplan that begins so may have faults that are said when it is loaded.
pub const WHATEVER_IS_SAID: &str = "; faults and all\n";

/// Read once: there are hundreds of them.
static ZONES: LazyLock<Zones> = LazyLock::new(strowger::config::load::zones);

/// What the switch is told by these files.
/// Behind this line of a story's dialplan stands its features.conf.
pub const AND_FEATURES: &str = "\n;;; features.conf\n";
/// Behind it, res_parking.conf.
pub const AND_PARKING: &str = "\n;;; res_parking.conf\n";

/// The dialplan of this text, which is that of the world before more often than not.
fn plan_of(config: &Config, extensions: &str) -> Arc<Dialplan> {
    thread_local! {
        static LATEST: RefCell<Option<(String, Arc<Dialplan>)>> = const { RefCell::new(None) };
    }
    let known = LATEST.with_borrow(|latest| latest.clone()).filter(|(text, _)| text == extensions);
    if let Some((_, plan)) = known {
        return plan;
    }
    // The zones of the machine, but UTC where none is named.
    let mut zones = (*ZONES).clone();
    zones.set_local(TimeZone::utc());
    let (plan, said) = dialplan::parse_in(&config.extensions, "pbx_config", &Arc::new(zones));
    assert!(said.is_empty() || extensions.starts_with(WHATEVER_IS_SAID), "{said:?}");
    let plan = Arc::new(plan);
    LATEST.set(Some((extensions.to_owned(), plan.clone())));
    plan
}

fn settings(sip: &str, extensions: &str) -> SwitchSettings {
    let (rest, parking) = extensions.split_once(AND_PARKING).unwrap_or((extensions, ""));
    let (extensions, features) = rest.split_once(AND_FEATURES).unwrap_or((rest, ""));
    let files = [
        ("sip.conf", sip),
        ("extensions.conf", extensions),
        ("features.conf", features),
        ("res_parking.conf", parking),
    ];
    let (config, diagnostics) = Config::from_named(&files);
    let config = config.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let plan = plan_of(&config, extensions);
    let general = Arc::new(config.sip.general.clone());
    SwitchSettings {
        general: general.clone(),
        peers: Arc::new(config.sip.peers.clone()),
        dialplan: plan,
        strictness: config.rtp.strictness,
        admission: Arc::new(Admission::new(&config.sip, NonceKey::new([7; 32], 1))),
        listening: Listening {
            tcp: general.streams.tcp.and(EXCHANGE.parse().ok()),
            tls: general.streams.tls.as_ref().and(TLS.parse().ok()),
            ..Listening::udp(own_address(general.bind))
        },
        local_towards: BTreeMap::new(),
        pins: Default::default(),
        indications: Arc::default(),
        music: Arc::default(),
        notify_types: Arc::default(),
        features: Arc::new(config.features.clone()),
        parking: Arc::new(config.parking.clone()),
        recordings: Some("/state/recordings".into()),
        process: Arc::new(BTreeMap::from([("HOME".to_owned(), "/home/ada".to_owned())])),
        product: general.user_agent.clone(),
    }
}

/// Where an exchange receives: where its files say when they name an address of IPv4, so that several can be in one network.
fn own_address(bind: SocketAddr) -> SocketAddr {
    let names_one = bind.is_ipv4() && !bind.ip().is_unspecified() && !bind.ip().is_loopback();
    if names_one { bind } else { EXCHANGE.parse().unwrap() }
}

/// Who may, with nonces of the start of that number.
fn admission(sip: &str, start: u64) -> Arc<Admission> {
    let config = Config::from_texts(sip, "", "", "").0.unwrap();
    Arc::new(Admission::new(&config.sip, NonceKey::new([7; 32], start)))
}

/// The same moment on both clocks.
pub fn at(now: Time) -> Now {
    let ms = i64::try_from(now.since_start().as_millis()).unwrap();
    Now { mono: now, wall: Wall(1_790_000_000_000 + ms) }
}
