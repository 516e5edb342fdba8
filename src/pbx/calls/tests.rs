//! Calls alone: the shapes that no feature uses yet, and how channels end.

use super::bridging::Bridging;
use super::channel::{Activity, BridgeId, Channel, Endpoint, Loading, Playing, Stopped};
use super::dial::Dial;
use super::leg::{Arrival, Cx, Leg};
use super::*;
use crate::config::diagnostic::Place;
use crate::config::peer::Settings;
use crate::dialplan::{CallerId, DialOptions, DialStatus, Digits, PlayRequest, Position, Program};
use crate::event::Event;
use crate::pbx::core::testing::{at, core};
use crate::pbx::core::{LegId, Timer};
use crate::pbx::media::{MediaCommand, StreamId};
use crate::sip::Flow;
use std::sync::Arc;
use std::time::Duration;

/// Calls, and the core they stand on.
struct Bench {
    calls: Calls,
    core: Core,
}

impl Bench {
    fn new() -> Bench {
        Bench { calls: Calls::default(), core: core("") }
    }

    /// A leg to a telephone, for this channel.
    fn leg(&mut self, channel: ChannelId) -> Leg {
        let id = LegId(self.core.fresh_id());
        let peer = Peer::new("peer", Place { file: "sip.conf".into(), line: 1 }, Settings::default());
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
        let mut cx = Cx { core: &mut self.core, index: &mut self.calls.parties.index };
        Leg::outgoing(id, channel, Arc::new(peer), Arrival { flow, behind_nat: false }, &mut cx)
    }

    /// A channel of a telephone that is doing this.
    fn channel(&mut self, activity: Activity) -> ChannelId {
        let id = ChannelId(self.core.fresh_id());
        let leg = self.leg(id);
        self.calls.parties.open(id, leg, activity, &mut self.core).unwrap();
        id
    }

    /// A line that this channel called.
    fn called(&mut self, caller: ChannelId) -> ChannelId {
        let id = self.channel(Activity::Called);
        self.calls.parties.channel_mut(id).unwrap().called_by = Some(caller);
        id
    }

    /// A caller whose program waits for a Dial.
    fn caller(&mut self, activity: Activity) -> ChannelId {
        let id = self.channel(activity);
        let program = Program::new(id, "SIP/peer-0", Position::new("default", "1", 1), CallerId::default());
        self.calls.parties.channel_mut(id).unwrap().program = Some(program);
        id
    }

    fn bridging(&mut self) -> Bridging<'_> {
        self.calls.bridging(&mut self.core)
    }

    fn connect(&mut self, a: ChannelId, b: ChannelId) -> BridgeId {
        self.core.out.media.clear();
        self.bridging().connect(a, b, 0);
        self.calls.parties.channel(a).unwrap().bridge.unwrap()
    }

    fn stream(&self, id: ChannelId) -> StreamId {
        self.calls.parties.channel(id).unwrap().stream().unwrap()
    }

    /// Which streams were joined since, and which were made idle.
    fn media(&mut self) -> (Vec<(StreamId, StreamId)>, Vec<StreamId>) {
        let (mut joined, mut idle) = (Vec::new(), Vec::new());
        for command in self.core.out.media.drain(..) {
            match command {
                MediaCommand::Bridge { a, b, .. } => joined.push((a, b)),
                MediaCommand::Idle { stream } => idle.push(stream),
                _ => {}
            }
        }
        (joined, idle)
    }
}

#[test]
fn two_called_lines_can_be_joined_when_their_caller_leaves() {
    let mut bench = Bench::new();
    let caller = bench.caller(Activity::Running);
    let [one, two] = [(); 2].map(|()| bench.called(caller));
    let bridge = bench.connect(caller, one);
    assert_eq!(bench.media().0, [(bench.stream(caller), bench.stream(one))]);
    bench.bridging().join(bridge, two);
    assert!(bench.media().0.is_empty(), "two talk already: the third is held");
    assert_eq!(bench.bridging().leave(caller), [], "two are left");
    bench.bridging().resume(bridge, two);
    assert_eq!(bench.media().0, [(bench.stream(one), bench.stream(two))]);
    assert_eq!(bench.bridging().leave(one), [two], "nobody talks to one's self");
    assert!(bench.calls.bridges().next().is_none());
    assert!(bench.calls.parties.channel(two).unwrap().bridge.is_none());
}

#[test]
fn a_party_on_hold_gets_no_media_until_it_talks_again() {
    let mut bench = Bench::new();
    let caller = bench.caller(Activity::Running);
    let [one, two] = [(); 2].map(|()| bench.called(caller));
    let bridge = bench.connect(caller, one);
    bench.bridging().join(bridge, two);
    bench.media();
    bench.bridging().hold(bridge, one);
    assert_eq!(bench.media(), (vec![], vec![bench.stream(one)]));
    bench.bridging().resume(bridge, two);
    assert_eq!(bench.media().0, [(bench.stream(caller), bench.stream(two))]);
    bench.bridging().resume(bridge, one);
    assert!(bench.media().0.is_empty(), "two talk: it stays held");
}

#[test]
fn a_leg_is_replaced_under_a_channel_whose_program_and_bridge_go_on() {
    let mut bench = Bench::new();
    let caller = bench.caller(Activity::Running);
    let callee = bench.called(caller);
    let bridge = bench.connect(caller, callee);
    let (old, stream) = (bench.calls.parties.channel(caller).unwrap().leg().unwrap(), bench.stream(caller));
    let leg = bench.leg(caller);
    let new = leg.id;
    let Bench { calls, core } = &mut bench;
    calls.parties.replace_leg(caller, leg, 16, core);
    let channel = bench.calls.parties.channel(caller).unwrap();
    assert_eq!((channel.leg(), channel.stream(), channel.bridge), (Some(new), Some(stream), Some(bridge)));
    assert!(channel.program.is_some());
    // What the old leg still says is nobody's.
    assert_eq!(bench.calls.parties.channel_of_leg(new), Some(caller));
    assert_eq!(bench.calls.parties.channel_of_leg(old), None);
}

#[test]
fn a_channel_needs_neither_a_peer_nor_a_leg() {
    let mut bench = Bench::new();
    let id = ChannelId(bench.core.fresh_id());
    let names = ("App/echo-0".to_owned(), "1.0".to_owned());
    let mut channel = Channel::new(&bench.core, id, names, Endpoint::App, Activity::Running);
    channel.program = Some(Program::new(id, "App/echo-0", Position::new("default", "1", 1), CallerId::default()));
    bench.calls.parties.insert(channel);
    let telephone = bench.called(id);
    bench.connect(id, telephone);
    assert!(bench.media().0.is_empty(), "it has no stream to join");
    bench.calls.hang_up("App/echo-0", &mut bench.core).unwrap();
    assert!(bench.calls.parties.channel(telephone).is_none(), "the line it called is hung up with it");
    let channel = bench.calls.parties.channel(id).unwrap();
    assert!(channel.dead && channel.bridge.is_none(), "its program runs h yet");
}

#[test]
fn whatever_a_channel_does_is_stopped_in_one_place_and_leaves_no_timer() {
    let timer = |core: &mut Core| core.set_timer(Duration::from_secs(9), Timer::Call(CallTimer::Wait(ChannelId(1))));
    type Make = fn(&mut Core, &dyn Fn(&mut Core) -> crate::sip::timer::TimerId) -> Activity;
    let activities: [Make; 8] = [
        |_, _| Activity::ReservingPorts,
        |core, timer| Activity::Waiting(Some(timer(core))),
        |_, _| Activity::Answering,
        |_, _| {
            Activity::Playing(Playing {
                play: 1,
                stop_on: Digits::NONE,
                missing: None,
                from: None,
                since: crate::clock::Time::ZERO,
            })
        },
        |_, _| {
            Activity::LoadingSounds(Loading { order: 1, request: PlayRequest::default(), from: None, beside: false })
        },
        |core, timer| Activity::AwaitingDigit(timer(core)),
        |_, _| Activity::Echoing,
        |_, _| Activity::Called,
    ];
    for make in activities {
        let mut bench = Bench::new();
        let activity = make(&mut bench.core, &timer);
        let id = bench.channel(activity);
        let Bench { calls, core } = &mut bench;
        let stopped = calls.parties.channel_mut(id).unwrap().stop_activity(16, core);
        assert!(stopped.branches.is_empty() && stopped.report.is_none());
        assert!(matches!(calls.parties.channel(id).unwrap().activity, Activity::Running) && core.timers.is_empty());
    }
}

#[test]
fn a_dial_and_a_bridge_that_are_stopped_tell_the_program_how_far_they_came() {
    let mut bench = Bench::new();
    bench.core.now = at(10);
    let mut dial = Dial::new(at(4).mono, DialOptions::default());
    dial.timer = Some(bench.core.set_timer(Duration::from_secs(9), Timer::Call(CallTimer::Dial(ChannelId(1)))));
    dial.branches.push((ChannelId(8), super::dial::Branch::Ringing));
    let connected = dial.answered_by(at(7).mono, "SIP/isp-00000001");
    for (activity, status, branches) in [
        (Activity::Bridged(Box::new(connected)), DialStatus::Answer, vec![]),
        (Activity::Dialing(Box::new(dial)), DialStatus::Cancel, vec![ChannelId(8)]),
    ] {
        let id = bench.caller(activity);
        let Bench { calls, core } = &mut bench;
        let Stopped { branches: left, report } = calls.parties.channel_mut(id).unwrap().stop_activity(16, core);
        let report = report.unwrap();
        assert_eq!((report.status, report.hangup_cause, left), (status, 16, branches));
        assert_eq!(report.dialed, Duration::from_secs(6));
    }
    assert!(bench.core.timers.is_empty());
}

#[test]
fn a_called_line_that_leaves_a_bridge_ends_the_caller_too_and_says_so_once() {
    let mut bench = Bench::new();
    bench.core.now = at(10);
    let connected = Dial::new(at(4).mono, DialOptions::default()).answered_by(at(7).mono, "SIP/peer-1");
    let caller = bench.caller(Activity::Bridged(Box::new(connected)));
    let callee = bench.called(caller);
    bench.connect(caller, callee);
    let name = bench.calls.parties.name_of(callee);
    bench.calls.hang_up(&name, &mut bench.core).unwrap();
    assert!(bench.calls.parties.channel(callee).is_none() && bench.calls.bridges().next().is_none());
    assert!(bench.calls.parties.channel(caller).unwrap().dead && bench.calls.parties().has_runnable());
    let ended = |event: &&Event| matches!(event, Event::Call(CallEvent::BridgeEnded { .. }));
    assert_eq!(bench.core.out.events.iter().filter(ended).count(), 1);
}
