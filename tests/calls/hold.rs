//! Hold: the other side is told, or hears music where somebody asked for that; and a second call to a telephone that has one.

use crate::helpers::{self, is_hold_settled, over, second};
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::sync::LazyLock;
use std::time::Duration;
use strowger::sim::Change;
use strowger::sip::method::Method;

const PLAN: &str = "[default]\nexten => 1,1,Dial(SIP/desk,20)\nexten => 2,1,Dial(SIP/cisco,20)\n\
    exten => 3,1,Dial(SIP/desk,20)\n same => n,Verbose(1,it was ${DIALSTATUS})\n";

fn with(line: &str, words: &str) -> String {
    SIP.replace(&format!("[{line}]\n"), &format!("[{line}]\n{words}\n"))
}

static VOICE: LazyLock<String> = LazyLock::new(|| with("client", "line=voice"));
static BOTH: LazyLock<String> = LazyLock::new(|| {
    let voice = "[client]\nline=voice\n";
    SIP.replace("[client]\n", voice).replace("[desk]\n", &voice.replace("client", "desk"))
});
static SUGGESTED: LazyLock<String> = LazyLock::new(|| with("desk", "mohsuggest=jazz"));
static OLD: LazyLock<String> = LazyLock::new(|| with("client", "musicclass=default"));
static DATA: LazyLock<String> =
    LazyLock::new(|| with("client", "mohinterpret=default").replace("[desk]\n", "[desk]\nline=modem\n"));
static WAITING: LazyLock<String> = LazyLock::new(|| with("desk", "call-limit=2"));

stories! {
    who_is_held_hears_music(VOICE, PLAN);
    the_called_line_hears_music_when_the_caller_holds(BOTH, PLAN);
    music_is_suggested_by_who_holds(SUGGESTED, PLAN);
    the_old_name_asks_for_music_too(OLD, PLAN);
    a_line_that_asks_for_nothing_is_told_of_the_hold(SIP, PLAN);
    nothing_is_played_on_the_call_of_a_modem(DATA, PLAN);
    music_ends_with_the_call(VOICE, PLAN);
    music_ends_when_the_call_goes_elsewhere(VOICE, PLAN);
    without_music_there_is_silence(VOICE, PLAN);
    a_second_call_waits_at_the_telephone(WAITING, PLAN);
}

fn talk(world: &mut Testbed) {
    world.sounds.add("moh/a", Duration::from_secs(1));
    helpers::talk(world, "client", "1", "desk");
}

fn offers(world: &Testbed, name: &str) -> usize {
    world
        .texts(name, &["INVITE sip:"])
        .iter()
        .filter(|text| text.contains(";tag=") && text.contains("\r\nTo: "))
        .count()
}

fn holds_and_resumes(world: &mut Testbed) {
    talk(world);
    is_held_and_resumed(world, "desk", "client");
}

/// The listener hears music meanwhile, and is told nothing.
fn is_held_and_resumed(world: &mut Testbed, holder: &str, listener: &str) {
    let before = offers(world, listener);
    world.phone(holder).reoffers(Change::Hold);
    world.until(|w| w.is_played_to(listener));
    world.run(Duration::from_secs(5));
    assert!(world.is_played_to(listener) && !world.is_played_to(holder));
    world.phone(holder).reoffers(Change::Resume);
    world.until(|w| !w.is_played_to(listener));
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "desk", true);
    assert_eq!(offers(world, listener), before, "who hears music is told nothing of the hold");
}

/// Whichever of the two holds, and after another.
fn the_called_line_hears_music_when_the_caller_holds(world: &mut Testbed) {
    talk(world);
    for _ in 0..2 {
        is_held_and_resumed(world, "client", "desk");
        is_held_and_resumed(world, "desk", "client");
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn who_is_held_hears_music(world: &mut Testbed) {
    holds_and_resumes(world);
    over(world, "client");
}

fn music_is_suggested_by_who_holds(world: &mut Testbed) {
    holds_and_resumes(world);
    over(world, "client");
}

fn the_old_name_asks_for_music_too(world: &mut Testbed) {
    holds_and_resumes(world);
    over(world, "client");
}

fn a_line_that_asks_for_nothing_is_told_of_the_hold(world: &mut Testbed) {
    talk(world);
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| is_hold_settled(w, "desk", "client"));
    world.run(Duration::from_secs(2));
    assert!(!world.is_played_to("client"));
    over(world, "desk");
}

fn nothing_is_played_on_the_call_of_a_modem(world: &mut Testbed) {
    talk(world);
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| is_hold_settled(w, "desk", "client"));
    world.run(Duration::from_secs(2));
    assert!(!world.is_played_to("client"));
    over(world, "desk");
}

fn music_ends_with_the_call(world: &mut Testbed) {
    talk(world);
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| w.is_played_to("client"));
    over(world, "client");
}

fn music_ends_when_the_call_goes_elsewhere(world: &mut Testbed) {
    talk(world);
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| w.is_played_to("client"));
    world.phone("desk").requests(Method::Refer, &[("Refer-To", "<sip:2@192.0.2.1>")]);
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.phone("desk").hangs_up();
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn without_music_there_is_silence(world: &mut Testbed) {
    helpers::talk(world, "client", "1", "desk");
    world.phone("desk").reoffers(Change::Hold);
    world.until(|w| w.has_line("it is held, and hears silence instead of music"));
    world.phone("desk").reoffers(Change::Resume);
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "desk", true);
    over(world, "client");
}

fn a_second_call_waits_at_the_telephone(world: &mut Testbed) {
    second(world);
    talk(world);
    // The telephone's other line key is a telephone of its own here: it gets the calls from now on.
    world.phone("desk2").registers();
    world.until(|w| w.look("desk2").is_registered());
    world.phone("cisco").dials("3");
    world.until(|w| w.is_called("desk2"));
    world.phone("desk").reoffers(Change::Hold);
    world.phone("desk2").answers();
    world.until(|w| w.is_talking("desk2") && w.is_talking("cisco"));
    world.phone("isp").dials("3");
    world.until(|w| w.has_line("it was BUSY"));
    world.phone("cisco").hangs_up();
    world.run(Duration::from_secs(1));
    world.phone("desk").reoffers(Change::Resume);
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "desk", true);
    world.phone("client").hangs_up();
    over(world, "isp");
}
