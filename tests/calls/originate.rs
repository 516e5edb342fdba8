//! Calls that the exchange begins: by the application, and as call files have it.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::dialplan::originate::{Goal, OriginateRequest};
use strowger::dialplan::{DialTarget, Position};
use strowger::event::{CallEvent, Event};
use strowger::pbx::effect::StoreOrder;

const PLAN: &str = "[default]\n\
    exten => 1,1,Originate(SIP/desk,exten,default,50,1,5)\n same => n,Verbose(1,status ${ORIGINATE_STATUS})\n\
     same => n,Answer()\n same => n,Wait(2)\n\
    exten => 2,1,Originate(SIP/desk,app,Playback,beep,,5)\n same => n,Verbose(1,status ${ORIGINATE_STATUS})\n\
    exten => 3,1,Originate(SIP/nobody,app,Echo,,,5)\n same => n,Verbose(1,status ${ORIGINATE_STATUS})\n\
    exten => 4,1,Originate(SIP/desk,app,Echo,,,5,a)\n same => n,Verbose(1,status ${ORIGINATE_STATUS})\n\
    exten => 50,1,Verbose(1,${CHANNEL} is ${CALLERID(num)} with ${ROOM})\n same => n,Dial(SIP/cisco,20)\n\
    exten => 51,1,Dial(SIP/desk,20)\n\
    exten => 52,1,Answer()\n same => n,Wait(1)\n same => n,Playback(beep)\n same => n,Echo()\n";

stories! {
    a_line_is_called_and_dials_another(SIP, PLAN);
    a_line_has_one_application(SIP, PLAN);
    what_cannot_be_begun_is_said(SIP, PLAN);
    a_call_of_the_dialplan_is_answered_by_a_line(SIP, PLAN);
    a_call_of_the_dialplan_that_answers_itself(SIP, PLAN);
    nobody_is_left_behind(SIP, PLAN);
}

fn request(target: &str, exten: &str) -> OriginateRequest {
    let goal = Goal::Extension(Position::new("default", exten, 1));
    let request = OriginateRequest::new(DialTarget::parse(target).unwrap(), goal, Duration::from_secs(5));
    OriginateRequest {
        caller: ("Alarm".to_owned(), "77".to_owned()),
        variables: vec![("ROOM".to_owned(), "12".to_owned())],
        ..request
    }
}

fn a_line_is_called_and_dials_another(world: &mut Testbed) {
    world.originates(request("SIP/desk", "50"));
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_called("cisco"));
    assert!(world.has_line(" is 77 with 12"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("cisco"));
    world.run(Duration::from_secs(1));
    world.assert_agreed("desk", "cisco", true);
    world.phone("desk").hangs_up();
    world.until_over();
    let records = world.kept.iter().filter(|order| matches!(order, StoreOrder::Call(_))).count();
    assert_eq!(records, 1);
}

fn a_line_has_one_application(world: &mut Testbed) {
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.has_line("status SUCCESS"));
    world.until(|w| w.media.played.contains(&1600));
    let at = world.look("desk").rtp();
    assert!(world.media.stream_of(&at.to_string()).is_some(), "what is played goes nowhere");
    world.until(|w| !w.is_talking("desk"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn what_cannot_be_begun_is_said(world: &mut Testbed) {
    world.phone("client").dials("3");
    world.until(|w| w.has_line("status FAILED"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("2");
    world.until(|w| w.has_line("status BUSY"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").habit(|habits| habits.refuse = None);
    world.phone("client").dials("1");
    world.until(|w| w.has_line("status RINGING"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("client").dials("4");
    world.until(|w| w.has_line("status SUCCESS"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_call_of_the_dialplan_is_answered_by_a_line(world: &mut Testbed) {
    world.originates(request("Local/51@default", "50"));
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("cisco"));
    world.run(Duration::from_secs(1));
    assert!(world.channels().iter().all(|name| name.starts_with("SIP/")), "{:?}", world.channels());
    world.phone("cisco").hangs_up();
    world.until_over();
}

fn a_call_of_the_dialplan_that_answers_itself(world: &mut Testbed) {
    world.originates(request("Local/52@default", "50"));
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco") && w.media.played.contains(&1600));
    world.phone("cisco").hangs_up();
    world.until_over();
}

fn nobody_is_left_behind(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").hangs_up();
    world.originates(request("SIP/desk", "50"));
    world.until(|w| w.is_called("desk"));
    world.run(Duration::from_secs(7));
    world.until_over();
}

/// What tells the spool how a call went.
#[test]
fn a_ticket_is_told_once() {
    let mut world = Testbed::ready(SIP, PLAN);
    let request = OriginateRequest { ticket: 9, ..request("SIP/nobody", "50") };
    let effects = world.switch.originate(crate::testbed::at(world.now), request);
    let told = |event: &&Event| matches!(event, Event::Call(CallEvent::Originated { ticket: 9, status: "FAILED" }));
    assert_eq!(effects.events.iter().filter(told).count(), 1);
    world.execute(effects);
    world.assert_nothing_left();
}
