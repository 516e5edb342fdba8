//! What `features.conf` makes of codes: to and fro between two calls, who is called back, what is played, and codes in the
//! sound.

use crate::codes::{FEATURES, PLAN, asked, consults, talk, voices};
use crate::helpers::{got, over, presses, prompted, together};
use crate::stories::stories;
use crate::testbed::{AND_FEATURES, SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

fn plan(options: &str) -> String {
    format!("{PLAN}{AND_FEATURES}{}", FEATURES.replace("[general]\n", &format!("[general]\n{options}\n")))
}

fn inband() -> String {
    SIP.replace("[client]\n", "[client]\ndtmfmode=inband\n")
}

fn modem() -> String {
    inband().replace("[desk]\n", "[desk]\nline=modem\n")
}

stories! {
    to_and_fro(voices(), plan(""));
    the_line_that_waits_hangs_up(voices(), plan(""));
    the_line_that_is_consulted_is_left_while_it_waits(voices(), plan(""));
    the_one_that_is_talked_to_hangs_up(voices(), plan(""));
    the_transfer_is_done_while_the_line_waits(voices(), plan(""));
    hanging_up_too_early_ends_the_call(SIP, plan("atxferdropcall=yes"));
    who_transferred_is_called_back(SIP, plan(""));
    who_was_called_transfers_and_is_called_back(SIP, plan(""));
    nobody_wants_the_call(SIP, plan("atxfercallbackretries=1\natxferloopdelay=3"));
    whoever_waits_for_an_answer_gives_up(SIP, plan(""));
    a_recording_is_heard(SIP, plan("courtesytone=beep"));
    a_transfer_that_is_done_is_heard(SIP, plan("xfersound=beep"));
    a_transfer_that_fails_is_heard(SIP, plan("xferfailsound=beep"));
    codes_in_the_sound(inband(), plan(""));
    no_codes_in_the_sound_of_a_call_with_a_modem(modem(), plan(""));
}

fn consulted(world: &mut Testbed, by: &str) {
    talk(world, "1");
    consults(world, by);
    world.phone("cisco").answers();
    together(world, by, "cisco");
}

fn both_ways(world: &mut Testbed, story: impl Fn(&mut Testbed, &str, &str)) {
    for (by, other) in [("client", "desk"), ("desk", "client")] {
        world.forgets();
        consulted(world, by);
        story(world, by, other);
        world.assert_nothing_left();
    }
}

fn to_and_fro(world: &mut Testbed) {
    both_ways(world, |world, by, other| {
        for _ in 0..2 {
            presses(world, by, "*4");
            together(world, by, other);
            assert!(!world.is_played_to(other) && world.is_talking("cisco"));
            presses(world, by, "*4");
            together(world, by, "cisco");
            assert!(world.is_played_to(other), "{other} waits with music again");
        }
        world.phone(by).hangs_up();
        together(world, other, "cisco");
        over(world, "cisco");
    });
}

fn the_line_that_waits_hangs_up(world: &mut Testbed) {
    both_ways(world, |world, by, other| {
        presses(world, by, "*4");
        together(world, by, other);
        world.phone("cisco").hangs_up();
        world.run(Duration::from_secs(3));
        together(world, by, other);
        // The call is what it was before: its codes, and its end.
        asked(world, by, "#1");
        presses(world, by, "302");
        world.until(|w| !w.look(by).has_call());
        over(world, other);
    });
}

fn the_line_that_is_consulted_is_left_while_it_waits(world: &mut Testbed) {
    both_ways(world, |world, by, other| {
        presses(world, by, "*4");
        together(world, by, other);
        presses(world, by, "*1");
        world.until(|w| !w.look("cisco").has_call());
        together(world, by, other);
        over(world, other);
    });
}

fn the_one_that_is_talked_to_hangs_up(world: &mut Testbed) {
    both_ways(world, |world, by, other| {
        presses(world, by, "*4");
        together(world, by, other);
        world.phone(other).hangs_up();
        together(world, by, "cisco");
        over(world, by);
    });
}

fn the_transfer_is_done_while_the_line_waits(world: &mut Testbed) {
    both_ways(world, |world, by, other| {
        presses(world, by, "*4");
        together(world, by, other);
        presses(world, by, "*2");
        world.until(|w| !w.look(by).has_call());
        together(world, other, "cisco");
        assert!(!world.media.is_playing());
        over(world, other);
    });
}

fn hanging_up_too_early_ends_the_call(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    over(world, "client");
    assert!(world.has_line("h of SIP/client-") && !world.has_line("transfers SIP/desk-"));
}

/// Whoever transfers hangs up while the line rings, which then is busy.
fn back_to(world: &mut Testbed, by: &str, other: &str) {
    talk(world, "1");
    consults(world, by);
    world.run(Duration::from_secs(1));
    world.phone("cisco").habit(|habits| habits.refuse = Some(486));
    world.lines.clear();
    world.phone(by).hangs_up();
    world.until(|w| w.has_line(&format!("transfers SIP/{other}-")) && w.has_line("after BUSY"));
    world.until(|w| w.is_called(by));
    world.phone(by).answers();
    together(world, by, other);
    assert!(!world.media.is_playing());
}

fn who_transferred_is_called_back(world: &mut Testbed) {
    back_to(world, "client", "desk");
    over(world, "desk");
}

fn who_was_called_transfers_and_is_called_back(world: &mut Testbed) {
    back_to(world, "desk", "client");
    over(world, "desk");
    world.until(|w| w.has_line("h of SIP/client-"));
}

fn nobody_wants_the_call(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.run(Duration::from_secs(1));
    for line in ["cisco", "client"] {
        world.phone(line).habit(|habits| habits.refuse = Some(486));
    }
    world.lines.clear();
    let since = world.now;
    world.phone("client").hangs_up();
    world.until_over();
    let calls =
        |line: &str| world.lines.iter().filter(|(_, text)| text.contains(&format!("Called SIP/{line}"))).count();
    assert_eq!((calls("cisco"), calls("client")), (2, 2));
    assert!(world.now.since(since) >= Duration::from_secs(3));
}

fn whoever_waits_for_an_answer_gives_up(world: &mut Testbed) {
    for (by, other) in [("client", "desk"), ("desk", "client")] {
        world.forgets();
        talk(world, "1");
        consults(world, by);
        world.run(Duration::from_secs(1));
        world.lines.clear();
        world.phone(by).hangs_up();
        world.until(|w| w.has_line(&format!("transfers SIP/{other}-")));
        world.run(Duration::from_secs(1));
        over(world, other);
        world.assert_nothing_left();
    }
}

fn a_recording_is_heard(world: &mut Testbed) {
    talk(world, "1");
    for _ in 0..2 {
        world.prompts.clear();
        presses(world, "client", "#9");
        world.until(|w| w.prompts.len() == 2);
        assert!(world.prompts.iter().all(|(_, names)| names == "beep"));
        world.until(|w| !w.media.is_playing());
        together(world, "client", "desk");
    }
    assert_eq!(world.media.recorded, 1);
    over(world, "client");
}

fn a_transfer_that_is_done_is_heard(world: &mut Testbed) {
    consulted(world, "client");
    world.prompts.clear();
    world.phone("client").hangs_up();
    world.until(|w| prompted(w, "beep") && w.is_played_to("cisco"));
    world.until(|w| !w.media.is_playing());
    together(world, "desk", "cisco");
    over(world, "desk");
}

fn a_transfer_that_fails_is_heard(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.phone("cisco").refuses(486);
    world.until(|w| prompted(w, "beep") && w.is_played_to("client"));
    together(world, "client", "desk");
    assert!(!world.saw("client", &PhoneEvent::Ended));
    over(world, "client");
}

fn presses_in_sound(world: &mut Testbed, digits: &str) {
    for digit in digits.chars() {
        assert!(world.phone("client").sends_tone(digit), "nobody hears {digit}");
        world.run(Duration::from_millis(150));
    }
}

fn codes_in_the_sound(world: &mut Testbed) {
    talk(world, "3");
    assert!(!world.phone("client").sends_tone('#'), "nobody listens who was not asked to");
    over(world, "client");
    talk(world, "1");
    presses_in_sound(world, "5*4");
    world.run(Duration::from_secs(2));
    assert_eq!(got(world, "desk"), "", "they have passed in the sound");
    world.prompts.clear();
    presses_in_sound(world, "#1");
    world.until(|w| prompted(w, "pbx-transfer") && w.is_played_to("client"));
    presses_in_sound(world, "301");
    world.until(|w| w.is_called("cisco") && !w.look("client").has_call());
    world.phone("cisco").answers();
    together(world, "desk", "cisco");
    over(world, "desk");
}

fn no_codes_in_the_sound_of_a_call_with_a_modem(world: &mut Testbed) {
    talk(world, "1");
    assert!(!world.phone("client").sends_tone('#'));
    over(world, "client");
}
