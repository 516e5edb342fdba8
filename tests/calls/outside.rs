//! Programs outside: commands, a script, and a text that is spoken, in calls.

use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::audio::sound::Sound;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest, TalkEnd, TalkId};
use strowger::pbx::effect::Input;
use strowger::pbx::outside::{ErrandId, OutsideOrder, OutsideReport};

const PLAN: &str = "[default]\nexten => 1,1,Answer()\n same => n,System(date > /tmp/x)\n \
    same => n,Verbose(1,${SYSTEMSTATUS} ${SHELL(uptime)})\n same => n,AGI(menu.sh)\n same => n,Verbose(1,then ${AGISTATUS})\n \
    same => n,SayText(hello,5)\n same => n,Wait(60)\nexten => 5,1,Verbose(1,five)\n same => n,Wait(60)\n\
    exten => h,1,System(last)\n same => n,Verbose(1,the end ${SYSTEMSTATUS})\n";

/// What is to be done outside next, taken away.
fn next(world: &mut Testbed) -> (ErrandId, OutsideRequest, OutsideReport) {
    world.until(|w| w.outside.iter().any(|order| matches!(order, OutsideOrder::Run { .. })));
    match world.outside.remove(0) {
        OutsideOrder::Run { errand, channel, request } => {
            let reply = OutsideReply::Refused("nobody said what".to_owned());
            (errand, request, OutsideReport { errand, channel, reply })
        }
        other => panic!("{other:?}"),
    }
}

/// The next thing to be done is this, and gives that after a while.
fn gives(world: &mut Testbed, is: impl Fn(&OutsideRequest) -> bool, reply: OutsideReply) {
    let (_, request, report) = next(world);
    assert!(is(&request), "{request:?}");
    world.run(Duration::from_millis(700));
    world.give(Input::Outside(OutsideReport { reply, ..report }));
}

fn ran() -> OutsideReply {
    OutsideReply::Ran { status: Ok(0), output: "up".to_owned() }
}

fn is_command(text: &'static str) -> impl Fn(&OutsideRequest) -> bool {
    move |request| matches!(request, OutsideRequest::Command(command) if command.text == text)
}

fn tells(text: &'static str) -> impl Fn(&OutsideRequest) -> bool {
    move |request| matches!(request, OutsideRequest::Exchange(exchange) if exchange.tell == text)
}

fn line(text: &str) -> OutsideReply {
    OutsideReply::Line(Ok(text.to_owned()))
}

/// Up to the script, which has begun to talk.
fn to_the_script(world: &mut Testbed) {
    world.sounds.add("menu", Duration::from_secs(3));
    world.phone("client").dials("1");
    gives(world, is_command("date > /tmp/x"), ran());
    gives(world, is_command("uptime"), ran());
    world.until(|w| w.has_line("SUCCESS up"));
    gives(world, |request| matches!(request, OutsideRequest::Open(_)), OutsideReply::Opened(Ok(TalkId(7))));
}

/// The channel is gone: the orders that say so are taken away, and no other is left.
fn is_over(world: &mut Testbed) {
    world.until_over();
    world.run(Duration::from_secs(1));
    let gone = |order: &OutsideOrder| matches!(order, OutsideOrder::HungUp(_) | OutsideOrder::Forget(_));
    assert!(world.outside.iter().any(|order| matches!(order, OutsideOrder::Forget(_))), "{:?}", world.outside);
    world.outside.retain(|order| !gone(order));
    world.assert_nothing_left();
}

#[test]
fn a_call_waits_for_commands_a_script_and_a_text_that_is_spoken() {
    let mut world = Testbed::ready(SIP, PLAN);
    to_the_script(&mut world);
    gives(&mut world, tells(""), line("STREAM FILE menu \"\""));
    gives(&mut world, tells("200 result=0 endpos=24000\n"), line("SET VARIABLE X 1"));
    gives(&mut world, tells("200 result=1\n"), OutsideReply::Line(Err(TalkEnd::Silent)));
    gives(&mut world, |it| matches!(it, OutsideRequest::Close { .. }), OutsideReply::Closed(String::new()));
    world.until(|w| w.has_line("then SUCCESS"));
    let spoken = OutsideReply::Spoken(Ok(Sound::of_samples(&[500; 8_000])));
    gives(&mut world, |it| matches!(it, OutsideRequest::Speak(speech) if speech.text == "hello"), spoken);
    world.run(Duration::from_secs(2));
    assert_eq!(world.media.played.last(), Some(&8_000));
    world.phone("client").hangs_up();
    world.until(|w| w.outside.iter().any(|order| matches!(order, OutsideOrder::HungUp(_))));
    world.outside.retain(|order| !matches!(order, OutsideOrder::HungUp(_)));
    gives(&mut world, is_command("last"), ran());
    world.until(|w| w.has_line("the end SUCCESS"));
    is_over(&mut world);
}

#[test]
fn a_caller_who_leaves_a_script_is_followed_by_the_h_extension() {
    let mut world = Testbed::ready(SIP, PLAN);
    to_the_script(&mut world);
    let (_, request, report) = next(&mut world);
    assert!(tells("")(&request), "{request:?}");
    world.phone("client").hangs_up();
    world.until(|w| w.outside.iter().any(|order| matches!(order, OutsideOrder::HungUp(_))));
    world.outside.retain(|order| !matches!(order, OutsideOrder::HungUp(_)));
    world.give(Input::Outside(OutsideReport { reply: OutsideReply::Line(Err(TalkEnd::HungUp)), ..report }));
    gives(&mut world, |it| matches!(it, OutsideRequest::Close { .. }), OutsideReply::Closed(String::new()));
    gives(&mut world, is_command("last"), ran());
    world.until(|w| w.has_line("the end SUCCESS"));
    is_over(&mut world);
}

const SENT_ELSEWHERE: &str = "[default]\nexten => 1,1,Answer()\n same => n,Set(TIMEOUT(absolute)=5)\n same => n,AGI(menu.sh)\n\
    exten => 2,1,Answer()\n same => n,Set(EXITCONTEXT=exits)\n same => n,AGI(menu.sh)\n\
    exten => T,1,Verbose(1,elsewhere)\n same => n,System(date)\n same => n,Wait(60)\n\
    [exits]\nexten => 5,1,Verbose(1,elsewhere)\n same => n,Wait(60)\n";

/// What is said of talks that the channel left: taken away.
fn leaves(world: &mut Testbed) {
    world.until(|w| w.has_line("elsewhere"));
    let leave = world.outside.iter().position(|order| matches!(order, OutsideOrder::Leave(_)));
    assert_eq!(leave, Some(0), "{:?}", world.outside);
    let over = |order: &OutsideOrder| matches!(order, OutsideOrder::Leave(_) | OutsideOrder::HungUp(_));
    world.outside.retain(|order| !over(order));
}

/// While its script plays something, and while it waits for the script.
#[test]
fn a_script_is_over_for_a_channel_that_is_sent_elsewhere() {
    for plays in [true, false] {
        let mut world = Testbed::ready(SIP, SENT_ELSEWHERE);
        world.sounds.add("menu", Duration::from_secs(30));
        world.phone("client").dials("1");
        gives(&mut world, |request| matches!(request, OutsideRequest::Open(_)), OutsideReply::Opened(Ok(TalkId(7))));
        if plays {
            gives(&mut world, tells(""), line("STREAM FILE menu \"\""));
            world.until(|w| w.is_played_to("client"));
        } else {
            next(&mut world);
        }
        leaves(&mut world);
        gives(&mut world, is_command("date"), ran());
        world.phone("client").hangs_up();
        is_over(&mut world);
    }
}

/// `EXEC Dial` of a script, which the caller leaves by a digit (option d).
#[test]
fn a_script_is_over_for_a_caller_who_leaves_its_dial() {
    let mut world = Testbed::ready(SIP, SENT_ELSEWHERE);
    world.phone("client").dials("2");
    gives(&mut world, |request| matches!(request, OutsideRequest::Open(_)), OutsideReply::Opened(Ok(TalkId(7))));
    gives(&mut world, tells(""), line("EXEC Dial SIP/desk,20,d"));
    world.until(|w| w.is_called("desk"));
    world.hears_key("client", '5');
    leaves(&mut world);
    world.phone("client").hangs_up();
    is_over(&mut world);
}
