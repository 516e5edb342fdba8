//! What the console orders of lines, and the legs as it lists them.

use super::Switch;
use crate::clock::Now;
use crate::pbx::channel::Channel;
use crate::pbx::effect::Effects;
use crate::pbx::leg::{Leg, LegId};
use crate::registrar::last_seen::DepartureCause;
use std::collections::BTreeMap;

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

/// What came of forgetting where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unregistered {
    /// It was registered, and is no more.
    Done,
    /// It was not registered.
    NotRegistered,
    /// There is no such peer.
    Unknown,
}

/// A leg as it stands.
pub struct LegReport<'a> {
    /// The leg.
    pub leg: &'a Leg,
    /// The channel it carries; it may be gone already.
    pub channel: Option<&'a Channel>,
    /// The Call-ID of its dialog; a called line has none before its first response.
    pub call_id: Option<&'a str>,
}

impl Switch {
    /// Begins a round of OPTIONS to a peer at once; what it finds is logged if it changes the peer's status.
    pub fn qualify_now(&mut self, now: Now, name: &str) -> (QualifyNow, Effects) {
        self.core.now = now;
        let Some(peer) = self.settings.peers.get(name).cloned() else {
            return (QualifyNow::Unknown, Effects::default());
        };
        if peer.settings.qualify.is_none() {
            return (QualifyNow::NotMonitored, Effects::default());
        }
        if self.location.newest(name).is_none() && self.static_address(&peer).is_none() {
            return (QualifyNow::NoAddress, Effects::default());
        }
        self.watch(name);
        (QualifyNow::Asked, self.take_effects())
    }

    /// Forgets where a peer is registered, until it registers again. Its calls go on.
    pub fn unregister(&mut self, now: Now, name: &str) -> (Unregistered, Effects) {
        self.core.now = now;
        if !self.settings.peers.contains_key(name) {
            return (Unregistered::Unknown, Effects::default());
        }
        if self.location.unregister(name).is_empty() {
            return (Unregistered::NotRegistered, Effects::default());
        }
        self.line_may_be_gone(name, DepartureCause::SignedOff);
        self.arm_location();
        self.core.out.verbose(3, format!("Unregistered SIP '{name}'"));
        (Unregistered::Done, self.take_effects())
    }

    /// All legs, oldest first.
    pub fn legs(&self) -> impl Iterator<Item = LegReport<'_>> {
        let call_ids: BTreeMap<LegId, &str> =
            self.index.dialogs.iter().map(|(key, leg)| (*leg, key.call_id.as_str())).collect();
        self.legs.values().map(move |leg| LegReport {
            leg,
            channel: self.channels.get(&leg.channel),
            call_id: call_ids.get(&leg.id).copied(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Time, Wall};
    use crate::config::{ini, sip_conf};
    use crate::dialplan::Dialplan;
    use crate::guard::admission::Admission;
    use crate::pbx::effect::Event;
    use crate::pbx::switch::{PeerStatus, SwitchSettings};
    use crate::registrar::location::Binding;
    use crate::rng::Rng;
    use crate::rtp::strict::Strictness;
    use crate::sip::digest::nonce::NonceKey;
    use crate::sip::header::Params;
    use crate::sip::transaction::Transmit;
    use crate::sip::{Flow, Message, Response, Uri, validate};
    use std::sync::Arc;
    use std::time::Duration;

    fn at(seconds: u64) -> Now {
        Now { mono: Time::from_start(Duration::from_secs(seconds)), wall: Wall(1_795_000_000_000) }
    }

    fn switch(text: &str) -> Switch {
        Switch::new(at(0), settings(text), Rng::from_number(1))
    }

    fn settings(text: &str) -> SwitchSettings {
        let (document, _) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
        let (conf, _) = sip_conf::parse(&document, &Default::default());
        SwitchSettings {
            admission: Arc::new(Admission::new(&conf, NonceKey([7; 32]))),
            general: Arc::new(conf.general.clone()),
            peers: Arc::new(conf.peers.clone()),
            dialplan: Arc::new(Dialplan::new()),
            strictness: Strictness::Strict,
            listening: crate::pbx::switch::Listening::udp("192.168.1.2:5060".parse().unwrap()),
            local_towards: BTreeMap::new(),
            sounds: BTreeMap::new(),
            product: "strowger".to_owned(),
        }
    }

    /// The peer answers an OPTIONS of ours.
    fn answer(switch: &mut Switch, now: Now, options: &Transmit) {
        let Ok(Message::Request(request)) = Message::parse(&options.bytes) else { panic!("no request") };
        let response = Response::for_request(&request, 200, Some("theirs")).to_bytes();
        let Ok(Message::Response(response)) = Message::parse(&response) else { panic!("no response") };
        let essentials = validate::response(&response).unwrap();
        switch.handle(now, Event::Response { response, essentials, flow: options.flow });
    }

    fn register(switch: &mut Switch, name: &str) {
        let mut binding = Binding {
            contact: Uri::parse(b"sip:a@192.168.1.20:5060").unwrap(),
            params: Params::default(),
            q: 1000,
            source: "192.168.1.20:5060".parse().unwrap(),
            flow: Flow::udp("192.168.1.2:5060".parse().unwrap(), "192.168.1.20:5060".parse().unwrap()),
            granted: Duration::from_secs(3600),
            expires: Time::ZERO,
            expires_wall: Wall(0),
            call_id: "c".into(),
            cseq: 1,
            path: Vec::new(),
            user_agent: None,
        };
        binding.renew(at(0));
        switch.location.set(name, vec![binding]);
        switch.arm_location();
    }

    const PEERS: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\nqualify=yes\n[b]\ntype=friend\nhost=dynamic\nsecret=password\n";

    #[test]
    fn a_peer_is_asked_at_once_and_only_one_that_can_be() {
        let mut switch = switch(PEERS);
        assert_eq!(switch.qualify_now(at(1), "a").0, QualifyNow::NoAddress);
        assert_eq!(switch.qualify_now(at(1), "b").0, QualifyNow::NotMonitored);
        assert_eq!(switch.qualify_now(at(1), "c").0, QualifyNow::Unknown);
        register(&mut switch, "a");
        for turn in 1..4 {
            let (done, effects) = switch.qualify_now(at(turn), "a");
            assert_eq!((done, effects.transmit.len()), (QualifyNow::Asked, 1));
            assert!(effects.transmit[0].bytes.starts_with(b"OPTIONS sip:a@192.168.1.20:5060 SIP/2.0\r\n"));
        }
        // However often it was asked, one round is under way, and one timer.
        assert_eq!(switch.leftovers().timers, 0);
    }

    #[test]
    fn an_answer_to_the_watch_before_a_reload_does_not_count_for_the_one_after_it() {
        let mut switch = switch(PEERS);
        register(&mut switch, "a");
        let before = switch.qualify_now(at(1), "a").1.transmit;
        let after = switch.reload(at(1), settings(&PEERS.replace("qualify=yes", "qualify=3000"))).transmit;
        assert_eq!((before.len(), after.len()), (1, 1), "both watches asked for the first time");
        answer(&mut switch, at(2), &before[0]);
        assert_eq!(switch.peer("a").map(|report| report.status), Some(PeerStatus::Unknown));
        answer(&mut switch, at(3), &after[0]);
        assert_eq!(switch.peer("a").map(|report| report.status), Some(PeerStatus::Ok(2000)));
    }

    #[test]
    fn a_peer_that_is_unregistered_leaves_no_timer_and_is_asked_no_more() {
        let mut switch = switch(PEERS);
        register(&mut switch, "a");
        switch.qualify_now(at(1), "a");
        assert_eq!(switch.unregister(at(2), "b").0, Unregistered::NotRegistered);
        assert_eq!(switch.unregister(at(2), "c").0, Unregistered::Unknown);
        let (done, effects) = switch.unregister(at(2), "a");
        assert_eq!((done, effects.lines.len()), (Unregistered::Done, 1));
        assert_eq!(effects.lines[0].text, "Unregistered SIP 'a'");
        assert!(switch.bindings("a").is_empty() && switch.core.timers.is_empty());
        assert_eq!(switch.peer("a").map(|report| report.status), Some(PeerStatus::Unknown));
        let later = switch.handle(at(4000), Event::Tick);
        assert!(later.transmit.is_empty() && later.lines.is_empty());
        assert_eq!(switch.unregister(at(4001), "a").0, Unregistered::NotRegistered);
    }
}
