//! Codes that telephones press in mid-call: transfer, parking, recording, hanging up, applications.

use crate::helpers::{self, got, over, presses, prompted, together};
use crate::stories::stories;
use crate::testbed::{AND_FEATURES, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::media::WhileBridged;

pub const PLAN: &str = "[default]\ninclude => parkedcalls\n\
    exten => 1,1,Dial(SIP/desk,20,TtKkHhXxWw)\n same => n,Verbose(1,never here)\n\
    exten => 2,1,Dial(SIP/desk,20,h)\n\
    exten => 3,1,Dial(SIP/desk,20)\n\
    exten => 4,1,Set(__DYNAMIC_FEATURES=nine#ten)\n same => n,Dial(SIP/desk,20)\n\
    exten => 5,1,Dial(Local/6@default,20)\n\
    exten => 6,1,Dial(SIP/desk,20,Tt)\n\
    exten => 7,1,Set(__TRANSFER_CONTEXT=others)\n same => n,Dial(SIP/desk,20,T)\n\
    exten => 8,1,Dial(SIP/desk,20,gT)\n same => n,Verbose(1,the caller goes on)\n\
    exten => 301,1,Verbose(1,transferred by ${BLINDTRANSFER})\n same => n,Dial(SIP/cisco,20)\n same => n,Verbose(1,after ${DIALSTATUS})\n\
    exten => 302,1,Answer()\n same => n,Playback(beep)\n same => n,Wait(5)\n\
    exten => h,1,Verbose(1,h of ${CHANNEL})\n\
    [others]\nexten => 55,1,Verbose(1,in the other context)\n same => n,Wait(5)\n";

pub const FEATURES: &str = "[general]\nfeaturedigittimeout=800\n[featuremap]\nblindxfer=#1\natxfer=#2\ndisconnect=**\n\
    parkcall=#7\nautomon=#8\nautomixmon=#9\n[applicationmap]\nnine => *9,self,Playback,hello\nten => *7,peer/caller,SayDigits,1\n";

fn plan() -> String {
    format!("{PLAN}{AND_FEATURES}{FEATURES}")
}

/// Lines that people talk on, and one that says nothing.
pub fn voices() -> String {
    SIP.replace("[client]\n", "[client]\nline=voice\n").replace("[desk]\n", "[desk]\nline=voice\n")
}

fn modem() -> String {
    SIP.replace("[desk]\n", "[desk]\nline=modem\n")
}

stories! {
    a_caller_transfers_the_called_line(voices(), plan());
    a_called_line_transfers_the_caller(voices(), plan());
    to_a_context_of_its_own(SIP, plan());
    a_number_that_is_not_there(SIP, plan());
    whoever_hangs_up_while_a_number_is_typed_ends_the_call(SIP, plan());
    digits_that_are_no_code_pass(SIP, plan());
    a_code_ends_the_call(SIP, plan());
    without_letters_nothing_is_looked_at(SIP, plan());
    behind_a_local(SIP, plan());
    the_other_side_is_parked(SIP, plan());
    the_call_is_recorded(SIP, plan());
    an_application_runs_for_one_of_them(SIP, plan());
    a_line_is_talked_to_before_the_transfer(voices(), plan());
    a_line_that_does_not_answer_is_no_end(SIP, plan());
    a_line_that_still_rings_is_transferred_to(SIP, plan());
    the_line_that_is_consulted_hangs_up(SIP, plan());
    back_by_a_code_and_done_by_a_code(SIP, plan());
    whoever_waits_hangs_up_while_a_line_is_consulted(SIP, plan());
    nothing_listens_to_a_modem(modem(), plan());
    the_usual_codes(SIP, PLAN);
}

/// With the sounds that stories of codes need.
pub fn talk(world: &mut Testbed, number: &str) {
    for (name, time) in [("pbx-transfer", 400), ("pbx-invalid", 400), ("moh/a", 1000), ("hello", 500), ("beep", 200)] {
        world.sounds.add(name, Duration::from_millis(time));
    }
    for digit in ["digits/7", "digits/0", "digits/1"] {
        world.sounds.add(digit, Duration::from_millis(300));
    }
    helpers::talk(world, "client", number, "desk");
    together(world, "client", "desk");
}

pub fn asked(world: &mut Testbed, who: &str, code: &str) {
    world.prompts.clear();
    presses(world, who, code);
    world.until(|w| prompted(w, "pbx-transfer") && w.is_played_to(who));
}

fn a_caller_transfers_the_called_line(world: &mut Testbed) {
    talk(world, "1");
    asked(world, "client", "#1");
    world.until(|w| prompted(w, "moh/a"));
    assert!(world.is_played_to("desk"), "who waits hears music");
    presses(world, "client", "301");
    world.until(|w| w.is_called("cisco") && !w.look("client").has_call());
    assert!(world.has_line("transferred by SIP/client-") && world.has_line("transfers SIP/desk-"));
    world.until(|w| w.has_line("h of SIP/client-"));
    world.phone("cisco").answers();
    together(world, "desk", "cisco");
    assert!(!world.media.is_playing());
    over(world, "desk");
}

fn a_called_line_transfers_the_caller(world: &mut Testbed) {
    talk(world, "1");
    asked(world, "desk", "#1");
    presses(world, "desk", "301");
    world.until(|w| w.is_called("cisco") && !w.look("desk").has_call());
    assert!(world.has_line("transferred by SIP/desk-"));
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    over(world, "cisco");
    assert!(!world.has_line("never here"));
}

fn to_a_context_of_its_own(world: &mut Testbed) {
    talk(world, "7");
    asked(world, "client", "#1");
    presses(world, "client", "55");
    world.until(|w| w.has_line("in the other context") && !w.look("client").has_call());
    over(world, "desk");
}

fn a_number_that_is_not_there(world: &mut Testbed) {
    talk(world, "1");
    for number in ["99", ""] {
        asked(world, "client", "#1");
        presses(world, "client", number);
        world.until(|w| prompted(w, "pbx-invalid"));
        world.until(|w| !w.media.is_playing());
        together(world, "client", "desk");
    }
    assert!(world.prompts.iter().all(|(_, names)| names != "moh/a"), "a line that says nothing hears silence");
    // The codes count again, of both.
    asked(world, "desk", "#1");
    presses(world, "desk", "302");
    world.until(|w| !w.look("desk").has_call());
    over(world, "client");
}

fn whoever_hangs_up_while_a_number_is_typed_ends_the_call(world: &mut Testbed) {
    for by in ["client", "desk"] {
        for code_of in ["client", "desk"] {
            talk(world, "1");
            asked(world, code_of, "#1");
            over(world, by);
            world.lines.clear();
        }
    }
}

fn digits_that_are_no_code_pass(world: &mut Testbed) {
    talk(world, "1");
    presses(world, "client", "5*4#5#");
    assert_eq!(got(world, "desk"), "5*4#5");
    world.run(Duration::from_secs(1));
    assert_eq!(got(world, "desk"), "5*4#5#", "what was begun is passed on when nothing follows");
    // By INFO, too.
    world.phone("desk").presses('7');
    world.until(|w| got(w, "client") == "7");
    over(world, "desk");
}

fn a_code_ends_the_call(world: &mut Testbed) {
    for by in ["client", "desk"] {
        talk(world, "1");
        presses(world, by, "**");
        world.until_over();
        assert!(world.has_line("h of SIP/client-"));
    }
}

fn without_letters_nothing_is_looked_at(world: &mut Testbed) {
    talk(world, "3");
    assert!(world.media.streams.values().all(|stream| stream.listening.bridged == WhileBridged::Pass));
    world.phone("client").sends_event('#');
    world.phone("client").sends_event('1');
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "desk", true);
    assert!(world.media.pressed.is_empty() && world.prompts.is_empty());
    over(world, "client");
}

fn behind_a_local(world: &mut Testbed) {
    talk(world, "5");
    asked(world, "client", "#1");
    presses(world, "client", "302");
    world.until(|w| prompted(w, "beep") && !w.look("client").has_call());
    over(world, "desk");
}

fn the_other_side_is_parked(world: &mut Testbed) {
    for (by, other) in [("client", "desk"), ("desk", "client")] {
        world.lines.clear();
        world.prompts.clear();
        talk(world, "1");
        presses(world, by, "#7");
        world.until(|w| w.has_line("is parked at 701 of lot 'default', by SIP/"));
        world.until(|w| prompted(w, "digits/7&digits/0&digits/1"));
        world.until(|w| !w.look(by).has_call());
        world.run(Duration::from_secs(2));
        assert!(world.is_played_to(other), "its music goes on when the place is said");
        world.phone("cisco").dials("701");
        together(world, other, "cisco");
        over(world, other);
    }
}

fn the_call_is_recorded(world: &mut Testbed) {
    talk(world, "1");
    for (who, code) in [("client", "#9"), ("desk", "#8")] {
        world.lines.clear();
        presses(world, who, code);
        world.until(|w| w.has_line("has the call recorded in /state/recordings/auto-"));
        assert_eq!(world.media.recordings.len(), 1);
        presses(world, who, code);
        world.until(|w| w.has_line("the recording that its code began ends"));
    }
    assert_eq!(world.media.recorded, 2);
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn an_application_runs_for_one_of_them(world: &mut Testbed) {
    talk(world, "4");
    presses(world, "client", "*9");
    world.until(|w| prompted(w, "hello") && w.is_played_to("client"));
    world.until(|w| !w.media.is_playing());
    together(world, "client", "desk");
    presses(world, "client", "*7");
    world.until(|w| prompted(w, "digits/1") && w.is_played_to("desk"));
    world.until(|w| !w.media.is_playing());
    together(world, "client", "desk");
    presses(world, "desk", "*9");
    world.until(|w| w.is_played_to("desk"));
    world.until(|w| !w.media.is_playing());
    together(world, "client", "desk");
    over(world, "desk");
}

pub fn consults(world: &mut Testbed, by: &str) {
    asked(world, by, "#2");
    presses(world, by, "301");
    world.until(|w| w.is_called("cisco"));
}

fn a_line_is_talked_to_before_the_transfer(world: &mut Testbed) {
    for (by, other) in [("client", "desk"), ("desk", "client")] {
        talk(world, "1");
        consults(world, by);
        world.phone("cisco").answers();
        together(world, by, "cisco");
        assert!(world.is_played_to(other), "{other} waits with music");
        world.phone(by).hangs_up();
        together(world, other, "cisco");
        assert!(!world.media.is_playing() && world.has_line(" connects SIP/"));
        over(world, "cisco");
        world.lines.clear();
    }
}

fn a_line_that_does_not_answer_is_no_end(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.phone("cisco").refuses(486);
    together(world, "client", "desk");
    consults(world, "desk");
    world.until(|w| !w.is_called("cisco"));
    together(world, "client", "desk");
    over(world, "client");
}

fn a_line_that_still_rings_is_transferred_to(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.run(Duration::from_secs(2));
    world.lines.clear();
    world.phone("client").hangs_up();
    world.until(|w| w.has_line("transfers SIP/desk-"));
    // A telephone that has not heard the CANCEL yet is busy.
    world.until(|w| w.has_line("is ringing") || w.has_line("after BUSY"));
    if world.has_line("after BUSY") {
        assert!(!world.is_perfect());
        world.until(|w| w.is_called("client"));
        world.phone("client").answers();
        together(world, "desk", "client");
        return over(world, "client");
    }
    world.phone("cisco").answers();
    together(world, "desk", "cisco");
    // Its own program goes on as after any transfer.
    over(world, "cisco");
}

fn the_line_that_is_consulted_hangs_up(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    world.phone("cisco").hangs_up();
    together(world, "client", "desk");
    over(world, "desk");
}

fn back_by_a_code_and_done_by_a_code(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    presses(world, "client", "*1");
    together(world, "client", "desk");
    world.until(|w| !w.look("cisco").has_call());
    consults(world, "client");
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    presses(world, "client", "*2");
    world.until(|w| !w.look("client").has_call());
    together(world, "cisco", "desk");
    over(world, "desk");
}

fn whoever_waits_hangs_up_while_a_line_is_consulted(world: &mut Testbed) {
    talk(world, "1");
    consults(world, "client");
    world.phone("cisco").answers();
    together(world, "client", "cisco");
    world.phone("desk").hangs_up();
    together(world, "client", "cisco");
    over(world, "cisco");
}

fn nothing_listens_to_a_modem(world: &mut Testbed) {
    talk(world, "1");
    assert!(world.has_line("'desk' is line=modem: nothing listens to its call, not for Dial option H either"));
    assert!(world.media.streams.values().all(|stream| stream.listening.bridged == WhileBridged::Pass));
    world.phone("client").sends_event('#');
    world.phone("client").sends_event('1');
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "desk", true);
    assert!(world.media.pressed.is_empty() && world.prompts.is_empty());
    over(world, "client");
}

/// Without features.conf there are `#` and `*`, and the log says which letters have no code.
fn the_usual_codes(world: &mut Testbed) {
    talk(world, "1");
    assert!(world.has_line("Dial option K: features.conf has no code for it"));
    asked(world, "client", "#");
    presses(world, "client", "#");
    world.until(|w| prompted(w, "pbx-invalid"));
    world.until(|w| !w.media.is_playing());
    together(world, "client", "desk");
    presses(world, "desk", "*");
    world.until_over();
    talk(world, "2");
    presses(world, "desk", "*");
    world.until_over();
}
