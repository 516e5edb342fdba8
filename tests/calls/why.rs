//! A call that fails says why: one line, the status on the wire, what the dialplan is told, and the record.

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::event::Level;
use strowger::pbx::cdr::Cdr;
use strowger::pbx::effect::StoreOrder;
use strowger::pbx::failure::FailureReason;
use strowger::sim::PhoneEvent;

/// The guide's dialplan, and what it was told, once the call is over.
const PLAN: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20)\n\
    same => n,Verbose(1,told ${DIALSTATUS} ${HANGUPCAUSE} ${DIALREASON})\n\
    exten => h,1,Verbose(1,told ${DIALSTATUS} ${HANGUPCAUSE} ${DIALREASON})\n";

fn with_isp(lines: &str) -> String {
    SIP.replace("[isp]\ntype=friend", &format!("[isp]\ntype=friend\n{lines}"))
}

fn with_client(lines: &str) -> String {
    SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{lines}"))
}

/// The records of the calls so far.
pub fn records(world: &Testbed) -> Vec<Cdr> {
    let records = world.kept.iter().filter_map(|order| match order {
        StoreOrder::Call(record) => Some(record.as_ref().clone()),
        StoreOrder::Bindings { .. }
        | StoreOrder::Value { .. }
        | StoreOrder::Subscription { .. }
        | StoreOrder::Line(_) => None,
    });
    records.collect()
}

/// What the dialplan was told.
fn told(world: &Testbed) -> Option<String> {
    world.said.iter().find(|line| line.text.starts_with("told ")).map(|line| line.text.clone())
}

/// The client's only call failed: for this reason, which the line, the record, the wire and the dialplan tell alike.
fn assert_failed(world: &mut Testbed, why: FailureReason, text: &str, disposition: &str) {
    world.until_over();
    world.run(Duration::from_secs(1));
    let row = why.row();
    let kept = records(world);
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].reason.as_str(), kept[0].disposition.name()), (text, disposition));
    assert_eq!((kept[0].source.as_str(), kept[0].context.as_str()), ("client", "default"));
    if kept[0].application == "Dial" {
        assert_eq!(kept[0].caller_rtp, "192.0.2.20:16420".parse().ok());
    }
    let loud = world.said.iter().filter(|line| matches!(line.level, Level::Notice | Level::Warning | Level::Error));
    let loud: Vec<_> = loud.filter(|line| line.text.contains("Call from") || line.text.contains(text)).collect();
    assert!(loud.len() <= 1, "one line is enough: {loud:?}");
    let (level, line) = world.line("Call from 'client' ");
    assert_eq!(level, row.level);
    assert!(line.ends_with(text), "{line}");
    if row.status != 0 && row.status != 487 {
        assert!(world.saw("client", &PhoneEvent::Failed(row.status)), "{:?}", world.stations["client"].events);
    }
    if let (Some(status), Some(told)) = (row.dial, told(world)) {
        assert!(told.starts_with(&format!("told {} {} ", status.name(), row.cause)), "{told}");
    }
    world.assert_nothing_left();
}

/// The client dials, and what it then takes for the call to fail.
fn fails(sip: &str, plan: &str, story: impl FnOnce(&mut Testbed), why: FailureReason, text: &str, disposition: &str) {
    let mut world = Testbed::ready(sip, plan);
    world.run(Duration::from_secs(1));
    world.lines.clear();
    world.said.clear();
    story(&mut world);
    world.phone("client").dials("1");
    assert_failed(&mut world, why, text, disposition);
}

/// The same, with something that happens once the line rings.
fn fails_ringing(plan: &str, act: impl FnOnce(&mut Testbed), why: FailureReason, text: &str, disposition: &str) {
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Ringing));
    act(&mut world);
    assert_failed(&mut world, why, text, disposition);
}

#[test]
fn a_peer_that_is_not_configured() {
    let plan = PLAN.replace("SIP/isp", "SIP/ips");
    let text = "there is no peer 'ips' in sip.conf; did you mean 'isp'?";
    fails(SIP, &plan, |_| (), FailureReason::NoSuchPeer, text, "FAILED");
    let plan = PLAN.replace("SIP/isp", "IAX2/isp");
    fails(SIP, &plan, |_| (), FailureReason::NoTechnology, "there is no 'IAX2' here, only SIP and Local", "FAILED");
}

#[test]
fn a_peer_that_may_not_be_called() {
    let sip = SIP.replace("[isp]\ntype=friend", "[isp]\ntype=user");
    let mut world = Testbed::new(&sip, PLAN, Quality::PERFECT, 1);
    world.phone("client").dials("1");
    assert_failed(&mut world, FailureReason::NotCallable, "'isp' is type=user: it may call, not be called", "FAILED");
}

#[test]
fn a_line_that_never_registered() {
    let mut world = Testbed::new(SIP, PLAN, Quality::PERFECT, 1);
    world.phone("client").dials("1");
    let text = "'isp' is not registered, and was not since the exchange started at 2026-09-21 14:13:21 UTC";
    assert_failed(&mut world, FailureReason::NeverRegistered, text, "FAILED");
}

#[test]
fn a_line_that_signed_off() {
    let story = |w: &mut Testbed| {
        w.phone("isp").unregisters();
        w.run(Duration::from_secs(125));
    };
    let text = "'isp' is not registered: it was unregistered 2 min 5 s ago, at 2026-09-21 14:13:22 UTC";
    fails(SIP, PLAN, story, FailureReason::SignedOff, text, "FAILED");
}

#[test]
fn a_line_whose_registration_ran_out_and_that_comes_back() {
    let mut world = Testbed::ready(SIP, PLAN);
    let isp = world.stations.remove("isp").unwrap();
    world.run(Duration::from_secs(3640));
    let line = "'isp' did not refresh its registration: it is unregistered. It was at 192.0.2.20:5061, for 1 h; is it \
                switched on, and on the network?";
    assert_eq!(world.line("did not refresh"), (Level::Notice, line.to_owned()));
    world.phone("client").dials("1");
    let text = "'isp' is not registered: its registration ran out 30 s ago, at 2026-09-21 15:13:31 UTC";
    assert_failed(&mut world, FailureReason::Expired, text, "FAILED");
    world.stations.insert("isp".into(), isp);
    world.phone("isp").registers();
    world.run(Duration::from_secs(2));
    let (level, line) = world.line("is registered again");
    assert_eq!(level, Level::Notice);
    assert!(line.starts_with("'isp' is registered again, 1 min ") && line.ends_with(" after its registration ran out"));
}

#[test]
fn a_line_that_went_silent_and_came_back() {
    let mut world = Testbed::ready(&with_isp("qualify=200"), PLAN);
    world.run(Duration::from_secs(1));
    let isp = world.stations.remove("isp").unwrap();
    world.run(Duration::from_secs(119));
    let (level, line) = world.line("UNREACHABLE!");
    let told = "Peer 'isp' is now UNREACHABLE!  Last qualify: 20 (192.0.2.20:5061 answered none of 3 OPTIONS: is it switched \
                on, and on the network? Calls to it fail until it does)";
    assert_eq!((level, line.as_str()), (Level::Notice, told));
    world.phone("client").dials("1");
    world.until_over();
    let reason = records(&world)[0].reason.clone();
    assert!(
        reason.starts_with("'isp' has been UNREACHABLE for 5") && reason.ends_with("it answers no OPTIONS (qualify=)"),
        "{reason}"
    );
    assert_failed(&mut world, FailureReason::Unreachable, &reason, "FAILED");
    world.stations.insert("isp".into(), isp);
    world.run(Duration::from_secs(11));
    assert!(world.has_line("Peer 'isp' is now Reachable. (20ms / 200ms) after 1 min"), "{:?}", world.lines.last());
}

#[test]
fn a_line_with_no_codec_in_common() {
    // Refused before the dialplan.
    let text =
        "no codec in common: offered PCMU, G726-32, G723, PCMA, G729a, G726-40, G726-24, G726-16; 'client' allows gsm";
    fails(&with_client("disallow=all\nallow=gsm"), PLAN, |_| (), FailureReason::NoCodec, text, "FAILED");
    // Before the called line is asked.
    let text = "no codec in common: offered PCMU, G726-32, G723, PCMA, G729a, G726-40, G726-24, G726-16; 'client' allows ulaw, \
                alaw, gsm, 'isp' allows gsm";
    fails(&with_isp("disallow=all\nallow=gsm"), PLAN, |_| (), FailureReason::NoCodec, text, "FAILED");
    // By the called line's answer: it speaks what it was not offered.
    let story = |w: &mut Testbed| {
        w.rewrite("isp", "RTP/AVP 0", "RTP/AVP 3");
        w.rewrite("isp", "a=rtpmap:0 PCMU", "a=rtpmap:3 XYZU");
        w.phone("isp").habit(|habits| habits.auto_answer_after = Some(Duration::from_secs(1)));
    };
    let mut world = Testbed::ready(SIP, PLAN);
    story(&mut world);
    world.phone("client").dials("1");
    world.until_over();
    let reason = records(&world)[0].reason.clone();
    assert!(
        reason.starts_with("no codec in common: offered ") && reason.ends_with("'client' allows ulaw, alaw, gsm"),
        "{reason}"
    );
    assert_failed(&mut world, FailureReason::NoCodec, &reason, "FAILED");
}

#[test]
fn a_description_that_cannot_be_read() {
    let story = |w: &mut Testbed| w.rewrite("client", "v=0", "x=0");
    let mut world = Testbed::ready(SIP, PLAN);
    story(&mut world);
    world.phone("client").dials("1");
    world.until_over();
    let reason = records(&world)[0].reason.clone();
    assert!(reason.starts_with("its media description cannot be read: "), "{reason}");
    assert_failed(&mut world, FailureReason::Unreadable, &reason, "FAILED");
    let story = |w: &mut Testbed| {
        w.rewrite("isp", "v=0", "x=0");
        w.phone("isp").habit(|habits| habits.auto_answer_after = Some(Duration::from_secs(1)));
    };
    let text = "'isp' answered without a media description that can be read";
    fails(SIP, PLAN, story, FailureReason::NoDescription, text, "FAILED");
}

#[test]
fn a_line_beyond_its_limit() {
    let plan = "[default]\nexten => 5,1,Dial(SIP/desk)\nexten => _X!,1,Dial(SIP/isp,20)\n\
        exten => h,1,Verbose(1,told ${DIALSTATUS} ${HANGUPCAUSE} ${DIALREASON})\n";
    let story = |w: &mut Testbed| {
        w.phone("isp").dials("5");
        w.until(|w| w.is_called("desk"));
    };
    let mut world = Testbed::ready(&with_isp("call-limit=1"), plan);
    story(&mut world);
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(486)));
    let text = "Call from 'client' to '1' failed: Call to peer 'isp' rejected due to usage limit of 1 (call-limit=)";
    assert_eq!(world.line("Call from 'client'"), (Level::Notice, text.to_owned()));
    assert!(told(&world).unwrap().starts_with("told BUSY 17 "));
    world.phone("isp").hangs_up();
    world.until_over();
    // And the other way: it is being called, and calls.
    let plan = plan.replace("SIP/desk", "SIP/client");
    let mut world = Testbed::ready(&with_client("call-limit=1"), &plan);
    world.phone("client").habit(|habits| habits.ignores_everything = true);
    world.phone("desk").dials("5");
    world.until(|w| !w.messages("exchange", "client", &["INVITE sip"]).is_empty());
    world.run(Duration::from_millis(50));
    world.phone("client").habit(|habits| habits.ignores_everything = false);
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(480)));
    let text = "Call from 'client' (192.0.2.20:5060) to extension '1' rejected because call-limit=1 reached";
    assert_eq!(world.line("rejected"), (Level::Notice, text.to_owned()));
    assert_eq!(records(&world)[0].reason, "call-limit=1 reached");
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_line_that_refuses() {
    let refused = |status: u16| move |w: &mut Testbed| w.phone("isp").habit(|habits| habits.refuse = Some(status));
    fails(SIP, PLAN, refused(486), FailureReason::Busy, "'isp' is busy (486 Busy Here)", "BUSY");
    fails(SIP, PLAN, refused(600), FailureReason::Busy, "'isp' is busy (600 Busy Everywhere)", "BUSY");
    fails(SIP, PLAN, refused(603), FailureReason::Declined, "'isp' declined the call (603 Decline)", "FAILED");
    for (status, words, wire, told, disposition) in [
        (403, "Forbidden", 503, "CHANUNAVAIL 21", "FAILED"),
        (404, "Not Found", 503, "CHANUNAVAIL 1", "FAILED"),
        (480, "Temporarily Unavailable", 480, "NOANSWER 19", "NO ANSWER"),
        (488, "Not Acceptable Here", 488, "CHANUNAVAIL 58", "FAILED"),
        (500, "Server Internal Error", 503, "CONGESTION 38", "CONGESTION"),
        (503, "Service Unavailable", 503, "CONGESTION 34", "CONGESTION"),
    ] {
        let mut world = Testbed::ready(SIP, PLAN);
        refused(status)(&mut world);
        world.phone("client").dials("1");
        world.until(|w| w.saw("client", &PhoneEvent::Failed(wire)));
        let heard = self::told(&world).unwrap();
        assert!(heard.starts_with(&format!("told {told} ")), "{heard}");
        let text = format!("'isp' refused the call ({status} {words})");
        assert_failed(&mut world, FailureReason::Refused, &text, disposition);
    }
}

#[test]
fn a_line_that_rings_in_vain() {
    let plan = PLAN.replace("SIP/isp,20", "SIP/isp&SIP/desk,20");
    fails(SIP, &plan, |_| (), FailureReason::NoAnswer, "nobody picked up 'isp', 'desk' within 20 s", "NO ANSWER");
}

#[test]
fn a_line_that_hears_nothing() {
    let deaf = |w: &mut Testbed| w.phone("isp").habit(|habits| habits.ignores_everything = true);
    let plan = PLAN.replace(",20)", ")");
    let text = |span| format!("'isp' at 192.0.2.20:5061 did not answer the call at all for {span}");
    fails(&with_isp("qualify=yes"), &plan, deaf, FailureReason::NoResponse, &text("6 s"), "FAILED");
    fails(SIP, &plan, deaf, FailureReason::NoResponse, &text("32 s"), "FAILED");
    fails(&with_isp("timerb=3000"), &plan, deaf, FailureReason::NoResponse, &text("3 s"), "FAILED");
}

#[test]
fn a_line_the_system_does_not_send_to() {
    let away = |w: &mut Testbed| w.no_route.extend(["192.0.2.20:5061".parse::<std::net::SocketAddr>().unwrap()]);
    let text = "nothing can be sent to 'isp' at 192.0.2.20:5061: No route to host (os error 113)";
    fails(SIP, PLAN, away, FailureReason::Unsendable, text, "FAILED");
}

#[test]
fn a_caller_that_gives_up() {
    let act = |w: &mut Testbed| w.phone("client").hangs_up();
    fails_ringing(PLAN, act, FailureReason::CallerGaveUp, "the caller hung up before the answer", "NO ANSWER");
}

#[test]
fn a_hunt_tells_of_every_line_unless_one_answers() {
    let plan = "[default]\nexten => 1,1,Dial(SIP/isp)\nsame => n,Dial(SIP/desk)\nsame => n,Dial(SIP/nobody)\n";
    let busy = |w: &mut Testbed| {
        w.phone("isp").habit(|habits| habits.refuse = Some(486));
        w.phone("desk").habit(|habits| habits.refuse = Some(486));
    };
    let text = "'isp' is busy (486 Busy Here); 'desk' is busy (486 Busy Here); there is no peer 'nobody' in sip.conf";
    let mut world = Testbed::ready(SIP, plan);
    busy(&mut world);
    world.phone("client").dials("1");
    assert_failed(&mut world, FailureReason::NoSuchPeer, text, "FAILED");
    let mut world = Testbed::ready(SIP, plan);
    world.phone("isp").habit(|habits| habits.refuse = Some(486));
    world.phone("desk").habit(|habits| habits.auto_answer_after = Some(Duration::from_secs(1)));
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!(records(&world)[0].reason, "the caller hung up");
    assert!(!world.has_line("Call from"));
    world.assert_nothing_left();
}

#[test]
fn of_several_that_ring_one_answers() {
    let plan = PLAN.replace("SIP/isp", "SIP/isp&SIP/desk");
    let mut world = Testbed::ready(SIP, &plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.is_called("desk"));
    world.run(Duration::from_secs(1));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client"));
    let (level, line) = world.line("answered elsewhere");
    assert_eq!(level, Level::Verbose(3));
    assert!(line.starts_with("SIP/isp-") && line.contains(": answered elsewhere, by SIP/desk-"), "{line}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn no_ports_are_left() {
    let text = "no RTP ports are left (all are in use); rtpstart= and rtpend= in rtp.conf set how many there are";
    for ports in [0, 1] {
        fails(SIP, PLAN, |w| w.media.ports = ports, FailureReason::NoPorts, text, "CONGESTION");
    }
}

#[test]
fn a_number_that_nobody_has() {
    let plan = "[default]\nexten => 600,1,Answer()\nexten => 8000,1,Answer()\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("601");
    let text = "the extension was not found in context 'default'. Did you mean 600?";
    assert_failed(&mut world, FailureReason::NoSuchExtension, text, "FAILED");
    // The shape that ban tools look for.
    let line = format!("Call from 'client' (192.0.2.20:5060) to extension '601' rejected because {text}");
    assert_eq!(world.line("rejected").1, line);
    fails(
        SIP,
        plan,
        |_| (),
        FailureReason::NoSuchExtension,
        "the extension was not found in context 'default'.",
        "FAILED",
    );
    let sip = with_client("context=nowhere");
    let mut world = Testbed::ready(&sip.replacen("context=default\ndirectmedia", "directmedia", 1), plan);
    world.phone("client").dials("1");
    world.until_over();
    let text = "the extension was not found in context 'nowhere'. There is no such context in extensions.conf";
    assert!(world.line("rejected").1.ends_with(text), "{:?}", world.line("rejected"));
    let mut world = Testbed::ready(SIP, "[default]\nexten => _8XXX,1,Answer()\n");
    world.phone("client").dials("88");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(484)));
    assert_eq!(world.line("not complete").0, Level::Verbose(3));
    assert!(records(&world).is_empty(), "a telephone asks with every digit");
}

#[test]
fn the_exchange_stops() {
    use strowger::pbx::switch::Stopping;
    let stop = |w: &mut Testbed| {
        let effects = w.switch.stop(crate::testbed::at(w.now), Stopping::Gracefully);
        w.execute(effects);
    };
    fails(SIP, PLAN, stop, FailureReason::Stopping, "the exchange is stopping", "FAILED");
}

#[test]
fn the_dialplan_ends_it() {
    let plan = |steps: &str| format!("[default]\nexten => 1,1,{steps}\n");
    let failed =
        |steps: &str, why, text: &str, disposition: &str| fails(SIP, &plan(steps), |_| (), why, text, disposition);
    failed(
        "NoOp()",
        FailureReason::RanOut,
        "the dialplan came to its end at 1@default:2 without an answer",
        "NO ANSWER",
    );
    let by = |app: &str| format!("{app}() in the dialplan ended it, at 1@default:1");
    for (steps, status, disposition) in
        [("Congestion()", 503, "CONGESTION"), ("Busy()", 486, "BUSY"), ("Hangup(21)", 403, "FAILED")]
    {
        let mut world = Testbed::ready(SIP, &plan(steps));
        world.phone("client").dials("1");
        world.until(|w| w.saw("client", &PhoneEvent::Failed(status)));
        assert_failed(&mut world, FailureReason::ByDialplan, &by(steps.split('(').next().unwrap()), disposition);
    }
    failed("Goto(nowhere,1)", FailureReason::Nowhere, "the dialplan leads nowhere at nowhere@default:1", "NO ANSWER");
}

#[test]
fn the_console_ends_it() {
    let act = |w: &mut Testbed| {
        let name = w.channels()[0].clone();
        let (_, effects) = w.switch.hang_up(crate::testbed::at(w.now), &name);
        w.execute(effects);
    };
    fails_ringing(
        "[default]\nexten => 1,1,Dial(SIP/isp)\n",
        act,
        FailureReason::ByConsole,
        "hung up from the console",
        "NO ANSWER",
    );
}

#[test]
fn an_answer_that_is_never_acknowledged() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("client").habit(|habits| habits.never_acks = true);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    let text = "no ACK from 'client' in 32 s: our 200 OK was sent to 192.0.2.20:5060, the Contact of the telephone is \
                sip:client@192.0.2.20:5060, and its ACK should come to <sip:1@192.0.2.1:5060> (NAT, a wrong Contact, a firewall?)";
    assert_failed(&mut world, FailureReason::NotAcked, text, "ANSWERED");
    assert!(world.has_line("Call from 'client' to '1' ended: no ACK from 'client'"));
}

#[test]
fn sound_that_never_comes() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.media.mute.insert("192.0.2.20:16420".parse().unwrap());
    world.connect();
    world.run(Duration::from_secs(35));
    world.phone("isp").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    let (level, line) = world.line("no sound ever came");
    assert_eq!(level, Level::Warning);
    let text = "no sound ever came from 'client' in 35 s: it said it would come from 192.0.2.20:16420, and 7 packets from elsewhere \
                were dropped";
    assert!(line.starts_with("SIP/client-") && line.ends_with(text), "{line}");
    // Past the exchange it cannot know.
    let sip = SIP.replace("directmedia=no", "directmedia=yes");
    let mut world = Testbed::ready(&sip, PLAN);
    world.media.mute.insert("192.0.2.20:16420".parse().unwrap());
    world.connect();
    world.run(Duration::from_secs(35));
    world.phone("isp").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    assert!(!world.has_line("no sound ever came"));
}

#[test]
fn direct_media_that_is_refused() {
    let mut world = Testbed::ready(&SIP.replace("directmedia=no", "directmedia=yes"), PLAN);
    world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(488));
    world.connect();
    world.run(Duration::from_secs(2));
    let (level, line) = world.line("refused direct media");
    assert_eq!(level, Level::Verbose(3));
    assert!(line.starts_with("SIP/isp-") && line.contains(" refused direct media (488): 'SIP/client-"), "{line}");
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_caller_that_is_answered_already_hears_it_ring() {
    let plan = "[default]\nexten => 1,1,Answer()\nsame => n,Dial(SIP/isp,20)\nsame => n,Wait(5)\n";
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert_eq!(world.media.played.len(), 1, "ring tone");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    // It stops when nobody answers.
    let mut world = Testbed::ready(SIP, plan);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("Nobody picked up"));
    world.run(Duration::from_secs(1));
    assert!(world.media.streams.values().all(|stream| matches!(stream.doing, crate::media::Doing::Idle)));
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn progressinband_lets_a_caller_hear_it_ring() {
    let plan = "[default]\nexten => 1,1,Dial(SIP/isp,20)\n";
    let mut world = Testbed::ready(&with_client("progressinband=yes"), plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    assert!(world.saw("client", &PhoneEvent::Progress) && !world.saw("client", &PhoneEvent::Ringing));
    assert_eq!(world.media.played.len(), 1);
    let invite = &world.texts("isp", &["INVITE sip"])[0];
    assert!(invite.contains(" RTP/AVP 0 ") || invite.contains(" RTP/AVP 0\r"), "one codec, that of the tone: {invite}");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn option_r_lets_no_sound_through_before_the_answer() {
    let mut world = Testbed::ready(SIP, &GUIDE.replace(",20)", ",20,r)"));
    world.phone("isp").habit(|habits| habits.auto_ring = false);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").sounds();
    world.run(Duration::from_secs(1));
    assert!(world.saw("client", &PhoneEvent::Ringing) && !world.saw("client", &PhoneEvent::Progress));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
