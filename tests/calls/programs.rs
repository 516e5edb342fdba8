//! What the dialplan does with a call.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};

const PROMPT: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Playback(beep)\n same => n,Dial(SIP/isp,20)\n";
const EARLY: &str = "[default]\nexten => _X!,1,Playback(beep,noanswer)\n same => n,Dial(SIP/isp,20)\n";
const ECHO: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Echo()\n";
const GROUP: &str = "[default]\nexten => _X!,1,Dial(SIP/isp&SIP/desk&SIP/cisco,20)\n";
const HUNT: &str =
    "[default]\nexten => _X!,1,Dial(SIP/isp,20)\n same => n,Dial(SIP/cisco,5)\n same => n,Dial(SIP/desk,20)\n";
const LAST: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20)\nexten => h,1,Verbose(1,the end of ${CHANNEL})\n";
const ON: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20,g)\n same => n,Playback(beep)\n same => n,Echo()\n";
const OPEN: &str = "[default]\nexten => _0.,1,Dial(SIP/${EXTEN:1},20)\n";
const FILTERED: &str = "[default]\nexten => _0.,1,Dial(SIP/${FILTER(a-z,${EXTEN:1})},20)\n";
const WAIT: &str = "[default]\nexten => _X!,1,Answer()\n same => n,Wait(60)\n";

fn direct() -> String {
    SIP.replace("directmedia=no", "directmedia=yes")
}

stories! {
    a_prompt_and_then_the_call(SIP, PROMPT);
    a_prompt_and_then_the_direct_call(direct(), PROMPT);
    a_prompt_before_the_answer(SIP, EARLY);
    a_prompt_for_a_caller_without_an_offer(SIP, PROMPT);
    the_caller_leaves_during_the_prompt(SIP, PROMPT);
    an_echo(SIP, ECHO);
    an_echo_is_held_and_resumed(SIP, ECHO);
    the_first_of_a_group_wins(SIP, GROUP);
    two_of_a_group_answer_at_once(SIP, GROUP);
    a_whole_group_is_busy(SIP, GROUP);
    the_caller_of_a_group_gives_up(SIP, GROUP);
    hunting_passes_the_busy_and_the_silent(SIP, HUNT);
    the_last_extension_runs_after_the_end(SIP, LAST);
    the_program_goes_on_after_the_callee(SIP, ON);
    the_program_goes_on_after_a_direct_call(direct(), ON);
    the_caller_leaves_while_the_program_waits(SIP, WAIT);
    what_is_dialled_names_one_line_and_no_more(SIP, OPEN);
    what_is_dialled_and_filtered_rings_what_is_meant(SIP, FILTERED);
}

fn prompted(world: &mut Testbed, relayed: bool) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    assert!(!world.is_called("isp"));
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.media.played, [1600], "a beep of 200 ms");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.assert_agreed("client", "isp", relayed);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_prompt_and_then_the_call(world: &mut Testbed) {
    prompted(world, true);
}

fn a_prompt_and_then_the_direct_call(world: &mut Testbed) {
    prompted(world, false);
}

fn a_prompt_before_the_answer(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.media.played, [1600]);
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp") && w.is_talking("client"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_prompt_for_a_caller_without_an_offer(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.offerless = true);
    prompted(world, true);
}

fn the_caller_leaves_during_the_prompt(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_millis(50));
    world.phone("client").hangs_up();
    world.until_over();
}

fn an_echo(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(40));
    assert_eq!(world.sound_from("client").map(|sound| sound.to), Some("client".to_owned()));
    world.phone("client").hangs_up();
    world.until_over();
}

fn an_echo_is_held_and_resumed(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    for (number, change) in [(1, Change::Hold), (2, Change::Resume), (3, Change::MovePort(20_000))] {
        world.phone("client").reoffers(change);
        world.until(|w| w.count("client", &PhoneEvent::RenegotiationAccepted) == number);
        world.run(Duration::from_secs(2));
    }
    assert_eq!(world.sound_from("client").map(|sound| sound.to), Some("client".to_owned()));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_first_of_a_group_wins(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| ["isp", "desk", "cisco"].iter().all(|name| w.is_called(name)));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.until(|w| !w.look("isp").has_call() && !w.look("cisco").has_call());
    world.assert_agreed("client", "desk", true);
    world.phone("desk").hangs_up();
    world.until_over();
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["CANCEL sip"]).len(), 1);
    }
}

fn two_of_a_group_answer_at_once(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| ["isp", "desk", "cisco"].iter().all(|name| w.is_called(name)));
    world.phone("desk").answers();
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.look("isp").has_call() != w.look("desk").has_call());
    let winner = if world.look("isp").has_call() { "isp" } else { "desk" };
    world.until(|w| w.is_talking(winner) && !w.look("cisco").has_call());
    world.assert_agreed("client", winner, true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_whole_group_is_busy(world: &mut Testbed) {
    for name in ["isp", "desk", "cisco"] {
        world.phone(name).habit(|habits| habits.refuse = Some(486));
    }
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(486)));
}

fn the_caller_of_a_group_gives_up(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| ["isp", "desk", "cisco"].iter().all(|name| w.is_called(name)));
    world.phone("client").hangs_up();
    world.until_over();
}

fn hunting_passes_the_busy_and_the_silent(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("1");
    world.until(|w| w.is_called("cisco"));
    world.until(|w| w.is_called("desk"));
    world.until(|w| !w.look("cisco").has_call());
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.assert_agreed("client", "desk", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_last_extension_runs_after_the_end(world: &mut Testbed) {
    world.connect();
    world.phone("isp").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    assert!(world.has_line("the end of SIP/client-00000000"));
    world.phone("client").dials("2");
    world.until(|w| w.is_called("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    world.until(|w| w.has_line("the end of SIP/client-00000002"));
}

fn goes_on(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("isp").hangs_up();
    world.until(|w| w.media.played == [1600]);
    world.run(Duration::from_secs(40));
    assert!(world.is_talking("client"));
    let echo = world.sound_from("client");
    assert_eq!(echo.map(|sound| (sound.to, sound.relayed)), Some(("client".to_owned(), true)));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_program_goes_on_after_the_callee(world: &mut Testbed) {
    goes_on(world);
}

fn the_program_goes_on_after_a_direct_call(world: &mut Testbed) {
    goes_on(world);
}

fn the_caller_leaves_while_the_program_waits(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(5));
    world.phone("client").hangs_up();
    world.until_over();
}

/// Why `strowger check` warns of it.
fn what_is_dialled_names_one_line_and_no_more(world: &mut Testbed) {
    world.phone("client").dials("0desk");
    world.until(|w| w.is_called("desk"));
    world.phone("client").hangs_up();
    world.until_over();
    for dialled in ["0desk&SIP/isp", "0isp/5", "05@isp"] {
        world.phone("client").dials(dialled);
        world.run(Duration::from_secs(2));
        world.phone("client").hangs_up();
        world.until_over();
        assert!(world.has_line("is not called: a part of it that decides whom to call"), "{dialled}");
    }
    assert!(!world.is_called("isp"));
}

fn what_is_dialled_and_filtered_rings_what_is_meant(world: &mut Testbed) {
    world.phone("client").dials("0&de/s&k");
    world.until(|w| w.is_called("desk"));
    world.phone("client").hangs_up();
    world.until_over();
    assert!(!world.is_called("isp"));
}
