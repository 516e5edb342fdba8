//! The location service: which contacts are registered for a peer (RFC 3261 10).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;

use crate::clock::{Now, Time, Wall};
use crate::sip::dialog::first_hop;
use crate::sip::flow::ConnectionId;
use crate::sip::header::Params;
use crate::sip::{Flow, Uri};

/// How long a binding outlives the granted time, so that a refresh may be a little late.
pub const GRACE: Duration = Duration::from_secs(10);

/// Minimum time left to a binding after a restart: its phone may have tried to refresh it in vain while the exchange
/// was down.
pub const RETURN: Duration = Duration::from_secs(120);

/// One registered contact of a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The contact exactly as registered: the Request-URI of requests to it.
    pub contact: Uri,
    /// The Contact's parameters except `expires`: `q`, `+sip.instance` and any others, returned in every response.
    pub params: Params,
    /// The preference among a peer's contacts, in thousandths: 1000 unless `q` says otherwise.
    pub q: u16,
    /// Where the REGISTER came from.
    pub source: SocketAddr,
    /// The flow of requests: from the address of ours that received the REGISTER, to the address in the Contact, or to
    /// the source when `nat=`, `rport` or a host name require it; over the same connection, if any.
    pub flow: Flow,
    /// The time granted.
    pub granted: Duration,
    /// When it ends: the time granted and [`GRACE`].
    pub expires: Time,
    /// The same on the wall clock, for display only.
    pub expires_wall: Wall,
    /// The Call-ID of its latest REGISTER, for the order of requests.
    pub call_id: SmolStr,
    /// The CSeq number of its latest REGISTER.
    pub cseq: u32,
    /// The proxies on the way to it, nearest first, as the REGISTER's Path had them (RFC 3327).
    pub path: Vec<Bytes>,
    /// The phone's `User-Agent`, as sent.
    pub user_agent: Option<SmolStr>,
}

impl Binding {
    /// The time left of the granted time, in whole seconds, at least 1 while the binding exists.
    pub fn seconds_left(&self, now: Time) -> u64 {
        let left = self.expires.since(now).saturating_sub(GRACE);
        let up = u64::from(left.subsec_nanos() > 0);
        left.as_secs().saturating_add(up).max(1)
    }

    /// How long ago its latest REGISTER was, as far as is known.
    pub fn age(&self, now: Time) -> Duration {
        self.granted.saturating_add(GRACE).saturating_sub(self.expires.since(now))
    }

    /// The connection it was registered over is closed. Calls go over a new one to the first proxy of its Path, which
    /// listens; else to the address in its Contact, if that is not the source of the connection. Returns that address,
    /// if any.
    pub fn lose_connection(&mut self) -> Option<SocketAddr> {
        let usual = self.flow.transport.default_port();
        let remote = match first_hop(&self.path) {
            Some(hop) => {
                let uri = hop.sip()?;
                // If its Path names a host, the source is the proxy.
                let ip = uri.address().map_or(self.source.ip(), |address| address.ip().to_canonical());
                SocketAddr::new(ip, uri.port.unwrap_or(usual))
            }
            None => {
                let uri = self.contact.sip()?;
                let contact = SocketAddr::new(uri.host.ip()?.to_canonical(), uri.port.unwrap_or(usual));
                let listens = contact.ip() == self.source.ip() && contact.port() != self.source.port();
                listens.then_some(contact)?
            }
        };
        self.flow = Flow { connection: None, remote, ..self.flow };
        Some(remote)
    }

    /// Starts the granted time at `now`.
    pub fn renew(&mut self, now: Now) {
        let span = self.granted.saturating_add(GRACE);
        self.expires = now.mono + span;
        let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.expires_wall = Wall(now.wall.0.saturating_add(ms));
    }
}

/// A peer's contacts in the order they are to be tried: by `q`, and of the same `q` the newest first (RFC 3261
/// 10.2.1.2).
pub fn preferred(bindings: &[Binding]) -> Vec<&Binding> {
    let mut order: Vec<&Binding> = bindings.iter().rev().collect();
    order.sort_by_key(|binding| std::cmp::Reverse(binding.q));
    order
}

/// A binding from a time before a restart.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// The peer.
    pub peer: String,
    /// The stored binding; its times are those of another run.
    pub binding: Binding,
    /// What was left of its time, [`GRACE`] included; `None` when no reliable clock can tell.
    pub left: Option<Duration>,
}

/// The registered contacts of all peers. Bounded by the peers of the configuration, each with its `max_contacts`.
#[derive(Debug, Clone, Default)]
pub struct Location {
    /// A peer's contacts, the newest last; never an empty list.
    peers: BTreeMap<SmolStr, Vec<Binding>>,
    /// For each peer that has any, when its first binding ends.
    deadlines: BTreeSet<(Time, SmolStr)>,
    /// The peers with contacts registered over a connection.
    connected: BTreeSet<(ConnectionId, SmolStr)>,
    /// The peers whose contacts changed since they were last taken to be stored.
    changed: BTreeSet<SmolStr>,
}

impl Location {
    /// A table without registrations.
    pub fn new() -> Location {
        Location::default()
    }

    /// A peer's contacts, the one registered last at the end; empty when it is not registered.
    pub fn bindings(&self, peer: &str) -> &[Binding] {
        self.peers.get(peer).map_or(&[], Vec::as_slice)
    }

    /// The contact a peer registered last.
    pub fn newest(&self, peer: &str) -> Option<&Binding> {
        self.bindings(peer).last()
    }

    /// All registered peers with their contacts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Binding])> {
        self.peers.iter().map(|(peer, bindings)| (peer.as_str(), bindings.as_slice()))
    }

    /// How many peers are registered.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no peer is registered.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Sets a peer's contacts, the newest last; an empty list unregisters it. The caller enforces `max_contacts`.
    pub fn set(&mut self, peer: &str, mut bindings: Vec<Binding>) {
        if bindings.is_empty() {
            self.unregister(peer);
            return;
        }
        // A list that grew has capacity for four, and nearly every peer has one contact.
        bindings.shrink_to_fit();
        let name = SmolStr::new(peer);
        if let Some(old) = self.peers.get(peer) {
            leave(&mut self.deadlines, &mut self.connected, &name, old);
        }
        self.deadlines.extend(first(&bindings).map(|first| (first, name.clone())));
        let connections = bindings.iter().filter_map(|binding| binding.flow.connection);
        self.connected.extend(connections.map(|connection| (connection, name.clone())));
        self.changed.insert(name.clone());
        self.peers.insert(name, bindings);
    }

    /// Restores a binding from before a restart. Its time continues if a clock that cannot jump tells what was left
    /// (but see [`RETURN`]); otherwise it gets its whole time again: the wall clock may have jumped or be in 1970, and
    /// a phone that is still there refreshes within that time.
    pub fn restore(&mut self, peer: &str, mut binding: Binding, left: Option<Duration>, now: Now) {
        binding.renew(now);
        if binding.flow.transport.is_reliable() {
            binding.lose_connection();
        }
        if let Some(left) = left {
            let whole = binding.expires.since(now.mono);
            let lost = whole.saturating_sub(left.max(RETURN));
            binding.expires = now.mono + whole.saturating_sub(lost);
            let ms = i64::try_from(lost.as_millis()).unwrap_or(i64::MAX);
            binding.expires_wall = Wall(binding.expires_wall.0.saturating_sub(ms));
        }
        let mut bindings = self.bindings(peer).to_vec();
        bindings.push(binding);
        self.set(peer, bindings);
    }

    /// The peers whose contacts changed since the last call, for any reason: they are to be stored as they are now.
    pub fn take_changed(&mut self) -> BTreeSet<SmolStr> {
        std::mem::take(&mut self.changed)
    }

    /// Removes a peer's contacts, and returns them.
    pub fn unregister(&mut self, peer: &str) -> Vec<Binding> {
        let Some((name, bindings)) = self.peers.remove_entry(peer) else { return Vec::new() };
        leave(&mut self.deadlines, &mut self.connected, &name, &bindings);
        self.changed.insert(name);
        bindings
    }

    /// A connection is closed: returns the peers registered over it, each with the address of its calls from now on, if
    /// any.
    pub fn lose_connection(&mut self, connection: ConnectionId) -> Vec<(String, Option<SocketAddr>)> {
        let none = SmolStr::default;
        let range = (connection, none())..(ConnectionId(connection.0.saturating_add(1)), none());
        let peers: Vec<SmolStr> = self.connected.range(range).map(|(_, peer)| peer.clone()).collect();
        peers
            .into_iter()
            .map(|peer| {
                let mut bindings = self.bindings(&peer).to_vec();
                let lost = bindings.iter_mut().filter(|binding| binding.flow.connection == Some(connection));
                let called_at = lost.fold(None, |at, binding| binding.lose_connection().or(at));
                self.set(&peer, bindings);
                (peer.into(), called_at)
            })
            .collect()
    }

    /// Our address outside of a NAT changed: peers are told the new one from now on, not with their next REGISTER only.
    pub fn readvertise(&mut self, advertised: impl Fn(Flow) -> SocketAddr) {
        for binding in self.peers.values_mut().flatten() {
            binding.flow.advertised = advertised(binding.flow);
        }
    }

    /// Keeps only the peers that `stays` selects, at a reload, and returns the contacts of the others.
    pub fn retain(&mut self, stays: impl Fn(&str) -> bool) -> Vec<(String, Binding)> {
        let gone: Vec<SmolStr> = self.peers.keys().filter(|peer| !stays(peer)).cloned().collect();
        gone.into_iter()
            .flat_map(|peer| {
                let bindings = self.unregister(&peer);
                bindings.into_iter().map(move |binding| (peer.to_string(), binding))
            })
            .collect()
    }

    /// When `expire` has something to do.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Removes every binding whose time is over.
    pub fn expire(&mut self, now: Time) -> Vec<(String, Binding)> {
        let mut over = Vec::new();
        while let Some((_, peer)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            let peer = peer.clone();
            let (gone, left) = self.unregister(&peer).into_iter().partition(|binding| binding.expires <= now);
            let gone: Vec<Binding> = gone;
            self.set(&peer, left);
            over.extend(gone.into_iter().map(|binding| (peer.to_string(), binding)));
        }
        over
    }
}

/// When the first of these bindings ends.
fn first(bindings: &[Binding]) -> Option<Time> {
    bindings.iter().map(|binding| binding.expires).min()
}

/// Removes the index entries of a peer's bindings.
fn leave(
    deadlines: &mut BTreeSet<(Time, SmolStr)>,
    connected: &mut BTreeSet<(ConnectionId, SmolStr)>,
    name: &SmolStr,
    bindings: &[Binding],
) {
    if let Some(first) = first(bindings) {
        deadlines.remove(&(first, name.clone()));
    }
    for connection in bindings.iter().filter_map(|binding| binding.flow.connection) {
        connected.remove(&(connection, name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now { mono: Time::from_start(Duration::from_secs(seconds)), wall: Wall(1_795_000_000_000) }
    }

    fn binding(user: &str, seconds: u64, now: Now) -> Binding {
        let address: SocketAddr = "192.168.1.20:5060".parse().unwrap();
        let mut binding = Binding {
            contact: Uri::parse(format!("sip:{user}@192.168.1.20:5060").as_bytes()).unwrap(),
            params: Params::default(),
            q: 1000,
            source: address,
            flow: Flow::udp("192.168.1.2:5060".parse().unwrap(), address),
            granted: Duration::from_secs(seconds),
            expires: Time::ZERO,
            expires_wall: Wall(0),
            call_id: "c".into(),
            cseq: 1,
            path: Vec::new(),
            user_agent: None,
        };
        binding.renew(now);
        binding
    }

    #[test]
    fn a_binding_lives_ten_seconds_longer_than_granted_and_tells_what_was_granted() {
        let mut location = Location::new();
        location.set("a", vec![binding("a", 60, at(0))]);
        assert_eq!(location.next_deadline(), Some(at(70).mono));
        assert_eq!(location.newest("a").map(|b| b.seconds_left(at(0).mono)), Some(60));
        assert_eq!(location.newest("a").map(|b| b.seconds_left(at(59).mono + Duration::from_millis(1))), Some(1));
        assert_eq!(location.newest("a").map(|b| b.seconds_left(at(69).mono)), Some(1));
        assert!(location.expire(at(69).mono).is_empty());
        let over = location.expire(at(70).mono);
        assert_eq!(over.iter().map(|(peer, _)| peer.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(location.is_empty() && location.next_deadline().is_none() && location.bindings("a").is_empty());
    }

    #[test]
    fn each_binding_ends_in_its_own_time() {
        let mut location = Location::new();
        location.set("a", vec![binding("one", 60, at(0)), binding("two", 120, at(0))]);
        location.set("b", vec![binding("b", 90, at(0))]);
        let ends = |location: &mut Location, now| {
            let over = location.expire(at(now).mono);
            over.iter().map(|(_, binding)| binding.contact.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ends(&mut location, 70), ["sip:one@192.168.1.20:5060"]);
        assert_eq!(location.next_deadline(), Some(at(100).mono));
        assert_eq!(ends(&mut location, 200), ["sip:b@192.168.1.20:5060", "sip:two@192.168.1.20:5060"]);
        assert!(location.deadlines.is_empty());
    }

    #[test]
    fn a_refresh_moves_the_deadline() {
        let mut location = Location::new();
        location.set("a", vec![binding("a", 60, at(0))]);
        location.set("a", vec![binding("a", 60, at(50))]);
        assert_eq!((location.next_deadline(), location.deadlines.len()), (Some(at(120).mono), 1));
        location.set("a", Vec::new());
        assert!(location.is_empty() && location.deadlines.is_empty());
    }

    #[test]
    fn a_closed_connection_leaves_the_contact_where_the_phone_listens_or_nothing() {
        let mut location = Location::new();
        let over = |port: u16, id: u64| {
            let mut binding = binding("a", 60, at(0));
            binding.source.set_port(port);
            let flow = Flow { remote: binding.source, connection: Some(ConnectionId(id)), ..binding.flow };
            binding.flow = Flow { transport: crate::sip::flow::Transport::Tcp, ..flow };
            binding
        };
        location.set("listens", vec![over(40_000, 7)]);
        location.set("same", vec![over(5060, 7)]);
        location.set("other", vec![over(40_001, 8)]);
        assert_eq!(
            location.lose_connection(ConnectionId(7)),
            [("listens".to_owned(), "192.168.1.20:5060".parse().ok()), ("same".to_owned(), None)]
        );
        let flow = location.bindings("listens")[0].flow;
        assert_eq!((flow.remote.port(), flow.connection), (5060, None));
        assert_eq!(location.bindings("same")[0].flow.connection, Some(ConnectionId(7)), "nothing else leads there");
        assert_eq!(location.bindings("other")[0].flow.remote.port(), 40_001);
        assert!(location.lose_connection(ConnectionId(9)).is_empty());
        for peer in ["listens", "same", "other"] {
            location.unregister(peer);
        }
        assert!(location.connected.is_empty());
    }

    /// A proxy listens at the address in its Path; at its source port or the default one when the Path has a host name.
    #[test]
    fn a_closed_connection_of_a_proxy_leaves_the_proxy() {
        use crate::sip::flow::Transport;
        for (path, transport, place) in [
            ("<sip:192.168.1.5:5070;lr>", Transport::Tcp, "192.168.1.5:5070"),
            ("<sip:192.168.1.5;transport=tls;lr>", Transport::Tls, "192.168.1.5:5061"),
            ("<sip:192.168.1.5;lr>", Transport::Tls, "192.168.1.5:5061"),
            ("<sip:proxy.example;lr>", Transport::Tcp, "192.168.1.20:5060"),
            ("<sip:proxy.example:5080;lr>", Transport::Tcp, "192.168.1.20:5080"),
        ] {
            let mut binding = binding("a", 60, at(0));
            binding.flow = Flow { transport, connection: Some(ConnectionId(7)), ..binding.flow };
            binding.path = vec![Bytes::from(path), Bytes::from_static(b"<sip:192.168.1.9;lr>")];
            assert_eq!(binding.lose_connection(), place.parse().ok(), "{path}");
            assert_eq!((binding.flow.remote, binding.flow.connection), (place.parse().unwrap(), None));
        }
    }

    #[test]
    fn a_reload_forgets_who_is_no_longer_configured() {
        let mut location = Location::new();
        for peer in ["a", "b", "c"] {
            location.set(peer, vec![binding(peer, 60, at(0))]);
        }
        let gone = location.retain(|peer| peer == "b");
        assert_eq!(gone.iter().map(|(peer, _)| peer.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(location.iter().map(|(peer, _)| peer).collect::<Vec<_>>(), ["b"]);
        assert_eq!((location.len(), location.deadlines.len()), (1, 1));
    }

    fn restored(granted: u64, left: Option<Duration>, wall: Wall) -> (u64, i64) {
        let stored = binding("a", granted, Now { mono: at(9999).mono, wall: Wall(0) });
        let now = Now { wall, ..at(5) };
        let mut location = Location::new();
        location.restore("a", stored, left, now);
        let binding = location.newest("a").unwrap();
        assert_eq!(location.next_deadline(), Some(binding.expires));
        (binding.seconds_left(now.mono), binding.expires_wall.0.saturating_sub(wall.0))
    }

    #[test]
    fn what_no_clock_can_time_gets_its_whole_time_whatever_the_wall_clock_says() {
        for wall in [Wall(1_795_000_000_000), Wall(0), Wall(5_000), Wall(-1), Wall(1_795_003_600_000), Wall(i64::MIN)] {
            assert_eq!(restored(3600, None, wall), (3600, 3_610_000), "{wall:?}");
        }
        assert_eq!(restored(3600, None, Wall(i64::MAX)).0, 3600);
    }

    #[test]
    fn a_clock_that_cannot_jump_goes_on_over_a_restart() {
        let left = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(restored(3600, left(1810), Wall(0)), (1800, 1_810_000));
        assert_eq!(restored(3600, left(9999), Wall(0)).0, 3600, "never more than was granted");
        assert_eq!(restored(3600, left(0), Wall(0)).0, 110, "it ended while nobody could refresh it");
        assert_eq!(restored(60, left(0), Wall(0)).0, 60, "and never more than was granted");
    }

    #[test]
    fn every_way_a_contact_changes_is_noticed_once() {
        let mut location = Location::new();
        let taken = |location: &mut Location| location.take_changed().into_iter().collect::<Vec<_>>();
        location.set("a", vec![binding("a", 60, at(0))]);
        location.set("b", vec![binding("b", 60, at(0))]);
        location.restore("c", binding("c", 90, at(0)), None, at(0));
        assert_eq!(taken(&mut location), ["a", "b", "c"]);
        assert!(taken(&mut location).is_empty());
        location.unregister("nobody");
        assert!(taken(&mut location).is_empty());
        location.retain(|peer| peer != "b");
        location.expire(at(70).mono);
        assert_eq!(taken(&mut location), ["a", "b"]);
        location.unregister("c");
        assert_eq!(taken(&mut location), ["c"]);
    }
}
