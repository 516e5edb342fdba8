//! The location service: which contacts are registered for a peer (RFC 3261 10).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::clock::{Now, Time, Wall};
use crate::sip::Uri;
use crate::sip::header::Params;

/// How long a binding outlives what was granted: a refresh that is a little late finds it still there.
pub const GRACE: Duration = Duration::from_secs(10);

/// One registered contact of a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The contact exactly as registered: the Request-URI of requests to it.
    pub contact: Uri,
    /// The Contact's parameters but `expires`: `q`, `+sip.instance` and whatever else, given back in every answer.
    pub params: Params,
    /// The preference among a peer's contacts, in thousandths: 1000 unless `q` says otherwise.
    pub q: u16,
    /// Where the REGISTER came from.
    pub source: SocketAddr,
    /// Where requests go: what the Contact says, or the source when `nat=`, `rport` or a host name ask for it.
    pub target: SocketAddr,
    /// Our own address the REGISTER came to: requests leave from there.
    pub local: SocketAddr,
    /// The time granted.
    pub granted: Duration,
    /// When it ends: the time granted and [`GRACE`].
    pub expires: Time,
    /// The same on the wall clock, for people; nothing is decided by it.
    pub expires_wall: Wall,
    /// The Call-ID of its latest REGISTER, for the order of requests.
    pub call_id: String,
    /// The CSeq number of its latest REGISTER.
    pub cseq: u32,
    /// The phone's `User-Agent`, as sent.
    pub user_agent: Option<String>,
}

impl Binding {
    /// The time left of what was granted, in whole seconds, at least 1 while the binding lives.
    pub fn seconds_left(&self, now: Time) -> u64 {
        let left = self.expires.since(now).saturating_sub(GRACE);
        let up = u64::from(left.subsec_nanos() > 0);
        left.as_secs().saturating_add(up).max(1)
    }

    /// Begins the time granted at `now`.
    pub fn renew(&mut self, now: Now) {
        let span = self.granted.saturating_add(GRACE);
        self.expires = now.mono + span;
        let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.expires_wall = Wall(now.wall.0.saturating_add(ms));
    }
}

/// The registered contacts of all peers. Bounded by the peers of the configuration, each with its `max_contacts`.
#[derive(Debug, Clone, Default)]
pub struct Location {
    /// A peer's contacts, the newest last; never an empty list.
    peers: BTreeMap<String, Vec<Binding>>,
    /// For each peer that has any, when its first binding ends.
    deadlines: BTreeSet<(Time, String)>,
}

impl Location {
    /// Nobody is registered.
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

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Makes these a peer's contacts, the newest last; an empty list unregisters it. The caller keeps to `max_contacts`.
    pub fn set(&mut self, peer: &str, bindings: Vec<Binding>) {
        self.unregister(peer);
        if let Some(first) = bindings.iter().map(|binding| binding.expires).min() {
            self.deadlines.insert((first, peer.to_owned()));
            self.peers.insert(peer.to_owned(), bindings);
        }
    }

    /// Takes a binding back from a time before a restart. It gets its whole time again from now: the wall clock may have
    /// jumped in between, and a phone that is still there refreshes within that time (`decisions.md` 8).
    pub fn restore(&mut self, peer: &str, mut binding: Binding, now: Now) {
        binding.renew(now);
        let mut bindings = self.bindings(peer).to_vec();
        bindings.push(binding);
        self.set(peer, bindings);
    }

    /// Forgets a peer's contacts, and gives them back.
    pub fn unregister(&mut self, peer: &str) -> Vec<Binding> {
        let bindings = self.peers.remove(peer).unwrap_or_default();
        if let Some(first) = bindings.iter().map(|binding| binding.expires).min() {
            self.deadlines.remove(&(first, peer.to_owned()));
        }
        bindings
    }

    /// Forgets the peers that `stays` does not name, at a reload, and gives their contacts back.
    pub fn retain(&mut self, stays: impl Fn(&str) -> bool) -> Vec<(String, Binding)> {
        let gone: Vec<String> = self.peers.keys().filter(|peer| !stays(peer)).cloned().collect();
        gone.into_iter()
            .flat_map(|peer| {
                let bindings = self.unregister(&peer);
                bindings.into_iter().map(move |binding| (peer.clone(), binding))
            })
            .collect()
    }

    /// When `expire` has something to do.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes out every binding whose time is over.
    pub fn expire(&mut self, now: Time) -> Vec<(String, Binding)> {
        let mut over = Vec::new();
        while let Some((_, peer)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            let peer = peer.clone();
            let (gone, left) = self.unregister(&peer).into_iter().partition(|binding| binding.expires <= now);
            let gone: Vec<Binding> = gone;
            self.set(&peer, left);
            over.extend(gone.into_iter().map(|binding| (peer.clone(), binding)));
        }
        over
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
            target: address,
            local: "192.168.1.2:5060".parse().unwrap(),
            granted: Duration::from_secs(seconds),
            expires: Time::ZERO,
            expires_wall: Wall(0),
            call_id: "c".into(),
            cseq: 1,
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

    #[test]
    fn what_is_restored_gets_its_whole_time_whatever_the_wall_clock_says() {
        let stored = binding("a", 3600, Now { mono: at(9999).mono, wall: Wall(0) });
        let mut location = Location::new();
        location.restore("a", stored, at(5));
        assert_eq!(location.newest("a").map(|b| b.seconds_left(at(5).mono)), Some(3600));
        assert_eq!(location.newest("a").map(|b| b.expires_wall), Some(Wall(1_795_000_000_000 + 3_610_000)));
    }
}
