//! What was mended once without a story: each as it was seen from a telephone.

use crate::helpers::{over, refer, talk, told};
use crate::network::Quality;
use crate::provider::Provider;
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

const PLAN: &str = "[default]\ninclude => parkedcalls\n\
    exten => 1,1,Dial(SIP/desk,20)\n\
    exten => 60,1,BackgroundDetect(hello)\n same => n,Wait(20)\n\
    exten => 70,1,Answer()\n same => n,Dial(Local/71@default,20,g)\n same => n,Wait(5)\n\
    exten => 71,1,Answer()\n same => n,PlayTones(dial)\n same => n,Wait(1)\n same => n,StopPlayTones()\n\
     same => n,Verbose(1,it is quiet)\n same => n,Wait(3)\n\
    exten => 72,1,Dial(SIP/isp,20,D(12::34))\n\
    exten => 73,1,MixMonitor(early.wav)\n same => n,Dial(SIP/isp,20)\n\
    exten => 74,1,Dial(SIP/isp,20,G(default^75^1))\n\
    exten => 75,1,Wait(3)\n same => n,Wait(3)\n\
    exten => 76,1,Answer()\n same => n,Dial(SIP/isp,20,U(slow)g)\n same => n,Verbose(1,went on with ${DIALSTATUS})\n same => n,Wait(1)\n\
    [slow]\nexten => s,1,Set(TIMEOUT(absolute)=2)\n same => n,Wait(10)\n";

fn modem() -> String {
    SIP.replace("[isp]\n", "[isp]\nline=modem\n")
}

stories! {
    a_transfer_to_a_sound_played_beside_is_done(SIP, PLAN);
    a_tone_within_a_pair_is_stopped(SIP, PLAN);
    early_digits_are_not_sent_to_a_modem(modem(), PLAN);
    the_early_media_of_a_modem_is_not_recorded(modem(), PLAN);
    whoever_waits_for_a_line_whose_time_is_over_goes_on(SIP, PLAN);
}

/// `BackgroundDetect` plays beside what it does next: to whoever transfers, the call has arrived all the same.
fn a_transfer_to_a_sound_played_beside_is_done(world: &mut Testbed) {
    world.sounds.add("hello", Duration::from_secs(5));
    talk(world, "client", "1", "desk");
    refer(world, "desk", "<sip:60@192.0.2.1>");
    world.until(|w| told(w, "desk").contains(&200));
    assert!(world.is_played_to("client"), "what it was told is so");
    world.run(Duration::from_secs(6));
    over(world, "client");
}

/// The tone sounds on the telephone beyond the pair, and so does its end.
fn a_tone_within_a_pair_is_stopped(world: &mut Testbed) {
    world.phone("client").dials("70");
    world.until(|w| w.media.is_playing());
    world.until(|w| w.has_line("it is quiet"));
    world.run(Duration::from_millis(100));
    assert!(!world.media.is_playing());
    world.until(|w| !w.look("client").has_call());
    world.until_over();
}

fn early_digits_are_not_sent_to_a_modem(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.auto_early_media = true);
    world.phone("client").dials("72");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(2));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.run(Duration::from_secs(2));
    assert!(world.media.pressed.is_empty(), "{:?}", world.media.pressed);
    assert!(world.has_line("'isp' is line=modem: nothing may disturb its call"));
    over(world, "client");
}

fn the_early_media_of_a_modem_is_not_recorded(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.auto_early_media = true);
    world.phone("client").dials("73");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(2));
    // A network may lose the 183, and with it the early media.
    assert!(world.media.recordings.is_empty() || !world.is_perfect(), "{:?}", world.media.recordings);
    world.phone("client").hangs_up();
    world.until_over();
}

/// The program that Dial runs on the called line has its own time limit: the line ends, and its Dial with it.
fn whoever_waits_for_a_line_whose_time_is_over_goes_on(world: &mut Testbed) {
    world.phone("client").dials("76");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.has_line("went on with "));
    world.until(|w| !w.look("isp").has_call());
    world.until(|w| !w.look("client").has_call());
    world.until_over();
}

/// A telephone that asks who texts it is answered with the password of its line.
#[test]
fn a_text_that_is_challenged_is_sent_again() {
    for (quality, seed) in
        std::iter::once((Quality::PERFECT, 1)).chain((0..crate::stories::seeds()).map(|seed| (Quality::ROUGH, seed)))
    {
        let mut world = Testbed::new(SIP, PLAN, quality, seed);
        world.register_all();
        world
            .providers
            .insert("192.0.2.20:5061".parse().unwrap(), vec![Provider::new("isp.example", "isp", "password")]);
        world.phone("client").texts("isp", "it is I");
        world.until(|w| w.has_line("Text message from 'client' delivered to 'isp'"));
        let provider = &world.providers[&"192.0.2.20:5061".parse().unwrap()][0];
        assert!(provider.asked["MESSAGE"] >= 1 && provider.taken["MESSAGE"] >= 1);
        world.run(Duration::from_secs(40));
        world.assert_nothing_left();
    }
}

/// A called line that goes on apart (G) is not heard by the caller any more, nor hears it, though they were joined before the
/// answer.
#[test]
fn lines_that_go_on_apart_do_not_hear_each_other() {
    let mut world = Testbed::ready(SIP, PLAN);
    world.phone("isp").habit(|habits| habits.auto_early_media = true);
    world.phone("client").dials("74");
    world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Progress));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.run(Duration::from_secs(1));
    let to = |name: &str| world.sound_from(name).map(|sound| sound.to);
    assert_eq!((to("client"), to("isp")), (None, None));
    over(&mut world, "client");
    world.assert_nothing_left();
}
