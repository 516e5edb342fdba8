//! `Local/extension@context` in Dial: the dialplan is called as a line is.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::pbx::effect::StoreOrder;

const PLAN: &str = "[default]\n\
    exten => 1,1,Set(_ONE=first)\n same => n,Set(__ALL=each)\n same => n,Dial(Local/201@home,20)\n\
    exten => 2,1,Dial(Local/201@home/n&SIP/isp,20)\n\
    exten => 3,1,Dial(Local/202@home,20)\n same => n,Verbose(1,it was ${DIALSTATUS})\n\
    exten => 4,1,Dial(Local/4@default&Local/4@default,20)\n same => n,Verbose(1,it was ${DIALSTATUS})\n\
    exten => 5,1,Dial(Local/nowhere@home,20)\n same => n,Verbose(1,it was ${DIALSTATUS})\n\
    exten => 6,1,Dial(Local/203@home,20)\n\
    exten => 7,1,Dial(Local/204@home&SIP/desk,20)\n\
    exten => 8,1,Dial(Local/204@home,3)\n same => n,Verbose(1,it was ${DIALSTATUS})\n same => n,Wait(5)\n\
    exten => 9,1,Dial(Local/205@home,20)\n same => n,Verbose(1,it was ${DIALSTATUS})\n same => n,Wait(5)\n\
    [home]\n\
    exten => 204,1,SayAlpha(abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz)\n\
    exten => 205,1,Set(TIMEOUT(absolute)=3)\n same => n,Goto(204,1)\n\
    exten => 201,1,Verbose(1,for ${CALLERID(num)}: ${ONE} and ${ALL} at ${CALLERID(dnid)})\n same => n,Dial(SIP/desk,20)\n\
    exten => 202,1,Busy()\n\
    exten => 203,1,Answer()\n same => n,Playback(beep)\n same => n,Dial(SIP/desk,20)\n";

stories! {
    the_line_that_answers_takes_the_place_of_the_pair(SIP, PLAN);
    a_pair_and_a_line_ring_together(SIP, PLAN);
    what_the_dialplan_says_is_dialstatus(SIP, PLAN);
    a_pair_that_answers_itself_and_dials_on(SIP, PLAN);
    the_caller_gives_up(SIP, PLAN);
    what_is_spelled_before_the_answer_ends_with_whom_it_is_spelled_by(SIP, PLAN);
}

fn records(world: &Testbed) -> usize {
    world.kept.iter().filter(|order| matches!(order, StoreOrder::Call(_))).count()
}

fn the_line_that_answers_takes_the_place_of_the_pair(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("for client: first and each at 201"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
    assert!(world.channels().iter().all(|name| name.starts_with("SIP/")), "{:?}", world.channels());
    world.assert_agreed("client", "desk", true);
    world.phone("desk").hangs_up();
    world.until_over();
    assert_eq!(records(world), 1, "one call, one record");
}

fn a_pair_and_a_line_ring_together(world: &mut Testbed) {
    world.phone("client").dials("2");
    world.until(|w| w.is_called("desk") && w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    assert!(!world.is_talking("desk"));
}

fn what_the_dialplan_says_is_dialstatus(world: &mut Testbed) {
    for (number, status) in [("3", "BUSY"), ("4", "CHANUNAVAIL"), ("5", "CHANUNAVAIL")] {
        world.phone("client").dials(number);
        world.until(|w| w.has_line(&format!("it was {status}")));
        world.phone("client").hangs_up();
        world.until_over();
        world.lines.clear();
    }
}

fn a_pair_that_answers_itself_and_dials_on(world: &mut Testbed) {
    world.phone("client").dials("6");
    world.until(|w| w.is_called("desk"));
    world.until(|w| w.is_talking("client"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "desk", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_gives_up(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    world.phone("client").hangs_up();
    world.until_over();
}

/// A long name that is spelled as early media: it ends with the half that spells it, and does not come between those who
/// talk.
fn what_is_spelled_before_the_answer_ends_with_whom_it_is_spelled_by(world: &mut Testbed) {
    for letter in 'a'..='z' {
        world.sounds.add(&format!("letters/{letter}"), Duration::from_millis(500));
    }
    world.phone("client").dials("7");
    world.until(|w| w.is_played_to("client") && w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("client"));
    world.run(Duration::from_secs(1));
    world.assert_agreed("client", "desk", true);
    world.phone("client").hangs_up();
    world.until_over();
    for number in ["8", "9"] {
        world.phone("client").dials(number);
        world.until(|w| w.is_played_to("client"));
        world.until(|w| w.has_line("it was "));
        world.run(Duration::from_millis(100));
        assert!(!world.media.is_playing(), "{number}: it is spelled on");
        world.phone("client").hangs_up();
        world.until_over();
        world.lines.clear();
    }
    world.phone("client").dials("8");
    world.until(|w| w.is_played_to("client"));
    world.phone("client").hangs_up();
    world.until_over();
    assert!(!world.media.is_playing());
}
