use super::*;
use crate::clock::{Now, Time, Wall};
use crate::event::Event;
use crate::pbx::core::testing::{at, core};
use crate::pbx::failure::FailureReason;
use crate::sip::Uri;
use crate::sip::header::Params;

const PEERS: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\nqualify=yes\nkeepalive=60\n\
                     [b]\ntype=friend\nhost=dynamic\nsecret=password\n\
                     [trunk]\ntype=peer\nhost=192.0.2.9\nqualify=yes\n";

/// Lines at rest with these peers, and the core they stand on.
fn lines() -> (Lines, Core) {
    let mut core = core(PEERS);
    let mut lines = Lines::default();
    lines.begin(&mut core);
    (lines, core)
}

fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.20:5060".parse().unwrap())
}

/// A peer registers at 192.0.2.20, as far as the location service sees it.
fn register(lines: &mut Lines, name: &str, core: &mut Core) {
    let mut binding = Binding {
        contact: Uri::parse(format!("sip:{name}@192.0.2.20:5060").as_bytes()).unwrap(),
        params: Params::default(),
        q: 1000,
        source: flow().remote,
        flow: flow(),
        granted: Duration::from_secs(3600),
        expires: Time::ZERO,
        expires_wall: Wall(0),
        call_id: "c".into(),
        cseq: 1,
        path: Vec::new(),
        user_agent: None,
    };
    binding.renew(core.now);
    lines.location.set(name, vec![binding]);
    lines.arm_expiry(core);
}

fn peer(core: &Core, name: &str) -> Arc<Peer> {
    core.config.peers.get(name).unwrap().clone()
}

/// Lets time pass until `now`; every timer on the way goes off.
fn pass(lines: &mut Lines, core: &mut Core, now: Now) {
    while let Some(due) = core.timers.next().filter(|due| *due <= now.mono) {
        core.now = Now { mono: due, ..now };
        match core.timers.pop(due) {
            Some(Timer::Line(timer)) => lines.timer(timer, core),
            other => panic!("{other:?}"),
        }
    }
    core.now = now;
}

fn sent(core: &mut Core) -> Vec<String> {
    let first = |bytes: Bytes| String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
    core.out.transmit.drain(..).map(|transmit| first(transmit.bytes)).collect()
}

fn events(core: &mut Core) -> Vec<LineEvent> {
    let line = |event| if let Event::Line(event) = event { Some(event) } else { None };
    core.out.events.drain(..).filter_map(line).collect()
}

fn reason(lines: &Lines, core: &mut Core, name: &str) -> Option<FailureReason> {
    let peer = peer(core, name);
    lines.targets(core, &peer, None).err().map(|failure| failure.reason)
}

#[test]
fn a_peer_is_asked_at_once_and_only_one_that_can_be() {
    let (mut lines, mut core) = lines();
    assert_eq!(lines.qualify_now("a", &mut core), QualifyNow::NoAddress);
    assert_eq!(lines.qualify_now("b", &mut core), QualifyNow::NotMonitored);
    assert_eq!(lines.qualify_now("c", &mut core), QualifyNow::Unknown);
    register(&mut lines, "a", &mut core);
    for _ in 0..3 {
        assert_eq!(lines.qualify_now("a", &mut core), QualifyNow::Asked);
        assert_eq!(sent(&mut core), ["OPTIONS sip:a@192.0.2.20:5060 SIP/2.0"]);
    }
    // However often it was asked, one round is under way, and one timer.
    assert_eq!(core.timers.len(), lines.timers());
}

#[test]
fn a_peer_that_is_unregistered_leaves_no_timer_and_is_asked_no_more() {
    let (mut lines, mut core) = lines();
    let at_rest = core.timers.len();
    register(&mut lines, "a", &mut core);
    lines.qualify_now("a", &mut core);
    assert_eq!(lines.unregister("b", &mut core), Unregistered::NotRegistered);
    assert_eq!(lines.unregister("c", &mut core), Unregistered::Unknown);
    assert_eq!(lines.unregister("a", &mut core), Unregistered::Done);
    assert_eq!(events(&mut core), [LineEvent::Unregistered { line: "a".to_owned() }]);
    assert!(lines.bindings("a").is_empty());
    assert_eq!((core.timers.len(), lines.status(&peer(&core, "a"))), (at_rest, Status::Unknown));
    assert_eq!(lines.unregister("a", &mut core), Unregistered::NotRegistered);
}

#[test]
fn where_a_peer_is_is_answered_with_the_reason_when_it_is_nowhere() {
    let (mut lines, mut core) = lines();
    let trunk = peer(&core, "trunk");
    let found = lines.targets(&mut core, &trunk, Some("5551234")).unwrap();
    assert_eq!(found[0].uri, "sip:5551234@192.0.2.9:5060");
    assert_eq!(reason(&lines, &mut core, "b"), Some(FailureReason::NeverRegistered));
    register(&mut lines, "b", &mut core);
    let b = peer(&core, "b");
    let found = lines.targets(&mut core, &b, Some("100")).unwrap();
    assert_eq!((found.len(), found[0].uri.as_str()), (1, "sip:100@192.0.2.20:5060"));
    assert!(!found[0].monitored && found[0].flow == flow());
    pass(&mut lines, &mut core, at(7200));
    assert_eq!(reason(&lines, &mut core, "b"), Some(FailureReason::Expired));
    assert!(events(&mut core).iter().any(|event| matches!(event, LineEvent::Expired { line, .. } if line == "b")));
    register(&mut lines, "b", &mut core);
    lines.unregister("b", &mut core);
    assert_eq!(reason(&lines, &mut core, "b"), Some(FailureReason::SignedOff));
}

#[test]
fn a_peer_that_answers_nothing_becomes_unreachable_and_is_not_called() {
    let (mut lines, mut core) = lines();
    pass(&mut lines, &mut core, at(30));
    let polls = sent(&mut core);
    assert!(polls.len() >= 3 && polls.iter().all(|line| line == "OPTIONS sip:192.0.2.9:5060 SIP/2.0"), "{polls:?}");
    let told: Vec<LineEvent> = events(&mut core);
    let unreachable = |event: &LineEvent| matches!(event, LineEvent::Qualified { line, now: crate::event::line::Reachability::Unreachable, .. } if line == "trunk");
    assert_eq!(told.iter().filter(|event| unreachable(event)).count(), 1, "{told:?}");
    assert_eq!(reason(&lines, &mut core, "trunk"), Some(FailureReason::Unreachable));
}

#[test]
fn an_answer_to_a_watch_of_before_a_reload_counts_for_nobody() {
    let (mut lines, mut core) = lines();
    pass(&mut lines, &mut core, at(1));
    let trunk = peer(&core, "trunk");
    lines.watches.forget("trunk", &mut core);
    lines.watches.start_after(&trunk, Duration::ZERO, &mut core);
    lines.poll_answered("trunk", (1, 0), &mut core);
    assert_eq!(lines.status(&trunk), Status::Unknown);
    pass(&mut lines, &mut core, at(2));
    lines.poll_answered("trunk", (2, 0), &mut core);
    assert!(matches!(lines.status(&trunk), Status::Ok(_)));
}

#[test]
fn a_registered_peer_is_kept_alive_and_one_that_is_gone_is_not() {
    let (mut lines, mut core) = lines();
    register(&mut lines, "a", &mut core);
    lines.keep_all_alive(&mut core);
    pass(&mut lines, &mut core, at(121));
    let empty = sent(&mut core).iter().filter(|line| line.is_empty()).count();
    assert_eq!(empty, 2, "one a minute");
    lines.unregister("a", &mut core);
    pass(&mut lines, &mut core, at(600));
    assert!(sent(&mut core).iter().all(|line| line.starts_with("OPTIONS sip:192.0.2.9")));
}
