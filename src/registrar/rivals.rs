//! Telephones that take one account from each other: each registers, and so displaces the other, for ever.
//!
//! One telephone alone looks like that, too, when its address changes. Two are certain when a contact that was displaced comes
//! back before its own time was over: a telephone that moved on does not go back to what it was, unless it is the same as
//! what displaced it.

use super::location::Binding;
use crate::clock::Time;
use crate::event::LineEvent;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// After so long it is reported again.
const AGAIN: Duration = Duration::from_secs(3600);
/// Maximum number of displaced contacts remembered of a peer; the oldest is forgotten first.
const MAX_DISPLACED: usize = 4;

/// Two telephones of one account, as they were seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rivalry {
    /// Where the one is that is registered now.
    pub registered: SocketAddr,
    /// Where the one is that it displaced.
    pub displaced: SocketAddr,
    /// How often one took the account back from the other.
    pub times: u64,
    /// When it did so last.
    pub last: Time,
    reported: Time,
    reported_times: u64,
}

impl Rivalry {
    /// It happened within the last hour.
    pub fn is_recent(&self, now: Time) -> bool {
        now.since(self.last) < AGAIN
    }
}

/// What is known of each peer. Bounded by the number of peers: only configured ones can register.
#[derive(Debug, Clone, Default)]
pub struct Rivals(BTreeMap<String, Known>);

#[derive(Debug, Clone, Default)]
struct Known {
    displaced: Vec<Binding>,
    rivalry: Option<Rivalry>,
}

impl Rivals {
    /// A REGISTER brought `new` into the place of what was registered before (`old`: those of another Call-ID are enough). Says
    /// what to report, if anything.
    pub fn registered(
        &mut self,
        peer: &str,
        old: &[Binding],
        now_bound: &[Binding],
        new: &Binding,
        now: Time,
    ) -> Option<LineEvent> {
        let stays = |one: &Binding| now_bound.iter().any(|bound| is_one_device(one, bound));
        let displaced: Vec<&Binding> = old.iter().filter(|one| !stays(one)).collect();
        if displaced.is_empty() && !self.0.contains_key(peer) {
            return None;
        }
        let known = self.0.entry(peer.to_owned()).or_default();
        known.displaced.retain(|one| one.expires > now);
        let other = displaced.first().copied();
        let is_back = other.is_some_and(|other| known.displaced.iter().any(|one| is_back(one, new, other)));
        known.displaced.retain(|one| !is_one_device(one, new));
        known.displaced.extend(displaced.iter().map(|one| (*one).clone()));
        let spare = known.displaced.len().saturating_sub(MAX_DISPLACED);
        known.displaced.drain(..spare);
        known.note(peer, new, other.filter(|_| is_back)?, now)
    }

    /// The two that took a peer's account from each other, when there ever were two.
    pub fn of(&self, peer: &str) -> Option<Rivalry> {
        self.0.get(peer)?.rivalry
    }

    /// Keeps only the peers that `stays` selects.
    pub fn retain(&mut self, stays: impl Fn(&str) -> bool) {
        self.0.retain(|peer, _| stays(peer));
    }
}

impl Known {
    fn note(&mut self, peer: &str, added: &Binding, other: &Binding, now: Time) -> Option<LineEvent> {
        let (registered, displaced) = (added.source, other.source);
        let before = self.rivalry;
        let times = before.map_or(1, |before| before.times.saturating_add(1));
        let is_due = before.is_none_or(|before| now.since(before.reported) >= AGAIN);
        let (reported, reported_times) = match before {
            Some(before) if !is_due => (before.reported, before.reported_times),
            Some(_) | None => (now, times),
        };
        self.rivalry = Some(Rivalry { registered, displaced, times, last: now, reported, reported_times });
        let agent = |one: &Binding| one.user_agent.as_deref().unwrap_or_default().into();
        is_due.then(|| LineEvent::Contested {
            line: peer.to_owned(),
            registered: (registered, agent(added)),
            displaced: (displaced, agent(other)),
            repeated: before.map(|before| times.saturating_sub(before.reported_times)),
        })
    }
}

/// Are they of one device? By its Call-ID, which stays the same until it is started again (RFC 3261 10.2.4), by its instance
/// (RFC 5626 4.1), or by its contact at the same source, which only another port of a NAT tells apart.
fn is_one_device(a: &Binding, b: &Binding) -> bool {
    let instance = |one: &Binding| one.params.get("+sip.instance").map(str::to_owned);
    if let (Some(a), Some(b)) = (instance(a), instance(b)) {
        return a == b;
    }
    a.call_id == b.call_id || (a.contact.equivalent(&b.contact) && a.source.ip() == b.source.ip())
}

/// Is a displaced device back, in the place of `other`? Its Call-ID or instance proves it. A device that takes a new Call-ID for
/// each registration may have changed between two addresses of its own (a softphone that leaves the house and returns):
/// then only a device of another kind in between is certainly another.
fn is_back(displaced: &Binding, new: &Binding, other: &Binding) -> bool {
    let is_certain = displaced.call_id == new.call_id || displaced.params.get("+sip.instance").is_some();
    is_one_device(displaced, new) && (is_certain || other.user_agent != new.user_agent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::sip::header::Params;
    use crate::sip::{Flow, Uri};
    use std::collections::BTreeSet;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    /// A telephone: contact, source, Call-ID, User-Agent.
    type Device<'a> = (&'a str, &'a str, &'a str, &'a str);

    const A: Device<'static> = ("sip:x@192.168.1.20", "203.0.113.1:5060", "a", "Cisco");
    const B: Device<'static> = ("sip:x@192.168.1.30", "203.0.113.2:5060", "b", "Cisco");

    fn binding((contact, source, call_id, agent): Device<'_>, now: u64) -> Binding {
        let source = source.parse().unwrap();
        Binding {
            contact: Uri::parse(contact.as_bytes()).unwrap(),
            params: Params::default(),
            q: 1000,
            source,
            flow: Flow::udp("192.0.2.1:5060".parse().unwrap(), source),
            granted: Duration::from_secs(3600),
            expires: at(now + 3600),
            expires_wall: Wall(0),
            call_id: call_id.into(),
            cseq: 1,
            path: Vec::new(),
            user_agent: Some(agent.into()),
        }
    }

    /// The numbers of the REGISTERs that are reported, of one peer with one contact.
    fn reports(devices: &[Device<'_>], every: u64) -> Vec<usize> {
        let (mut rivals, mut bound) = (Rivals::default(), Vec::new());
        let mut reports = BTreeSet::new();
        for (number, device) in devices.iter().enumerate() {
            let now = number as u64 * every;
            let new = vec![binding(*device, now)];
            if rivals.registered("x", &bound, &new, &new[0], at(now)).is_some() {
                reports.insert(number);
            }
            bound = new;
        }
        reports.into_iter().collect()
    }

    #[test]
    fn two_that_take_turns_are_reported_at_the_first_return_and_once_an_hour() {
        assert_eq!(reports(&[A, B, A, B, A, B], 60), [2]);
        assert_eq!(reports(&[A, B, A, B, A, B, A], 900), [2, 6], "an hour later again");
        // At the same private address behind two routers.
        let far = (A.0, "203.0.113.2:5060", "b", "Cisco");
        assert_eq!(reports(&[A, far, A], 60), [2]);
        // Behind one router.
        let near = (B.0, "203.0.113.1:1024", "b", "Cisco");
        assert_eq!(reports(&[A, near, A], 60), [2]);
        // One was started again in between: the other gives them away.
        assert_eq!(reports(&[A, B, (A.0, A.1, "a2", A.3), B], 60), [3]);
    }

    #[test]
    fn one_that_moves_is_none() {
        let port = |port: u16, id| -> (String, String) { (format!("203.0.113.1:{port}"), format!("{id}")) };
        for fresh in [false, true] {
            // Another port of its NAT each time, and back again.
            let sources: Vec<(String, String)> =
                [1024, 1025, 1024, 1025].iter().enumerate().map(|(n, p)| port(*p, if fresh { n } else { 0 })).collect();
            let moves: Vec<Device<'_>> =
                sources.iter().map(|(source, id)| (A.0, source.as_str(), id.as_str(), A.3)).collect();
            assert_eq!(reports(&moves, 60), [0; 0], "fresh Call-IDs: {fresh}");
            // From one network to the other and back: another contact and another source.
            let ids = if fresh { ["1", "2", "3", "4"] } else { ["1"; 4] };
            let moves: Vec<Device<'_>> = [A, B, A, B].iter().zip(ids).map(|(d, id)| (d.0, d.1, id, d.3)).collect();
            assert_eq!(reports(&moves, 60), [0; 0], "fresh Call-IDs: {fresh}");
        }
        // Replaced for good, or long after the other's time was over.
        assert_eq!(reports(&[A, B, B, B], 60), [0; 0]);
        assert_eq!(reports(&[A, B, A], 3601), [0; 0]);
        // It tells its instance, whatever else changes.
        let (mut rivals, mut bound) = (Rivals::default(), Vec::new());
        for (number, device) in [A, B, A, B].into_iter().enumerate() {
            let mut new = binding(device, number as u64);
            new.params.set("+sip.instance", Some("<urn:uuid:1>"));
            assert_eq!(rivals.registered("x", &bound, &[new.clone()], &new, at(number as u64)), None);
            bound = vec![new];
        }
    }

    #[test]
    fn two_kinds_that_change_their_call_id_each_time_are_two() {
        let fresh: Vec<Device<'_>> = [A, B, A]
            .iter()
            .zip(["1", "2", "3"])
            .map(|(d, id)| (d.0, d.1, id, if d.0 == A.0 { "Cisco" } else { "Snom" }))
            .collect();
        assert_eq!(reports(&fresh, 60), [2]);
    }

    #[test]
    fn who_has_room_beside_the_other_displaces_nobody() {
        let mut rivals = Rivals::default();
        let (a, b) = (binding(A, 0), binding(B, 0));
        for _ in 0..4 {
            for new in [&a, &b] {
                assert_eq!(rivals.registered("x", &[a.clone(), b.clone()], &[a.clone(), b.clone()], new, at(1)), None);
            }
        }
    }
}
